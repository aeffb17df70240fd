"""Whose Dropbox a new access token opens, and what it allows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dropbox import Dropbox

from cloud.dropbox.caller import Caller
from cloud.dropbox.decisions import CREATE_LINK_ROUTE, LIST_LINKS_ROUTE, LIST_ROUTE
from cloud.dropbox.forms import ACCOUNT_ID, NAMESPACE, harmless, required
from cloud.errors import LinkRefused, NotFound, ScopeMissing
from cloud.models.accounts import DISPLAY_NAME_LENGTH, EMAIL_LENGTH

# Nothing can be there, so asking for a link to it shows whether links may be made and makes none.
NOWHERE = "/.runsheet-asks-whether-it-may-share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The account as Dropbox describes it.

    Attributes:
        root_namespace_id: where absolute paths begin; the team space's, if the account sees one.
    """

    account_id: str
    display_name: str
    email: str
    root_namespace_id: str
    home_namespace_id: str


def identify(*, access_token: str) -> Identity:
    """Ask whose token it is; one call.

    Raises:
        ScopeMissing: the token does not allow even that.
        RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
    """
    return (
        _caller(access_token)
        .ask("users/get_current_account", lambda client: _identity(client.users_get_current_account()))
        .value
    )


def _identity(account: Any) -> Identity:
    root = account.root_info
    return Identity(
        account_id=required(ACCOUNT_ID, account.account_id, what="the account's id"),
        display_name=harmless(account.name.display_name, at_most=DISPLAY_NAME_LENGTH),
        email=harmless(account.email, at_most=EMAIL_LENGTH),
        root_namespace_id=required(NAMESPACE, root.root_namespace_id, what="the id of the root folder"),
        home_namespace_id=required(NAMESPACE, root.home_namespace_id, what="the id of the home folder"),
    )


def allowed_scopes(*, access_token: str) -> frozenset[str]:
    """Which of the scopes behind `PROBES` a token has, found out by using them; one call each.

    Raises:
        RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
    """
    caller = _caller(access_token)
    return frozenset(scope for scope, (route, request) in PROBES.items() if _is_allowed(caller, route, request))


PROBES: dict[str, tuple[str, Callable[[Dropbox], Any]]] = {
    "account_info.read": ("users/get_current_account", lambda client: client.users_get_current_account()),
    "files.metadata.read": (LIST_ROUTE, lambda client: client.files_list_folder("", limit=1)),
    "sharing.read": (LIST_LINKS_ROUTE, lambda client: client.sharing_list_shared_links()),
    "sharing.write": (CREATE_LINK_ROUTE, lambda client: client.sharing_create_shared_link_with_settings(NOWHERE)),
}


def _is_allowed(caller: Caller, route: str, request: Callable[[Dropbox], Any]) -> bool:
    try:
        caller.ask(route, request)
    except ScopeMissing:
        return False
    except (NotFound, LinkRefused):  # it was allowed to ask
        return True
    return True


def _caller(access_token: str) -> Caller:
    return Caller(account_id="", access_token=access_token)
