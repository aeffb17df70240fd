"""What only asks has an address of its own, which can be reloaded and come back to.

The admin answers the form of a list with the question itself: reloaded, the browser asks whether to send the form again, and
coming back to it shows an error. So the form leads to an address that asks the same, with what was chosen in it.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, QueryDict

ASK, CHOSEN, ACROSS = "_ask", "_chosen", "_across"
# What a person's second word is called in a form.
CONFIRMED = ("confirmed", "post")
# A browser, a proxy and gunicorn take no longer addresses.
LONGEST_ADDRESS = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an address asks.

    Attributes:
        action: as the list names it; empty: it asks nothing.
    """

    action: str
    chosen: list[str]
    select_across: bool

    @property
    def form(self) -> QueryDict:
        """As the form of the list would ask it; never a confirmation."""
        form = QueryDict(mutable=True)
        form.update({"action": self.action, "select_across": "1" if self.select_across else "0"})
        form.setlist(ACTION_CHECKBOX_NAME, self.chosen)
        return form


def is_confirmed(request: HttpRequest) -> bool:
    return any(name in request.POST for name in CONFIRMED)


def address_of(request: HttpRequest) -> str:
    """Where the question is asked that the form of a list has sent; empty if it is too long for an address."""
    asked = {
        ASK: request.POST.get("action", ""),
        CHOSEN: ".".join(request.POST.getlist(ACTION_CHECKBOX_NAME)),
        **({ACROSS: "1"} if request.POST.get("select_across") == "1" else {}),
    }
    address = f"{request.path}?{request.GET.urlencode()}{'&' if request.GET else ''}{urlencode(asked)}"
    return address if len(address) <= LONGEST_ADDRESS else ""


def take_question(request: HttpRequest) -> Question:
    """What the address asks, which is no business of the list."""
    wanted = request.GET.copy()
    given = {name: str((wanted.pop(name, None) or [""])[-1]) for name in (ASK, CHOSEN, ACROSS)}
    request.GET = wanted  # type: ignore[assignment]  # what the list is asked for
    request.META["QUERY_STRING"] = wanted.urlencode()
    return Question(
        action=given[ASK],
        chosen=given[CHOSEN].split(".") if given[CHOSEN] else [],
        select_across=bool(given[ACROSS]),
    )
