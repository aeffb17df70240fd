"""What is done about storage without anybody's asking. It is loaded where it is done: every worker knows of it."""

from django.conf import settings

from statemachine.duties import ONE_START_S, duty

FORGETS_EVERY_S = 6 * 3_600


def _looks_every_s() -> float:
    from storage import schedule  # noqa: PLC0415 - see above

    return schedule.asked_every_s()


@duty(name="storage_look", queue=settings.STORAGE_QUEUE, every_s=_looks_every_s)
def look_after_roots() -> None:
    """Begin the runs that are due, and those for which something has changed."""
    from storage import schedule  # noqa: PLC0415 - see above

    schedule.look_after_all()


@duty(
    name="storage_start",
    queue=settings.STORAGE_QUEUE,
    every_s=lambda: ONE_START_S if settings.STORAGE_LOOK_AT_START else 0,
    at_start=True,
)
def look_at_start() -> None:
    """Compare all roots with their rows."""
    from storage import schedule  # noqa: PLC0415 - see above

    schedule.start_all()


@duty(
    name="storage_forget",
    queue=settings.STORAGE_QUEUE,
    every_s=lambda: FORGETS_EVERY_S if settings.STORAGE_RUNS_KEPT_DAYS else 0,
)
def forget_old_runs() -> None:
    """Delete what old runs have planned."""
    from storage import forgetting  # noqa: PLC0415 - see above

    forgetting.forget()
