"""Tell an error tracker that speaks Sentry's protocol what went wrong, if there is one.

It gets tracebacks without local variables, no request bodies, nobody's name, and only what `core.ops.redaction` lets pass.
"""

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
from sentry_sdk.types import Event, Hint
from structlog.contextvars import get_contextvars

from core import VERSION
from core.ops.redaction import redact


def start() -> None:
    """Report every error that is logged from now on; nothing without `SENTRY_DSN`."""
    if not settings.SENTRY_DSN:
        return
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"runsheet@{VERSION}",
        environment=settings.SENTRY_ENVIRONMENT or ("development" if settings.DEBUG else "production"),
        before_send=_without_secrets,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        # Of its integrations only these: the one for RQ would write into every message.
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), LoggingIntegration()],
    )
    # It repeats what the job has logged already, as a text and without its context.
    ignore_logger("rq.worker")


def _without_secrets(event: Event, _hint: Hint) -> Event:
    event["tags"] = {**event.get("tags", {}), **{name: str(value) for name, value in get_contextvars().items()}}
    scrubbed: Event = redact(event)
    return scrubbed
