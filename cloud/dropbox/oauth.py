"""How a person's consent becomes tokens, and how it is given back.

https://developers.dropbox.com/oauth-guide
"""

import base64
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import urlencode

from django.conf import settings

from cloud.dropbox.caller import Caller
from cloud.dropbox.connection import check_base_url
from cloud.dropbox.tokens import Grant, request_tokens
from cloud.errors import AppKeyMissing, CodeRefused, DropboxUnavailable, RedirectRefused, RefreshTokenRefused

DROPBOX = "https://www.dropbox.com"
REVOKE_ROUTE = "auth/token/revoke"
# Longer than any code there is; what is longer is not sent on.
LONGEST_CODE = 1_000
# The same tag stands for a code that is too old; only the words beside it tell.
WRONG_ADDRESS = "redirect_uri"


def authorisation_url(*, state: str, verifier: str, redirect_uri: str, scopes: Iterable[str]) -> str:
    """Where a person says yes or no; for offline access, by a code that only who knows the verifier can use.

    Raises:
        AppKeyMissing, ImproperlyConfigured: the settings are wrong.
    """
    if not settings.DROPBOX_APP_KEY:
        raise AppKeyMissing
    asked = {
        "client_id": settings.DROPBOX_APP_KEY,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "token_access_type": "offline",
        "scope": " ".join(sorted(scopes)),
        "state": state,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    address = check_base_url(settings.DROPBOX_BASE_URL) if settings.DROPBOX_BASE_URL else DROPBOX
    return f"{address}/oauth2/authorize?{urlencode(asked)}"


def exchange_code(*, code: str, verifier: str, redirect_uri: str) -> Grant:
    """The tokens for a code; one call. A code is good for one try.

    Raises:
        CodeRefused: it is used up, too old, or was not issued for this verifier.
        RedirectRefused: it was not issued for this address.
        AppKeyMissing, AppRefused, AppFull, AppDisabled: the settings or the app are wrong.
        RateLimited, DropboxUnavailable, DropboxRefused: as everywhere.
    """
    if len(code) > LONGEST_CODE:
        raise CodeRefused
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    try:
        grant = request_tokens(form)
    except RefreshTokenRefused as error:
        refused = RedirectRefused if WRONG_ADDRESS in error.evidence.get("text", "") else CodeRefused
        raise refused(evidence=error.evidence) from error
    if not grant.refresh_token:  # with an access token alone, the connection would end after four hours
        raise DropboxUnavailable(evidence={"error": "no refresh token"})
    return grant


def revoke(*, access_token: str, account_id: str = "") -> None:
    """Have Dropbox end the access token and the refresh token that it came from; one call.

    Raises:
        RateLimited, DropboxUnavailable, NeedsReconnect, DropboxRefused: as the error says.
    """
    Caller(account_id=account_id, access_token=access_token).ask(
        REVOKE_ROUTE, lambda client: client.auth_token_revoke()
    )


def _challenge(verifier: str) -> str:
    """RFC 7636, S256."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
