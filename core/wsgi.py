"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings.production")
application = get_wsgi_application()

from core.http import statements  # noqa: E402 - Django has to be set up first

statements.bind_requests()
