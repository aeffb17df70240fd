"""What Dropbox answered on the wire, read without the SDK: its exceptions lose the tag of many refusals."""

import json
import re
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from requests import Response

from core.clock import now

# A wait longer than this is taken for a mistake of whoever sent it.
LONGEST_WAIT_S = 86_400.0
# Tags, request ids and scopes are kept and shown. What has not their form may be anything, also what we sent.
TAG = re.compile(r"[a-z0-9_]{1,64}")
SCOPE = re.compile(r"[a-z_]{1,32}(\.[a-z_]{1,32}){1,3}")
REQUEST_ID = re.compile(r"[0-9a-fA-F-]{1,64}")
NAMESPACE = re.compile(r"[-_0-9a-zA-Z:]{1,40}")
# What PostgreSQL or a terminal chokes on: control characters, and halves of surrogate pairs.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer.

    Attributes:
        tag: the error's path of tags, such as "path/not_found"; empty where there is none that can be read.
        request_id: Dropbox's name for the call; empty where it gives none.
        body: the decoded JSON; empty where it is none.
        retry_after_s: what the header asks for, else the body; None when neither does.
    """

    status: int
    tag: str
    request_id: str
    retry_after_s: float | None
    body: dict[str, Any]

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


def of_form(form: re.Pattern[str], text: Any) -> str:
    """The text if it has the form; empty if it is anything else."""
    return text if isinstance(text, str) and form.fullmatch(text) else ""


def harmless(text: str, *, at_most: int | None = None) -> str:
    """A name as somebody else chose it, so that it can be stored and shown; what cannot be becomes \N{REPLACEMENT CHARACTER}."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text[:at_most])


def read_answer(response: Response) -> Answer:
    # A listing of 2,000 entries is decoded by the SDK; only what went wrong is read here.
    body = {} if response.ok else _json(response)
    return Answer(
        status=response.status_code,
        tag=_tag(body.get("error")),
        request_id=of_form(REQUEST_ID, response.headers.get("X-Dropbox-Request-Id")),
        retry_after_s=_retry_after_s(response.headers.get("Retry-After", ""), body),
        body=body,
    )


def _json(response: Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _tag(error: Any) -> str:
    if isinstance(error, str):
        return of_form(TAG, error)
    if not isinstance(error, dict):
        return ""
    if "reason" in error:  # a rate limit's tag is one level down
        return _tag(error["reason"])
    tag = of_form(TAG, error.get(".tag"))
    deeper = _tag(error[tag]) if isinstance(error.get(tag), dict) else ""
    return f"{tag}/{deeper}" if deeper else tag


def _retry_after_s(header: str, body: dict[str, Any]) -> float | None:
    error = body.get("error")
    wait_s = _seconds(header)
    if wait_s is None and isinstance(error, dict):
        wait_s = _seconds(str(error.get("retry_after", "")))
    return None if wait_s is None else min(wait_s, LONGEST_WAIT_S)


def _seconds(text: str) -> float | None:
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds())
    except (ValueError, TypeError):  # absent, no date, or a date without a zone
        return None
