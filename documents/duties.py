"""What is done about documents without anybody's asking. It is loaded where it is done: every worker knows of it."""

from django.conf import settings

from statemachine.duties import duty

SWEEPS_EVERY_S = 600
# Whoever changes a document rings as well; this is for what was not heard.
WRITES_EVERY_S = 10
RECOUNTS_EVERY_S = 7 * 24 * 3600
LINKS_EVERY_S = 60
# Somebody waits for what has arrived.
FINISHES_EVERY_S = 60


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


@duty(name="documents_sidecars", queue=settings.STORAGE_QUEUE, every_s=lambda: WRITES_EVERY_S)
def write_sidecars() -> None:
    """Write beside the files what was changed."""
    from documents.services import writing  # noqa: PLC0415 - see above

    writing.write_owed()


@duty(name="documents_recount", queue=settings.STORAGE_QUEUE, every_s=lambda: RECOUNTS_EVERY_S)
def recount() -> None:
    """Count anew how much room documents take; what was wrong is put right and logged."""
    from documents.services import usage  # noqa: PLC0415 - see above

    usage.recount()


@duty(name="documents_links", queue=settings.STORAGE_QUEUE, every_s=lambda: LINKS_EVERY_S)
def settle_links() -> None:
    """Suspend the links by which nothing can be had at present, and let the others go on."""
    from core.base.clock import now  # noqa: PLC0415 - see above
    from documents.services import shares  # noqa: PLC0415 - see above

    shares.settle(at=now())


@duty(name="documents_partial_uploads", queue=settings.STORAGE_QUEUE, every_s=lambda: FINISHES_EVERY_S)
def finish_uploads() -> None:
    """Make versions of what has arrived whole, and let go of uploads of which nothing comes any more."""
    from documents.services import finishing  # noqa: PLC0415 - see above

    finishing.expire()
    try:
        finishing.finish_arrived()
    finally:
        finishing.clear_all()
