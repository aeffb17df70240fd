"""What the list of any machine's records can be narrowed to."""

from typing import Any, override

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from console.records.filters import AskingFilter, called
from console.records.links import NOBODY, STARTED_BY
from core.base.errors import words_for
from statemachine.models import STOPPED

# No state, but a word for all of them, in an address that asks for what is put away, too.
EVERY = "all"


class StateFilter(admin.ChoicesFieldListFilter):
    """The states as the list shows them: what was stopped is not among what has not begun."""

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen: Any = self.used_parameters.get(str(self.lookup_kwarg), ())
        machine = queryset.model
        if EVERY in chosen:
            return queryset
        if STOPPED in chosen:
            return queryset.filter(machine.shown_as(STOPPED))
        start = machine.initial_state()
        shown = queryset.filter(machine.shown_as(start)) if start in chosen else queryset
        found = super().queryset(request, shown)
        return shown if found is None else found


class FailureFilter(AskingFilter):
    """The codes that there are, of failed records and of those that are being tried again."""

    title = "failure"
    parameter_name = "failure_code"

    @override
    def called(self, chosen: str) -> str:
        return words_for(chosen)

    @override
    def there_is(self) -> list[tuple[str, str]]:
        failed = self.model._default_manager.exclude(failure_code="").order_by("failure_code")
        return [(code, words_for(code)) for code in failed.values_list("failure_code", flat=True).distinct()]


class PersonFilter(AskingFilter):
    """Whose authorisation the run uses, who is also the person that started it. To what nobody started, notices lead."""

    title = "who"
    parameter_name = STARTED_BY

    @override
    def there_is(self) -> list[tuple[str, str]]:
        people = User.objects.filter(is_staff=True, is_active=True).order_by("username")
        return [(str(pk), name) for pk, name in people.values_list("pk", "username")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(initiated_by=None) if self.value() == NOBODY else super().queryset(request, queryset)


BY_STATE = ("state", StateFilter)
BY_LAST_CHANGE = ("entered_at", called("last change", admin.DateFieldListFilter))
