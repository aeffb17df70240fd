"""Tests: real PostgreSQL and Valkey (tests/servers.py starts them), one database and one Redis number per worker."""

import os
from urllib.parse import parse_qsl, urlencode

from core.settings.base import *  # noqa: F403 - settings modules build on one another by Django's convention
from core.settings.base import DATABASES, INSTALLED_APPS, MIDDLEWARE, ROOT, RQ_QUEUES, STORAGES, _urls

_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")

DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SECRET_KEY = "test-only"  # noqa: S105 - protects nothing
TOKEN_ENCRYPTION_KEYS = ["dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktdGU="]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

DATABASES["default"]["CONN_MAX_AGE"] = 0
# Number 0 stays free, so that a run against an ordinary Redis leaves its data alone.
_address, _, _query = _urls.redis_url.partition("?")
REDIS_URL = f"{_address}?{urlencode({**dict(parse_qsl(_query)), 'db': int(_worker) + 1})}"
for _queue in RQ_QUEUES.values():
    _queue["URL"] = REDIS_URL
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
HAS_MAIL_SERVER = True
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
STORAGES = {
    **STORAGES,
    "documents": {
        "BACKEND": "storage.backends.local.LocalStorage",
        "OPTIONS": {"directory": str(ROOT / ".local" / "documents-of-tests" / _worker), "is_made": True},
    },
}

# Nothing begins by itself, but where that is tested.
STORAGE_LOOK_EVERY_S = STORAGE_INCREMENTAL_EVERY_HOURS = STORAGE_WHOLE_EVERY_DAYS = STORAGE_RUNS_KEPT_DAYS = 0
STORAGE_LOOK_AT_START = False
ARCHIVE_WATCH_EVERY_S = 0
LINKS_PER_MINUTE = 0

# Nothing is collected that it could serve.
MIDDLEWARE = [each for each in MIDDLEWARE if "whitenoise" not in each]

DROPBOX_BASE_URL = ""  # each test that needs the stand-in sets it
DROPBOX_MAKES_ARCHIVES = False
API_PER_MINUTE = API_UNKNOWN_PER_MINUTE = 0  # nobody is counted, but where that is tested
DROPBOX_CALLS_PER_S = 0  # nobody waits, but who tests the waiting
DROPBOX_APP_KEY = "standin-app"
DROPBOX_APP_SECRET = "standin-secret"  # noqa: S105 - the stand-in's

# A machine of the tests' own, and its queue.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.toy"]
RQ_QUEUES["toy"] = {"URL": REDIS_URL, "SERIALIZER": "json"}
