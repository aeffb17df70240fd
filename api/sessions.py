"""Who asks, by the session of the console."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from api import rates


class NoCsrfToken(AuthorizationError):
    """The browser has sent the cookie by itself, so that it may be another site's wish."""


class Session(AuthBase):
    """Somebody who has logged in at the console; what changes anything needs the session's token, too."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    openapi_description = "Whoever has logged in at the console."

    def __call__(self, request: HttpRequest) -> Any | None:
        """The person; None: it is not known who asks.

        Raises:
            NoCsrfToken: it may be another site's wish.
            TooManyRequests: the person sends too many.
        """
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise NoCsrfToken
        rates.admit_known(request, who="person", key=request.user.pk)
        return request.user
