"""Access tokens: one refresh for an account, however many workers need it at the same time."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from psycopg.errors import IdleInTransactionSessionTimeout
from requests import RequestException, Response

from core.clock import now
from core.database import is_conflict
from discovery.dropbox.answers import read_answer
from discovery.dropbox.connection import session, timeouts_s
from discovery.dropbox.translation import TOKEN_ROUTE, translate
from discovery.errors import (
    AppKeyMissing,
    DropboxNotConnected,
    DropboxUnavailable,
    NeedsReconnect,
    Reconnected,
    RefreshTokenRefused,
)
from discovery.models import DropboxAccount

logger = logging.getLogger(__name__)

TOKEN_URL = f"https://api.dropboxapi.com/{TOKEN_ROUTE}"

# The wait for the account's lock and this call together must stay within the engine's claim.
TOKEN_READ_TIMEOUT_S = 20.0

# Tokens last four hours; one that claims more than a day is asked for anew after it.
LONGEST_TRUST_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An access token.

    Attributes:
        expires_at: aware.
        scopes: what it allows; None when Dropbox did not say.
        refresh_token: empty, unless it is the first of a new connection.
    """

    access_token: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str] | None
    refresh_token: str = field(repr=False, default="")


def request_grant(*, refresh_token: str, evidence: dict[str, Any] | None = None) -> Grant:
    """Have Dropbox issue an access token.

    Raises:
        AppKeyMissing, AppRefused: the settings are wrong.
        RefreshTokenRefused: it was revoked, or belongs to another app.
        RateLimited, DropboxUnavailable, DropboxRefused: as everywhere.
    """
    return request_tokens({"grant_type": "refresh_token", "refresh_token": refresh_token}, evidence=evidence)


def request_tokens(form: dict[str, str], *, evidence: dict[str, Any] | None = None) -> Grant:
    """Ask Dropbox for tokens in the name of our app; one call.

    Raises:
        AppKeyMissing, AppRefused: the settings are wrong.
        RefreshTokenRefused: what is to be turned into tokens is worth nothing.
        RateLimited, DropboxUnavailable, DropboxRefused: as everywhere.
    """
    if not settings.DROPBOX_APP_KEY:
        raise AppKeyMissing
    evidence = evidence or {}
    form = {**form, "client_id": settings.DROPBOX_APP_KEY}
    if settings.DROPBOX_APP_SECRET:
        form["client_secret"] = settings.DROPBOX_APP_SECRET
    connect_s, read_s = timeouts_s()
    http = session()
    try:
        response = http.post(TOKEN_URL, data=form, timeout=(connect_s, min(read_s, TOKEN_READ_TIMEOUT_S)))
    except RequestException as error:
        raise translate(None, route=TOKEN_ROUTE, evidence=evidence) from error
    return _read_grant(response, evidence)


def renew_access_token(account: DropboxAccount, *, rejected: str = "") -> None:
    """See to it that the account holds a valid access token; at most one of all who need it calls Dropbox.

    Args:
        rejected: the token that Dropbox has just refused, however long it should have lasted.

    Raises:
        DropboxNotConnected: the account was disconnected meanwhile.
        Reconnected: the person has connected another one meanwhile.
        NeedsReconnect: Dropbox refuses the refresh token; the account is marked, so that nobody asks again.
        And what `request_grant` raises.
    """
    try:
        with transaction.atomic():
            refusal = _renew_locked(account, rejected)
    except Error as error:
        # Dropbox answered so slowly that PostgreSQL ended the transaction, or whoever asks already takes too long.
        if not (is_conflict(error) or isinstance(error.__cause__, IdleInTransactionSessionTimeout)):
            raise
        connection.close_if_unusable_or_obsolete()
        raise DropboxUnavailable(evidence=_evidence(account)) from error
    if refusal:
        raise refusal


def _renew_locked(account: DropboxAccount, rejected: str) -> NeedsReconnect | None:
    """The refusal is returned, not raised, so that the mark on the account is committed."""
    locked = DropboxAccount.objects.select_for_update().filter(pk=account.pk).first()
    if locked is None:
        raise DropboxNotConnected
    if locked.account_id != account.account_id:
        raise Reconnected(evidence=_evidence(account))  # its token would be used with the other one's root
    refusal = None
    if locked.needs_reconnect_reason:
        refusal = NeedsReconnect(locked.needs_reconnect_reason, evidence=_evidence(account))
    elif locked.access_token == rejected or not locked.has_valid_token(at=now()):
        refusal = _renew_from_dropbox(locked)
    account.access_token = locked.access_token
    account.access_token_expires_at = locked.access_token_expires_at
    return refusal


def _renew_from_dropbox(locked: DropboxAccount) -> NeedsReconnect | None:
    try:
        grant = request_grant(refresh_token=locked.refresh_token, evidence=_evidence(locked))
    except RefreshTokenRefused as error:
        locked.needs_reconnect_reason = str(error)
        locked.save(update_fields=["needs_reconnect_reason"])
        return error
    locked.access_token = grant.access_token
    locked.access_token_expires_at = grant.expires_at
    locked.save(update_fields=["access_token", "access_token_expires_at"])
    logger.info("%s account=%s renewed", TOKEN_ROUTE, locked.account_id)
    return None


def _read_grant(response: Response, evidence: dict[str, Any]) -> Grant:
    match _body(response):
        case {"access_token": str(token), "expires_in": int(lasts_s), **others} if response.ok:
            scopes, refresh_token = others.get("scope"), others.get("refresh_token")
            return Grant(
                access_token=token,
                expires_at=now() + timedelta(seconds=min(lasts_s, LONGEST_TRUST_S)),
                scopes=frozenset(scopes.split()) if isinstance(scopes, str) else None,
                refresh_token=refresh_token if isinstance(refresh_token, str) else "",
            )
    raise translate(read_answer(response), route=TOKEN_ROUTE, evidence=evidence)


def _body(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _evidence(account: DropboxAccount) -> dict[str, Any]:
    return {"account": account.account_id}
