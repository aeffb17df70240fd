"""What a person's session remembers while they are at Dropbox and right after.

Whoever has not begun the attempt in the same session can neither finish it nor use it up.
"""

import json
import logging
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from cloud.dropbox.identity import Identity
from cloud.dropbox.tokens import Grant
from cloud.errors import TokensUnreadable
from cloud.fields import decrypt, encrypt
from cloud.services.accounts import Authorisation, decline
from core.base.clock import shared_now

logger = logging.getLogger(__name__)

ATTEMPT = "dropbox_attempt"
REPLACEMENT = "dropbox_replacement"
# To log in at Dropbox, find the telephone for its second factor, and decide.
ATTEMPT_LASTS_S = 1_800
# To decide whether one account is to replace another.
REPLACEMENT_LASTS_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way to Dropbox and back.

    Attributes:
        state: what comes back with the answer.
        verifier: what the answer's code is worthless without; it never leaves the server before that.
        next: the path that the person comes from.
    """

    state: str
    verifier: str = field(repr=False)
    next: str
    began_at: str

    @classmethod
    def begin(cls, session: SessionBase, *, next_path: str) -> Self:
        """Remember a new attempt, instead of an earlier one."""
        attempt = cls(
            state=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(64),
            next=next_path,
            began_at=shared_now().isoformat(),
        )
        session[ATTEMPT] = asdict(attempt)
        return attempt

    @classmethod
    def take(cls, session: SessionBase, *, state: str) -> Self | None:
        """Take the attempt with this state out of the session. None if it has no such attempt; then nothing changes."""
        kept = session.get(ATTEMPT)
        if kept is None or not constant_time_compare(kept["state"], state):
            return None
        del session[ATTEMPT]
        # At once, so that the same answer that comes twice at the same time is hardly ever taken twice.
        session.save()
        return cls(**kept)

    @property
    def is_over(self) -> bool:
        """Whether it has lasted for too long."""
        return _older(self.began_at, than_s=ATTEMPT_LASTS_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What was allowed at Dropbox and waits for the person's word; it is given back unless it is stored.

    Attributes:
        next: the path that the person comes from.
    """

    authorisation: Authorisation
    next: str
    began_at: str

    @property
    def is_over(self) -> bool:
        """Whether it has waited for too long."""
        return _older(self.began_at, than_s=REPLACEMENT_LASTS_S)


def keep_replacement(session: SessionBase, authorisation: Authorisation, *, next_path: str) -> None:
    """Hold what was allowed until the person has said whether it replaces what they had; encrypted like what is stored.

    Who takes one out gives it back to Dropbox or stores it. What is in a session that ends by its age, by another login
    or by a changed password cannot be given back; nor can what was encrypted with a key that is gone.

    Raises:
        ImproperlyConfigured, django.db.Error: nothing is held.
    """
    grant = {**asdict(authorisation.grant), "expires_at": authorisation.grant.expires_at.isoformat(), "scopes": None}
    held = {"grant": grant, "identity": asdict(authorisation.identity), "scopes": sorted(authorisation.scopes)}
    session[REPLACEMENT] = {"held": encrypt(json.dumps(held)), "next": next_path, "began_at": shared_now().isoformat()}
    try:
        # At once, while whoever calls can still give it back.
        session.save()
    except Exception:
        del session[REPLACEMENT]
        raise


def replacement(session: SessionBase) -> Replacement | None:
    """What waits for the person's word, or has waited for too long; None if there is nothing or it cannot be read."""
    kept = session.get(REPLACEMENT)
    if kept is None:
        return None
    try:
        authorisation = _authorisation(json.loads(decrypt(kept["held"])))
    except TokensUnreadable:  # the keys were changed within these minutes
        logger.warning("what a person has allowed at Dropbox cannot be read any more, so it cannot be given back")
        del session[REPLACEMENT]
        return None
    except ImproperlyConfigured:
        return None
    return Replacement(authorisation=authorisation, next=kept["next"], began_at=kept["began_at"])


def take_replacement(session: SessionBase) -> Replacement | None:
    """The same, and it waits no more."""
    found = replacement(session)
    if found:
        del session[REPLACEMENT]
    return found


def give_back_at_logout(*, request: HttpRequest, **_: Any) -> None:
    """What waited in the session that ends; the receiver of `user_logged_out`."""
    if waiting := take_replacement(request.session):
        decline(waiting.authorisation)


def _authorisation(held: dict[str, Any]) -> Authorisation:
    grant = {**held["grant"], "expires_at": datetime.fromisoformat(held["grant"]["expires_at"])}
    return Authorisation(grant=Grant(**grant), scopes=frozenset(held["scopes"]), identity=Identity(**held["identity"]))


def _older(began_at: str, *, than_s: float) -> bool:
    return (shared_now() - datetime.fromisoformat(began_at)).total_seconds() > than_s
