"""How a test's browser becomes one in which somebody has logged in: by the one row that logging in leaves, if nothing else is asked."""

from http.cookies import SimpleCookie

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils.crypto import get_random_string

_through_the_login = Client.force_login


def force_login(client: Client, user: User, backend: str | None = None) -> None:
    """As Django's, which makes three sessions on the way and notes when the person came: thirteen statements instead of one.

    A browser that has been somewhere already goes Django's way, since what it had is kept, or not.
    """
    if client.cookies or backend:
        _through_the_login(client, user, backend)
        return
    session = SessionStore()
    session._session_key = get_random_string(32, VALID_KEY_CHARS)
    session.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
    )
    session.save(must_create=True)
    client.cookies = SimpleCookie({settings.SESSION_COOKIE_NAME: str(session.session_key)})


def put_in_place() -> None:
    """For all tests of this process; how people log in is asked with `client.login`, or at the page for it."""
    Client.force_login = force_login  # type: ignore[assignment, method-assign]
