"""Asking again and again whether something has changed: at most two queries as long as nothing has."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.core.signing import Signer
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

# What the page of a lease shows and a worker can change.
SHOWN = ("state", "generation", "tries", "rung_at", "claimed_until", "due_at", "failure_message")


def version_of(values: dict[str, Any]) -> str:
    """What is shown of a lease, as one text; that a worker keeps its claim changes nothing."""
    is_claimed = values["claimed_until"] is not None
    shown = values | {"claimed_until": is_claimed, "due_at": "" if is_claimed else values["due_at"]}
    return repr([str(shown[name]) for name in SHOWN])


def seen(user: User, *, what: str, version: str) -> str:
    """Put into a page: proves later that this person was shown this version, so that nobody has to be looked up."""
    return Signer(salt="leases.polling").signature(f"{user.pk}:{what}:{version}")


def is_unchanged(request: HttpRequest, *, what: str, version: str) -> bool:
    """Whether who is logged in has seen this version."""
    if SESSION_KEY not in request.session:
        return False
    signature = Signer(salt="leases.polling").signature(f"{request.session[SESSION_KEY]}:{what}:{version}")
    return constant_time_compare(request.GET.get("seen", ""), signature)
