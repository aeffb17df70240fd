"""What asking a Dropbox teaches about the account, noted for everybody who uses it.

Whoever renews an account's token holds its row while Dropbox is slow. Nobody waits for that row here: what cannot be
noted stands in the log, and the next answer teaches it again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, transaction

from cloud.dropbox import pace
from cloud.errors import NeedsReconnect, PathRootMoved, RateLimited
from cloud.models import DropboxAccount
from core.base.database import is_conflict

logger = logging.getLogger(__name__)


def note_lost(account: DropboxAccount, error: NeedsReconnect) -> None:
    """The account has to be connected again."""
    with _unless_held(f"account={account.account_id} is locked; that it needs connecting is not noted"):
        DropboxAccount.objects.mark_lost(account, reason=str(error))


def note_pause(account: DropboxAccount, error: RateLimited) -> None:
    """Everybody who uses the account waits as long as Dropbox asks."""
    pause_s = error.retry_after_s or 0
    pace.pause(account.account_id, pause_s=pause_s)
    with _unless_held(f"account={account.account_id} is locked; the pause of {pause_s:g} s stands in Redis only"):
        DropboxAccount.objects.pause(account_id=account.account_id, pause_s=pause_s)


def note_root(account: DropboxAccount, moved: PathRootMoved) -> None:
    """The account's paths begin elsewhere now."""
    account.root_namespace_id = moved.root_namespace_id
    account.home_namespace_id = moved.home_namespace_id
    with _unless_held(f"account={account.account_id} is locked; its new root is not noted"):
        DropboxAccount.objects.move_root(
            account_id=account.account_id,
            root_namespace_id=moved.root_namespace_id,
            home_namespace_id=moved.home_namespace_id,
        )


@contextmanager
def _unless_held(otherwise: str) -> Iterator[None]:
    """Note something about an account; while somebody holds its row, only the log does."""
    try:
        with transaction.atomic():
            yield
    except OperationalError as failure:
        if not is_conflict(failure):
            raise
        logger.warning(otherwise)
