"""What is done about the interface for programs without anybody's asking."""

from django.conf import settings

from statemachine.duties import duty

FORGETS_EVERY_S = 3_600


@duty(name="api_forget", queue=settings.DEFAULT_QUEUE, every_s=lambda: FORGETS_EVERY_S)
def forget_answers() -> None:
    """Delete the answers that nobody gets any more."""
    from api import idempotency  # noqa: PLC0415 - every worker loads this module
    from core.base.clock import shared_now  # noqa: PLC0415 - the same

    idempotency.forget(at=shared_now())
