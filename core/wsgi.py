"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings.production")
_django = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402 - Django has to be set up first

from core.http import statements, transfers  # noqa: E402 - the same

application = transfers.in_time(_django)

# Load every page now: nobody waits for that at the first one, and one that is broken is known at the start.
_pages = get_resolver().url_patterns
statements.bind_requests()
