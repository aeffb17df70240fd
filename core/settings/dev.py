"""A developer's machine: the stand-in or the real Dropbox, embedded servers, nothing beyond loopback."""

from core.settings import environment
from core.settings.base import *  # noqa: F403 - settings modules build on one another by Django's convention

DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
# Not secrets: they protect nothing but the data in this checkout's .local folder.
SECRET_KEY = environment.text("SECRET_KEY", "development-only-development-only-development-only")
TOKEN_ENCRYPTION_KEYS = environment.words("TOKEN_ENCRYPTION_KEYS", "ZGV2ZWxvcG1lbnQtb25seS1kZXZlbG9wbWVudC1vbmw=")
