"""Which folders are read as a whole: those of each agency, by each account with which its leases are run.

A watch comes with the first lease, and goes a day after nobody needs it any more, with all that was read.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from functools import partial
from hashlib import sha256

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from cloud.models import DropboxAccount
from core.base.errors import RunsheetError
from discovery.models import ArchiveWatch
from discovery.services.archive_wants import KIND, Key, Wanted, key_of, wanted_by
from leases.models import AgencyStorageConfig
from statemachine.duties import ring_now
from storage.forgetting import forget_root
from storage.models import ACTIVE, IndexRun, StorageRoot
from storage.services import IndexSyncService

logger = logging.getLogger(__name__)

# The duty that looks at what is watched.
ARCHIVE_WATCH = "archive_watch"
# Who switches an agency off for a while, or connects their Dropbox anew, does not have all of it read again.
KEPT_FOR = timedelta(days=1)


def watch_at_once(*, account: DropboxAccount, configuration: AgencyStorageConfig) -> list[ArchiveWatch]:
    """The watches of the agency's folders by the account, made if there are none, and their first reading rung for.

    None where the agency is not to be watched, or the settings watch nothing.
    """
    if not (configuration.enabled and configuration.watched and settings.ARCHIVE_WATCH_EVERY_S):
        return []
    made = [_made(want) for want in wanted_by(account, configuration)]
    ring_now(ARCHIVE_WATCH)
    return made


def tell_at_once() -> None:
    """Ring for a look, since a run has ended whose changes the leases are to be told."""
    ring_now(ARCHIVE_WATCH)


def look_at_once(account_ids: Collection[str]) -> None:
    """Ring for a look, if anything of these accounts is watched."""
    if ArchiveWatch.objects.filter(account_id__in=account_ids).exists():
        ring_now(ARCHIVE_WATCH)


def look_again(accounts: QuerySet[DropboxAccount]) -> None:
    """Let no watch of these accounts rest any longer, since somebody has connected them anew; rung for once that is committed.

    What a run was refused for before may be otherwise by now, so the same may begin another one.
    """
    resting = ArchiveWatch.objects.filter(account_id__in=accounts.values("account_id"), resting_until__isnull=False)
    if resting.update(resting_until=None, failures=0, begun_for=""):
        transaction.on_commit(partial(ring_now, ARCHIVE_WATCH), robust=True)


def keep(found: Mapping[Key, Wanted], *, is_time_up: Callable[[], bool]) -> None:
    """Make the watches that are missing, and let go those that nobody needs.

    Args:
        found: what is wanted.
        is_time_up: whether it is; the next time goes on with what is left.
    """
    known = {key_of(watch): watch for watch in ArchiveWatch.objects.select_related("root")}
    for key, want in found.items():
        if key not in known:
            _made(want)
        elif known[key].root.declaration != want.declaration:
            # Somebody is called otherwise by now, or something of an agency has come.
            StorageRoot.objects.filter(pk=known[key].root_id).update(declaration=want.declaration)
    _let_go(known, found)
    for root in StorageRoot.objects.filter(declaration__kind=KIND, archive_watch__isnull=True).order_by("pk"):
        if not _forget(root, is_time_up=is_time_up):
            break


def _made(want: Wanted) -> ArchiveWatch:
    """The watch; whoever makes the same at this moment gets the same."""
    name = f"dropbox-{sha256(repr(want.key).encode()).hexdigest()[:16]}"
    try:
        with transaction.atomic():
            root, _ = StorageRoot.objects.get_or_create(name=name, defaults={"declaration": want.declaration})
            given = {"account_id": want.account_id, "path_root": want.path_root, "base_path": want.base_path}
            watch, is_new = ArchiveWatch.objects.get_or_create(root=root, defaults=given)
    except IntegrityError:  # by another name of the root
        return next(each for each in ArchiveWatch.objects.all() if key_of(each) == want.key)
    if is_new:
        logger.info("watches: “%s” is watched with the Dropbox of %s from now on", watch, want.account)
    return watch


def _let_go(known: Mapping[Key, ArchiveWatch], found: Iterable[Key]) -> None:
    """Note since when a watch is not needed, and drop it after a day; at once where the account's paths begin elsewhere."""
    needed = [known[key].pk for key in found if key in known]
    ArchiveWatch.objects.filter(pk__in=needed, unwanted_since__isnull=False).update(unwanted_since=None)
    others = ArchiveWatch.objects.exclude(pk__in=needed)
    others.filter(unwanted_since__isnull=True).update(unwanted_since=Now())
    for watch in (others.filter(unwanted_since__lt=Now() - KEPT_FOR) | others.filter(_has_moved())).distinct():
        logger.info("watches: “%s” is not watched any more by %s", watch, watch.account_id)
        watch.delete()


def _has_moved() -> Exists:
    """The account is connected, and its paths begin at another root."""
    return Exists(
        DropboxAccount.objects.filter(account_id=OuterRef("account_id")).exclude(
            root_namespace_id=OuterRef("path_root")
        )
    )


def _forget(root: StorageRoot, *, is_time_up: Callable[[], bool]) -> bool:
    """Delete what was read; whether there was time for all of it."""
    for pk in _active(root).values_list("pk", flat=True):
        try:
            IndexSyncService().abort(run_id=pk)
        except RunsheetError as error:  # it has ended in this moment
            logger.info("watches: run %s: %s", pk, error)
    return not _active(root).exists() and forget_root(root, is_time_up=is_time_up)


def _active(root: StorageRoot) -> QuerySet[IndexRun]:
    return IndexRun.objects.filter(root=root, state__in=sorted(ACTIVE))
