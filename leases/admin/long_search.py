"""Searches for hundreds of numbers, which no address holds: the session keeps them, and the address names them."""

import hashlib
import re
from typing import TYPE_CHECKING

from core.base.errors import Refused
from leases.search import keys_of

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

KEPT = "lease_searches"
KEPT_AT_MOST = 20
# What a session holds is read at every request.
KEPT_CHARACTERS = 100_000
NUMBERS_AT_MOST = 1_000
# Beside other filters, and a second time within the address of a lease, where each blank and comma takes five.
SHORT = 300
NAME = re.compile(r"~[0-9a-f]{12}")


class TooManyNumbers(Refused):
    """At most 1,000 numbers can be searched for at once. Nothing was searched; search for them in several parts."""

    code = "too_many_numbers"


def is_long(text: str) -> bool:
    """Whether the text is better named than written into an address."""
    return len(text) > SHORT


def name_for(session: "SessionBase", text: str) -> str:
    """What stands for the text in an address: a short text itself, else a name under which the session keeps it.

    Raises:
        TooManyNumbers: nothing was kept.
    """
    if not is_long(text):
        return text
    keys = keys_of(text)
    wanted = "; ".join(keys)
    if len(keys) > NUMBERS_AT_MOST or len(wanted) > KEPT_CHARACTERS:
        raise TooManyNumbers
    if not is_long(wanted):
        return wanted
    name = f"~{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    session[KEPT] = _newest({name: wanted, **{k: v for k, v in session.get(KEPT, {}).items() if k != name}})
    return name


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
    """What is searched for. A name that is kept no more stays as it is, which no lease is called."""
    return str(session.get(KEPT, {}).get(given, given))


def is_gone(session: "SessionBase", given: str) -> bool:
    """Whether it is the name of a search that the session does not keep, or no longer."""
    return bool(NAME.fullmatch(given)) and given not in session.get(KEPT, {})
