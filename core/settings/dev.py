"""A developer's machine: the stand-in or the real Dropbox, embedded servers, nothing beyond loopback."""

from hashlib import sha256

from core.settings import environment
from core.settings.base import *  # noqa: F403 - settings modules build on one another by Django's convention
from core.settings.base import EMAIL_URL, MIDDLEWARE, ROOT

DEBUG = True
START_SERVERS = "On this machine, “make up” starts it."
MIDDLEWARE = [*MIDDLEWARE, "core.http.refusals.AsInProduction"]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
# Not secrets: they protect nothing but the data in this checkout's .local folder.
SECRET_KEY = environment.confidential("SECRET_KEY", "development-only-development-only-development-only")
TOKEN_ENCRYPTION_KEYS = environment.separated(
    environment.confidential("TOKEN_ENCRYPTION_KEYS", "ZGV2ZWxvcG1lbnQtb25seS1kZXZlbG9wbWVudC1vbmw=")
)

# Without a mail server, mails lie in a folder to be looked at.
if not EMAIL_URL:
    HAS_MAIL_SERVER = True
    _mails = {"file_path": str(ROOT / ".local" / "mail")}
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": _mails}}

# Who tries it lays a file there and looks.
STORAGE_LOOK_EVERY_S = environment.whole_number("STORAGE_LOOK_EVERY_S", 20, maximum=86_400)

# Browsers keep cookies by host, not by port: two checkouts on one machine would log each other out.
_checkout = sha256(str(ROOT).encode()).hexdigest()[:8]
SESSION_COOKIE_NAME = f"session-{_checkout}"
CSRF_COOKIE_NAME = f"csrf-{_checkout}"
BROWSER_COOKIE_NAME = f"browser-{_checkout}"
