"""No statement of a request keeps the database for longer than a person waits, and a page says so in one sentence.

Only what gunicorn serves is bound: workers, the reconciler and commands have limits of their own. What legitimately takes
longer asks for it (`core.base.statement_limits`).
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse
from psycopg.errors import QueryCanceled

from core.base import outages
from core.base.database import is_conflict
from core.http import refusals

logger = logging.getLogger(__name__)


def bind_requests() -> None:
    """Let every connection that this process opens from now on begin with the limit, so that RESET leads back to it.

    Behind a pooler the limit is that of the database that the pooler calls so.
    """
    if settings.DATABASE_IS_POOLED:
        return
    options = connections.settings["default"]["OPTIONS"]
    options["options"] = f"{options['options']} -c statement_timeout={settings.REQUEST_STATEMENT_S * 1000:.0f}ms"


class AnswerInTime:
    """Django middleware: who waited in vain is told so, instead of that something is broken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """503 for what took too long, had to wait for too long or met an outage; nothing more is asked of anybody for it."""
        if isinstance(error, DatabaseError) and isinstance(error.__cause__, QueryCanceled):
            logger.warning("statements: one of %s %s took too long and was stopped", request.method, request.path)
            return refusals.too_slow(request)
        if is_conflict(error):
            logger.warning("statements: one of %s %s waited for others too long", request.method, request.path)
            return refusals.in_the_way(request)
        if words := outages.in_words(error):
            logger.warning("statements: %s %s met an outage. %s", request.method, request.path, words)
            return refusals.outage(request, words)
        return None
