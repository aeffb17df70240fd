"""What is done about leases and their archives without anybody's asking. It is loaded where it is done: every worker knows of it."""

from django.conf import settings

from discovery.services.archive_watches import ARCHIVE_WATCH
from statemachine.duties import duty


def _links_every_s() -> float:
    from discovery.services import link_trickle  # noqa: PLC0415 - see above

    return link_trickle.every_s()


@duty(name="archive_links", queue=settings.DISCOVERY_QUEUE, every_s=_links_every_s)
def make_links() -> None:
    """Make share links to archives that were found without one, while nothing else is to be done."""
    from discovery.services import link_trickle  # noqa: PLC0415 - see above

    link_trickle.make_some()


@duty(name=ARCHIVE_WATCH, queue=settings.DISCOVERY_QUEUE, every_s=lambda: settings.ARCHIVE_WATCH_EVERY_S)
def look_after_archives() -> None:
    """Ask Dropbox about what is due, begin runs of the index, and owe leases a run about whose archive something is new."""
    from discovery.services import archive_looks  # noqa: PLC0415 - see above

    archive_looks.look_after_all()
