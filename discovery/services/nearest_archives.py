"""Which archives have nearly the name that was looked for: “not found” without a look at the neighbours is half an answer.

The folder that holds all archives is listed once, and remembered for some minutes for the account that listed it. What goes
wrong here changes no answer and costs no try: then the evidence says that nobody looked.
"""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

from cloud.dropbox import Gateway
from cloud.dropbox.connection import done_within
from cloud.errors import DropboxUnavailable, NotFound
from core.base.errors import Permanent, Temporary
from core.base.folding import as_it_looks, fold_case, is_same_path
from discovery.services.base_paths import confirm_not_found
from discovery.services.judging import confirm_full_sight
from leases.lookalikes import bare_key, short_key
from leases.models import NOBODY

logger = logging.getLogger(__name__)

OFFERED_AT_MOST = 5
CALLS_AT_MOST = 5
REMEMBERED_S = 300
# No call is begun later: the answer itself is there already, and its worker has others to do.
LONGEST_S = 20.0
# While one lists the folder, the others wait so long for what it finds.
LISTED_WITHIN_S = 30
WAIT_S = 3.0
LOOK_AGAIN_S = 0.1
# Numbers of fewer digits are too near to one another for a wrong digit to say anything.
DIGITS_AT_LEAST = 4

TOO_MANY = f"nobody looked: the base folder takes more than {CALLS_AT_MOST} calls to list"
NOT_LISTED = "nobody looked: the base folder could not be listed ({why})"
NOT_REMEMBERED = "nobody looked: nothing could be remembered of the base folder"
BEING_LISTED = "nobody looked: the base folder was being listed at that moment"

# How far a name is from the number, the nearest first.
LOOKS_THE_SAME, IN_SEPARATORS, IN_ZEROS, IN_WHAT_STANDS_BESIDE, SWAPPED, ONE_DIGIT, IN_PREFIX = range(7)
_PARTS = re.compile(r"([^0-9]*)(.*?)([^0-9]*)", re.DOTALL)


class _NobodyLooked(Exception):
    """With the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A number without leading zeros: what stands before its digits, from the first to the last of them, and after them."""

    before: str
    digits: str
    after: str


def look_around(*, gateway: Gateway, path: str, answer: NotFound) -> dict[str, Any]:
    """What the evidence says of the neighbours of a path at which nothing lies: their names, the nearest first.

    At most five calls, none where the folder is remembered; one more if the folder lists what Dropbox says is not there, or
    if nobody could look: what is closed to an account is "not found", too, and only its folder or its description tells.
    Whatever goes wrong with looking for neighbours, the answer stays.

    Raises:
        ArchiveOutOfSight: it is there, and the account may not see into it, or may have been kept from it.
        BasePathMissing: the folder that should hold it has gone, too.
        DropboxUnavailable: it is there again.
        Temporary, Permanent: as the gateway says of what is there.
    """
    number = path.rpartition("/")[2]
    names, why = _names_or_why_not(path.rpartition("/")[0], gateway)
    if names is None:
        _confirm_gone(gateway, path, answer)
        return {"nearest_unknown": why}
    if any(is_same_path(name, number) for name in names):
        _confirm_gone(gateway, path, answer)
        # What was remembered of the folder it lay in may be as old as its name.
        confirm_not_found(gateway=gateway, path=path, answer=answer, known=NOBODY)
    return {"nearest": list(nearest(number, names))}


def _names_or_why_not(base_path: str, gateway: Gateway) -> tuple[list[str] | None, str]:
    """The names of all directories in it; None, and the reason, if nobody looked."""
    try:
        with done_within(LONGEST_S):
            return _names_in(base_path, gateway), ""
    except _NobodyLooked as reason:
        return None, str(reason)
    except (Temporary, Permanent, NotFound) as error:
        logger.info("near names: “%s” could not be listed (%s)", base_path, type(error).__name__)
        return None, NOT_LISTED.format(why=error.code)


def _confirm_gone(gateway: Gateway, path: str, answer: NotFound) -> None:
    """What its folder lists may have gone since; else it is there for others. One call."""
    try:
        found = gateway.metadata(path=path)
    except NotFound:
        return
    confirm_full_sight(found, gateway=gateway, path=path, evidence=answer.evidence)
    raise DropboxUnavailable("The directory came back while it was being looked for.", evidence=answer.evidence)


