"""What can go wrong between us and Dropbox, named for what happened; each docstring begins with the operator's sentence."""

from typing import Any

from core.errors import Permanent, Refused, RunsheetError, Temporary


class NotFound(RunsheetError):
    """Dropbox has nothing at this path.

    A result, not a failure: only `path/not_found` for the looked-up path ever becomes this.
    """

    code = "not_found"


# --- It may work later ----------------------------------------------------------------------------------------------


class DropboxUnavailable(Temporary):
    """Dropbox could not be reached or gave no proper answer."""

    code = "dropbox_unavailable"


class PathRootMoved(DropboxUnavailable):
    """The team's Dropbox has moved to another root folder.

    Attributes:
        root_namespace_id, home_namespace_id: where the account's root and home are now.
    """

    def __init__(self, *, root_namespace_id: str, home_namespace_id: str, evidence: dict[str, Any]) -> None:
        super().__init__(evidence=evidence)
        self.root_namespace_id = root_namespace_id
        self.home_namespace_id = home_namespace_id


class LinkExists(DropboxUnavailable):
    """Dropbox says that there is a share link already, and does not show it."""


class RateLimited(Temporary):
    """Dropbox asks us to slow down."""

    code = "dropbox_rate_limited"
    goes_on = "It is tried again by itself when Dropbox allows it."


class AccountPaused(Temporary):
    """Dropbox asked this account to slow down a moment ago."""

    code = "dropbox_paused"
    costs_try = False
    goes_on = "It goes on by itself when the pause is over."


class Reconnected(Temporary):
    """Dropbox was connected anew meanwhile."""

    code = "dropbox_reconnected"
    costs_try = False
    goes_on = "It is tried again by itself with the new connection."


class AtCeiling(AccountPaused):
    """This Dropbox account is asked as often as our ceiling allows."""

    code = "dropbox_ceiling"
    goes_on = "It goes on by itself in a moment."


# --- Somebody has to connect Dropbox --------------------------------------------------------------------------------


class NeedsReconnect(Temporary):
    """Dropbox no longer accepts this connection. Connect your Dropbox account again; it goes on by itself."""

    code = "connect_dropbox"
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
    """Nobody started this, so there is no Dropbox account to use. Start it again from the lease's page."""

    code = "no_user"


class NotADirectory(Permanent):
    """There is a file where the directory should be. Rename or move that file in Dropbox, then run it again."""

    code = "not_a_directory"


class BasePathMissing(Permanent):
    """The folder that should hold all archives is not in this Dropbox. Correct the agency's configuration."""

    code = "base_path_missing"


class ArchiveOutOfSight(Permanent):
    """This Dropbox account cannot tell what lies there. What was found before stays; connect an account that sees it."""

    code = "archive_out_of_sight"


class AnotherFolder(Permanent):
    """This Dropbox account has another folder at this path. What was found before stays; connect an account that sees it."""

    code = "another_folder"


class DirectoryTooLarge(Permanent):
    """There is more in this directory than Runsheet reads. Move some of it into directories within it, then run it again."""

    code = "directory_too_large"


class DropboxRefused(Permanent):
    """Dropbox refuses this request. Look at the evidence for its reason; if it does not help, report it."""

    code = "dropbox_refused"


class AppKeyMissing(Permanent):
    """No Dropbox app is configured. Set DROPBOX_APP_KEY and DROPBOX_APP_SECRET, then run it again."""

    code = "app_key_missing"


class AppRefused(Permanent):
    """Dropbox does not know this app. Correct DROPBOX_APP_KEY and DROPBOX_APP_SECRET, then run it again."""

    code = "app_refused"


class AppFolderOnly(Permanent):
    """The Dropbox app is limited to an app folder, where no archive lies. Make an app of the access type “Full Dropbox”,
    set its DROPBOX_APP_KEY and DROPBOX_APP_SECRET, and connect Dropbox again.
    """

    code = "app_folder_only"


class AppFull(Permanent):
    """The Dropbox app has reached its limit of users. Raise it in Dropbox's App Console, under “Development users”, or apply
    for production there; then try again.
    """

    code = "app_full"


class AppDisabled(Permanent):
    """Dropbox has disabled this app. See in Dropbox's App Console why, or set DROPBOX_APP_KEY and DROPBOX_APP_SECRET of
    another one; then run it again.
    """

    code = "app_disabled"


class TokensUnreadable(Temporary):
    """The stored Dropbox tokens were encrypted with another key. Add that key to TOKEN_ENCRYPTION_KEYS or reconnect."""

    code = "tokens_unreadable"


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


class LinkRefused(Refused):
    """Dropbox does not allow a share link here. Open the directory in Dropbox instead."""

    code = "link_refused"

    @property
    def reason(self) -> str:
        """One sentence: why there is no link."""
        return str(self)
