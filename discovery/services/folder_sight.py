"""What one Dropbox account sees of a folder, beside what is known of it: facts only, in no words; changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from cloud.dropbox import Gateway
from cloud.errors import DropboxRefused, NotADirectory, NotFound
from cloud.files import CloudFile, DirectoryListing
from core.base.folding import fold_case
from leases.queries import FoundArchives

# Folders above one that is not seen; a longer way up helps nobody to find the mistake.
LOOKED_ABOVE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSight:
    """One look at a folder.

    Attributes:
        folder: None if the account sees nothing there.
        above: the nearest folder above it that is seen; None if the folder itself is seen, or none of those that were
            looked at.
        listing: None if it was not read, or may not be.
    """

    path: str
    folder: CloudFile | None
    above: CloudFile | None = None
    listing: DirectoryListing | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the account sees only a part, so that what it does not see may be there all the same."""
        nearest = self.folder or self.above
        return nearest is not None and nearest.is_partial

    @property
    def is_file(self) -> bool:
        return self.folder is not None and not self.folder.is_directory

    @property
    def archives(self) -> tuple[CloudFile, ...]:
        """The folders in it, in Dropbox's order."""
        return tuple(entry for entry in self.listing.entries if entry.is_directory) if self.listing else ()

    def missing(self, known: FoundArchives) -> tuple[str, ...]:
        """Which of the known archives are not in it; by their names, as Dropbox compares them."""
        there = {_key(archive.name) for archive in self.archives}
        return tuple(name for name in known.names if _key(name) not in there)

    def misses_all(self, known: Iterable[FoundArchives]) -> bool:
        """Whether archives are known, and none of them is in it, so that what is in it says nothing for it."""
        every = tuple(known)
        return bool(every) and all(len(self.missing(each)) == len(each.names) for each in every)


def look_at(path: str, *, gateway: Gateway) -> FolderSight:
    """Whether a folder is seen; one call, and up to `LOOKED_ABOVE` more if it is not.

    Raises:
        RunsheetError: what the gateway says, but for `NotFound`.
    """
    folder = _seen(path, gateway)
    return FolderSight(path=path, folder=folder, above=None if folder else _nearest_above(path, gateway))


def look_into(path: str, *, gateway: Gateway) -> FolderSight:
    """Whether a folder is seen, and what is in it; one call more for each 2,000 entries.

    Raises:
        RunsheetError: what the gateway says, but for what says that this account may not read the folder.
    """
    sight = look_at(path, gateway=gateway)
    if sight.folder is None or sight.is_file:
        return sight
    return FolderSight(path=path, folder=sight.folder, listing=_listing(sight.folder, path, gateway))


def is_readable(archive: CloudFile, *, gateway: Gateway) -> bool:
    """Whether the account may open it; folders can be shown to somebody who may not. One call.

    Raises:
        RunsheetError: what the gateway says, but for what says that this account may not.
    """
    try:
        return _listing(archive, archive.path, gateway) is not None
    except DropboxRefused:
        return False


def _seen(path: str, gateway: Gateway) -> CloudFile | None:
    try:
        return gateway.metadata(path=path)
    except NotFound:
        return None


def _listing(folder: CloudFile, path: str, gateway: Gateway) -> DirectoryListing | None:
    try:
        return gateway.list_directory(path=path)
    except (NotFound, NotADirectory):
        return None
    except DropboxRefused:
        if folder.no_access:
            return None
        raise


def _nearest_above(path: str, gateway: Gateway) -> CloudFile | None:
    for above in _folders_above(path):
        if found := _seen(above, gateway):
            return found
    return None


def _folders_above(path: str) -> Iterable[str]:
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[:depth]) for depth in range(len(parts), 0, -1)][:LOOKED_ABOVE]


def _key(name: str) -> str:
    """What Dropbox finds a name by; blanks at its end do not count."""
    return fold_case(name).rstrip(" ")
