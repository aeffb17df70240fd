"""From what Dropbox answered to our own errors; by status and tag, never by text.

What is not in these tables is `DropboxUnavailable`: tried again a few times, and never taken for "not found".
"""

from collections.abc import Callable
from typing import Any

from core.errors import RunsheetError
from discovery.dropbox.answers import NAMESPACE, Answer, of_form
from discovery.errors import (
    AccountSuspended,
    AppRefused,
    DropboxRefused,
    DropboxUnavailable,
    LinkDead,
    LinkRefused,
    NotADirectory,
    NotFound,
    PathRootMoved,
    RateLimited,
    RefreshTokenRefused,
    ScopeMissing,
    TokenRejected,
)

TOKEN_ROUTE = "oauth2/token"  # noqa: S105 - a route
CREATE_LINK_ROUTE = "sharing/create_shared_link_with_settings"
LIST_LINKS_ROUTE = "sharing/list_shared_links"
LINK_METADATA_ROUTE = "sharing/get_shared_link_metadata"
LINK_ROUTES = (CREATE_LINK_ROUTE, LIST_LINKS_ROUTE)
LOOKUP_ROUTES = ("files/list_folder", "files/get_metadata", *LINK_ROUTES)

# Worth nothing; not merely too old.
INVALID_TOKEN = "invalid_access_token"  # noqa: S105 - a tag

DEFAULT_RETRY_AFTER_S = 1.0

_LINK_REFUSALS = {
    "settings_error/not_authorized": "The Dropbox team's policy forbids this share link.",
    "settings_error/invalid_settings": "The Dropbox team's policy forbids a share link with the usual settings.",
    "access_denied": "This Dropbox account may not share this directory.",
    "permission_denied": "This Dropbox account may not see the share links of this directory.",
    "email_not_verified": "Dropbox gives no share links until the account's e-mail address is verified.",
    "banned_member": "Dropbox has taken the right to share from this account.",
    "too_many_shared_folders": "This Dropbox account has reached its limit of shared folders.",
    "path/restricted_content": "Dropbox does not share this content for legal reasons.",
}
# The second: for this account, or for everybody but those who were invited.
_DEAD_LINKS = ("shared_link_not_found", "shared_link_access_denied", "unsupported_link_type")
_PATH_REFUSALS = {
    "path/malformed_path": "Dropbox cannot have a directory of this name. Correct the lease number or the base path.",
    "path/restricted_content": "Dropbox withholds this content for legal reasons. Ask your Dropbox administrator.",
    "path/unsupported_content_type": "Dropbox cannot do this with a document of this kind.",
    "template_error/restricted_content": "Dropbox withholds this content. Ask your Dropbox administrator.",
}


def translate(answer: Answer | None, *, route: str, evidence: dict[str, Any]) -> RunsheetError:
    """The error to raise for an answer that is no success, or for none at all."""
    if answer is None:
        return DropboxUnavailable(evidence=evidence | {"route": route})
    evidence = evidence | {
        "route": route,
        "status": answer.status,
        "error": answer.tag,
        "request_id": answer.request_id,
    }
    known = _BY_STATUS.get(answer.status)
    error = known(answer, route, evidence) if known else None
    return error or DropboxUnavailable(retry_after_s=answer.retry_after_s, evidence=evidence)


def _bad_request(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if route != TOKEN_ROUTE:
        return DropboxRefused(evidence=evidence)
    match answer.tag:
        case "invalid_grant":
            return RefreshTokenRefused(evidence=evidence)
        case "invalid_client" | "unauthorized_client":
            return AppRefused(evidence=evidence)
        case "":
            return None
    return DropboxRefused(evidence=evidence)


def _unauthorized(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if route == TOKEN_ROUTE:
        return AppRefused(evidence=evidence) if answer.tag else None
    match answer.tag:
        case "expired_access_token" | "invalid_access_token":
            return TokenRejected(evidence=evidence)
        case "missing_scope":
            return _scope_missing(answer, evidence)
        case "user_suspended":
            return AccountSuspended(evidence=evidence)
        case "invalid_select_user" | "invalid_select_admin" | "route_access_denied":
            return DropboxRefused(evidence=evidence)
    return None


def _scope_missing(answer: Answer, evidence: dict[str, Any]) -> ScopeMissing:
    scope = answer.required_scope
    return ScopeMissing(
        f"The connection lacks the permission {scope}. Connect your Dropbox account again and allow all that is asked "
        "for."
        if scope
        else "",
        evidence=evidence | {"scope": scope},
    )


def _forbidden(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if answer.tag in ("", "other"):
        return None
    if route in LINK_ROUTES:
        return LinkRefused("This kind of Dropbox account may not make share links.", evidence=evidence)
    return DropboxRefused(evidence=evidence)


def _conflict(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if answer.tag == "path/not_found":
        # Pages after the first name a cursor, not the path; a fresh listing tells what is there now.
        return NotFound(evidence=evidence) if route in LOOKUP_ROUTES else None
    if answer.tag == "path/not_folder":
        return NotADirectory(evidence=evidence)
    if route == LINK_METADATA_ROUTE and answer.tag in _DEAD_LINKS:
        return LinkDead(evidence=evidence)
    if route in LINK_ROUTES and answer.tag in _LINK_REFUSALS:
        return LinkRefused(_LINK_REFUSALS[answer.tag], evidence=evidence)
    if answer.tag in _PATH_REFUSALS:
        return DropboxRefused(_PATH_REFUSALS[answer.tag], evidence=evidence)
    return None


def _path_root(answer: Answer, _route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if answer.tag == "no_permission":
        return DropboxRefused(evidence=evidence)
    told = answer.body.get("error", {}).get("invalid_root") if answer.tag.startswith("invalid_root") else None
    if not isinstance(told, dict):
        return None
    root = of_form(NAMESPACE, told.get("root_namespace_id"))
    home = of_form(NAMESPACE, told.get("home_namespace_id", root))
    if not root or not home:
        return None
    return PathRootMoved(root_namespace_id=root, home_namespace_id=home, evidence=evidence)


def _too_many(answer: Answer, _route: str, evidence: dict[str, Any]) -> RunsheetError:
    wait_s = DEFAULT_RETRY_AFTER_S if answer.retry_after_s is None else answer.retry_after_s
    return RateLimited(retry_after_s=wait_s, evidence=evidence)


_BY_STATUS: dict[int, Callable[[Answer, str, dict[str, Any]], RunsheetError | None]] = {
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    409: _conflict,
    422: _path_root,
    429: _too_many,
}
