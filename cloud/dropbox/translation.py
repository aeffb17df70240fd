"""From what Dropbox answered to our own errors: by status and tag, which `decisions.py` lists.

What is not in those tables is `DropboxUnavailable`: tried again a few times, and never taken for "not found".
"""

import re
from collections.abc import Callable
from typing import Any

from cloud.dropbox import decisions
from cloud.dropbox.answers import Answer
from cloud.dropbox.decisions import CONTINUE_ROUTE, LINK_ROUTES, MAKE_DIRECTORY_ROUTE, TOKEN_ROUTE, Decision
from cloud.dropbox.forms import NAMESPACE, SCOPE, of_form
from cloud.errors import (
    DropboxRefused,
    DropboxUnavailable,
    ListingReset,
    MayNotWrite,
    PathRootMoved,
    RateLimited,
    ScopeMissing,
)
from core.base.errors import RunsheetError, Temporary

DEFAULT_RETRY_AFTER_S = 1.0
# What the app itself was not given, before anybody could grant it; without a tag, so by its text.
APP_LACKS_SCOPE = re.compile(r"does not have the required scope '?([a-z_.]+)")


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
    if answer.text:
        evidence["text"] = answer.text
    known = _BY_STATUS.get(answer.status)
    error = known(answer, route, evidence) if known else None
    return error or DropboxUnavailable(retry_after_s=answer.retry_after_s, evidence=evidence)


def _made(decision: Decision | None, answer: Answer, evidence: dict[str, Any]) -> RunsheetError | None:
    if decision is None:
        return None
    if issubclass(decision.kind, Temporary):
        return decision.kind(decision.sentence, retry_after_s=answer.retry_after_s, evidence=evidence)
    return decision.kind(decision.sentence, evidence=evidence)


def _bad_request(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if found := next((each for text, each in decisions.TEXTS if text.search(answer.text)), None):
        return _made(found, answer, evidence)
    if route == TOKEN_ROUTE:
        return _made(decisions.TOKEN_ERRORS.get(answer.tag), answer, evidence)
    if lacking := APP_LACKS_SCOPE.search(answer.text):
        return _app_lacks(of_form(SCOPE, lacking[1].rstrip(".")), route, evidence)
    # A cursor is Dropbox's own; where it is taken for wrong, a listing from the beginning is right.
    return ListingReset(evidence=evidence) if route == CONTINUE_ROUTE else DropboxRefused(evidence=evidence)


def _unauthorized(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if route == TOKEN_ROUTE:
        return _made(decisions.TOKEN_ERRORS.get(answer.tag), answer, evidence)
    if answer.tag == "missing_scope":
        return _scope_missing(answer, route, evidence)
    return _made(decisions.UNAUTHORIZED.get(answer.tag), answer, evidence)


def _scope_missing(answer: Answer, route: str, evidence: dict[str, Any]) -> ScopeMissing | MayNotWrite:
    scope = answer.required_scope
    if route == MAKE_DIRECTORY_ROUTE:  # a connection that only reads is as good as it was
        return MayNotWrite(evidence=evidence | {"scope": scope})
    return ScopeMissing(
        f"The connection lacks the permission {scope}. Connect your Dropbox account again and allow all that is asked "
        "for."
        if scope
        else "",
        evidence=evidence | {"scope": scope},
    )


def _app_lacks(scope: str, route: str, evidence: dict[str, Any]) -> ScopeMissing | MayNotWrite:
    kind = MayNotWrite if route == MAKE_DIRECTORY_ROUTE else ScopeMissing
    return kind(
        f"The Dropbox app lacks the permission {scope or 'that is needed'}. Switch it on in the app's settings at Dropbox, "
        "under “Permissions”, then connect your Dropbox account again.",
        evidence=evidence | {"scope": scope},
    )


def _forbidden(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    making = decisions.FORBIDDEN_MAKING if route == MAKE_DIRECTORY_ROUTE else decisions.FORBIDDEN
    table = decisions.FORBIDDEN_LINKS if route in LINK_ROUTES else making
    return _made(table.get(answer.tag), answer, evidence)


def _conflict(answer: Answer, route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    table = decisions.CONFLICTS.get(route, {})
    # Its payload is a whole link, whose tags say nothing more.
    outer = answer.tag.partition("/")[0]
    return _made(table.get(outer if outer == decisions.ALREADY_EXISTS else answer.tag), answer, evidence)


def _path_root(answer: Answer, _route: str, evidence: dict[str, Any]) -> RunsheetError | None:
    if not answer.tag.startswith("invalid_root"):
        return _made(decisions.PATH_ROOT.get(answer.tag), answer, evidence)
    told = answer.body.get("error", {}).get("invalid_root")
    if not isinstance(told, dict):
        return None
    root = of_form(NAMESPACE, told.get("root_namespace_id"))
    home = of_form(NAMESPACE, told.get("home_namespace_id", root))
    if not root or not home:
        return None
    return PathRootMoved(root_namespace_id=root, home_namespace_id=home, evidence=evidence)


def _too_many(answer: Answer, _route: str, evidence: dict[str, Any]) -> RunsheetError:
    """Whatever the reason is."""
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
