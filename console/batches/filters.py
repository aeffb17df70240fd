"""What narrows the list of a machine's records to those of a batch."""

from collections.abc import Callable
from typing import Any, override

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from console.records.filters import AskingFilter
from console.records.lists import is_key
from statemachine.batches import batch_of, can_be_run_together, items_of
from statemachine.models import Batch, BatchItemQuerySet

# Which records of a batch, in the address behind its number, as its page counts them.
WAITING, SETTLED, NOT_RUN = "waiting", "settled", "not_run"
STANDINGS: dict[str, tuple[str, Callable[[BatchItemQuerySet], BatchItemQuerySet]]] = {
    WAITING: ("waiting", BatchItemQuerySet.waiting),
    SETTLED: ("settled", BatchItemQuerySet.settled),
    NOT_RUN: ("did not run", BatchItemQuerySet.not_run),
}


class BatchFilter(AskingFilter):
    """What was imported, or run, together: the newest, and the one that is asked for, or some of its records."""

    title = "import or run"
    parameter_name = "batches"
    newest = 10

    @staticmethod
    def value_of(batch: Batch, standing: str = "") -> str:
        """What stands in the address.

        Args:
            standing: of `STANDINGS`; empty: all records of the batch.
        """
        return f"{batch.pk}.{standing}" if standing else str(batch.pk)

    @override
    @classmethod
    def lacks(cls, model: type[Any]) -> str:
        return "" if can_be_run_together(model) else "it has no BatchItem, and so no batches"

    @override
    def called(self, chosen: str) -> str:
        pk, _, standing = chosen.partition(".")
        found = self._batches.filter(pk=pk).first() if is_key(pk) else None
        if found is None:
            return chosen
        return f"{_name(found)}: {STANDINGS[standing][0]}" if standing in STANDINGS else _name(found)

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        pk, dot, standing = str(self.value() or "").partition(".")
        if not dot:
            return self._all_of(pk, queryset)
        if standing not in STANDINGS or not is_key(pk):
            raise IncorrectLookupParameters
        _, which = STANDINGS[standing]
        items = items_of(self.model)._default_manager.filter(batch=int(pk))
        return queryset.filter(pk__in=which(items).values("record"))

    @staticmethod
    def _all_of(pk: str, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            return queryset.filter(batch_items__batch=pk) if pk else queryset
        except ValueError as error:
            raise IncorrectLookupParameters from error

    @override
    def there_is(self) -> list[tuple[str, str]]:
        return [(str(batch.pk), _name(batch)) for batch in self._batches.order_by("-pk")[: self.newest]]

    @property
    def _batches(self) -> QuerySet[Batch]:
        return batch_of(self.model)._default_manager.all()


def _name(batch: Batch) -> str:
    """With its number, since a file may be imported twice."""
    return f"{batch.title} (no. {batch.pk})"
