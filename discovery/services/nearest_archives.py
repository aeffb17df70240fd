"""Which archives have nearly the name that was looked for: “not found” without a look at the neighbours is half an answer.

The names come from the index that the account has read, while it is fresh. Else the folder that holds all archives is listed
once, and remembered for some minutes for the account that listed it. What goes wrong here changes no answer and costs no try:
then the evidence says that nobody looked.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

from cloud.dropbox import Gateway
from cloud.dropbox.connection import done_within
from cloud.errors import DropboxUnavailable, NotFound
from core.base.errors import Permanent, Temporary
from core.base.folding import is_same_path
from core.base.redis_keys import cache_key
from discovery.services.archive_index import ArchiveIndex, index_of
from discovery.services.base_paths import confirm_not_found
from discovery.services.judging import confirm_full_sight
from discovery.services.near_index import all_near_in, nearest_in, told_of
from discovery.services.near_names import NearNames
from leases.models import NOBODY, AgencyStorageConfig

logger = logging.getLogger(__name__)

CALLS_AT_MOST = 5
REMEMBERED_S = 300
# No call is begun later: the answer itself is there already, and its worker has others to do.
LONGEST_S = 20.0
# While one lists the folder, the others wait so long for what it finds.
LISTED_WITHIN_S = 30
WAIT_S = 3.0
LOOK_AGAIN_S = 0.1

TOO_MANY = f"nobody looked: the base folder takes more than {CALLS_AT_MOST} calls to list"
NOT_LISTED = "nobody looked: the base folder could not be listed ({why})"
NOT_REMEMBERED = "nobody looked: nothing could be remembered of the base folder"
BEING_LISTED = "nobody looked: the base folder was being listed at that moment"


class _NobodyLooked(Exception):
    """With the reason."""


def look_around(
    *, gateway: Gateway, path: str, answer: NotFound, configuration: AgencyStorageConfig | None = None
) -> dict[str, Any]:
    """What the evidence says of the neighbours of a path at which nothing lies: their names, the nearest first.

    At most five calls, none where the index or what is remembered has the names; one more if these have what Dropbox says is
    not there, or if nobody could look: what is closed to an account is "not found", too, and only its folder or its
    description tells. Whatever goes wrong with looking for neighbours, the answer stays.

    Args:
        configuration: says whether and how often the archives are read into an index; None: they are not.

    Raises:
        ArchiveOutOfSight: it is there, and the account may not see into it, or may have been kept from it.
        BasePathMissing: the folder that should hold it has gone, too.
        DropboxUnavailable: it is there again.
        Temporary, Permanent: as the gateway says of what is there.
    """
    base_path, _, number = path.rpartition("/")
    if index := _fresh_index(gateway, base_path, configuration):
        archive = index.archives([number]).get(number)
        if archive and archive.is_directory:
            _confirm_gone_for_all(gateway, path, answer)
        return told_of(nearest_in(index, [number])[number])
    names, why = _names_or_why_not(base_path, gateway)
    if names is None:
        _confirm_gone(gateway, path, answer)
        return {"nearest_unknown": why}
    if any(is_same_path(name, number) for name in names):
        _confirm_gone_for_all(gateway, path, answer)
    return {"nearest": list(nearest(number, names))}


def all_near(
    *, gateway: Gateway, path: str, configuration: AgencyStorageConfig | None = None
) -> tuple[str, ...] | None:
    """The names of all archives that come near one, the nearest first; None if nobody could look.

    No call where the index or what is remembered has the names, as after `look_around`.
    """
    base_path, _, number = path.rpartition("/")
    if index := _fresh_index(gateway, base_path, configuration):
        return all_near_in(index, number)
    names, _ = _names_or_why_not(base_path, gateway)
    return None if names is None else _near_names(tuple(names)).all_near(number)


def _fresh_index(gateway: Gateway, base_path: str, configuration: AgencyStorageConfig | None) -> ArchiveIndex | None:
    if configuration is None or not configuration.watched:
        return None
    index = index_of(account=gateway.account, base_path=base_path, poll_minutes=configuration.poll_minutes)
    return index if index and index.is_fresh else None


def nearest(number: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that somebody may have meant by the number, the nearest first, at most five.

    Args:
        names: of directories.
    """
    return _near_names(tuple(names)).nearest(number)


@lru_cache(maxsize=4)
def _near_names(names: tuple[str, ...]) -> NearNames:
    return NearNames(names)


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


def _confirm_gone_for_all(gateway: Gateway, path: str, answer: NotFound) -> None:
    """What was read of the folder that it lay in may be as old as its name, so that the folder may have gone, too."""
    _confirm_gone(gateway, path, answer)
    confirm_not_found(gateway=gateway, path=path, answer=answer, known=NOBODY)


# --- The folder that holds all archives -----------------------------------------------------------------------------


def _names_in(base_path: str, gateway: Gateway) -> list[str]:
    """The names of all directories in it.

    Raises:
        _NobodyLooked: there are too many, or it cannot be remembered, so that each answer would cost calls.
        Temporary, Permanent, NotFound: as the gateway says.
    """
    account = gateway.account
    key = cache_key("near-names", account.account_id, account.root_namespace_id, base_path.encode().hex())
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


def _remember(key: str, found: dict[str, Any], *, within_s: int) -> None:
    cache.set(key, found, timeout=within_s)
    cache.delete(f"{key}:listing")
