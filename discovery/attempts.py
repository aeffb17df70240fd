"""What a person's session remembers while they are at Dropbox and right after.

Whoever has not begun the attempt in the same session can neither finish it nor use it up.
"""

import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from core.clock import now
from discovery.dropbox.identity import Identity
from discovery.dropbox.tokens import Grant
from discovery.errors import TokensUnreadable
from discovery.fields import decrypt, encrypt
from discovery.services.dropbox_accounts import Authorisation

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
            began_at=now().isoformat(),
        )
        session[ATTEMPT] = asdict(attempt)
        return attempt

    @classmethod
    def take(cls, session: SessionBase, *, state: str) -> Self | None:
        """The attempt with this state, which is over by that; None, and nothing changes, if it is none of this session."""
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


def keep_replacement(session: SessionBase, authorisation: Authorisation, *, next_path: str) -> None:
    """Hold what was allowed until the person has said whether it replaces what they had; encrypted like what is stored."""
    grant = {**asdict(authorisation.grant), "expires_at": authorisation.grant.expires_at.isoformat(), "scopes": None}
    held = {"grant": grant, "identity": asdict(authorisation.identity), "scopes": sorted(authorisation.scopes)}
    session[REPLACEMENT] = {"held": encrypt(json.dumps(held)), "next": next_path, "began_at": now().isoformat()}


def replacement(session: SessionBase) -> tuple[Authorisation, str] | None:
    """What waits for the person's word, and where they come from; None if nothing does any more."""
    kept = session.get(REPLACEMENT)
    if kept is None or _older(kept["began_at"], than_s=REPLACEMENT_LASTS_S):
        session.pop(REPLACEMENT, None)
        return None
    try:
        return _authorisation(json.loads(decrypt(kept["held"]))), kept["next"]
    except TokensUnreadable:  # the keys were changed within these minutes
        session.pop(REPLACEMENT, None)
        return None


def take_replacement(session: SessionBase) -> tuple[Authorisation, str] | None:
    """The same, and it waits no more."""
    found = replacement(session)
    session.pop(REPLACEMENT, None)
    return found


def _authorisation(held: dict[str, Any]) -> Authorisation:
    grant = {**held["grant"], "expires_at": datetime.fromisoformat(held["grant"]["expires_at"])}
    return Authorisation(grant=Grant(**grant), scopes=frozenset(held["scopes"]), identity=Identity(**held["identity"]))


def _older(began_at: str, *, than_s: float) -> bool:
    return (now() - datetime.fromisoformat(began_at)).total_seconds() > than_s
