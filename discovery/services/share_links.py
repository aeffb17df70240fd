"""Does a stored share link still lead to the archive?"""

from datetime import datetime, timedelta

from cloud.dropbox import Gateway
from cloud.errors import LinkDead
from cloud.files import ShareLink
from cloud.models import CloudLocation

# Dropbox is asked about one link no more often than this, unless somebody runs the lease again by hand.
TRUSTED_FOR = timedelta(days=1)


def is_trusted(location: CloudLocation, *, at: datetime) -> bool:
    """Whether the link was seen to lead there not long ago."""
    checked_at = location.share_checked_at
    return checked_at is not None and checked_at > at - TRUSTED_FOR


def link_that_leads_there(*, url: str, path: str, gateway: Gateway) -> ShareLink | None:
    """What a stored link leads to, if that lies at the path; one call, a second one unless the link's own path says so.

    A link follows its folder, so after a move it leads somewhere else and is not dead.

    Raises:
        NotFound: nothing lies at the path any more.
        Temporary, Permanent: as the gateway says.
    """
    try:
        link = gateway.share_link(url=url, path=path)
    except LinkDead:
        return None
    return link if gateway.leads_to(link=link, path=path) else None
