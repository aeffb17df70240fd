"""An archive that is missing is made, with its subfolders: where somebody wants it, or by itself where the agency does.

Dropbox makes every folder above the one that is asked for. So nothing is asked for before this run itself has seen that the
folder that holds the archives is there, all of it; and nothing where a near name lies beside that nobody was asked about.
Whatever keeps it from being made is a sentence in the evidence: the answer “not found” stands as it was.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from cloud.dropbox import Gateway
from cloud.errors import DropboxUnavailable, MayNotWrite, NotFound, NotMade
from cloud.queries import location_at
from core.base.redis_keys import cache_key
from discovery.services.lease_directory_search import DirectorySighting, look_for_directory
from discovery.services.near_names import OFFERED_AT_MOST
from discovery.services.near_others import not_of_others
from discovery.services.nearest_archives import all_near, nearest
from leases.making import RIGHT
from leases.models import SUBFOLDERS, AgencyStorageConfig, Lease

logger = logging.getLogger(__name__)

# In the evidence: what was made, for whom, and why nothing was.
MADE, MADE_FOR, NOT_MADE = "made", "made_for", "not_made"

NO_RIGHT = "{who} may not make archives (any more)."
READS_ONLY = "This installation only reads what is in Dropbox: DROPBOX_MAKES_ARCHIVES is not set."
LAY_THERE = "One lay there before and is gone. Restore it in Dropbox, or press “Make the archive” for a new one."
NEAR = "“{name}” lies right beside, which nobody has been asked about."
NOT_SEEN_BESIDE = "Nobody could see whether an archive of a near name lies beside it."
NOT_REMEMBERED = (
    "Nobody could see whether one of a near name was made just now, as Redis does not answer. Run it again."
)
NO_BASE = "The folder “{path}”, which holds the archives, was not there when it was to be made."
PARTIAL = "This Dropbox sees only a part of “{path}”, so the archive may be there for others."
NOT_SEEN_YET = "The archive was made just now, and Dropbox does not show it yet."
READ_ONLY = "This Dropbox may only read “{path}”. Ask its owner for the right to edit it."


# Until then the index has been read again, and what is remembered of the folder is forgotten.
REMEMBERED_S, REMEMBERED_AT_MOST = 3_600, 5_000


class _NotMade(Exception):
    """With the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """That an archive is to be made if it is missing.

    Attributes:
        by_itself: because the agency wants it so, and nobody was asked.
        beside: the near names that whoever wants it knows of; None: who knows that nobody could look for any.
    """

    by_itself: bool
    beside: tuple[str, ...] | None = ()


def wanted(lease: Lease, configuration: AgencyStorageConfig | None) -> Wanted | None:
    """Whether the lease's archive is to be made if it is missing; None if nobody wants that."""
    if lease.makes_archive:
        return Wanted(by_itself=False, beside=None if lease.seen_beside is None else tuple(lease.seen_beside))
    return Wanted(by_itself=True) if configuration and configuration.makes_archives else None


def is_of_the_index(lease: Lease, configuration: AgencyStorageConfig | None, *, is_there: bool) -> bool:
    """Whether what the index says may be the answer; else Dropbox is asked, since something may have to be made."""
    want = wanted(lease, configuration)
    if want is None or (want.by_itself and is_there and lease.tries <= 1):
        return True
    return want.by_itself and not settings.DROPBOX_MAKES_ARCHIVES


def with_archive_made(
    *, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig | None, sighting: DirectorySighting
) -> DirectorySighting:
    """What a search has come to, after the archive was made where it is missing and wanted; no call otherwise.

    Killed at any point and begun again, it ends with the same: what is there already is no obstacle, and subfolders that
    are still missing are made in an archive that holds nothing else.

    Args:
        sighting: Dropbox's own answer, or that of the index, which is asked anew before anything is made.

    Raises:
        Temporary, Permanent: as the gateway and the search say.
    """
    want = wanted(lease, configuration)
    if want is None or not (sighting.listing is None or _is_half_made(lease, sighting, want)):
        return sighting
    assert configuration is not None  # there is an answer, so there is a place
    try:
        made = _make(lease, gateway, sighting, want, configuration=configuration)
    except (_NotMade, NotMade) as why:
        answer = {"making": why.evidence} if isinstance(why, NotMade) else {}
        return replace(sighting, evidence=sighting.evidence | {NOT_MADE: str(why)} | answer)
    seen = look_for_directory(lease=lease, gateway=gateway, configuration=configuration)
    if seen.listing is None:
        raise DropboxUnavailable(NOT_SEEN_YET, evidence=seen.evidence | {MADE: made})
    told = {MADE: made, MADE_FOR: _asked_by(lease)} if made else {}
    return replace(seen, evidence=seen.evidence | told)


def _is_half_made(lease: Lease, sighting: DirectorySighting, want: Wanted) -> bool:
    """Whether an earlier try may have been interrupted between the archive and its last subfolder."""
    assert sighting.listing is not None
    is_ours = (not want.by_itself or lease.tries > 1) and not (sighting.folder and sighting.folder.is_partial)
    names = {entry.name for entry in sighting.listing.entries}
    return is_ours and names < set(SUBFOLDERS[lease.agency])


