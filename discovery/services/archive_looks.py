"""Looks at what is watched: one question for each folder, when Dropbox has told of a change or its period is over.

Where something has changed, a run of the index begins, which is seen, stopped and explained like any other.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from time import monotonic

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from cloud.files import ChangesPage
from cloud.models import DropboxAccount
from core.base.errors import RunsheetError, Temporary
from core.base.folding import is_same_path
from discovery.models import ArchiveWatch
from discovery.services.archive_lister import EACH, ArchiveLister
from discovery.services.archive_news import tell
from discovery.services.archive_wants import Wanted, key_of, wanted, wanted_by
from discovery.services.archive_watches import keep, watch_at_once
from discovery.services.waiting import LOOK_LASTS
from leases.models import AgencyStorageConfig
from storage.errors import RootBusy, RootNotThere
from storage.index.cursors import note_unchanged
from storage.index.entries import CursorReset
from storage.index.presence import forget_marker
from storage.models import ACTIVE, IndexRun, Mode, Occasion, RunState
from storage.services import IndexSyncService

logger = logging.getLogger(__name__)

# A worker has other things to do, too.
LOOKS_FOR_S = 40
# How long a folder is left alone about which Dropbox could not be asked, after the first time, the second, and so on. The duty
# comes every five seconds: one lost answer is made good by the next time.
RESTS = tuple(timedelta(seconds=seconds) for seconds in (4, 9, 18, 30, 60, 120, 300))
# The same for one with which somebody has to do something first.
RESTS_LONG = RESTS[-1]
# A run that came to no conclusion is begun again for the same after that time, and not before.
BEGUN_AGAIN_AFTER = timedelta(hours=1)
# The same, where Dropbox has told of a change since, and it does not show whether it is one of these: a look sees one page.
CUT_AGAIN_AFTER = timedelta(minutes=10)
# Where all of it has to be listed, that costs a call for each directory.
ALL_AT_MOST_EVERY = timedelta(minutes=30)
STUCK = frozenset({RunState.REFUSED, RunState.FAILED, RunState.ABORTED, RunState.UNDONE})
NAMED = 3

FIRST = "nothing is known of it yet"
LOST = "Dropbox has lost the place up to which it had told"
ELSEWHERE = "the folder is not where it was"
MADE_ANEW = "the folder was made anew"
EACH_AGAIN = "Dropbox lists only single directories here, so all of them are listed again"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a run is begun for.

    Attributes:
        mark: stands for it, so that it is known again.
        incremental: only what has changed is read.
        reason: the same in words, for the history of the run.
        is_cut: the mark stands for the first of it only, so what comes behind that changes nothing about it.
    """

    mark: str
    incremental: bool
    reason: str
    is_cut: bool = False


# Where its run is held, it is as for a folder that was never read: nothing is known up to which Dropbox has told.
ANEW = News(mark=FIRST, incremental=False, reason=MADE_ANEW)


def look_after_all() -> None:
    """Let watches come and go, tell the leases what is new, and ask Dropbox about whatever is due."""
    until = monotonic() + LOOKS_FOR_S

    def is_time_up() -> bool:
        return monotonic() > until

    found = wanted()
    keep(found, is_time_up=is_time_up)
    for watch in _watches():
        if is_time_up():
            return
        _look_unless_hindered(watch, found.get(key_of(watch)), is_time_up=is_time_up)


def look_at_once(*, account: DropboxAccount, configuration: AgencyStorageConfig) -> None:
    """The same for an agency's folders, which are watched from now on, since many leases are about to be asked for there.

    It takes one call for each folder at most, and none where somebody else looks at this moment.
    """
    made = watch_at_once(account=account, configuration=configuration)
    wants = {want.key: want for want in wanted_by(account, configuration)}
    for watch in _watches().filter(pk__in=[each.pk for each in made]):
        _look_unless_hindered(watch, wants.get(key_of(watch)), is_time_up=lambda: False)


def _look_unless_hindered(watch: ArchiveWatch, want: Wanted | None, *, is_time_up: Callable[[], bool]) -> None:
    """Look; what cannot be asked about is left alone for a while."""
    try:
        _look_after(watch, want, is_time_up=is_time_up)
    except RootBusy as error:  # somebody has begun one in this moment
        logger.info("watches: “%s”: %s", watch, error)
    except (RunsheetError, CursorReset) as error:
        logger.warning("watches: “%s” could not be looked at. %s", watch, error)
        _rest(watch, error)


def _watches() -> QuerySet[ArchiveWatch]:
    """Those that have waited longest first, each with what decides whether it is due."""
    told = DropboxAccount.objects.filter(account_id=OuterRef("account_id")).order_by()
    last_told = told.values("account_id").annotate(at=Max("changed_at")).values("at")
    active = IndexRun.objects.filter(root=OuterRef("root"), state__in=sorted(ACTIVE))
    return (
        ArchiveWatch.objects.select_related("root")
        .annotate(database_now=Now(), changed_at=Subquery(last_told), is_busy=Exists(active))
        .order_by(F("looked_at").asc(nulls_first=True), "pk")
    )


