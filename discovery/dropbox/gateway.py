"""What the workflows ask Dropbox for."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from dropbox import Dropbox

from core.clock import now
from core.database import is_conflict
from discovery.dropbox import pace, shapes
from discovery.dropbox.caller import Caller, Reply
from discovery.dropbox.tokens import renew_access_token
from discovery.dropbox.translation import CREATE_LINK_ROUTE, INVALID_TOKEN, LINK_METADATA_ROUTE, LIST_LINKS_ROUTE
from discovery.errors import (
    AccountPaused,
    AccountSuspended,
    DropboxNotConnected,
    DropboxUnavailable,
    NeedsReconnect,
    NoInitiatingUser,
    NotFound,
    PathRootMoved,
    RateLimited,
    ScopeMissing,
    TokenRejected,
)
from discovery.models import DropboxAccount
from leases.cloud import CloudFile, DirectoryListing, LinkPolicy, ShareLink

logger = logging.getLogger(__name__)

# Dropbox's largest page; with it, most directories take one call.
PAGE_SIZE = 2_000


INACTIVE = "The person who started this may no longer log in, so their Dropbox is not used. Start it again yourself."
FORBIDDEN = "{} may not run discovery (any more), so their Dropbox is not used. Start it again yourself."


def gateway_for(user: User | None, *, before_call: Callable[[], None] | None = None) -> "Gateway":
    """The gateway to a person's Dropbox, with a valid access token.

    Args:
        before_call: called before every HTTP call; what it raises is passed on untouched.

    Raises:
        NoInitiatingUser: there is no user whose Dropbox could be used, or no more, or the user may not run discovery.
        DropboxNotConnected, NeedsReconnect: the user has to connect Dropbox first.
        AccountPaused: Dropbox asked everybody who uses this account to wait.
        Reconnected: another Dropbox was connected at this moment.
        TokensUnreadable: the stored tokens were encrypted with another key.
        RateLimited, DropboxUnavailable, DropboxRefused, AppKeyMissing, AppRefused: the access token had to be renewed
            and could not be.
    """
    if user is None:
        raise NoInitiatingUser
    if not user.is_active:
        raise NoInitiatingUser(INACTIVE)
    # Asked here, too: what was started may wait for days, and what goes on by itself was started long ago.
    if not user.has_perm("leases.run_discovery"):
        raise NoInitiatingUser(FORBIDDEN.format(user.get_username()))
    account = DropboxAccount.objects.filter(user=user).first()
    if account is None:
        raise DropboxNotConnected
    evidence = {"account": account.account_id}
    if account.needs_reconnect_reason:
        raise NeedsReconnect(account.needs_reconnect_reason, evidence=evidence)
    if pause_left_s := account.pause_left_s(at=now()):
        raise AccountPaused(retry_after_s=pause_left_s, evidence=evidence)
    gateway = Gateway(account=account, before_call=before_call)
    if not account.has_valid_token(at=now()):
        gateway.renew_token()
    DropboxAccount.objects.note_use(account, at=now())
    return gateway


class Gateway:
    """One person's Dropbox.

    Every method makes the HTTP calls it names and no others, and every error that it raises carries the evidence: account,
    path root, path, route, status, tag and request id.

    https://www.dropbox.com/developers/documentation/http/documentation
    """

    def __init__(self, *, account: DropboxAccount, before_call: Callable[[], None] | None = None) -> None:
        self.account = account
        self._before_call = before_call

    def evidence(self, *, path: str) -> dict[str, Any]:
        """What to record about an answer: whose Dropbox, from which root, which path."""
        return self._caller().evidence(path=path)

    def list_directory(self, *, path: str) -> DirectoryListing:
        """Everything directly inside a directory, "" for the root; one call for each 2,000 entries.

        Raises:
            NotFound: there is nothing at the path.
            NotADirectory: a file is.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        if path:
            _check_path(path)
        reply = self._ask("files/list_folder", lambda client: client.files_list_folder(path, limit=PAGE_SIZE), path)
        pages = [reply]
        # An empty page may have a successor; only `has_more` tells.
        while pages[-1].value.has_more:
            cursor = pages[-1].value.cursor
            pages.append(self._next_page(cursor, path))
        return DirectoryListing(
            path=path,
            entries=tuple(shapes.cloud_file(entry, directory=path) for page in pages for entry in page.value.entries),
            request_ids=tuple(page.request_id for page in pages),
        )

    def metadata(self, *, path: str) -> CloudFile:
        """The file or directory itself; one call.

        Raises:
            NotFound: there is nothing at the path.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        reply = self._ask("files/get_metadata", lambda client: client.files_get_metadata(path), path)
        return shapes.cloud_file(reply.value, directory=path.rpartition("/")[0])

    def is_deleted(self, *, path: str) -> bool:
        """Whether the account sees that something lay at the path and was deleted, moved or renamed; one call.

        False where something lies there, where nothing ever did, and where the account would not see it.

        Raises:
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        try:
            reply = self._ask(
                "files/get_metadata", lambda client: client.files_get_metadata(path, include_deleted=True), path
            )
        except NotFound:
            return False
        return shapes.is_deleted(reply.value)

    def create_share_link(self, *, path: str) -> ShareLink:
        """A share link with the account's usual settings, new or as it exists; one call, rarely two.

        Raises:
            LinkRefused: a policy or a missing right forbids it.
            NotFound: there is nothing at the path.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        reply = self._ask(CREATE_LINK_ROUTE, lambda client: shapes.create_or_existing_link(client, path), path)
        return shapes.share_link(reply.value or self._existing_link(path))

    def share_link(self, *, url: str, path: str) -> ShareLink:
        """What a stored share link leads to, as this account sees it; one call.

        Args:
            path: where it should lead, for the evidence; the link itself is never logged.

        Raises:
            LinkDead: it leads nowhere, or not this account.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        reply = self._ask(LINK_METADATA_ROUTE, lambda client: client.sharing_get_shared_link_metadata(url), path)
        return shapes.share_link(reply.value)

    def link_policy(self) -> LinkPolicy:
        """What the account and its team allow for links in general; one call.

        Raises:
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        reply = self._ask("users/get_current_account", lambda client: client.users_get_current_account(), "")
        return shapes.link_policy(reply.value)

    def renew_token(self, *, rejected: str = "") -> None:
        """Renew the access token if it ends soon or is the one that was rejected; one call, or none if somebody else did.

        Raises:
            NeedsReconnect: Dropbox accepts the connection no more.
            Reconnected: another Dropbox was connected at this moment.
            RateLimited, DropboxUnavailable, DropboxRefused, AppKeyMissing, AppRefused: as the error says.
        """
        # Before the account is locked: it writes, and its row must not wait for this transaction's end.
        if self._before_call:
            self._before_call()
        try:
            renew_access_token(self.account, rejected=rejected)
        except RateLimited as error:
            _pause(self.account, error)
            raise

    def _next_page(self, cursor: str, path: str) -> Reply[Any]:
        return self._ask("files/list_folder/continue", lambda client: client.files_list_folder_continue(cursor), path)

    def _existing_link(self, path: str) -> Any:
        # direct_only: else links of parent directories come as well, and would hand out the whole archive.
        reply = self._ask(
            LIST_LINKS_ROUTE, lambda client: client.sharing_list_shared_links(path=path, direct_only=True), path
        )
        if not reply.value.links:
            raise DropboxUnavailable(
                evidence=self.evidence(path=path) | {"route": LIST_LINKS_ROUTE, "error": "no links"}
            )
        return reply.value.links[0]

    def _ask[T](self, route: str, request: Callable[[Dropbox], T], path: str) -> Reply[T]:
        """Ask; once more when what stood in the way was ours to mend."""
        caller = self._caller()
        try:
            return self._ask_once(caller, route, request, path)
        except TokenRejected:
            self.renew_token(rejected=caller.access_token)
            return self._ask_renewed(route, request, path)
        except PathRootMoved as moved:
            self._move_root(moved)
        return self._ask_once(self._caller(), route, request, path)

    def _ask_renewed[T](self, route: str, request: Callable[[Dropbox], T], path: str) -> Reply[T]:
        try:
            return self._ask_once(self._caller(), route, request, path)
        except TokenRejected as error:
            # One that was valid a moment ago and has expired says nothing of the connection.
            if error.evidence["error"] == INVALID_TOKEN:
                self._mark_lost(error)
            raise

    def _ask_once[T](self, caller: Caller, route: str, request: Callable[[Dropbox], T], path: str) -> Reply[T]:
        pace.wait_turn(self.account.account_id)
        try:
            return caller.ask(route, request, path=path)
        except RateLimited as error:
            _pause(self.account, error)
            raise
        except (ScopeMissing, AccountSuspended) as error:
            # Only connecting again shows that this is mended; until then nobody needs to ask.
            self._mark_lost(error)
            raise

    def _mark_lost(self, error: NeedsReconnect) -> None:
        with _unless_held(f"account={self.account.account_id} is locked; that it needs connecting is not noted"):
            DropboxAccount.objects.mark_lost(self.account, reason=str(error))

    def _caller(self) -> Caller:
        return Caller(
            account_id=self.account.account_id,
            access_token=self.account.access_token,
            path_root=self.account.root_namespace_id,
            before_call=self._before_call,
        )

    def _move_root(self, moved: PathRootMoved) -> None:
        self.account.root_namespace_id = moved.root_namespace_id
        self.account.home_namespace_id = moved.home_namespace_id
        with _unless_held(f"account={self.account.account_id} is locked; its new root is not noted"):
            DropboxAccount.objects.move_root(
                account_id=self.account.account_id,
                root_namespace_id=moved.root_namespace_id,
                home_namespace_id=moved.home_namespace_id,
            )


def _check_path(path: str) -> None:
    # The root has no description at Dropbox, and a link to it would hand out everything.
    if not path.startswith("/") or path == "/":
        raise ValueError(f"a path must be absolute and below the root: {path!r}")


def _pause(account: DropboxAccount, error: RateLimited) -> None:
    """Let everybody who uses this Dropbox account wait as long as Dropbox asks."""
    until = now() + timedelta(seconds=error.retry_after_s or 0)
    pace.pause(account.account_id, until=until)
    with _unless_held(f"account={account.account_id} is locked; the pause until {until} stands in Redis only"):
        DropboxAccount.objects.pause(account_id=account.account_id, until=until)


@contextmanager
def _unless_held(otherwise: str) -> Iterator[None]:
    """Note something about an account; while somebody renews its token and Dropbox is slow, only the log does."""
    try:
        with transaction.atomic():
            yield
    except OperationalError as failure:
        if not is_conflict(failure):
            raise
        logger.warning(otherwise)
