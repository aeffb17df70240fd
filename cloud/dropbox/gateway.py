"""What the workflows ask Dropbox for."""

import logging
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from dropbox import Dropbox

from cloud.dropbox import pace, shapes
from cloud.dropbox.caller import Caller, Reply
from cloud.dropbox.changes import first_page, next_page
from cloud.dropbox.decisions import (
    CONTINUE_ROUTE,
    CREATE_LINK_ROUTE,
    LINK_METADATA_ROUTE,
    LIST_LINKS_ROUTE,
    LIST_ROUTE,
    MAKE_DIRECTORY_ROUTE,
    METADATA_ROUTE,
)
from cloud.dropbox.lending import confirm_lends
from cloud.dropbox.noting import note_lost, note_pause, note_root
from cloud.dropbox.tokens import renew_access_token
from cloud.errors import (
    AccountPaused,
    AccountSuspended,
    DirectoryExists,
    DirectoryTooLarge,
    DropboxNotConnected,
    DropboxUnavailable,
    LinkExists,
    LinkRefused,
    ListedFolderGone,
    NeedsReconnect,
    NotFound,
    PathRootMoved,
    RateLimited,
    ScopeMissing,
    TokenRejected,
)
from cloud.files import ChangesPage, CloudFile, DirectoryListing, LinkPage, LinkPolicy, ShareLink
from cloud.models import DropboxAccount
from core.base.folding import is_same_path

logger = logging.getLogger(__name__)

# A listing of more is of more than a worker has memory for.
MOST_ENTRIES = 500_000
# A directory has few links of its own; each may take a call to see where it leads.
MOST_LINKS = 5

# Only valid for some time; any other that is rejected was never worth anything, or is no more.
EXPIRED_TOKEN = "expired_access_token"  # noqa: S105 - a tag
ENDLESS = "Dropbox's listing of “{path}” does not end: {how}."
TOO_LARGE = "“{path}” holds more than {most:,} files and directories, which is more than Runsheet reads."
ODD_LINK = "Dropbox gave an address for the share link that is none of Dropbox's, so it is not kept."