def nearest(number: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that somebody may have meant by the number, the nearest first, at most five.

    Args:
        names: of directories.
    """
    found: dict[str, int] = {}
    for rank, some in _index(tuple(names)).ranked(number):
        for name in some:
            found[name] = min(rank, found.get(name, rank))
    others = (name for name in found if fold_case(name) != fold_case(number))
    return tuple(sorted(others, key=lambda name: (found[name], abs(len(name) - len(number)), name)))[:OFFERED_AT_MOST]


class _Index:
    """Names by what they are looked for by, so that one number takes no comparison with each of thousands."""

    def __init__(self, names: Iterable[str]) -> None:
        self._looks: defaultdict[str, list[str]] = defaultdict(list)
        self._bare: defaultdict[str, list[str]] = defaultdict(list)
        self._short: defaultdict[str, list[str]] = defaultdict(list)
        self._digits: defaultdict[str, list[tuple[_Parts, str]]] = defaultdict(list)
        for name in names:
            self._looks[as_it_looks(name)].append(name)
            self._bare[bare_key(name)].append(name)
            self._short[short_key(name)].append(name)
            parts = _parts(name)
            self._digits[parts.digits].append((parts, name))

    def ranked(self, number: str) -> Iterator[tuple[int, list[str]]]:
        """Names and how far they are."""
        short, parts = short_key(number), _parts(number)
        yield LOOKS_THE_SAME, self._looks.get(as_it_looks(number), [])
        yield IN_SEPARATORS, self._bare.get(bare_key(number), [])
        yield IN_ZEROS, self._short.get(short, [])
        yield IN_WHAT_STANDS_BESIDE, list(self._begun_alike(short))
        for other, name in self._digits.get(parts.digits, []) if parts.digits else []:
            is_lost = other.before.endswith(parts.before) or parts.before.endswith(other.before)
            yield IN_WHAT_STANDS_BESIDE if is_lost else IN_PREFIX, [name]
        if len(parts.digits) >= DIGITS_AT_LEAST:
            yield SWAPPED, list(self._around(parts, _swapped(parts.digits)))
            yield ONE_DIGIT, list(self._around(parts, _with_one_other(parts.digits)))

    def _begun_alike(self, short: str) -> Iterator[str]:
        """What goes on after the number, or breaks off before its end, but not within digits."""
        if not any(char.isdigit() for char in short):
            return
        for key, names in self._short.items():
            longer, shorter = (key, short) if len(key) > len(short) else (short, key)
            if longer.startswith(shorter) and not longer[len(shorter) :][:1].isdigit() and shorter[-1:].isdigit():
                yield from names

    def _around(self, parts: _Parts, digits: Iterable[str]) -> Iterator[str]:
        for each in digits:
            for other, name in self._digits.get(each, []):
                if (other.before, other.after) == (parts.before, parts.after):
                    yield name


@lru_cache(maxsize=4)
def _index(names: tuple[str, ...]) -> _Index:
    return _Index(names)


def _parts(name: str) -> _Parts:
    found = _PARTS.fullmatch(short_key(name))
    assert found is not None
    return _Parts(before=found[1], digits=found[2], after=found[3])


def _swapped(digits: str) -> Iterator[str]:
    for at in range(len(digits) - 1):
        yield digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]


def _with_one_other(digits: str) -> Iterator[str]:
    """With one digit wrong, missing or too many."""
    for at in range(len(digits) + 1):
        yield from (digits[:at] + digit + digits[at + 1 :] for digit in "0123456789")
        yield from (digits[:at] + digit + digits[at:] for digit in "0123456789")
        yield digits[:at] + digits[at + 1 :]


# --- The folder that holds all archives -----------------------------------------------------------------------------


def _names_in(base_path: str, gateway: Gateway) -> list[str]:
    """The names of all directories in it.

    Raises:
        _NobodyLooked: there are too many, or it cannot be remembered, so that each answer would cost calls.
        Temporary, Permanent, NotFound: as the gateway says.
    """
    key = _key_of(base_path, gateway)
    try:
        remembered = cache.get(key)
        if remembered is None and not cache.add(f"{key}:listing", 1, timeout=LISTED_WITHIN_S):
            # Dropbox takes many equal questions at once for too many questions.
            remembered = _what_another_lists(key)
        if remembered is None:
            remembered = _list(key, base_path, gateway)
    except RedisError as error:
        logger.warning("near names: the cache does not answer (%s); nobody looks", error)
        raise _NobodyLooked(NOT_REMEMBERED) from error
    if not remembered["listed"]:
        raise _NobodyLooked(remembered["why"])
    names: list[str] = remembered["names"]
    return names


def _what_another_lists(key: str) -> Mapping[str, Any]:
    until = time.monotonic() + WAIT_S
    while (found := cache.get(key)) is None and time.monotonic() < until:
        time.sleep(LOOK_AGAIN_S)
    if found is None:
        raise _NobodyLooked(BEING_LISTED)
    return dict(found)


def _list(key: str, base_path: str, gateway: Gateway) -> dict[str, Any]:
    """List it, and remember what is found, or that it was too much or went wrong."""
    try:
        names = gateway.directory_names(path=base_path, calls_at_most=CALLS_AT_MOST)
    except (Temporary, Permanent, NotFound) as error:
        _remember(key, {"listed": False, "why": NOT_LISTED.format(why=error.code)}, within_s=LISTED_WITHIN_S)
        raise
    found = {"listed": False, "why": TOO_MANY} if names is None else {"listed": True, "names": list(names)}
    _remember(key, found, within_s=REMEMBERED_S)
    return found


def note_made(*, gateway: Gateway, path: str) -> None:
    """Let whoever looks for near names know of an archive that was made just now, where the folder is remembered."""
    base_path, _, name = path.rpartition("/")
    key = _key_of(base_path, gateway)
    try:
        found = cache.get(key)
        if found is not None and found["listed"] and name not in found["names"]:
            cache.set(key, {**found, "names": [*found["names"], name]}, timeout=REMEMBERED_S)
    except RedisError as error:
        logger.warning("near names: the cache does not answer (%s); what was made is not noted", error)


def _key_of(base_path: str, gateway: Gateway) -> str:
    account = gateway.account
    return f"near-names:{account.account_id}:{account.root_namespace_id}:{base_path.encode().hex()}"


def _remember(key: str, found: dict[str, Any], *, within_s: int) -> None:
    cache.set(key, found, timeout=within_s)
    cache.delete(f"{key}:listing")
