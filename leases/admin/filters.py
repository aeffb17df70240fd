"""What the list of leases can be narrowed to, beside what every list of a machine's records can be."""

from collections.abc import Callable
from typing import Any, override

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from console.machine.filters import BY_LAST_CHANGE, BY_STATE, FailureFilter, PersonFilter
from console.records.filters import AskingFilter, called
from console.records.lists import is_key
from leases.models import Batch, BatchLease
from leases.models.batches import BatchLeaseQuerySet

# Which leases of a batch, in the address behind its number, as its page counts them.
WAITING, SETTLED, NOT_RUN = "waiting", "settled", "not_run"
STANDINGS: dict[str, tuple[str, Callable[[BatchLeaseQuerySet], BatchLeaseQuerySet]]] = {
    WAITING: ("waiting", BatchLeaseQuerySet.waiting),
    SETTLED: ("settled", BatchLeaseQuerySet.settled),
    NOT_RUN: ("did not run", BatchLeaseQuerySet.not_run),
}


class BatchFilter(AskingFilter):
    """What was imported, or run, together: the newest, and the one that is asked for, or some of its leases."""

    title = "import or run"
    parameter_name = "batches"
    newest = 10

    @staticmethod
    def value_of(batch: Batch, standing: str = "") -> str:
        """What stands in the address.

        Args:
            standing: of `STANDINGS`; empty: all leases of the batch.
        """
        return f"{batch.pk}.{standing}" if standing else str(batch.pk)

    @override
    def called(self, chosen: str) -> str:
        pk, _, standing = chosen.partition(".")
        found = Batch.objects.filter(pk=pk).first() if is_key(pk) else None
        if found is None:
            return chosen
        return f"{_name(found)}: {STANDINGS[standing][0]}" if standing in STANDINGS else _name(found)

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        pk, dot, standing = str(self.value() or "").partition(".")
        if not dot:
            return super().queryset(request, queryset)
        if standing not in STANDINGS or not is_key(pk):
            raise IncorrectLookupParameters
        _, which = STANDINGS[standing]
        return queryset.filter(pk__in=which(BatchLease.objects.filter(batch=int(pk))).values("lease"))

    @override
    def there_is(self) -> list[tuple[str, str]]:
        return [(str(batch.pk), _name(batch)) for batch in Batch.objects.order_by("-pk")[: self.newest]]


def _name(batch: Batch) -> str:
    """With its number, since a file may be imported twice."""
    return f"{batch.title} (no. {batch.pk})"


FILTERS = (
    BY_STATE,
    "agency",
    ("runsheet_report_found", called("report", admin.BooleanFieldListFilter)),
    FailureFilter,
    PersonFilter,
    BatchFilter,
    ("created_at", called("created", admin.DateFieldListFilter)),
    BY_LAST_CHANGE,
)
