"""What is done about the watched archives without anybody's asking. It is loaded where it is done: every worker knows of it."""

from django.conf import settings

from discovery.dependants import ARCHIVE_WATCH
from statemachine.duties import duty


@duty(name=ARCHIVE_WATCH, queue=settings.DISCOVERY_QUEUE, every_s=lambda: settings.ARCHIVE_WATCH_EVERY_S)
def look_after_archives() -> None:
    """Ask Dropbox about what is due, begin runs of the index, and owe leases a run about whose archive something is new."""
    from discovery.services import archive_looks  # noqa: PLC0415 - see above

    archive_looks.look_after_all()
