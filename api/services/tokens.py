"""Make a token, find whose one is, and end it."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from api import spelling
from api.errors import (
    OwnerInactive,
    ScopesUnknown,
    TokenExpired,
    TokenGone,
    TokenNameTaken,
    TokenRefused,
    TokenRevoked,
    TokenTooLong,
    TokenUnnamed,
    TooManyTokens,
)
from api.models import ApiToken
from api.models.tokens import LASTS_AT_MOST, NAME_AT_MOST
from api.scopes import Scope

logger = logging.getLogger(__name__)

LASTS_AT_LEAST = timedelta(days=1)
TOKENS_AT_MOST = 50
REVOKES_ALL = "api.revoke_apitoken"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """One that was just made.

    Attributes:
        secret: what the person takes along. It is nowhere else, and is shown once.
    """

    token: ApiToken
    secret: str = field(repr=False)


def make(*, by: User, name: str, scopes: Collection[str], lasts: timedelta, at: datetime) -> NewToken:
    """A new token of a person's own.

    Raises:
        TokenUnnamed, TokenNameTaken: the name.
        ScopesUnknown: what it is for.
        TokenTooLong: how long it lasts.
        TooManyTokens: the person has enough of them.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_AT_MOST or not name.isprintable():
        raise TokenUnnamed
    if not scopes or not set(scopes) <= set(Scope.values):
        raise ScopesUnknown
    if not LASTS_AT_LEAST <= lasts <= LASTS_AT_MOST:
        raise TokenTooLong
    secret = spelling.draw()
    with transaction.atomic():
        _see_that_there_is_room(by, name=name, at=at)
        token = ApiToken.objects.create(
            user=by,
            name=name,
            digest=spelling.digest(secret),
            hint=spelling.hint(secret),
            scopes=[each for each in Scope.values if each in scopes],
            created_at=at,
            expires_at=at + lasts,
        )
    logger.info("api: user %s has made the token number %s, for %s", by.pk, token.pk, ", ".join(token.scopes))
    return NewToken(token=token, secret=secret)


def find(*, text: str, at: datetime) -> ApiToken:
    """The token that somebody has shown, with its person.

    Raises:
        TokenRefused: there is none, or it opens nothing (any more).
    """
    if not spelling.is_right(text):
        raise TokenRefused
    token = ApiToken.objects.select_related("user").filter(digest=spelling.digest(text)).first()
    if token is None:
        raise TokenRefused
    if refusal := _why_not(token, at=at):
        logger.info("api: the token number %s of user %s was refused: %s", token.pk, token.user_id, refusal.code)
        raise refusal
    return token


def revoke(*, token_id: int, by: User, at: datetime) -> ApiToken:
    """End a token: whoever shows it from now on is refused. Once more it changes nothing.

    Raises:
        TokenGone: there is none, or it is another one's and the person may not end those.
    """
    known = ApiToken.objects.select_related("user", "revoked_by")
    own = Q() if by.has_perm(REVOKES_ALL) else Q(user=by)
    ended = ApiToken.objects.filter(own, pk=token_id, revoked_at=None).update(revoked_at=at, revoked_by=by)
    token = known.filter(own, pk=token_id).first()
    if token is None:
        raise TokenGone
    if ended:
        logger.info("api: user %s has revoked the token number %s of user %s", by.pk, token.pk, token.user_id)
    return token


def _see_that_there_is_room(by: User, *, name: str, at: datetime) -> None:
    """One after the other for each person, so that two at once are not more than one by one.

    Raises:
        TokenNameTaken, TooManyTokens: there is none.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    # In the database's own letters, as the constraint has it.
    if ApiToken.objects.filter(Exact(Lower("name"), Lower(Value(name))), user=by, revoked_at=None).exists():
        raise TokenNameTaken
    if ApiToken.objects.alive(at=at).filter(user=by).count() >= TOKENS_AT_MOST:
        raise TooManyTokens


def _why_not(token: ApiToken, *, at: datetime) -> TokenRefused | None:
    if token.revoked_at is not None:
        return TokenRevoked()
    if token.expires_at <= at:
        return TokenExpired()
    return None if token.user.is_active else OwnerInactive()
