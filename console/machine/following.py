"""Asking again and again whether something has changed: at most two queries as long as nothing has, one for strangers."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest

# What the page of a record shows and a worker can change.
SHOWN = ("state", "generation", "tries", "rung_at", "claimed_until", "due_at", "failure_message")
# So long nobody is looked up; after it whoever may no longer look is told so.
LASTS_S = 60


def version_of(values: Mapping[str, Any]) -> str:
    """What is shown of a record, as one text; that a worker keeps its claim changes nothing.

    Args:
        values: of the columns `SHOWN`, and of what else is shown of such a record.
    """
    is_claimed = values["claimed_until"] is not None
    shown = dict(values) | {"claimed_until": is_claimed, "due_at": "" if is_claimed else values["due_at"]}
    return repr([str(shown[name]) for name in sorted(shown)])


def seen(user: User, *, what: str, version: str) -> str:
    """Put into a page: proves later that this person was shown this version, so that nobody has to be looked up."""
    return _signer().sign(f"{user.pk}:{what}:{_digest(version)}")


def is_unchanged(
    request: HttpRequest, *, what: str, version: Callable[[], str], within_s: int | None = None, name: str = "seen"
) -> bool:
    """Whether who is logged in was shown this version a moment ago.

    Args:
        version: is asked for only if who is logged in was shown some version, since finding it out may be dear.
        within_s: how long ago that may be; None: a minute.
        name: of the parameter with the proof.
    """
    if SESSION_KEY not in request.session:
        return False
    shown_to = f"{request.session[SESSION_KEY]}:{what}:"
    try:
        shown = _signer().unsign(request.GET.get(name, ""), max_age=LASTS_S if within_s is None else within_s)
    except BadSignature:
        return False
    return shown.startswith(shown_to) and shown == shown_to + _digest(version())


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="console.following")


def _digest(version: str) -> str:
    return hashlib.sha256(version.encode()).hexdigest()[:32]
