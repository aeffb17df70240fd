"""Production: every secret comes from the environment, and a missing one stops the start, by name."""

from whitenoise.compress import Compressor  # type: ignore[import-untyped]  # it has no types

from core.ops import logs
from core.settings import addresses, documents, environment
from core.settings.base import *  # noqa: F403 - settings modules build on one another by Django's convention
from core.settings.base import LOG_LEVEL, STORAGES

DEBUG = False
SECRET_KEY = environment.secret("SECRET_KEY", shortest=50)
TOKEN_ENCRYPTION_KEYS = environment.encryption_keys("TOKEN_ENCRYPTION_KEYS")
ALLOWED_HOSTS = addresses.hosts("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = addresses.origins("CSRF_TRUSTED_ORIGINS")
CONSOLE_URL = environment.console_url("CONSOLE_URL", hosts=ALLOWED_HOSTS)
environment.text("DROPBOX_APP_KEY")
for _name in ("DATABASE_URL", "REDIS_URL", "DROPBOX_APP_SECRET"):
    environment.confidential(_name)

LOGGING = logs.configuration(level=LOG_LEVEL, form=environment.choice("LOG_FORMAT", "json", among=logs.FORMS))

SECURE_SSL_REDIRECT = environment.choice("SECURE_SSL_REDIRECT", "yes", among=("yes", "no")) == "yes"
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]  # Prometheus asks without the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# Browsers take a cookie of such a name from this host over https only: no neighbour in the domain can plant one.
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrf"
BROWSER_COOKIE_NAME = "__Host-browser"
PROXY_COUNT = environment.whole_number("PROXY_COUNT", 1, maximum=10)
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "core.base.static_files.CollectedFiles"},
    # Not in the checkout, which a new version replaces.
    "documents": documents.storage(local_directory=None),
}
# Whoever debugs the page of the interface fetches a map of its script; packing those would take most of the time.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", *Compressor.SKIP_COMPRESS_EXTENSIONS)
