"""A folder of archives as the index reads it: all that lies there, and from then on what has changed, told by Dropbox.

Dropbox is asked with the account whose index it is, by whichever of its people lends it. Nothing is concluded where the folder is
not there, lies elsewhere by now, or is seen in part only: `RootNotThere`, with one sentence for whoever looks after it.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from cloud.dropbox import Gateway, gateway_for
from cloud.errors import (
    DropboxRefused,
    DropboxUnavailable,
    ListingReset,
    NeedsReconnect,
    NoInitiatingUser,
    NotADirectory,
    NotFound,
)
from cloud.files import ChangedEntry, ChangesPage, CloudFile
from cloud.models import DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services.archive_index import NANOSECONDS
from discovery.services.entry_marks import Mark
from discovery.services.judging import name_of, namespace_of
from storage.errors import RootNotThere
from storage.index.entries import Anomaly, CursorPage, CursorReset, Entry, Gone
from storage.models import StorageRoot

logger = logging.getLogger(__name__)

# A cursor of our own, where each directory is listed by itself. Behind it, with a slash before each part, stands the directory
# that was listed last; nothing where all were.
EACH = "each:"

# A directory below the folder, as the parts of its path; they sort parents first, as they are listed.
type Place = tuple[str, ...]
type Told = Entry | Gone | Anomaly


def lister_of_archives(root: StorageRoot) -> "ArchiveLister":
    """The lister of a root of the kind “dropbox”.

    Raises:
        RootNotThere: no folder of archives belongs to it any more.
    """
    watch = ArchiveWatch.objects.filter(root=root).first()
    if watch is None:
        raise RootNotThere("Nobody needs what lies there any more, so it is not read.")
    return ArchiveLister(watch)


@dataclass(slots=True)
class ArchiveLister:
    """Reads one watched folder; a lister for `storage.index`."""

    watch: ArchiveWatch
    _gateway: Gateway | None = field(default=None, init=False)
    _base_lower: str = field(default="", init=False)

    def marker(self) -> str:
        """Dropbox's lasting name of the folder; one call.

        Raises:
            RootNotThere: it is not there, is a file, or is seen in part only; or nobody has the account connected.
            Temporary, Permanent: as the gateway says.
        """
        return self._base().file_id

    def pages(self, cursor: str) -> Iterator[CursorPage]:
        """What lies there, or has changed behind a cursor; one call for each page of up to 2,000.

        Raises:
            CursorReset: the cursor leads nowhere any more, or cannot tell changes.
            RootNotThere: as `marker`; or the folder lies elsewhere by now.
            Temporary, Permanent: as the gateway says.
        """
        if cursor == EACH:
            raise CursorReset  # it was listed directory by directory, which tells of no change
        if cursor.startswith(EACH):
            yield from self._each_directory(after=_place(cursor.removeprefix(EACH)))
            return
        page = self.changes(cursor) if cursor else self._first()
        if page is None:
            yield from self._each_directory(after=None)
            return
        yield self._told(page)
        while page.has_more:
            page = self.changes(page.cursor)
            yield self._told(page)

    def changes(self, cursor: str) -> ChangesPage:
        """What has changed behind a cursor; one call.

        Raises:
            CursorReset, RootNotThere, Temporary, Permanent: as `pages`.
        """
        try:
            return self._ask(self.watch.base_path, cursor=cursor)
        except NotFound as error:
            raise RootNotThere(self._gone()) from error
        except ListingReset as error:
            raise CursorReset from error

    def confirm_lent(self) -> None:
        """Make sure that Dropbox can be asked; no call, or one for a new token.

        Raises:
            RootNotThere: nobody has the account connected, or its paths begin elsewhere by now.
            Temporary, Permanent: as the gateway says.
        """
        self._lent()

    # --- The whole ------------------------------------------------------------------------------------------------

    def _first(self) -> ChangesPage | None:
        """The first page of all that lies there; None where Dropbox lists the whole not even at the second time of asking."""
        for _ in range(2):
            try:
                return self._ask(self.watch.base_path)
            except (NotFound, NotADirectory) as error:
                raise RootNotThere(self._gone()) from error
            except (DropboxUnavailable, DropboxRefused) as error:
                logger.warning("“%s”: Dropbox does not list the whole. %s", self.watch, error)
        logger.warning("“%s” is listed directory by directory", self.watch)
        return None

    def _told(self, page: ChangesPage) -> CursorPage:
        if page.unmounted:
            logger.info("“%s”: %s entries have no path and are left out", self.watch, page.unmounted)
        told = (self._entry(entry) for entry in page.entries)
        return CursorPage([each for each in told if each], page.cursor, has_more=page.has_more)

    def _entry(self, entry: ChangedEntry) -> Told | None:
        """In the index's own words; nothing of the folder itself, which is not in itself."""
        base = self._base_lower or self._read_base()
        path = entry.path_lower
        if path == base and not entry.is_deleted:
            if entry.is_partial or not entry.is_directory:
                raise RootNotThere(self._in_part() if entry.is_directory else self._is_file())
            return None
        if not path.startswith(f"{base}/"):
            raise RootNotThere(self._gone())
        return _as_entry(entry, path[len(base) + 1 :])

    # --- Directory by directory -------------------------------------------------------------------------------------

    def _each_directory(self, *, after: Place | None) -> Iterator[CursorPage]:
        """Parents before what is in them, in the order of the paths; a page for each.

        Args:
            after: what was listed last; None: nothing was.
        """
        waiting: list[tuple[Place, Entry | None]] = [((), None)]
        while waiting:
            directory, entry = waiting.pop()
            told = self._listed(directory, entry)
            waiting += sorted((each for each in _directories(told) if _is_to_come(each[0], after)), reverse=True)
            if after is None or directory > after:
                reached = f"{EACH}/{'/'.join(directory)}" if waiting else EACH
                yield CursorPage(told, reached, has_more=bool(waiting), tells_changes=False)
                if not waiting:
                    return
        yield CursorPage([], EACH, has_more=False, tells_changes=False)

    def _listed(self, directory: Place, entry: Entry | None) -> Sequence[Told]:
        """What lies directly in it; of one that went away meanwhile, that.

        What may not be read is said to be unreadable, and is there all the same, seen in part.

        Args:
            entry: itself, as the directory above it has told of it; None: it is the folder.
        """
        key = "/".join(directory)
        path = f"{self.watch.base_path}/{key}" if key else self.watch.base_path
        told: list[Told] = []
        try:
            page = self._ask(path, is_recursive=False)
            told += self._told(page).entries
            while page.has_more:
                page = self._ask(path, cursor=page.cursor)
                told += self._told(page).entries
        except (NotFound, NotADirectory) as error:
            if not key:
                raise RootNotThere(self._gone()) from error
            return [Gone(key)]
        except DropboxRefused as error:
            if not key:
                raise
            unreadable = Anomaly(f"{key}/", "unreadable", str(error), (f"{key}/",))
            return [_in_part(entry), unreadable] if entry else [unreadable]
        except ListingReset as error:
            raise DropboxUnavailable(
                evidence=error.evidence
            ) from error  # from the last directory on, it is listed again
        return told

    # --- Whom to ask ------------------------------------------------------------------------------------------------

    def _ask(self, path: str, *, cursor: str = "", is_recursive: bool = True) -> ChangesPage:
        gateway = self._lent()
        page = gateway.changes(path=path, cursor=cursor, is_recursive=is_recursive)
        self._confirm_root(gateway.account)
        return page

    def _base(self) -> CloudFile:
        """The folder itself; one call."""
        gateway = self._lent()
        try:
            folder = gateway.metadata(path=self.watch.base_path)
        except NotFound as error:
            raise RootNotThere(self._gone()) from error
        self._confirm_root(gateway.account)
        if not folder.is_directory:
            raise RootNotThere(self._is_file())
        if folder.is_partial:
            raise RootNotThere(self._in_part())
        self._base_lower = folder.path_lower
        namespace = namespace_of(folder, account=gateway.account)
        if namespace != self.watch.namespace:
            self.watch.namespace = namespace
            self.watch.save(update_fields=["namespace"])
        return folder

    def _read_base(self) -> str:
        return self._base().path_lower

    def _lent(self) -> Gateway:
        """The account's Dropbox, lent by somebody who has it connected.

        Raises:
            RootNotThere: nobody does, or its paths begin elsewhere by now.
            Temporary, Permanent: as `gateway_for` says.
        """
        if self._gateway:
            return self._gateway
        people = DropboxAccount.objects.at_hand().filter(account_id=self.watch.account_id).order_by("pk")
        for account in people.select_related("user").defer("refresh_token", "access_token"):
            self._confirm_root(account)
            try:
                self._gateway = gateway_for(account.user)
            except (NeedsReconnect, NoInitiatingUser) as error:
                logger.info("“%s”: the Dropbox of %s is not lent. %s", self.watch, account.user, error)
            else:
                return self._gateway
        raise RootNotThere(
            f"“{self.watch}” is read with the Dropbox of {self._name()}, and nobody has that connected who may run discovery. "
            "Let somebody connect it; it goes on by itself."
        )

    def _confirm_root(self, account: DropboxAccount) -> None:
        if account.root_namespace_id != self.watch.path_root:
            raise RootNotThere(
                f"The paths of {self._name()} begin at another root folder of the team now. “{self.watch}” is read from there "
                "by itself, as another root."
            )

    # --- In words -----------------------------------------------------------------------------------------------------

    def _name(self) -> str:
        return name_of(self.watch.account_id)

    def _gone(self) -> str:
        return (
            f"The folder “{self.watch}” is not in the Dropbox of {self._name()} any more: it was renamed, moved or deleted, or "
            "is no longer shared with that account. Put it back, or correct the agency's configuration."
        )

    def _is_file(self) -> str:
        return (
            f"“{self.watch}” is a file in the Dropbox of {self._name()}. Name a folder in the agency's configuration."
        )

    def _in_part(self) -> str:
        return (
            f"The Dropbox of {self._name()} sees only a part of “{self.watch}”, so it cannot tell what is not there. Ask the "
            "folder's owner for access to the whole."
        )


