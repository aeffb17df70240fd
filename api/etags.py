"""Which version of a record it is: for who has it already (304), and for who would change another one (412, 428).

An ETag here is a strong one, and is made of the row, so that no answer has to be built to compare it. Where an answer is
sent compressed, the coding is added to it, as HTTP wants of another row of bytes, and left out again when it comes back.
"""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import BinaryField, Model
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from api.errors import PreconditionFailed, PreconditionMissing
from statemachine.models import StateMachine, TransitionLog

ANY = "*"
# What the engine notes for itself, and nobody is shown.
NOT_SHOWN = frozenset({"rung_at", "claimed_until", "turn"})
LONG = 27  # characters, of six bits each
CODED = "+"  # stands before the coding, and in no ETag of a record


class NotModified(Exception):
    """Who asks has it already."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


def etag_of(record: Model, *beside: object) -> str:
    """The ETag of a record as it stands in the database: it is another one whenever anything of the row is.

    Args:
        beside: what else the answer holds that may change by itself: records, or values.
    """
    parts = [_row(each) if isinstance(each, Model) else each for each in (record, *beside)]
    text = json.dumps(parts, default=_plain, sort_keys=True)
    return f'"{urlsafe_b64encode(sha256(text.encode()).digest()).decode()[:LONG]}"'


def told(request: HttpRequest, response: HttpResponse, etag: str) -> None:
    """Put it on the answer.

    Raises:
        NotModified: who asks has that version; the frame answers 304.
    """
    response["ETag"] = etag
    known = _named(request.headers.get("If-None-Match", ""), etag, weakly=True)
    if known and request.method in {"GET", "HEAD"}:
        # As it was said, with its coding: by that, who asks finds what it belongs to.
        raise NotModified(known)


def require_match(request: HttpRequest, record: Model, *beside: object) -> None:
    """See that who would change a record has read what it is now.

    Ask within `statemachine.transitions.locked`: else somebody may come between this and the change.

    Raises:
        PreconditionMissing: nobody has said which version is meant.
        PreconditionFailed: it is another one by now.
    """
    said = request.headers.get("If-Match", "")
    if not said.strip():
        raise PreconditionMissing
    if not _named(said, etag_of(record, *beside), weakly=False):
        raise PreconditionFailed(_overtaken(record))


def encoded(etag: str, coding: str) -> str:
    """The ETag of the same answer in a coding: other bytes, so another one."""
    return f'{etag[:-1]}{CODED}{coding}"'


def _named(header: str, etag: str, *, weakly: bool) -> str | None:
    """How a header with ETags names this one; None: it does not."""
    if header.strip() == ANY:
        return etag
    said = (each.removeprefix("W/") if weakly else each for each in parse_etags(header))
    return next((each for each in said if _uncoded(each) == etag), None)


def _uncoded(etag: str) -> str:
    bare, coded, _coding = etag.partition(CODED)
    return f'{bare}"' if coded else etag


def _row(record: Model) -> list[object]:
    shown = [
        each.attname
        for each in record._meta.concrete_fields
        if each.name not in NOT_SHOWN and not isinstance(each, BinaryField)
    ]
    return [record._meta.label_lower, *(getattr(record, name) for name in shown)]


def _plain(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _overtaken(record: Model) -> str:
    """The sentence of `PreconditionFailed`, with who was faster and when, as far as that is known."""
    found: list[tuple[datetime, str]] = []
    if isinstance(record, StateMachine):
        moved = TransitionLog.objects.of(record).select_related("actor").last()
        found += [(moved.at, str(moved.actor or moved.get_actor_kind_display()))] if moved else []
    edited = (
        LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(record), object_id=str(record.pk))
        .select_related("user")
        .order_by("-action_time")
        .first()
    )
    found += [(edited.action_time, str(edited.user))] if edited else []
    if not found:
        return ""
    at, who = max(found)
    when = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{PreconditionFailed.sentence()} It was last changed by {who}, at {when}."
