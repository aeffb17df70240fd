"""Production with shorter waits, so that a run with a little of everything fits into a minute."""

from core.local.servers import LOCAL
from core.settings.production import *  # noqa: F403 - settings modules build on one another by Django's convention

# Collected anew by each run whose pages are asked for.
STATIC_ROOT = LOCAL / "chaos-static"

CLAIM_S = 4
CLAIM_RENEWAL_S = 1
RETRY_GRACE_S = 2
DISCOVERY_BACKOFF_BASE_S = 0.3
DROPBOX_READ_TIMEOUT_S = 2
