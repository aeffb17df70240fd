"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings.production")
_django = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402 - Django has to be set up first

from core.base.replica import is_configured  # noqa: E402 - the same
from core.http import statements, transfers  # noqa: E402 - the same
from core.ops import replica  # noqa: E402 - the same

application = transfers.in_time(_django)

# Load every page now: nobody waits for that at the first one, and one that is broken is known at the start.
_pages = get_resolver().url_patterns
statements.bind_requests()
# Is what DATABASE_REPLICA_URL names a replica? Until that is known, and where it is not, lists are read at the primary.
if is_configured():
    replica.watch.look()
