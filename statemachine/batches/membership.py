"""Which records are of which batches."""

from functools import cache
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from statemachine.models import CALLED_OFF, ITEMS, Batch, BatchesOf, BatchItem, StateMachine


@cache
def items_of(machine: type[StateMachine]) -> type[Any]:
    """The memberships of the machine's records.

    Raises:
        LookupError: it has none, so that no many of it can be run together.
    """
    for relation in machine._meta.related_objects:
        if relation.get_accessor_name() == ITEMS and issubclass(relation.related_model, BatchItem):
            return relation.related_model
    raise LookupError(f"{machine._meta.label} has no BatchItem whose record has the related_name “{ITEMS}”.")


def can_be_run_together(machine: type[StateMachine]) -> bool:
    """Whether the machine has batches."""
    try:
        return bool(items_of(machine))
    except LookupError:
        return False


def machine_of(batch: Batch) -> type[StateMachine]:
    """Whose records it is of."""
    return apps.get_model(batch.record_type)


@cache
def batch_of(machine: type[StateMachine]) -> type[Batch]:
    """The machine's own batches, as its app calls them; where it has none, those of all machines."""
    for model in apps.get_models():
        manager = model._default_manager
        if (
            issubclass(model, Batch)
            and isinstance(manager, BatchesOf)
            and manager.record_type == machine._meta.label_lower
        ):
            return model
    return Batch


def batches_of(record: StateMachine) -> QuerySet[Batch]:
    """What a record was made or run with, the newest first."""
    return _in(record, items_of(type(record))._default_manager.filter(record=record))


def made_with(record: StateMachine) -> Batch | None:
    """The import that made a record; None if somebody made it by hand."""
    return batches_of(record).filter(kind=Batch.Kind.IMPORT).order_by("pk").first()


def passed_over_by(record: StateMachine) -> Batch | None:
    """What was stopped before the record's turn came: nothing was begun, so nothing stands in the history."""
    not_begun = items_of(type(record))._default_manager.filter(CALLED_OFF, record=record)
    # More than one says so where another one had been stopped before it; that which owed it last is the one meant.
    batches = list(_in(record, not_begun).select_related("stopped_by"))
    return next((batch for batch in batches if batch.pk == record.owed_by_id), batches[0] if batches else None)


def _in(record: StateMachine, items: QuerySet[Any]) -> QuerySet[Batch]:
    return batch_of(type(record))._default_manager.filter(pk__in=items.values("batch")).order_by("-pk")
