"""What is older than it has to be goes; the last backups stay, and with each all that it needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.backups.blobs import lying
from core.backups.contents import blobs_of
from core.backups.place import BACKUPS, ID, MANIFEST, Place, id_at, key_of
from core.base.errors import RunsheetError

# So many stay, whatever their age: of one moment to the next a clock may be wrong by years, or all backups of weeks have failed.
STAY = 3
# What is younger may be of a backup that is being made: by another Runsheet that was restored from this one's, for example.
LEFT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What has gone.

    Attributes:
        backups: their names.
        blobs, bytes: what no other backup holds.
        why_not: why blobs stay that may be of no use; empty: none do.
    """

    backups: tuple[str, ...] = ()
    blobs: int = 0
    bytes: int = 0
    why_not: str = ""


def clear(place: Place, *, newest: str, keep_days: int, at: datetime) -> Removed:
    """Take away backups that are older, what others have left that came to no end, and blobs that no backup needs any more.

    Args:
        newest: stays, whatever its age; and so do others, up to three in all.
        keep_days: 0: all stay.
    """
    before = id_at(at - timedelta(days=keep_days)) if keep_days else ""
    ids = place.ids()
    old = [each for each in ids[:-STAY] if each < before and each != newest]
    for each in old:
        place.delete(key_of(each, MANIFEST))  # first, so that nobody sees a backup that lacks something
    kept = {each for each in ids if each not in old}
    since_ns = (at - LEFT).timestamp() * 1e9
    left = [
        each.key
        for each in place.listing(BACKUPS)
        if (name := _backup_of(each.key)) in old or (name and name not in kept and each.modified_ns < since_ns)
    ]
    for key in left:
        place.delete(key)
    if not left:  # nobody is there who has left any blobs
        return Removed()
    try:
        needed = _needed(place, kept)
    except RunsheetError as error:
        return Removed(backups=tuple(old), why_not=f"What an older backup needs cannot be told: {error}")
    count = size = 0
    for lies in list(lying(place)):
        if lies.modified_ns < since_ns and bytes.fromhex(lies.key.rpartition("/")[2]) not in needed:
            place.delete(lies.key)
            count, size = count + 1, size + lies.size
    return Removed(backups=tuple(old), blobs=count, bytes=size)


def _backup_of(key: str) -> str:
    """Empty: it is of none, and so nobody's business."""
    name = key.removeprefix(BACKUPS).partition("/")[0]
    return name if ID.fullmatch(name) else ""


def _needed(place: Place, ids: Iterable[str]) -> set[bytes]:
    return {bytes.fromhex(blob.name) for each in ids for blob in blobs_of(place, place.manifest(each))}
