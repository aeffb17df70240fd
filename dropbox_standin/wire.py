"""The wire format: answers, errors and the small encodings they share."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import datetime

JSON = "application/json"  # exactly so: the SDK refuses a charset
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
BINARY = "application/octet-stream"

type Union = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, before it is sent."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_json(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer; `None` is the void result `null`."""
    return Answer(encode(value), status, JSON, headers or {})


def answer_text(text: str, *, status: int, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(text.encode(), status, TEXT, headers or {})


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def encode_header(value: object) -> str:
    """JSON that survives an HTTP header: ASCII only, DEL escaped as well."""
    return json.dumps(value, separators=(",", ":")).replace("\x7f", "\\u007f")


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def tagged(tag: str, *path: str) -> Union:
    """A union of nested tags: `tagged("path", "not_found")`."""
    if not path:
        return {".tag": tag}
    return {".tag": tag, tag: tagged(*path)}


class WireError(Exception):
    """A call that ends in an answer other than 200."""

    def answer(self, rng: random.Random) -> Answer:
        """The answer to send; `rng` varies what varies on the real service."""
        raise NotImplementedError


class BadRequest(WireError):
    """400: the call is malformed; the reason is plain text, as on the real service."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def answer(self, rng: random.Random) -> Answer:  # noqa: ARG002 - the text does not vary
        return answer_text(self.reason, status=400)


class UnionError(WireError):
    """An error that is a tagged union with a summary; the route, the token or the path root gives the status."""

    def __init__(self, error: Union, *, status: int = 409) -> None:
        super().__init__(summary(error))
        self.error = error
        self.status = status

    def answer(self, rng: random.Random) -> Answer:
        # The real service appends a varying number of dots, so that nobody compares summaries.
        text = f"{summary(self.error)}/{'.' * rng.randint(0, 3)}"
        return answer_json({"error_summary": text, "error": self.error}, status=self.status)


def conflict(*tags: str) -> UnionError:
    """409: `conflict("path", "not_found")`."""
    return UnionError(tagged(*tags))


def unauthorized(tag: str, **fields: str) -> UnionError:
    """401: `unauthorized("missing_scope", required_scope="sharing.write")`."""
    return UnionError({".tag": tag, **fields}, status=401)


def path_root_error(error: Union) -> UnionError:
    """422: the `Dropbox-API-Path-Root` header names a root that is not, or no longer, the caller's."""
    return UnionError(error, status=422)


class TooManyRequests(WireError):
    """429: as JSON with the delay in header and body or in the header only, or as plain text; see `limits.STYLES`."""

    def __init__(self, *, retry_after_s: int, style: str = "json", reason: str = "too_many_requests") -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.style = style
        self.reason = reason

    def answer(self, rng: random.Random) -> Answer:
        headers = {"Retry-After": str(self.retry_after_s)}
        if self.style == "text":
            return answer_text(self.reason, status=429, headers=headers)
        error: dict[str, Any] = {"reason": {".tag": self.reason}}
        if self.style == "json":
            error["retry_after"] = self.retry_after_s
        text = f"{self.reason}/{'.' * rng.randint(0, 3)}"
        return answer_json({"error_summary": text, "error": error}, status=429, headers=headers)


def summary(error: Union) -> str:
    """The tags of an error from the outside in: `path/not_found`.

    Upload's errors carry their union beside the tag, as `reason`; a payload that is no union ends the summary.
    """
    tag: str = error[".tag"]
    inner = error.get(tag, error.get("reason"))
    if isinstance(inner, dict) and ".tag" in inner and tag not in {"shared_link_already_exists", "invalid_root"}:
        return f"{tag}/{summary(inner)}"
    return tag