def _look_after(watch: ArchiveWatch, want: Wanted | None, *, is_time_up: Callable[[], bool]) -> None:
    if watch.is_busy:  # type: ignore[attr-defined]  # annotated by `_watches`
        return
    tell(watch, is_time_up=is_time_up)
    if want is None or _rests(watch):
        return
    if not watch.root.cursor:
        _begin_with_all(watch, period=timedelta(minutes=want.poll_minutes))
    elif _is_due(watch, period=timedelta(minutes=want.poll_minutes)) and _take(watch):
        try:
            news = _news(watch)
        except BaseException:
            _give_back(watch)
            raise
        _note_answered(watch)
        if news == ANEW:
            _begin_anew(watch)
        elif news:
            _begin(watch, news)


def _begin_with_all(watch: ArchiveWatch, *, period: timedelta) -> None:
    """Read it for the first time, unless nobody lends the account for that."""
    if not _is_stuck_at(watch, FIRST):
        ArchiveLister(watch).confirm_lent()
        _note_answered(watch)
        _begin(watch, News(mark=FIRST, incremental=False, reason=FIRST))
    elif _is_due(watch, period=period) and _take(watch) and _is_made_anew(watch):
        _begin_anew(watch)


def _is_made_anew(watch: ArchiveWatch) -> bool:
    """Whether another folder lies there by now than the one that is known, and the account sees all of it; one call.

    Raises:
        Temporary, Permanent: as the gateway says.
    """
    return _is_another(watch, _lies_there(watch))


def _is_another(watch: ArchiveWatch, there: str) -> bool:
    return bool(there and watch.root.marker) and there != watch.root.marker


def _lies_there(watch: ArchiveWatch) -> str:
    """The folder that lies there by now; empty where none does, or is seen in part only: nothing is concluded from that."""
    try:
        return ArchiveLister(watch).marker()
    except RootNotThere:
        return ""


def _begin_anew(watch: ArchiveWatch) -> None:
    """Let whatever lies there be the folder from now on, and read all of it; what is missing then is held as ever.

    Raises:
        RootBusy, MarkerMoved: somebody was faster.
    """
    with transaction.atomic():
        forget_marker(root_id=watch.root_id, marker=watch.root.marker)
        _start(watch, ANEW)


def _rests(watch: ArchiveWatch) -> bool:
    return watch.resting_until is not None and watch.resting_until > _now(watch)


def _is_due(watch: ArchiveWatch, *, period: timedelta) -> bool:
    """Whether Dropbox has told of something since what is known was so, or that was too long ago."""
    since, read_at = watch.looked_at, watch.root.read_at
    if since is None:
        return True
    if _now(watch) - since < LOOK_LASTS and not _is_told_since(watch, since) and not _is_run_since(watch, since):
        return False  # somebody is asking at this moment
    # What somebody has let go on is as old as its plan, and looks meanwhile may have led to nothing.
    if read_at is not None and watch.root.cursor != EACH:
        since = min(since, read_at)
    return _now(watch) - since >= period or _is_told_since(watch, since)


def _is_run_since(watch: ArchiveWatch, instant: datetime) -> bool:
    """Whether a run has begun or ended since then, so that whoever looked has had an answer."""
    return IndexRun.objects.filter(root=watch.root_id, entered_at__gte=instant).exists()


def _is_told_since(watch: ArchiveWatch, instant: datetime) -> bool:
    changed_at: datetime | None = watch.changed_at  # type: ignore[attr-defined]  # annotated by `_watches`
    return changed_at is not None and changed_at > instant


def _take(watch: ArchiveWatch) -> bool:
    """Whether it is ours to look: of several who see that it is due, only one is told so."""
    mine = ArchiveWatch.objects.filter(pk=watch.pk, looked_at=watch.looked_at)
    return bool(mine.update(looked_at=_now(watch), resting_until=None))


def _give_back(watch: ArchiveWatch) -> None:
    """Nobody was answered, so it is as if nobody had asked."""
    ArchiveWatch.objects.filter(pk=watch.pk, looked_at=_now(watch)).update(looked_at=watch.looked_at)


def _note_answered(watch: ArchiveWatch) -> None:
    if watch.failures:
        ArchiveWatch.objects.filter(pk=watch.pk).update(failures=0)


def _rest(watch: ArchiveWatch, error: Exception) -> None:
    """Leave it alone: for seconds at first, then minutes, and never shorter than Dropbox asks for."""
    rest = RESTS_LONG
    if isinstance(error, Temporary):
        rest = max(RESTS[min(watch.failures, len(RESTS) - 1)], timedelta(seconds=error.retry_after_s or 0))
    failures = min(watch.failures + 1, len(RESTS))
    ArchiveWatch.objects.filter(pk=watch.pk).update(resting_until=Now() + rest, failures=failures)


