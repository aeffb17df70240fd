"""Where Dropbox tells that something has changed in an account; it names accounts, never paths.

https://www.dropbox.com/developers/reference/webhooks
"""

import hmac
import json
import logging
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from cloud.dependants import dependants
from cloud.models import DropboxAccount
from cloud.models.accounts import ACCOUNT_ID_LENGTH
from core.base.clock import shared_now
from core.base.database import in_words, is_conflict, is_not_migrated

logger = logging.getLogger(__name__)

# Some thousand accounts; Dropbox names few at a time.
LARGEST_BODY_BYTES = 256 * 1024
DIGITS = 9
LONGEST_CHALLENGE = 500
PLAIN = "text/plain; charset=utf-8"


@csrf_exempt  # the signature tells who sends it
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest) -> HttpResponse:
    """Answer Dropbox's question whether this is the place, or take its notification; nobody is logged in here."""
    if not settings.DROPBOX_APP_SECRET:
        logger.warning("Dropbox calls the webhook, but its signature cannot be checked: set DROPBOX_APP_SECRET.")
        return _say("not configured", status=404)
    return _echo(request.GET.get("challenge", "")) if request.method == "GET" else _take(request)


def _echo(challenge: str) -> HttpResponse:
    if not 0 < len(challenge) <= LONGEST_CHALLENGE:
        return _say("no challenge", status=400)
    return _say(challenge, status=200)


def _take(request: HttpRequest) -> HttpResponse:
    # Before anything is read: who announces more than comes, or nothing, would hold a thread.
    announced = request.headers.get("Content-Length", "")
    if not announced.isdecimal():
        return _say("how long?", status=411)
    if len(announced) > DIGITS or int(announced) > LARGEST_BODY_BYTES:
        return _say("too large", status=413)
    try:
        body = request.read(int(announced))
    except UnreadablePostError:
        return _say("cut off", status=400)
    if not _is_signed(body, signature=request.headers.get("X-Dropbox-Signature", "")):
        logger.warning("a notification without Dropbox's signature was refused")
        return _say("wrong signature", status=403)
    try:
        accounts = _accounts(json.loads(body))
    except (ValueError, RecursionError):
        return _say("not JSON", status=400)
    return _store(accounts)


def _is_signed(body: bytes, *, signature: str) -> bool:
    expected = hmac.new(settings.DROPBOX_APP_SECRET.encode(), body, sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def _accounts(notification: Any) -> set[str]:
    """What is named in `list_folder.accounts` and could be an account's id; the rest is ignored."""
    match notification:
        case {"list_folder": {"accounts": [*named]}}:
            texts = (each for each in named if isinstance(each, str))
            return {each for each in texts if each.isprintable() and len(each) <= ACCOUNT_ID_LENGTH}
    return set()


def _store(accounts: set[str]) -> HttpResponse:
    try:
        known = DropboxAccount.objects.mark_changed(account_ids=accounts, at=shared_now())
    except Error as error:
        if not is_conflict(error) and not is_not_migrated(error):
            raise
        # Mostly, somebody renews a token at this moment. What is not answered by 200 is told again later.
        logger.warning("a notification could not be stored for every account: %s", in_words(error))
        return _say("busy", status=503)
    if known:
        for each in dependants():
            each.changed(accounts)
    logger.info("Dropbox tells of changes in %s accounts, %s of them connected here", len(accounts), known)
    return _say("", status=200)


def _say(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(text, content_type=PLAIN, status=status, headers={"X-Content-Type-Options": "nosniff"})
