"""What the index has learned, told to the leases: whose known answer is another one by now is owed a run.

Nothing is concluded here. The run asks, and judges, as any other; what is told is only that it is worth asking.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import connection
from django.db.models import Min, QuerySet

from cloud.errors import NotADirectory
from cloud.models import DropboxAccount, Folded
from core.base.folding import is_same_path
from discovery.errors import ArchiveOutOfSight, BasePathMissing, BasePathOutOfSight
from discovery.models import ArchiveWatch
from discovery.services.archive_index import ArchiveIndex, IndexedArchive, folded, index_of
from discovery.services.archive_wants import ARCHIVES, held_in
from discovery.services.beside_news import is_too_soon, reason_beside
from discovery.services.report_names import is_report_name
from leases.models import AgencyStorageConfig, Beside, Lease
from leases.services import owe_runs
from leases.states import SETTLED, WORKING, State
from storage.models import IndexRun, RunState

logger = logging.getLogger(__name__)

APPEARED = "an archive appeared"
GONE = "the archive is gone"
IN_PART = "the account sees only a part of the archive by now"
ANEW = "the archive was made anew"
ADDED = "a report was added"
TAKEN = "the report was taken away"
RENAMED = "the report has another name"
IN_PART = "only a part of the archive is seen by now"
SEEN_AGAIN = "the folder of the archives is there again"

# They may have changed rows, be it not to their end.
ENDED = (RunState.DONE, RunState.FAILED, RunState.ABORTED, RunState.UNDONE)
# An older one that somebody lets go on is not told; no more are looked at.
REMEMBERED = 20
AT_ONCE = 1_000
# In `ArchiveWatch.told`, while all leases are being compared: up to which one that is done.
UP_TO = "up to"
# Also there: whose leases were told, of what. Who comes later has missed what was told before.
TO_WHOM = "to whom"
# The archives about which a run has changed anything, as far as an answer can depend on it: the archive, or a file in it.
TOUCHED = """
SELECT DISTINCT split_part(told.key, '/', 1)
FROM storage_indexchange change, LATERAL (
    VALUES (change.key), (CASE change.action WHEN 'rename' THEN change.detail ELSE '' END)
) told(key)
WHERE change.run_id = ANY(%s) AND NOT change.passed_over AND change.action NOT IN ('skip', 'anomaly')
    AND told.key <> '' AND cardinality(string_to_array(rtrim(told.key, '/'), '/')) <= 2
"""


@dataclass(slots=True)
class Comparison:
    """Leases compared with the index.

    Attributes:
        owed: how many are owed a run now.
        unsettled: the archives, folded, whose leases are at work, or know better than the index; to be looked at again.
    """

    owed: int = 0
    unsettled: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that a lease knows otherwise.

    Attributes:
        is_owed: it is worth a run now.
        is_kept: it is to be looked at again.
    """

    reason: str
    is_owed: bool
    is_kept: bool


def tell(watch: ArchiveWatch, *, is_time_up: Callable[[], bool]) -> None:
    """Owe a run to each lease whose answer is another one by now, as far as runs over the root have ended since the last time.

    What was told is noted at the end. Whoever is killed before tells it once more: who is owed a run is owed no second one.
    """
    runs = list(
        IndexRun.objects.filter(root=watch.root_id, state__in=ENDED)
        .order_by("-pk")
        .values("pk", "generation", "state", "incremental", "applied_up_to")[:REMEMBERED]
    )
    new = [run for run in runs if watch.told.get(str(run["pk"])) != run["generation"]]
    held, people = _held(watch), _people(watch)
    to_whom = sorted([*_what(held), *(str(user) for user in people.values_list("user", flat=True))])
    before = watch.told.get(TO_WHOM, to_whom)
    is_whole = UP_TO in watch.told or any(_concerns_all(run) for run in new) or not set(to_whom) <= set(before)
    if not (new or is_whole or watch.unsettled or to_whom != before):
        return
    index = ArchiveIndex(watch=watch, read_at=watch.root.read_at, is_fresh=_is_fresh(watch, held), is_being_read=False)
    told: dict[str, Any] = {str(run["pk"]): run["generation"] for run in runs} | {TO_WHOM: to_whom}
    compared = Comparison(unsettled=set())
    if is_whole:
        leases = Lease.objects.filter(agency__in=list(held), initiated_by__in=people)
        reached = _compare_all(leases, index, held, compared, after=watch.told.get(UP_TO, 0), is_time_up=is_time_up)
        told |= {} if reached is None else {UP_TO: reached}
        compared.unsettled |= set() if reached is None else set(watch.unsettled)
    else:
        names = {*watch.unsettled, *_touched([run["pk"] for run in new if run["state"] == RunState.DONE])}
        for chunk in batched(sorted(names), AT_ONCE, strict=False):
            for agency in held:
                leases = Lease.objects.filter(agency=agency, initiated_by__in=people)
                chosen = _read(leases.alias(folded=Folded("lease_number")).filter(folded__in=chunk))
                _compare(chosen, index, held, compared)
    _note(watch, told=told, unsettled=sorted(compared.unsettled))
    if compared.owed:
        logger.info("watches: “%s”: %s leases are owed a run, since something has changed", watch, compared.owed)


