"""What the page of one file shows, and what can be asked of its storage there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.urls import reverse

from console.machine.buttons import lacking
from console.records.links import record_url
from console.shell.times import exact
from core.base.sizes import size_text
from storage.admin.elsewhere import Elsewhere, elsewhere_of
from storage.admin.folders import Folder, folder_at, folder_with
from storage.admin.kinds import kind_of
from storage.admin.names import visible
from storage.backends import Storage
from storage.backends.errors import NotFound
from storage.backends.local import LocalStorage
from storage.errors import NoBackEnd, NotLookedAt, NotThereNow, RootNotThere, RootUnknown
from storage.index.entries import Entry
from storage.index.listers import lister_of, reads_by_cursor
from storage.models import FileState, IndexChange, IndexRun, RunState, StoredFile

CHANGES_SHOWN = 20
# As long as a browser takes to follow to where it is led.
FETCH_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A change of a run that was about the file; `url` is its run's page, empty for who may not see that."""

    at: datetime
    action: str
    detail: str
    run: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What lies there now, in words; and whether the row says so."""

    words: str
    is_as_indexed: bool


@dataclass(frozen=True, kw_only=True)
class FilePage:
    """One file or folder, as one person may see it."""

    file: StoredFile
    user: User

    @property
    def kind(self) -> str:
        return kind_of(self.file.content_type, is_directory=self.file.is_directory)

    @property
    def size(self) -> str:
        return size_text(self.file.size)

    @property
    def changed(self) -> datetime | None:
        return self.file.modified_at

    @cached_property
    def folder(self) -> Folder:
        """Where it lies."""
        return folder_with(self.file)

    @property
    def own_folder(self) -> Folder | None:
        """What it is, if it is a folder."""
        return folder_at(self.file) if self.file.is_directory else None

    @property
    def path(self) -> str:
        """As people see it: the key of a root that an app has declared is folded."""
        if not self.file.root.is_of_app:
            return visible(self.file.key)
        return f"{self.folder.path_in_root}{visible(self.file.name)}{'/' if self.file.is_directory else ''}"

    @property
    def owner_url(self) -> str:
        return record_url(self.file.owner, self.user) if self.file.owner else ""

    @cached_property
    def elsewhere(self) -> Elsewhere:
        """Where it is opened, and which records it belongs to, where whoever has declared its root knows."""
        return elsewhere_of([self.file], self.user).get(self.file.pk, Elsewhere())

    @property
    def is_missing(self) -> bool:
        return self.file.state == FileState.MISSING

    @property
    def stays_until(self) -> datetime | None:
        """From when on a run may delete the row."""
        since = self.file.missing_since
        return since + timedelta(days=settings.STORAGE_MISSING_GRACE_DAYS) if since else None

    @property
    def has_download(self) -> bool:
        """Whether a file like this can be fetched; whether it is there is asked when somebody does."""
        return not self.file.is_directory and back_end_of(self.file) is not None

    @property
    def fetch_url(self) -> str:
        return reverse("admin:storage_storedfile_fetch", args=[self.file.pk])

    @property
    def is_told(self) -> bool:
        """Whether its root is read by a cursor, so that it cannot be looked at by itself."""
        return self.file.root.is_of_app

    @property
    def look_url(self) -> str:
        """Where one asks what lies there now; empty for who may not."""
        may = not self.is_told and self.user.has_perm(IndexRun.run_right)
        return reverse("admin:storage_storedfile_look", args=[self.file.pk]) if may else ""

    @property
    def why_no_look(self) -> str:
        return "" if self.look_url or self.is_told else lacking(IndexRun, IndexRun.run_right)

    @property
    def first_seen_by(self) -> str:
        return exact(self.file.found_at)

    @cached_property
    def touches(self) -> list[Touch]:
        """What runs had to say of the row, the last first; that one made it, stands beside when it was first seen."""
        if not self.user.has_perm("storage.view_indexchange"):
            return []
        found = IndexChange.objects.filter(file_id=self.file.pk).select_related("run").order_by("-run_id", "-number")
        return [
            Touch(
                at=change.run.created_at,
                action=_told(change),
                detail=visible(change.detail),
                run=str(change.run),
                url=record_url(change.run, self.user),
            )
            for change in found[:CHANGES_SHOWN]
        ]

    @property
    def last_run_url(self) -> str:
        """The run that wrote the row last."""
        run = self.file.changed_by
        return record_url(run, self.user) if run else ""


def _told(change: IndexChange) -> str:
    """What the run did, or only meant to do."""
    is_applied = change.number <= change.run.applied_up_to and not change.passed_over
    word = str(change.get_action_display()).capitalize()
    if change.run.state == RunState.UNDONE and not change.passed_over:
        return f"{word}, undone"
    return word if is_applied or change.action in {"skip", "anomaly"} else f"{word}, not applied"


def back_end_of(file: StoredFile) -> Storage | None:
    """What opens the files of a root; None: nothing does, since it is only a directory that is looked at."""
    try:
        said = file.root.declared
    except RootUnknown:
        return None
    name = said.get("storage", "")
    if said.get("kind", "files") != "storage" or name not in settings.STORAGES:
        return None
    storage = storages[name]
    is_opened_here = not isinstance(storage, LocalStorage) or name == "documents"  # as `storage.views` opens them
    return storage if isinstance(storage, Storage) and is_opened_here else None


def address_to_fetch(file: StoredFile) -> str:
    """An address under which the file can be fetched for a moment, under its name.

    Raises:
        NoBackEnd: nothing opens files of its root.
        NotThereNow: there is none at the moment.
        BadKey, Denied, Throttled, Unavailable: what its storage has to say.
    """
    storage = back_end_of(file)
    if storage is None or file.is_directory:
        raise NoBackEnd
    try:
        storage.stat(file.key)
    except NotFound:
        raise NotThereNow from None
    return storage.sign(file.key, seconds=FETCH_S, name=visible(file.name))


def seen_now(file: StoredFile) -> Seen:
    """What lies there at this moment.

    Raises:
        RootUnknown, ListerUnknown, RootNotThere, NotLookedAt: nothing can be said of it.
        Denied, Throttled, Unavailable: what its storage has to say.
    """
    lister = lister_of(file.root)
    if reads_by_cursor(lister):
        raise NotLookedAt
    if not file.root.marker or lister.marker() != file.root.marker:
        raise RootNotThere
    found = lister.look(file.key)
    was_there = file.state == FileState.PRESENT
    if found is None:
        return Seen(words="Nothing lies there at the moment.", is_as_indexed=not was_there)
    if not isinstance(found, Entry):
        return Seen(words=visible(found.detail), is_as_indexed=False)
    if not was_there:
        return Seen(
            words=f"It lies there again: {size_text(found.size)}. The next run sees to its row.", is_as_indexed=False
        )
    if (found.size, found.modified_ns) == (file.size, file.modified_ns):
        return Seen(words="It lies there as the index says, in size and time.", is_as_indexed=True)
    same = "the same size, changed at another time" if found.size == file.size else size_text(found.size)
    return Seen(
        words=f"It lies there, and is not what the index says: {same}. The next run sees to its row.",
        is_as_indexed=False,
    )
