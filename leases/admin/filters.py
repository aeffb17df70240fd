"""What the list of leases can be narrowed to; all of it stands in the address."""

from collections.abc import Callable
from typing import Any, override

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from console.records.lists import is_key
from core.base.errors import words_for
from leases.models import Batch, BatchLease, Lease
from leases.states import State
from statemachine.models import STOPPED, BatchItemQuerySet


def without_choices(request: HttpRequest) -> None:
    """Whoever asks shows no filters, so the database need not be asked what can be chosen."""
    request.without_choices = True  # type: ignore[attr-defined]  # read below only


class AskingFilter(admin.SimpleListFilter):
    """A filter that asks the database what can be chosen."""

    def there_is(self) -> list[tuple[str, str]]:
        """Every choice, and how it is called."""
        raise NotImplementedError

    def called(self, chosen: str) -> str:
        """How a choice is called that is not there any more."""
        return chosen

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices; the chosen one too, if it is gone meanwhile, or the list would show everything."""
        chosen = str(self.value() or "")
        choices = [] if hasattr(request, "without_choices") else self.there_is()
        return [*choices, (chosen, self.called(chosen))] if chosen and chosen not in dict(choices) else choices

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset
        except ValueError as error:
            raise IncorrectLookupParameters from error


class FailureCodeFilter(AskingFilter):
    """The codes that there are, of failed leases and of those that are being tried again."""

    title = "failure"
    parameter_name = "failure_code"

    @override
    def called(self, chosen: str) -> str:
        return words_for(chosen)

    @override
    def there_is(self) -> list[tuple[str, str]]:
        codes = Lease.objects.exclude(failure_code="").order_by("failure_code").values_list("failure_code", flat=True)
        return [(code, words_for(code)) for code in codes.distinct()]


class PersonFilter(AskingFilter):
    """Whose Dropbox the run uses, which is who started it."""

    title = "who"
    parameter_name = "initiated_by__id__exact"

    @override
    def there_is(self) -> list[tuple[str, str]]:
        people = User.objects.filter(is_staff=True, is_active=True).order_by("username")
        return [(str(pk), name) for pk, name in people.values_list("pk", "username")]


# Which leases of a batch, in the address behind its number, as its page counts them.
WAITING, SETTLED, NOT_RUN = "waiting", "settled", "not_run"
STANDINGS: dict[str, tuple[str, Callable[[BatchItemQuerySet], BatchItemQuerySet]]] = {
    WAITING: ("waiting", BatchItemQuerySet.waiting),
    SETTLED: ("settled", BatchItemQuerySet.settled),
    NOT_RUN: ("did not run", BatchItemQuerySet.not_run),
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
            return self._all_of(pk, queryset)
        if standing not in STANDINGS or not is_key(pk):
            raise IncorrectLookupParameters
        _, which = STANDINGS[standing]
        return queryset.filter(pk__in=which(BatchLease.objects.filter(batch=int(pk))).values("record"))

    @staticmethod
    def _all_of(pk: str, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            return queryset.filter(batch_items__batch=pk) if pk else queryset
        except ValueError as error:
            raise IncorrectLookupParameters from error

    @override
    def there_is(self) -> list[tuple[str, str]]:
        return [(str(batch.pk), _name(batch)) for batch in Batch.objects.order_by("-pk")[: self.newest]]


def _name(batch: Batch) -> str:
    """With its number, since a file may be imported twice."""
    return f"{batch.title} (no. {batch.pk})"


class StateFilter(admin.ChoicesFieldListFilter):
    """The states as the list shows them: what was stopped is not among what is pending."""

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen: Any = self.used_parameters.get(str(self.lookup_kwarg), ())
        if STOPPED in chosen:
            return queryset.filter(Lease.stopped())
        shown = queryset.exclude(Lease.stopped()) if State.PENDING in chosen else queryset
        found = super().queryset(request, shown)
        return shown if found is None else found


WORDS = {"created_at": "created", "entered_at": "last change", "runsheet_report_found": "report"}


class InWords(admin.FieldListFilter):
    """Called as the list calls it, not as the field is called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = WORDS[str(self.field_path)]


class DayFilter(InWords, admin.DateFieldListFilter):
    """When."""


class ReportFilter(InWords, admin.BooleanFieldListFilter):
    """Whether a previous report was found."""


FILTERS = (
    ("state", StateFilter),
    "agency",
    ("runsheet_report_found", ReportFilter),
    FailureCodeFilter,
    PersonFilter,
    BatchFilter,
    ("created_at", DayFilter),
    ("entered_at", DayFilter),
)