def gateway_for(
    user: User | None, *, account: DropboxAccount | None = None, before_call: Callable[[], None] | None = None
) -> "Gateway":
    """The gateway to a person's Dropbox, with a valid access token.

    Args:
        account: theirs, as `DropboxAccount.objects.used_by` has read it just now; None: it is looked for.
        before_call: called before every HTTP call; what it raises is passed on untouched.

    Raises:
        NoInitiatingUser: there is no user whose Dropbox could be used, or no more, or the user may run nothing that uses one.
        DropboxNotConnected, NeedsReconnect: the user has to connect Dropbox first.
        AccountPaused: Dropbox asked everybody who uses this account to wait.
        Reconnected: another Dropbox was connected at this moment.
        TokensUnreadable: the stored tokens were encrypted with another key.
        RateLimited, DropboxUnavailable, DropboxRefused, AppKeyMissing, AppRefused: the access token had to be renewed
            and could not be.
    """
    user = confirm_lends(user)
    account = account or DropboxAccount.objects.used_by(user.pk)
    if account is None:
        raise DropboxNotConnected
    account.unseal()
    evidence = {"account": account.account_id}
    if account.needs_reconnect_reason:
        raise NeedsReconnect(account.needs_reconnect_reason, evidence=evidence)
    at = account.read_at  # type: ignore[attr-defined]  # annotated by `used_by`
    if pause_left_s := account.pause_left_s(at=at):
        raise AccountPaused(retry_after_s=pause_left_s, evidence=evidence)
    gateway = Gateway(account=account, before_call=before_call)
    if not account.has_valid_token(at=at):
        gateway.renew_token()
    DropboxAccount.objects.note_use(account, at=at)
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

    def once_more(self, *, before_call: Callable[[], None]) -> "Gateway":
        """The same Dropbox, for who goes on with another piece of work."""
        return Gateway(account=self.account, before_call=before_call)

    def evidence(self, *, path: str) -> dict[str, Any]:
        """What to record about an answer: whose Dropbox, from which root, which path."""
        return self._caller().evidence(path=path)

    def list_directory(self, *, path: str) -> DirectoryListing:
        """Everything directly inside a directory, "" for the root; one call for each 2,000 entries.

        Raises:
            NotFound: there is nothing at the path.
            NotADirectory: a file is.
            DirectoryTooLarge: there are more than `MOST_ENTRIES`.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        if path:
            _check_path(path)
        replies = list(self._pages(path))
        return DirectoryListing(
            path=path,
            entries=tuple(entry for reply in replies for entry in reply.value.entries),
            request_ids=tuple(reply.request_id for reply in replies),
        )

    def directory_names(self, *, path: str, calls_at_most: int) -> tuple[str, ...] | None:
        """The names of the directories directly inside a directory; None if that takes more calls.

        Raises:
            NotFound: there is nothing at the path.
            NotADirectory: a file is.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        replies = list(islice(self._pages(path), calls_at_most))
        if replies[-1].value.cursor:
            return None
        return tuple(entry.name for reply in replies for entry in reply.value.entries if entry.is_directory)

    def changes(self, *, path: str, cursor: str = "", is_recursive: bool = True) -> ChangesPage:
        """One page of what lies in a directory, at any depth, or of what has changed there; one call.

        Args:
            cursor: where an earlier page ended; empty: a listing from the beginning.
            is_recursive: else only what lies directly in it. A cursor knows that by itself.

        Raises:
            NotFound, NotADirectory: there is nothing at the path, or a file is.
            ListingReset: Dropbox has lost the place of the cursor.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        try:
            if cursor:
                return self._ask(CONTINUE_ROUTE, lambda client: next_page(client, cursor), path).value
            return self._ask(LIST_ROUTE, lambda client: first_page(client, path, is_recursive=is_recursive), path).value
        except ListedFolderGone as error:
            raise NotFound(evidence=error.evidence) from error

    def metadata(self, *, path: str) -> CloudFile:
        """The file or directory itself; one call.

        Raises:
            NotFound: there is nothing at the path.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        above = path.rpartition("/")[0]
        return self._ask(
            METADATA_ROUTE, lambda client: shapes.cloud_file(client.files_get_metadata(path), directory=above), path
        ).value

    def is_deleted(self, *, path: str) -> bool:
        """Whether the account sees that something lay at the path and was deleted, moved or renamed; one call.

        False where something lies there, where nothing ever did, and where the account would not see it.

        Raises:
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        try:
            return self._ask(
                METADATA_ROUTE,
                lambda client: shapes.is_deleted(client.files_get_metadata(path, include_deleted=True)),
                path,
            ).value
        except NotFound:
            return False

    def make_directory(self, *, path: str) -> bool:
        """Make a directory; False if there is one already. One call.

        Dropbox makes what is missing above it, too: whoever calls this has seen that the directory above is there.

        Raises:
            MayNotWrite, NotMade: the connection or the account may only read, a file has the name, there is no room, ….
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        try:
            self._ask(MAKE_DIRECTORY_ROUTE, lambda client: client.files_create_folder_v2(path), path)
        except DirectoryExists:
            return False
        return True

    def create_share_link(self, *, path: str) -> ShareLink:
        """A share link with the account's usual settings, new or as it exists; one call, rarely two or three.

        Raises:
            LinkRefused: a policy or a missing right forbids it, or what Dropbox gives is no link of Dropbox's.
            NotFound: there is nothing at the path.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        _check_path(path)
        try:
            reply = self._ask(CREATE_LINK_ROUTE, lambda client: shapes.create_or_existing_link(client, path), path)
            link = reply.value
        except LinkExists:
            link = None
        link = link or self._existing_link(path)
        if not link.url:
            raise LinkRefused(ODD_LINK, evidence=self.evidence(path=path) | {"route": CREATE_LINK_ROUTE})
        return link

    def share_link(self, *, url: str, path: str) -> ShareLink:
        """What a stored share link leads to, as this account sees it; one call.

        Args:
            path: where it should lead, for the evidence; the link itself is never logged.

        Raises:
            LinkDead: it leads nowhere, or not this account.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        return self._ask(
            LINK_METADATA_ROUTE,
            lambda client: shapes.share_link(client.sharing_get_shared_link_metadata(url)),
            path,
        ).value

    def own_links(self, *, cursor: str = "") -> LinkPage:
        """A page of the links that this account has made, not promised to be all; one call. It raises as `link_policy` does."""
        return self._ask(LIST_LINKS_ROUTE, lambda client: shapes.own_links(client, cursor), "").value

    def leads_to(self, *, link: ShareLink, path: str) -> bool:
        """Whether a link leads to what lies at the path; no call if the link says so itself, else one.

        A link of which Dropbox tells neither path nor id leads nowhere that could be known.

        Raises:
            NotFound: nothing lies at the path.
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        if link.path and is_same_path(link.path, path):
            return True
        # Paths of links begin where Dropbox likes; what lies there has one name wherever it is seen from.
        return bool(link.file_id) and self.metadata(path=path).file_id == link.file_id

    def link_policy(self) -> LinkPolicy:
        """What the account and its team allow for links in general; one call.

        Raises:
            RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
        """
        return self._ask(
            "users/get_current_account", lambda client: shapes.link_policy(client.users_get_current_account()), ""
        ).value

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
            note_pause(self.account, error)
            raise

    def _pages(self, path: str) -> Iterator[Reply[shapes.Page]]:
        """All pages. An empty one may have a successor; only that Dropbox names none is the end.

        Raises:
            DropboxUnavailable, DirectoryTooLarge: there seems to be no end, or none that can be waited for.
        """
        seen: set[str] = set()
        count, pages, empty = 0, 0, 0
        reply = self._first_page(path)
        while True:
            yield reply
            page = reply.value
            count, pages, empty = count + len(page.entries), pages + 1, 0 if page.entries else empty + 1
            if count > MOST_ENTRIES:
                sentence = (
                    f"{TOO_LARGE.format(path=path, most=MOST_ENTRIES)} Move some of it into directories within it."
                )
                raise DirectoryTooLarge(sentence, evidence=self._evidence_of(reply, path) | {"entries": count})
            if not page.cursor:
                return
            if how := shapes.endless(page, seen=seen, pages=pages, empty=empty):
                raise DropboxUnavailable(ENDLESS.format(path=path, how=how), evidence=self._evidence_of(reply, path))
            seen.add(page.cursor)
            reply = self._next_page(page.cursor, path)

    def _evidence_of(self, reply: Reply[Any], path: str) -> dict[str, Any]:
        return self.evidence(path=path) | {"route": CONTINUE_ROUTE, "request_id": reply.request_id}

    def _first_page(self, path: str) -> Reply[shapes.Page]:
        return self._ask(
            LIST_ROUTE,
            lambda client: shapes.page(client.files_list_folder(path, limit=shapes.PAGE_SIZE), directory=path),
            path,
        )

    def _next_page(self, cursor: str, path: str) -> Reply[shapes.Page]:
        return self._ask(
            CONTINUE_ROUTE,
            lambda client: shapes.page(client.files_list_folder_continue(cursor), directory=path),
            path,
        )

    def _existing_link(self, path: str) -> ShareLink:
        # direct_only: else links of parent directories come as well, and would hand out the whole archive.
        links = self._ask(
            LIST_LINKS_ROUTE,
            lambda client: [
                shapes.share_link(each)
                for each in client.sharing_list_shared_links(path=path, direct_only=True).links[:MOST_LINKS]
            ],
            path,
        ).value
        # Nor is it taken on trust that it was heeded.
        for link in links:
            if self.leads_to(link=link, path=path):
                return link
        raise DropboxUnavailable(evidence=self.evidence(path=path) | {"route": LIST_LINKS_ROUTE, "error": "no links"})

    def _ask[T](self, route: str, request: Callable[[Dropbox], T], path: str) -> Reply[T]:
        """Ask; once more when what stood in the way was ours to mend."""
        caller = self._caller()
        try:
            return self._ask_once(caller, route, request, path)
        except TokenRejected:
            self.renew_token(rejected=caller.access_token)
            return self._ask_renewed(route, request, path)
        except PathRootMoved as moved:
            note_root(self.account, moved)
        return self._ask_once(self._caller(), route, request, path)

    def _ask_renewed[T](self, route: str, request: Callable[[Dropbox], T], path: str) -> Reply[T]:
        try:
            return self._ask_once(self._caller(), route, request, path)
        except TokenRejected as error:
            # One that was valid a moment ago and has expired says nothing of the connection.
            if error.evidence["error"] != EXPIRED_TOKEN:
                note_lost(self.account, error)
            raise

    def _ask_once[T](self, caller: Caller, route: str, request: Callable[[Dropbox], T], path: str) -> Reply[T]:
        pace.wait_turn(self.account.account_id)
        try:
            return caller.ask(route, request, path=path)
        except RateLimited as error:
            note_pause(self.account, error)
            raise
        except (ScopeMissing, AccountSuspended) as error:
            # Only connecting again shows that this is mended; until then nobody needs to ask.
            note_lost(self.account, error)
            raise

    def _caller(self) -> Caller:
        return Caller(
            account_id=self.account.account_id,
            access_token=self.account.access_token,
            path_root=self.account.root_namespace_id,
            before_call=self._before_call,
        )


def _check_path(path: str) -> None:
    # The root has no description at Dropbox, and a link to it would hand out everything.
    if not path.startswith("/") or path == "/":
        raise ValueError(f"a path must be absolute and below the root: {path!r}")
