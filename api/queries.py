"""A misspelled filter would be no filter at all, and answer with everything: a query has only the parameters that there are."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from ninja.errors import ValidationError

type View = Callable[..., Any]


def said_in_full(view: View) -> View:
    """The view, which is asked for nothing that it does not know; behind whatever finds out who asks."""
    names = _known(view)

    @wraps(view)
    def answered(request: HttpRequest, *given: Any, **values: Any) -> Any:
        """Raises: ValidationError: there is no such parameter."""
        if unknown := sorted(set(request.GET) - names):
            raise ValidationError([{"type": "extra_forbidden", "loc": ("query", name)} for name in unknown])
        return view(request, *given, **values)

    return answered


def _known(view: View) -> frozenset[str]:
    """The names of the parameters that the library reads out of the query of that operation."""
    models = view._ninja_operation.models  # type: ignore[attr-defined]  # noqa: SLF001 - where the library keeps them
    queries = [each for each in models if each.__ninja_param_source__ == "query"]
    return frozenset(name for each in queries for name in each.__ninja_flatten_map__)
