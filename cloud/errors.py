"""What can go wrong between us and Dropbox, named for what happened; each docstring begins with the operator's sentence."""

from typing import Any

from core.base.errors import SYSTEM, Permanent, Refused, Remedy, RunsheetError, Temporary

# The events at which a person connects Dropbox, and at which it is another account than before or the first one, so that
# it may see other folders.
CONNECTED, ANOTHER_ACCOUNT = "connected", "another account"
# The event at which somebody has said anew where in Dropbox to look.
CONFIGURED = "configured"
THEIRS = (
    "The run uses the Dropbox of {whose}, which is not connected or cannot be used. It goes on by itself when that is "
    "connected again."
)
CONNECT = Remedy(
    label="Connect Dropbox",
    where="dropbox_account",
    query={"next": "{page}"},
    is_theirs=True,
    otherwise="Ask {whose} to connect Dropbox{or_run}.",
)
SEE_SYSTEM = Remedy(label="See what the system lacks", where=SYSTEM, rights=("statemachine.use_queues",))


class NotFound(RunsheetError):
    """Dropbox has nothing at this path.

    A result, not a failure: only `path/not_found` for the looked-up path ever becomes this.
    """

    code = "not_found"


# --- It may work later ----------------------------------------------------------------------------------------------


class DropboxUnavailable(Temporary):
    """Dropbox could not be reached or gave no proper answer."""

    code = "dropbox_unavailable"
    words = "Dropbox out of reach"
    advice = "See whether Dropbox is up, then run it again"
    ails = "Dropbox cannot be reached, or gives no proper answer"


class PathRootMoved(DropboxUnavailable):
    """The team's Dropbox has moved to another root folder.

    Attributes:
        root_namespace_id, home_namespace_id: where the account's root and home are now.
    """

    def __init__(self, *, root_namespace_id: str, home_namespace_id: str, evidence: dict[str, Any]) -> None:
        super().__init__(evidence=evidence)
        self.root_namespace_id = root_namespace_id
        self.home_namespace_id = home_namespace_id


class DirectoryExists(RunsheetError):
    """There is a directory of this name already.

    A result, not a failure: what was to be made is there.
    """

    code = "directory_exists"


class ListingReset(DropboxUnavailable):
    """Dropbox has lost the place in a listing. Only a listing from the beginning tells what is there."""


class ListedFolderGone(DropboxUnavailable):
    """The folder went away while it was being listed."""


class LinkExists(DropboxUnavailable):
    """Dropbox says that there is a share link already, and does not show it."""


class RateLimited(Temporary):
    """Dropbox asks us to slow down."""

    code = "dropbox_rate_limited"
    words = "Dropbox asked to slow down"
    ails = "Dropbox asks to slow down"
    goes_on = "It is tried again by itself when Dropbox allows it."


class AccountPaused(Temporary):
    """Dropbox asked this account to slow down a moment ago."""

    code = "dropbox_paused"
    words = "Dropbox asked for a pause"
    ails = "Dropbox has asked for a pause"
    costs_try = False
    goes_on = "It goes on by itself when the pause is over."


class Reconnected(Temporary):
    """Dropbox was connected anew meanwhile."""

    code = "dropbox_reconnected"
    words = "Dropbox connected anew meanwhile"
    costs_try = False
    goes_on = "It is tried again by itself with the new connection."


class AtCeiling(AccountPaused):
    """This Dropbox account is asked as often as our ceiling allows."""

    code = "dropbox_ceiling"
    words = "too many Dropbox calls at once"
    ails = ""
    goes_on = "It goes on by itself in a moment."


# --- Somebody has to connect Dropbox --------------------------------------------------------------------------------


class NeedsReconnect(Temporary):
    """Dropbox no longer accepts this connection. Connect your Dropbox account again; it goes on by itself."""

    code = "connect_dropbox"
    words = "Dropbox not connected"
    advice = "Connect your Dropbox account; it goes on by itself"
    remedies = (CONNECT,)
    mended_by = frozenset({CONNECTED, ANOTHER_ACCOUNT})
    for_others = THEIRS
    goes_on = ""


class DropboxNotConnected(NeedsReconnect):
    """No Dropbox account is connected. Connect yours; it goes on by itself."""


class TokenRejected(NeedsReconnect):
    """Dropbox rejected the access token. Connect your Dropbox account again; it goes on by itself."""


class RefreshTokenRefused(NeedsReconnect):
    """Dropbox has ended this connection. Connect your Dropbox account again; it goes on by itself."""


class ScopeMissing(NeedsReconnect):
    """The connection lacks a permission. Connect your Dropbox account again and allow all that is asked for."""


class AccountSuspended(NeedsReconnect):
    """This Dropbox account is suspended. Ask your Dropbox administrator, then connect it again, or connect another one."""