def _news(watch: ArchiveWatch) -> News | None:
    """Ask Dropbox once; None where nothing has changed, which is noted.

    Raises:
        RootNotThere: nobody lends the account, or its paths begin elsewhere by now.
        Temporary, Permanent: as the gateway says.
    """
    lister = ArchiveLister(watch)
    lister.confirm_lent()
    if watch.root.cursor == EACH:
        return _all_again(watch)
    try:
        page = lister.changes(watch.root.cursor)
    except CursorReset:
        return ANEW if _is_made_anew(watch) else News(mark=LOST, incremental=False, reason=LOST)
    except RootNotThere:  # the run says so where everybody looks
        there = _lies_there(watch)
        mark = sha256(f"{ELSEWHERE}: {there}".encode()).hexdigest()
        return ANEW if _is_another(watch, there) else News(mark=mark, incremental=True, reason=ELSEWHERE)
    if page.entries or page.has_more:
        is_anew = _may_be_anew(watch, page) and _is_made_anew(watch)
        return (
            ANEW if is_anew else News(mark=_mark(page), incremental=True, reason=_in_words(page), is_cut=page.has_more)
        )
    _note_unchanged(watch, page)
    return None


def _may_be_anew(watch: ArchiveWatch, page: ChangesPage) -> bool:
    """Whether it is worth a call: something has happened to the folder itself, or what was told last led to nothing."""
    is_itself = any(is_same_path(each.path_lower, watch.base_path) for each in page.entries)
    return is_itself or _is_stuck(_last_run(watch))


def _note_unchanged(watch: ArchiveWatch, page: ChangesPage) -> None:
    """What the rows say is so still. Not where a run has begun meanwhile, or has come to an end."""
    note_unchanged(watch.root_id, cursor=watch.root.cursor, reached=page.cursor, at=_now(watch))


def _all_again(watch: ArchiveWatch) -> News | None:
    last = _last_run(watch)
    if _is_stuck(last) and _is_made_anew(watch):
        return ANEW
    if last and _now(watch) - last.entered_at < ALL_AT_MOST_EVERY:
        return None
    return News(mark=f"{EACH}{last.pk if last else ''}", incremental=False, reason=EACH_AGAIN)


def _begin(watch: ArchiveWatch, news: News) -> None:
    """Begin a run, unless the last one came to no conclusion about just this, a short while ago.

    Raises:
        RootBusy: another one is under way.
    """
    if not _is_stuck_at(watch, news.mark, is_cut=news.is_cut):
        _start(watch, news)


def _start(watch: ArchiveWatch, news: News) -> None:
    with transaction.atomic():
        run = IndexSyncService().start(
            mode=Mode.SYNC,
            root=watch.root.name,
            incremental=news.incremental,
            occasion=Occasion.FIRST if news.reason == FIRST else Occasion.SEEN,
            reason=news.reason,
        )
        ArchiveWatch.objects.filter(pk=watch.pk).update(begun_for=news.mark)
    logger.info("watches: run %s of “%s” begins: %s", run.pk, watch, news.reason)


def _is_stuck_at(watch: ArchiveWatch, mark: str, *, is_cut: bool = False) -> bool:
    """Whether the last run came to no conclusion about just this, a short while ago."""
    last = _last_run(watch) if watch.begun_for == mark else None
    if last is None or not _is_stuck(last):
        return False
    may_be_more = is_cut and _is_told_since(watch, last.created_at)
    return _now(watch) - last.entered_at < (CUT_AGAIN_AFTER if may_be_more else BEGUN_AGAIN_AFTER)


def _is_stuck(run: IndexRun | None) -> bool:
    return run is not None and run.state in STUCK


def _last_run(watch: ArchiveWatch) -> IndexRun | None:
    return IndexRun.objects.filter(root=watch.root_id).order_by("-pk").first()


def _mark(page: ChangesPage) -> str:
    """The same for the same changes; the cursor behind them is another one each time."""
    told = [(each.path_lower, each.is_deleted, each.file_id, each.revision) for each in page.entries]
    return sha256(repr((told, page.has_more)).encode()).hexdigest()


def _in_words(page: ChangesPage) -> str:
    """How much has changed, and the first of it."""
    names = [f"“{each.name}”{' (gone)' if each.is_deleted else ''}" for each in page.entries[:NAMED]]
    count = len(page.entries)
    more = " and more" if page.has_more or count > NAMED else ""
    at_least = "at least " if page.has_more else ""
    return f"{at_least}{count:,} {'entry has' if count == 1 else 'entries have'} changed: {', '.join(names)}{more}"


def _now(watch: ArchiveWatch) -> datetime:
    """When the watch was read, by the database's clock: before anything was asked."""
    at: datetime = watch.database_now  # type: ignore[attr-defined]  # annotated by `_watches`
    return at
