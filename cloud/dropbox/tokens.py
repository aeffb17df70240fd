"""Access tokens: one refresh for an account, however many workers need it at the same time."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from psycopg.errors import IdleInTransactionSessionTimeout
from requests import RequestException

from cloud.dropbox.answers import json_object, read_answer
from cloud.dropbox.connection import session, timeouts_s
from cloud.dropbox.decisions import TOKEN_ROUTE
from cloud.dropbox.forms import SCOPE, TOKEN, OddAnswer, of_form, required
from cloud.dropbox.translation import translate
from cloud.errors import (
    AppKeyMissing,
    DropboxNotConnected,
    DropboxUnavailable,
    NeedsReconnect,
    Reconnected,
    RefreshTokenRefused,
)
from cloud.models import DropboxAccount
from core.base.clock import shared_now
from core.base.database import is_conflict

logger = logging.getLogger(__name__)

TOKEN_URL = f"https://api.dropboxapi.com/{TOKEN_ROUTE}"

# The wait for the account's lock and this call together must stay within the engine's claim.
TOKEN_READ_TIMEOUT_S = 20.0

# Tokens last four hours; one that claims more than a day is asked for anew after it.
LONGEST_TRUST_S = 86_400
# Dropbox has some forty.
MOST_SCOPES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An access token.

    Attributes:
        expires_at: aware, by the database's clock.
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
    if not response.ok:
        raise translate(read_answer(response), route=TOKEN_ROUTE, evidence=evidence)
    try:
        return _grant(json_object(response.content))
    except OddAnswer as error:
        evidence = translate(read_answer(response), route=TOKEN_ROUTE, evidence=evidence).evidence
        raise DropboxUnavailable(f"Dropbox's answer cannot be used: {error}.", evidence=evidence) from error


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
    elif locked.access_token == rejected or not locked.has_valid_token(at=shared_now()):
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


def _grant(body: dict[str, Any]) -> Grant:
    """What was granted.

    Raises:
        OddAnswer: it holds no token, or none that lasts.
    """
    lasts_s = body.get("expires_in")
    # True is a whole number to Python, and to nobody else.
    if not isinstance(lasts_s, int) or isinstance(lasts_s, bool) or lasts_s <= 0:
        raise OddAnswer("it does not say for how long the access token is good")
    scopes = body.get("scope")
    return Grant(
        access_token=required(TOKEN, body.get("access_token"), what="the access token"),
        expires_at=shared_now() + timedelta(seconds=min(lasts_s, LONGEST_TRUST_S)),
        scopes=frozenset(filter(None, (of_form(SCOPE, one) for one in scopes.split()[:MOST_SCOPES])))
        if isinstance(scopes, str)
        else None,
        refresh_token=of_form(TOKEN, body.get("refresh_token")),
    )


def _evidence(account: DropboxAccount) -> dict[str, Any]:
    return {"account": account.account_id}
