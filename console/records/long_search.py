"""Searches for hundreds of things, which no address holds: the session keeps them, and the address names them."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from core.base.errors import Refused

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

KEPT = "searches"
KEPT_AT_MOST = 20
# What a session holds is read at every request.
KEPT_CHARACTERS = 100_000
SEARCHED_AT_MOST = 1_000
# Beside other filters, and a second time within the address of a record, where each blank and comma takes five.
SHORT = 300
NAME = re.compile(r"~[0-9a-f]{12}")


class TooManySearched(Refused):
    """At most 1,000 can be searched for at once. Nothing was searched; search for them in several parts."""

    code = "too_many_searched"
    field = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How a list is searched for one thing or for many that are pasted.

    Attributes:
        label: of the box.
        help: what can be typed into it.
        one: what is looked for, within a sentence.
        many: several of them.
        keys_of: the single ones in what was typed, as they are compared.
        matching: those of the records that are found by what was typed.
        missing: which of several that are looked for none of the records has, as they were typed.
    """

    label: str
    help: str
    one: str
    many: str
    keys_of: Callable[[str], list[str]]
    matching: Callable[[QuerySet[Any], str], QuerySet[Any]]
    missing: Callable[[QuerySet[Any], str], list[str]]


def is_long(text: str) -> bool:
    """Whether the text is better named than written into an address."""
    return len(text) > SHORT


def name_for(session: "SessionBase", text: str, *, search: Search) -> str:
    """What stands for the text in an address: a short text itself, else a name under which the session keeps it.

    Raises:
        TooManySearched: nothing was kept.
    """
    if not is_long(text):
        return text
    wanted = refused_if_too_many(search.keys_of(text), many=search.many)
    if not is_long(wanted):
        return wanted
    name = f"~{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    session[KEPT] = _newest({name: wanted, **{k: v for k, v in session.get(KEPT, {}).items() if k != name}})
    return name


def refused_if_too_many(keys: Sequence[str], *, many: str) -> str:
    """What is looked for, if somebody can look for so much at once.

    Args:
        many: what several of them are called.

    Raises:
        TooManySearched: nothing was looked for.
    """
    wanted = "; ".join(keys)
    if len(keys) > SEARCHED_AT_MOST or len(wanted) > KEPT_CHARACTERS:
        raise TooManySearched(
            f"At most {SEARCHED_AT_MOST:,} {many} can be searched for at once. Nothing was searched; search for them in "
            "several parts."
        )
    return wanted


def _newest(searches: dict[str, str]) -> dict[str, str]:
    """As many as there is room for; the newest stands first."""
    room, kept = KEPT_CHARACTERS, {}
    for name, text in list(searches.items())[:KEPT_AT_MOST]:
        room -= len(text)
        if room < 0:
            break
        kept[name] = text
    return kept


def text_of(session: "SessionBase", given: str) -> str:
    """What is searched for. A name that is kept no more stays as it is, which no record is called."""
    return str(session.get(KEPT, {}).get(given, given))


def is_gone(session: "SessionBase", given: str) -> bool:
    """Whether it is the name of a search that the session does not keep, or no longer."""
    return bool(NAME.fullmatch(given)) and given not in session.get(KEPT, {})