def _make(
    lease: Lease, gateway: Gateway, sighting: DirectorySighting, want: Wanted, *, configuration: AgencyStorageConfig
) -> list[str]:
    """Make the archive, then what is missing in it; the paths that were made.

    Raises:
        _NotMade, NotMade: nothing was, or not all of it.
        Temporary, Permanent: as the gateway says.
    """
    path, there = sighting.path, _names_in(sighting)
    _confirm_may(lease, gateway)
    if sighting.listing is None:
        _confirm_new(sighting, want)
        _confirm_nothing_near(lease, gateway, sighting, want, configuration=configuration)
    _confirm_base(gateway, path.rpartition("/")[0])
    wanted_paths = [path, *(f"{path}/{name}" for name in SUBFOLDERS[lease.agency] if name not in there)]
    made = [each for each in wanted_paths if gateway.make_directory(path=each)]
    _note_made(gateway, path)
    return made


def _names_in(sighting: DirectorySighting) -> Sequence[str]:
    return [entry.name for entry in sighting.listing.entries] if sighting.listing else []


def _confirm_may(lease: Lease, gateway: Gateway) -> None:
    """Asked whenever it is done: who wanted it may have lost the right since, and may have connected Dropbox anew."""
    if not settings.DROPBOX_MAKES_ARCHIVES:
        raise _NotMade(READS_ONLY)
    user = lease.initiated_by
    if user is None or not user.has_perm(RIGHT):
        raise _NotMade(NO_RIGHT.format(who=_asked_by(lease)))
    if not gateway.account.may_write:
        raise MayNotWrite(evidence=gateway.evidence(path=""))


def _confirm_new(sighting: DirectorySighting, want: Wanted) -> None:
    """What lay there and was deleted or moved is not made anew unasked: somebody may look for it."""
    if sighting.known is not None or (want.by_itself and location_at(sighting.path) is not None):
        raise _NotMade(LAY_THERE)


def _confirm_nothing_near(
    lease: Lease, gateway: Gateway, sighting: DirectorySighting, want: Wanted, *, configuration: AgencyStorageConfig
) -> None:
    """Numbers that follow one another come near, and each has its lease: only what is nobody's may be the one that is meant.

    Where as many are named as ever are, what is nobody's may come behind them, so that all are looked at.
    """
    near, seen = sighting.evidence.get("nearest"), want.beside or ()
    if near is None:
        if want.beside is not None:
            raise _NotMade(NOT_SEEN_BESIDE)
        return
    base_path, _, number = sighting.path.rpartition("/")
    lately = _made_lately(gateway, sighting.path)

    def may_be_meant(names: Sequence[str]) -> list[str]:
        return not_of_others(
            [name for name in names if name not in seen],
            lease=lease,
            base_path=base_path,
            account=gateway.account,
            namespace=sighting.origin.namespace,
            made_lately=lately,
        )

    found = may_be_meant([*near, *nearest(number, lately)])
    if not found and len(near) >= OFFERED_AT_MOST and not set(near) <= set(seen):
        everything = all_near(gateway=gateway, path=sighting.path, configuration=configuration)
        if everything is None:
            raise _NotMade(NOT_SEEN_BESIDE)
        found = may_be_meant(everything)
    if found:
        raise _NotMade(NEAR.format(name=found[0]))


def _confirm_base(gateway: Gateway, base_path: str) -> None:
    """Never from memory: Dropbox would make a folder that is gone, and every archive in it would be a new one."""
    try:
        base = gateway.metadata(path=base_path)
    except NotFound:
        raise _NotMade(NO_BASE.format(path=base_path)) from None
    if not base.is_directory:
        raise _NotMade(NO_BASE.format(path=base_path))
    if base.is_partial:
        raise _NotMade(PARTIAL.format(path=base_path))
    if base.is_read_only:
        raise _NotMade(READ_ONLY.format(path=base_path))


def _made_lately(gateway: Gateway, path: str) -> list[str]:
    """The archives that were made beside it so lately that nobody who looks for near names need know of them."""
    try:
        return list(cache.get(_key_of(gateway, path)) or ())
    except RedisError as error:
        raise _NotMade(NOT_REMEMBERED) from error


def _note_made(gateway: Gateway, path: str) -> None:
    """Else two leases of one order whose numbers are alike would both be made."""
    try:
        names = dict.fromkeys([*(cache.get(_key_of(gateway, path)) or ()), path.rpartition("/")[2]])
        cache.set(_key_of(gateway, path), list(names)[-REMEMBERED_AT_MOST:], timeout=REMEMBERED_S)
    except RedisError as error:
        logger.warning("made archives: the cache does not answer (%s); what was made is not remembered", error)


def _key_of(gateway: Gateway, path: str) -> str:
    account, base_path = gateway.account, path.rpartition("/")[0]
    return cache_key("made-lately", account.root_namespace_id, base_path.encode().hex())


def _asked_by(lease: Lease) -> str:
    return lease.initiated_by.get_username() if lease.initiated_by else "Nobody"
