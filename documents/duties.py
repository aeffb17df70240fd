"""What is done about documents without anybody's asking. It is loaded where it is done: every worker knows of it."""

from django.conf import settings

from statemachine.duties import duty

SWEEPS_EVERY_S = 600
RECOUNTS_EVERY_S = 7 * 24 * 3600


@duty(name="documents_sweep", queue=settings.STORAGE_QUEUE, every_s=lambda: SWEEPS_EVERY_S)
def sweep() -> None:
    """Give back the room of uploads that have died, and delete bytes that are left over."""
    from documents.services import sweeping  # noqa: PLC0415 - see above

    sweeping.drop_dead_uploads()
    sweeping.sweep()


@duty(name="documents_purge", queue=settings.STORAGE_QUEUE, every_s=lambda: SWEEPS_EVERY_S)
def purge() -> None:
    """Delete the documents for good whose grace is over."""
    from documents.services import sweeping  # noqa: PLC0415 - see above

    sweeping.purge_due()
    sweeping.sweep()


@duty(name="documents_recount", queue=settings.STORAGE_QUEUE, every_s=lambda: RECOUNTS_EVERY_S)
def recount() -> None:
    """Count anew how much room documents take; what was wrong is put right and logged."""
    from documents.services import usage  # noqa: PLC0415 - see above

    usage.recount()
