"""What Dropbox answered on the wire, read without the SDK: its exceptions lose the tag of many refusals."""

import json
import re
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

from requests import Response

from cloud.dropbox.forms import REQUEST_ID, SCOPE, TAG, harmless, of_form
from core.ops.redaction import REDACTED, redact_text

# A wait longer than this is taken for a mistake of whoever sent it.
LONGEST_WAIT_S = 86_400.0
# Unions lie in unions, but not deeper than this.
DEEPEST_TAG = 4
# What is kept of what Dropbox says in words.
LONGEST_TEXT = 300
# A text as long as this is looked through for secrets; what comes after it is not kept at all.
LONGEST_READ = 4_000
LINK = re.compile(r"https?://\S+")
# Tokens that were not sent with this request, but that Dropbox knows: long, without blanks, and with a digit.
LIKE_A_TOKEN = re.compile(r"(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}")
# Of the form that asks for tokens.
SECRET_FIELDS = ("client_secret", "code", "code_verifier", "refresh_token")
# What is shorter than any that Dropbox or we make is none, and would blot out words.
SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer.

    Attributes:
        tag: the error's path of tags, such as "path/not_found"; empty where there is none that can be read.
        request_id: Dropbox's name for the call; empty where it gives none.
        body: the decoded JSON; empty where it is none.
        retry_after_s: what the header asks for, else the body; None when neither does.
        text: what is wrong in Dropbox's own words, without anything secret and in one line; empty where it says nothing.
    """

    status: int
    tag: str
    request_id: str
    retry_after_s: float | None
    body: dict[str, Any]
    text: str = ""

    @property
    def required_scope(self) -> str:
        """The permission that the token lacks; empty where that is not what is wrong."""
        error = self.body.get("error")
        return of_form(SCOPE, error.get("required_scope")) if isinstance(error, dict) else ""


_last: ContextVar[Answer | None] = ContextVar("last_answer", default=None)


def remember_answer(response: Response, *_: Any, **__: Any) -> None:
    """The session's response hook: keep what `last_answer` gives to the same thread."""
    _last.set(read_answer(response))


def last_answer() -> Answer | None:
    """The answer of the last call that this thread made; None when it got none."""
    return _last.get()


def forget_answer() -> None:
    """Call this before a call, so that no older answer is taken for its own."""
    _last.set(None)


def read_answer(response: Response) -> Answer:
    # A listing of 2,000 entries is decoded by the SDK; only what went wrong is read here.
    body = {} if response.ok else json_object(response.content)
    return Answer(
        status=response.status_code,
        tag=_tag(body.get("error")),
        request_id=of_form(REQUEST_ID, response.headers.get("X-Dropbox-Request-Id")),
        retry_after_s=_retry_after_s(response, body),
        body=body,
        text="" if response.ok else _text(response, body),
    )


def json_object(content: bytes | None) -> dict[str, Any]:
    """The JSON object; empty for whatever else it is, also for one that is nested until nobody can read it."""
    try:
        body = json.loads(content or b"")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _tag(error: Any, *, depth: int = DEEPEST_TAG) -> str:
    if isinstance(error, str):
        return of_form(TAG, error)
    if not isinstance(error, dict) or not depth:
        return ""
    if "reason" in error:  # a rate limit's tag is one level down
        return _tag(error["reason"], depth=depth - 1)
    tag = of_form(TAG, error.get(".tag"))
    deeper = _tag(error[tag], depth=depth - 1) if isinstance(error.get(tag), dict) else ""
    return f"{tag}/{deeper}" if deeper else tag


def _text(response: Response, body: dict[str, Any]) -> str:
    """The reason of a 400, which is plain text; what OAuth adds to its tag; nothing of a proxy's page."""
    error = body.get("error")
    said = next((each for each in (body.get("error_description"), error) if isinstance(each, str)), "")
    if not body and response.headers.get("Content-Type", "").startswith("text/plain"):
        said = (response.content or b"")[:LONGEST_READ].decode("utf-8", "replace")
    said = "" if of_form(TAG, said) else said[:LONGEST_READ]
    for secret in _sent(response):
        said = said.replace(secret, REDACTED)
    said = LIKE_A_TOKEN.sub(REDACTED, LINK.sub("[link]", said))
    return harmless(redact_text(said).strip(), at_most=LONGEST_TEXT)


def _sent(response: Response) -> list[str]:
    """The secrets of the request, which an answer may repeat. The longest first: one may be how another begins."""
    request = getattr(response, "request", None)
    if request is None:
        return []
    secrets = [str(request.headers.get("Authorization", "")).partition(" ")[2]]
    if "x-www-form-urlencoded" in str(request.headers.get("Content-Type")):
        secrets += [value for name, value in parse_qsl(str(request.body)) if name in SECRET_FIELDS]
    return sorted((secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True)


def _retry_after_s(response: Response, body: dict[str, Any]) -> float | None:
    error = body.get("error")
    wait_s = _seconds(response.headers.get("Retry-After", ""), sent_at=response.headers.get("Date", ""))
    if wait_s is None and isinstance(error, dict):
        wait_s = _seconds(str(error.get("retry_after", "")), sent_at="")
    return None if wait_s is None else min(wait_s, LONGEST_WAIT_S)


def _seconds(text: str, *, sent_at: str) -> float | None:
    """A number of seconds, or until an instant, both by Dropbox's own clock: this host's may be wrong."""
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(sent_at)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):  # absent, no date, or only one of them with a zone
        return None