def _concerns_all(run: Mapping[str, Any]) -> bool:
    """Whether it is not known which archives it has changed."""
    if run["state"] == RunState.DONE:
        return not run["incremental"]
    return run["state"] == RunState.UNDONE or bool(run["applied_up_to"])


def _note(watch: ArchiveWatch, *, told: dict[str, Any], unsettled: list[str]) -> None:
    if (told, unsettled) != (watch.told, watch.unsettled):
        watch.told, watch.unsettled = told, unsettled
        watch.save(update_fields=["told", "unsettled"])


def _touched(runs: Sequence[int]) -> set[str]:
    if not runs:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(TOUCHED, [list(runs)])
        return {folded(name) for (name,) in cursor.fetchall()}


def _held(watch: ArchiveWatch) -> dict[str, tuple[str, ...]]:
    """Of which agencies something is looked for there, and what."""
    configured = AgencyStorageConfig.objects.filter(enabled=True, watched=True)
    found = {each.agency: held_in(watch.base_path, each) for each in configured}
    return {agency: what for agency, what in found.items() if what}


def _what(held: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is looked for there, in `TO_WHOM`: of archives, their agency."""
    for agency, some in held.items():
        yield from (agency if what == ARCHIVES else f"{what} of {agency}" for what in some)


def _is_fresh(watch: ArchiveWatch, held: Mapping[str, Sequence[str]]) -> bool:
    """Whether a run that asks what lies beside the archives is answered now; nobody asks whether one about archives is."""
    if all(set(what) <= {ARCHIVES} for what in held.values()):
        return False
    accounts = DropboxAccount.objects.filter(account_id=watch.account_id, root_namespace_id=watch.path_root)
    account = accounts.defer("refresh_token", "access_token").first()
    minutes = AgencyStorageConfig.objects.filter(agency__in=list(held)).aggregate(least=Min("poll_minutes"))["least"]
    index = index_of(account=account, base_path=watch.base_path, poll_minutes=minutes) if account else None
    return index is not None and index.is_fresh


def _people(watch: ArchiveWatch) -> QuerySet[DropboxAccount, Any]:
    """Whose runs use that account."""
    accounts = DropboxAccount.objects.filter(account_id=watch.account_id, root_namespace_id=watch.path_root)
    return accounts.values("user")


def _compare_all(
    leases: QuerySet[Lease],
    index: ArchiveIndex,
    held: Mapping[str, Sequence[str]],
    compared: Comparison,
    *,
    after: int,
    is_time_up: Callable[[], bool],
) -> int | None:
    """Compare the leases behind that one; the one with which it goes on next time, None at their end."""
    while True:
        chunk = _read(leases.filter(pk__gt=after).order_by("pk")[:AT_ONCE])
        _compare(chunk, index, held, compared)
        if len(chunk) < AT_ONCE:
            return None
        after = chunk[-1].pk
        if is_time_up():
            return after


def _read(leases: QuerySet[Lease]) -> list[Lease]:
    """What is known of each, and no more; they are not those that a transition needs."""
    return list(
        leases.only(
            *("generation", "agency", "lease_number", "state", "due_at", "claimed_until", "failure_code", "known_at"),
            *("known_account", "known_base_path", "known_folder_id", "matching_files", "matching_count"),
            *("documents_state", "documents_directory", "misc_index_state", "misc_index_directory"),
            *("beside", "entered_at"),
        )
    )


def _compare(
    leases: Sequence[Lease], index: ArchiveIndex, held: Mapping[str, Sequence[str]], compared: Comparison
) -> None:
    """A few statements, however many they are."""
    archives = index.archives({lease.lease_number for lease in leases})
    reasons: dict[str, dict[int, int]] = {}
    names = {lease.pk: folded(lease.lease_number) for lease in leases}
    for lease in leases:
        if lease.lease_number not in archives:
            continue
        if lease.state in WORKING or lease.claimed_until:
            compared.unsettled.add(names[lease.pk])
            continue
        archive = archives[lease.lease_number]
        news = [each for what in held[lease.agency] for each in _news(lease, what, archive, index)]
        if any(each.is_kept for each in news):
            compared.unsettled.add(names[lease.pk])
        if told := [each.reason for each in news if each.is_owed]:
            reasons.setdefault(" and ".join(told), {})[lease.pk] = lease.generation
    for reason, chosen in reasons.items():
        asked = owe_runs(leases=chosen, reason=reason)
        compared.owed += len(asked)
        compared.unsettled |= {names[pk] for pk in chosen if pk not in asked}


def _news(lease: Lease, what: str, archive: IndexedArchive | None, index: ArchiveIndex) -> Iterator[News]:
    """What a lease that nobody works on knows otherwise; at most one of each kind."""
    if what != ARCHIVES:
        yield from _news_beside(lease, Beside(what), archive, index)
    elif _is_concerned(lease, index.watch) and (reason := _reason(lease, archive)):
        is_later = _is_newer(lease.known_at, index.read_at) and lease.state in SETTLED
        yield News(reason=reason, is_owed=not is_later, is_kept=is_later)


def _news_beside(lease: Lease, which: Beside, archive: IndexedArchive | None, index: ArchiveIndex) -> Iterator[News]:
    """Looked at again until the lease knows it: a run asks for it only while this folder's index is fresh."""
    if reason := reason_beside(lease, which, archive=archive, index=index):
        is_asked = lease.due_at is None and index.is_fresh and not is_too_soon(lease, which, index=index)
        yield News(reason=reason, is_owed=is_asked, is_kept=True)


def _is_concerned(lease: Lease, watch: ArchiveWatch) -> bool:
    """Whether what the index says has anything to do with its answer.

    One that is owed a run asks anyway; what somebody has stopped is not started; nobody is answered from another's Dropbox.
    """
    if lease.due_at is not None or lease.state == State.PENDING:
        return False
    if lease.state == State.FAILED:
        return True
    # Its person uses this account by now: what is there stands, whoever has not seen it.
    may_say = lease.state == State.NOT_FOUND or lease.known_account == watch.account_id
    return may_say and is_same_path(lease.known_base_path, watch.base_path)


def _is_newer(instant: datetime | None, other: datetime | None) -> bool:
    return bool(instant and other and instant > other)


def _reason(lease: Lease, archive: IndexedArchive | None) -> str:
    """Why it is worth asking; empty: it is not."""
    is_there = archive is not None and archive.is_directory
    if lease.state == State.FAILED:
        return _mended(lease.failure_code, archive)
    if lease.state == State.NOT_FOUND:
        return APPEARED if is_there else ""
    if archive is None or not is_there:
        return GONE
    if lease.known_folder_id and archive.folder_id != lease.known_folder_id:
        return ANEW
    return _report_reason(lease, archive) if lease.state == State.DONE else ""


def _mended(code: str, archive: IndexedArchive | None) -> str:
    """Why a lease goes on that has failed: what it failed for is mended by what lies there now."""
    if code in (BasePathMissing.code, BasePathOutOfSight.code):
        return SEEN_AGAIN
    is_whole = archive is not None and archive.is_directory and not archive.is_partial
    return APPEARED if is_whole and code in (NotADirectory.code, ArchiveOutOfSight.code) else ""


def _report_reason(lease: Lease, archive: IndexedArchive) -> str:
    names = {file.name for file in archive.files if is_report_name(file.name)}
    # Of many, no more than some are kept.
    known, count = set(lease.matching_files), max(lease.matching_count, len(lease.matching_files))
    if len(names) > count:
        return ADDED
    are_seen = known <= names and len(names) == count
    if archive.is_partial:
        # Who sees only a part knows neither what was taken away nor what is not there, but the run asks, and judges.
        rests_on_all = not (are_seen and count)
        return IN_PART if rests_on_all and _is_newer(archive.changed_at, lease.known_at) else ""
    return "" if are_seen else TAKEN if len(names) < count else RENAMED
