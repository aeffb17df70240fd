"""Who asks, by a token that somebody has made at the console."""

from typing import Any

from django.http import HttpRequest
from ninja.security.base import AuthBase

from api import rates, scopes, spelling
from api.errors import TokenInAddress
from api.models import ApiToken
from api.services import tokens
from core.base.clock import now

SCHEME = "bearer"


class Bearer(AuthBase):
    """A program with a token, which needs no session and no cookie. Whoever sends one is judged by it, and by nothing beside it.

    What a browser sends by itself is never a token, so no other site can have it sent: it needs no token of a session's.
    """

    openapi_type = "http"
    openapi_scheme = SCHEME
    openapi_description = (
        "A token that a person has made at the console. It may do what its scopes name, and never more than its person."
    )

    def __call__(self, request: HttpRequest) -> Any | None:
        """Whose token it is; None: there is none. `request.token` says by which token it was.

        Raises:
            TokenInAddress: it stands where it must not.
            TokenRefused: it opens nothing.
            TooManyRequests: it was used too often.
            ScopeMissing, NotForTokens: it does not open this.
        """
        request.token = None  # type: ignore[attr-defined]  # read by whoever wants to know how somebody asks
        if spelling.stands_in(request.get_full_path()):
            raise TokenInAddress
        shown = _shown(request)
        if shown is None:
            return None
        at = now()
        token = tokens.find(text=shown, at=at)
        rates.admit_known(request, who="token", key=token.pk)
        scopes.require(token.scopes, request)
        ApiToken.objects.note_use(token, at=at)
        request.token = token  # type: ignore[attr-defined]  # as above
        request.user = token.user
        return token.user


def _shown(request: HttpRequest) -> str | None:
    """What was sent as a token; other schemes are those of proxies on the way, and say nothing to us."""
    scheme, _, said = request.headers.get("Authorization", "").strip().partition(" ")
    return said.strip() if scheme.casefold() == SCHEME else None
