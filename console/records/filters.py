"""What a list can be narrowed to, beside what the admin offers; all of it stands in the address."""

from collections.abc import Mapping
from typing import Any, override

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import slugify


def without_choices(request: HttpRequest) -> None:
    """Whoever asks shows no filters, so the database need not be asked what can be chosen."""
    request.without_choices = True  # type: ignore[attr-defined]  # read below only


class AskingFilter(admin.SimpleListFilter):
    """A filter that asks the database what can be chosen."""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        self.model: Any = model
        super().__init__(request, params, model, model_admin)

    @classmethod
    def lacks(cls, model: type[Any]) -> str:  # noqa: ARG003 - for who needs something
        """What such records do not have, and the filter needs, in words; empty: nothing."""
        return ""

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


def called(title: str, kind: type[admin.FieldListFilter]) -> type[admin.FieldListFilter]:
    """The filter, called as the list calls its column, not as the field is called."""

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        kind.__init__(self, *args, **kwargs)
        self.title = title

    return type(f"{kind.__name__}Called", (kind,), {"__init__": begin})


def by_condition(title: str, choices: Mapping[str, Q]) -> type[admin.SimpleListFilter]:
    """A filter of which each choice is a condition.

    Args:
        title: what it is called; it stands like that in the address, too.
        choices: each condition under its label.

    Raises:
        AssertionError: two choices would be the same in the address, or one would be nothing.
    """
    conditions = {slugify(label): condition for label, condition in choices.items()}
    if len(conditions) < len(choices) or "" in conditions or not slugify(title):
        raise AssertionError(f"the choices of “{title}” cannot be told apart in an address: {', '.join(choices)}")
    labels = [(slugify(label), label) for label in choices]

    def narrow(self: admin.SimpleListFilter, _request: HttpRequest, records: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen and chosen not in conditions:
            raise IncorrectLookupParameters
        return records.filter(conditions[chosen]) if chosen else records

    own = {"title": title, "parameter_name": slugify(title), "lookups": lambda *_: labels, "queryset": narrow}
    return type("ByCondition", (admin.SimpleListFilter,), own)
