"""Send a message for every row that is owed work. `kick` and the reconciler are the same code."""

from datetime import timedelta
from functools import reduce
from operator import or_

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from statemachine import doorbell
from statemachine.doorbell import Message
from statemachine.models import StateMachine
from statemachine.reactions import Reaction, reaction_for, reactions_of


def kick(label: str, pk: int) -> None:
    """Dispatch one row at once, if it is owed work."""
    model: type[StateMachine] = apps.get_model(label)
    dispatch(model, limit=1, pk=pk)


def dispatch(model: type[StateMachine], *, limit: int, pk: int | None = None) -> int:
    """Ring for the most urgent rows that are owed work now; how many Redis took."""
    messages = _take_owed(model, limit=limit, pk=pk)
    refused = [message for message in messages if not _ring(model, message)]
    for message in refused:
        _owe_again(model, message)
    return len(messages) - len(refused)


def owed(model: type[StateMachine]) -> QuerySet[StateMachine]:
    """Rows in a working state that nobody works on and whose time has come, most urgent first."""
    within_budget = reduce(or_, (Q(state=each.state, tries__lt=each.tries) for each in reactions_of(model)), Q(pk=None))
    return _time_has_come(model).filter(within_budget).order_by("due_at", "pk")


def spent(model: type[StateMachine], found: Reaction) -> QuerySet[StateMachine]:
    """Rows whose every try was begun and none of which ended: their work killed its worker."""
    return _time_has_come(model).filter(state=found.state, tries__gte=found.tries).order_by("due_at", "pk")


def _time_has_come(model: type[StateMachine]) -> QuerySet[StateMachine]:
    # A retry is RQ's to deliver; only when it is overdue is it ours. A dead worker's row is due when its claim ends.
    patience = timedelta(seconds=settings.RETRY_GRACE_S)
    unclaimed = Q(claimed_until__isnull=True) & (Q(tries=0) | Q(due_at__lte=Now() - patience))
    return model._default_manager.filter(
        unclaimed | Q(claimed_until__lte=Now()), state__in=model.working_states, due_at__lte=Now()
    )


def _take_owed(model: type[StateMachine], *, limit: int, pk: int | None) -> list[Message]:
    label = model._meta.label_lower
    with transaction.atomic():
        rows = owed(model) if pk is None else owed(model).filter(pk=pk)
        found = list(rows.select_for_update(skip_locked=True).values_list("pk", "state", "generation")[:limit])
        model._default_manager.filter(pk__in=[row[0] for row in found]).update(
            generation=F("generation") + 1,
            due_at=Now() + timedelta(seconds=settings.DOORBELL_PATIENCE_S),
            rung_at=Now(),
            claimed_until=None,
        )
    return [
        Message(label=label, pk=row_pk, state=state, generation=generation + 1) for row_pk, state, generation in found
    ]


def _ring(model: type[StateMachine], message: Message) -> bool:
    return doorbell.ring(message, queue=reaction_for(model, message.state).queue)


def _owe_again(model: type[StateMachine], message: Message) -> None:
    model._default_manager.filter(pk=message.pk, generation=message.generation).update(due_at=Now(), rung_at=None)
