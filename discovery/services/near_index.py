"""Which archives come near to numbers that have none, by the index alone: whole sets of numbers, and no call to Dropbox."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import batched
from threading import Lock
from typing import Any

from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from discovery.services.archive_index import ArchiveIndex, IndexedArchive, index_of, read_undisturbed
from discovery.services.near_names import NearNames
from discovery.services.report_names import is_report_name
from leases.models import AgencyStorageConfig
from leases.neighbours import Looked, Near

# Folders of so many names; of 200,000 each takes some 35 MB.
REMEMBERED_AT_MOST = 4
# A person waits for it, and reads no more of them.
LOOKED_AT_MOST = 1_000
# What lies in so many archives is looked at with one statement.
AT_ONCE = 500


class _Remembered:
    """The names of the folders that were last asked for, by root and by the instant at which the index was read.

    Every poll is another instant, and most find the same names: then what was made of them serves again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[int, tuple[object, str, NearNames]] = {}

    def of(self, index: ArchiveIndex) -> NearNames:
        """Read and made once, however many ask for it at the same time."""
        root = index.watch.root_id
        with self._lock:
            kept = self._kept.pop(root, None)
            if kept is None or kept[0] != index.read_at:
                kept = (index.read_at, *_made_of(index.names(), kept))
            self._kept[root] = kept
            while len(self._kept) > REMEMBERED_AT_MOST:
                del self._kept[next(iter(self._kept))]
            return kept[2]


def _made_of(names: Sequence[str], before: tuple[object, str, NearNames] | None) -> tuple[str, NearNames]:
    digest = sha256("/".join(names).encode()).hexdigest()
    return digest, before[2] if before and before[1] == digest else NearNames(names)


_remembered = _Remembered()


def index_for(*, agency: str, user: User) -> ArchiveIndex | None:
    """The index of the agency's archives that the person's own Dropbox reads, fresh or not; None where it reads none."""
    configuration = AgencyStorageConfig.objects.filter(agency=agency, enabled=True, watched=True).first()
    account = DropboxAccount.objects.of(user) if configuration else None
    if configuration is None or account is None:
        return None
    index = index_of(
        account=account,
        base_path=configuration.runsheet_archive_base_path,
        poll_minutes=configuration.poll_minutes,
    )
    return replace(index, is_fresh=False) if index and account.needs_reconnect_reason else index


def fresh_index(*, agency: str, user: User) -> ArchiveIndex | None:
    """The same; None where it may not speak."""
    index = index_for(agency=agency, user=user)
    return index if index and index.is_fresh else None


def without_archive(*, agency: str, numbers: Sequence[str], user: User) -> Looked | None:
    """Which of the numbers have no archive by the person's index, each with what comes near it, in their order.

    Returns:
        None where that is not known: nobody reads the archives with this person's Dropbox, or what was read is old, or is
        being changed.
    """
    fresh = partial(fresh_index, agency=agency, user=user)
    found = read_undisturbed(fresh(), partial(_looked, numbers=numbers), again=fresh)
    return found[1] if found else None


def _looked(index: ArchiveIndex, *, numbers: Sequence[str]) -> Looked:
    absent, unknown = index.absent(numbers)
    near = nearest_in(index, absent[:LOOKED_AT_MOST])
    return Looked(near={number: near.get(number) for number in absent}, unknown=unknown)


def nearest_in(index: ArchiveIndex, numbers: Collection[str]) -> dict[str, tuple[Near, ...]]:
    """By number: the archives that come near it, the nearest first, at most five, and whether each has a report.

    However many are asked for, the names are read once, and what lies in the archives some hundred at a time.
    """
    if not numbers:
        return {}
    names = _remembered.of(index)
    found = {number: names.nearest(number) for number in numbers}
    reports = _reports(index, {name for some in found.values() for name in some})
    return {
        number: tuple(Near(name=name, has_report=reports.get(name)) for name in some) for number, some in found.items()
    }


def with_reports(near: Sequence[Near], *, agency: str, user: User) -> list[Near]:
    """The same names; of those of which that was not known, whether they have a report by what the person's index says now."""
    untold = {each.name for each in near if each.has_report is None}
    index = fresh_index(agency=agency, user=user) if untold else None
    reports = _reports(index, untold) if index else {}
    return [replace(each, has_report=reports.get(each.name, each.has_report)) for each in near]


def all_near_in(index: ArchiveIndex, number: str) -> tuple[str, ...]:
    """The names of all archives that come near one number, the nearest first, be it more than anybody is offered."""
    return _remembered.of(index).all_near(number)


def told_of(near: Sequence[Near]) -> dict[str, Any]:
    """What the evidence says of them."""
    reports = {each.name: each.has_report for each in near if each.has_report is not None}
    return {"nearest": [each.name for each in near]} | ({"nearest_reports": reports} if reports else {})


def _reports(index: ArchiveIndex, names: Collection[str]) -> Mapping[str, bool | None]:
    """Of each archive whether it has a report; None: the account may not see all that lies in it."""
    reports: dict[str, bool | None] = {}
    for some in batched(sorted(names), AT_ONCE, strict=False):
        reports |= {name: _has_report(archive) for name, archive in index.archives(some).items() if archive}
    return reports


def _has_report(archive: IndexedArchive) -> bool | None:
    found = any(is_report_name(each.name) for each in archive.files)
    return found or (None if archive.is_partial else False)