# --- It will not work -----------------------------------------------------------------------------------------------


class NoInitiatingUser(Permanent):
    """Nobody started this, so there is no Dropbox account to use. Start it again from its page."""

    code = "no_user"
    words = "nobody to run it for"
    advice = "Start it yourself, so that it has a Dropbox account to use"


class NotADirectory(Permanent):
    """There is a file where the directory should be. Rename or move that file in Dropbox, then run it again."""

    code = "not_a_directory"
    words = "a file in the directory's place"
    advice = "Move the file that stands in the directory's place, then run it again"
    mended_by = frozenset({CONFIGURED})


class DirectoryTooLarge(Permanent):
    """There is more in this directory than Runsheet reads. Move some of it into directories within it, then run it again."""

    code = "directory_too_large"
    words = "directory too large"
    advice = "Move some of the directory's content into directories within it, then run it again"


class DropboxRefused(Permanent):
    """Dropbox refuses this request. Look at the evidence for its reason; if it does not help, report it."""

    code = "dropbox_refused"
    words = "refused by Dropbox"
    advice = "Look at Dropbox's reason in its log"
    mended_by = frozenset({CONFIGURED})


class AppKeyMissing(Permanent):
    """No Dropbox app is configured. Set DROPBOX_APP_KEY and DROPBOX_APP_SECRET, then run it again."""

    code = "app_key_missing"
    words = "no Dropbox app configured"
    advice = "Ask an administrator to set the Dropbox app's key"
    remedies = (SEE_SYSTEM,)


class AppRefused(Permanent):
    """Dropbox does not know this app. Correct DROPBOX_APP_KEY and DROPBOX_APP_SECRET, then run it again."""

    code = "app_refused"
    words = "Dropbox app not known"
    advice = "Ask an administrator to correct the Dropbox app's key"
    remedies = (SEE_SYSTEM,)


class AppFolderOnly(Permanent):
    """The Dropbox app is limited to an app folder, where no archive lies. Make an app of the access type “Full Dropbox”,
    set its DROPBOX_APP_KEY and DROPBOX_APP_SECRET, and connect Dropbox again.
    """

    code = "app_folder_only"
    words = "Dropbox app limited to its folder"
    advice = "Ask an administrator for a Dropbox app of the access type “Full Dropbox”"
    remedies = (SEE_SYSTEM,)


class AppFull(Permanent):
    """The Dropbox app has reached its limit of users. Raise it in Dropbox's App Console, under “Development users”, or apply
    for production there; then try again.
    """

    code = "app_full"
    words = "Dropbox app has too many users"
    advice = "Ask an administrator to raise the Dropbox app's limit of users"
    remedies = (SEE_SYSTEM,)


class AppDisabled(Permanent):
    """Dropbox has disabled this app. See in Dropbox's App Console why, or set DROPBOX_APP_KEY and DROPBOX_APP_SECRET of
    another one; then run it again.
    """

    code = "app_disabled"
    words = "Dropbox app disabled"
    advice = "Ask an administrator to see why Dropbox has disabled the app"
    remedies = (SEE_SYSTEM,)


class TokensUnreadable(Temporary):
    """The stored Dropbox tokens were encrypted with another key. Add that key to TOKEN_ENCRYPTION_KEYS or reconnect."""

    code = "tokens_unreadable"
    words = "Dropbox tokens not readable"
    advice = "Connect Dropbox again, or ask an administrator for the old encryption key"
    remedies = (CONNECT,)
    mended_by = frozenset({CONNECTED, ANOTHER_ACCOUNT})
    for_others = THEIRS


class CodeRefused(Refused):
    """Dropbox does not accept this answer of its consent page any more: it was used already, or is too old."""

    code = "code_refused"


class RedirectRefused(Refused):
    """Dropbox does not know the address of this console. Add it to the redirect URIs in the Dropbox app's settings, exactly
    as it is here, then connect again.
    """

    code = "redirect_refused"


class AccountBusy(Refused):
    """This Dropbox connection is being renewed at this moment. Try again in a minute."""

    code = "account_busy"


class LinkDead(Refused):
    """The share link leads nowhere any more: it was revoked or has expired, or what it led to was deleted."""

    code = "link_dead"


class NotMade(Refused):
    """Dropbox does not let this directory be made. Make it in Dropbox yourself, or ask who owns the folder above it."""

    code = "not_made"
    words = "directory not made"


class MayNotWrite(NotMade):
    """This Dropbox connection may only read. Connect your Dropbox again under “Your Dropbox” and allow it to write."""

    code = "may_not_write"
    words = "Dropbox connection may only read"


class LinkRefused(Refused):
    """Dropbox does not allow a share link here. Open the directory in Dropbox instead."""

    code = "link_refused"

    @property
    def reason(self) -> str:
        """One sentence: why there is no link."""
        return str(self)
