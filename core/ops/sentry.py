"""Tell an error tracker that speaks Sentry's protocol what went wrong, if there is one.

It gets tracebacks without local variables, no request bodies, nobody's name, and only what `core.ops.redaction` lets pass.
"""

from typing import TYPE_CHECKING

from django.conf import settings
from structlog.contextvars import get_contextvars

from core import VERSION
from core.ops.redaction import redact

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def start() -> None:
    """Report every error that is logged from now on; nothing without `SENTRY_DSN`."""
    if not settings.SENTRY_DSN:
        return
    # Without a tracker its library would only take memory, and time to load, in each process.
    import sentry_sdk  # noqa: PLC0415 - as above
    from sentry_sdk.integrations.django import DjangoIntegration  # noqa: PLC0415 - as above
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger  # noqa: PLC0415 - as above

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


def _without_secrets(event: "Event", _hint: "Hint") -> "Event":
    event["tags"] = {**event.get("tags", {}), **{name: str(value) for name, value in get_contextvars().items()}}
    scrubbed: Event = redact(event)
    return scrubbed