def _as_entry(entry: ChangedEntry, key: str) -> Told:
    if entry.is_deleted:
        return Gone(key)
    mark = Mark(
        file_id=entry.file_id,
        revision=entry.revision,
        namespace=entry.shared_folder_id,
        is_partial=entry.is_partial,
    )
    if entry.is_directory:
        return Entry(f"{key}/", 0, 0, mark.etag, entry.name)
    at = entry.modified_at
    return Entry(key, entry.size_bytes, int(at.timestamp()) * NANOSECONDS if at else 0, mark.etag, entry.name)


def _place(path: str) -> Place:
    return tuple(path.split("/")[1:]) if path != "/" else ()


def _in_part(entry: Entry) -> Entry:
    return entry._replace(etag=replace(Mark.read(entry.etag), is_partial=True).etag)


def _directories(told: Iterable[Told]) -> Iterator[tuple[Place, Entry]]:
    """What is to be listed of it. What may not be opened cannot be."""
    for each in told:
        if isinstance(each, Entry) and each.key.endswith("/") and not Mark.read(each.etag).is_partial:
            yield tuple(each.key[:-1].split("/")), each


def _is_to_come(directory: Place, after: Place | None) -> bool:
    """Whether it is to be listed; also where it only leads on to what was listed last, and so to what comes behind that."""
    return after is None or directory > after or directory == after[: len(directory)]
