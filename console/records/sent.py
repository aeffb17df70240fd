"""What somebody has sent, in the words of the page it was sent from.

The names of a form's fields are the console's own. Each app says of its pages what their buttons are called and what they
are about; of lists, of deleting and of a record's buttons it is known here. What the person may not see is not named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, QueryDict

from console.records.asking import CONFIRMED
from console.records.lists import is_key

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import Model

NAMED_AT_MOST = 10
SHOWN_CHARACTERS = 300
AT_ONCE = "At once: you had been asked, and had said yes."
ASKED_AGAIN = "Once you have been asked about it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent.

    Attributes:
        what: as the button calls it; empty: nobody knows.
        facts: what it is about, each with its name.
    """

    what: str = ""
    facts: tuple[tuple[str, str], ...] = ()


type Telling = Callable[[HttpRequest, Mapping[str, Any], QueryDict], Sent]
_TELLINGS: dict[str, Telling] = {}


def tell(tellings: Mapping[str, Telling]) -> None:
    """Say of the addresses of these names what was sent there, by who asks, what stands in the address, and the form."""
    _TELLINGS.update(tellings)


def told(request: HttpRequest, form: QueryDict, lists: "Mapping[type[Model], ModelAdmin[Any]]") -> Sent:
    """What was sent to the address that is asked for."""
    match = request.resolver_match
    name, given = (match.url_name or "", match.kwargs) if match else ("", {})
    if name in _TELLINGS:
        return _TELLINGS[name](request, given, form)
    for model, shown in lists.items():
        its = f"{model._meta.app_label}_{model._meta.model_name}_"
        if name.startswith(its):
            return _told(request, shown, name.removeprefix(its), given, form)
    return Sent()


def _told(request: HttpRequest, shown: "ModelAdmin[Any]", page: str, given: Mapping[str, Any], form: QueryDict) -> Sent:
    """What was sent to one of the pages of a kind of record, which may tell it itself."""
    own: Mapping[str, Telling] = getattr(shown, "tellings", {})
    if page in own:
        return own[page](request, given, form)
    match page:
        case "changelist":
            return _of_list(request, shown, form)
        case "search":
            what = f"Search {shown.model._meta.verbose_name_plural}"
            return Sent(what=what, facts=(("For", shortened(form.get(SEARCH_VAR, ""))),))
        case "delete":
            return Sent(what="Delete", facts=_seen(request, shown, unquote(given.get("object_id", ""))))
        case "action":
            labels = {button.name: button.label for button in getattr(shown, "buttons", ())}
            return Sent(what=labels.get(given["name"], ""), facts=_seen(request, shown, str(given["pk"])))
    return Sent()


def named(records: list[Any], count: int) -> str:
    """The first of them, and how many more there are."""
    first = ", ".join(map(str, records[:NAMED_AT_MOST]))
    more = count - len(records[:NAMED_AT_MOST])
    return f"{first} and {more:,} more" if more > 0 else first


def shortened(text: str) -> str:
    """What was typed, as much of it as one wants to read again."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _of_list(request: HttpRequest, shown: "ModelAdmin[Any]", form: QueryDict) -> Sent:
    labels = dict(shown.get_action_choices(request))
    what = str(labels.get(form.get("action", ""), "")).removesuffix(" …")
    kind = str(shown.model._meta.verbose_name_plural).capitalize()
    then = AT_ONCE if any(name in form for name in CONFIRMED) else ASKED_AGAIN
    return Sent(what=what, facts=((kind, _chosen(request, shown, form)), ("It is done", then)) if what else ())


def _chosen(request: HttpRequest, shown: "ModelAdmin[Any]", form: QueryDict) -> str:
    if form.get("select_across") == "1":
        return "All of the list, as you had narrowed it"
    keys = [key for key in form.getlist(ACTION_CHECKBOX_NAME) if is_key(key)]
    if not shown.has_view_permission(request):
        return f"{len(keys):,}"
    found = list(shown.model._default_manager.filter(pk__in=keys[:NAMED_AT_MOST]))
    return named(found, len(keys)) if found else "None that is still there"


def _seen(request: HttpRequest, shown: "ModelAdmin[Any]", key: str) -> tuple[tuple[str, str], ...]:
    """The record, for who may see it."""
    found = shown.model._default_manager.filter(pk=key).first() if is_key(key) else None
    is_seen = found is not None and shown.has_view_permission(request, found)
    kind = str(shown.model._meta.verbose_name).capitalize()
    return ((kind, str(found)),) if is_seen else ()
