"""What is done about leases and their archives without anybody's asking. It is loaded where it is done: every worker knows of it."""

from django.conf import settings

from statemachine.duties import duty


def _links_every_s() -> float:
    from discovery.services import link_trickle  # noqa: PLC0415 - see above

    return link_trickle.every_s()


@duty(name="archive_links", queue=settings.DISCOVERY_QUEUE, every_s=_links_every_s)
def make_links() -> None:
    """Make share links to archives that were found without one, while nothing else is to be done."""
    from discovery.services import link_trickle  # noqa: PLC0415 - see above

    link_trickle.make_some()
