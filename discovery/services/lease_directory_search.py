"""The first workflow: does a lease's runsheet archive exist, and which link leads to it?"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError

from core.clock import now
from discovery.dropbox import Gateway
from discovery.errors import DropboxUnavailable, LinkRefused, NotFound
from discovery.services.base_paths import confirm_not_found
from discovery.services.share_links import is_trusted, leads_there
from leases.cloud import DirectoryListing, ShareLink
from leases.errors import UnsafePath
from leases.models import Lease
from leases.queries import linked_location, storage_configuration
from leases.services import forget_link, record_location
from leases.validation import archive_path


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySearchResult:
    """What is known after a search.

    Attributes:
        path: where it was looked for.
        share_url: empty when the directory was not found or Dropbox refused a link.
        location_id: of the CloudLocation; None when the directory was not found.
    """

    found: bool
    path: str
    share_url: str = ""
    location_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySighting:
    """What Dropbox answered, not yet recorded.

    Attributes:
        listing: None when the directory does not exist.
        link: None when there is none, or when a good one is stored already.
        link_refusal: why Dropbox gave no link; empty if it did.
        link_checked_at: when the link was made, or the stored one was seen to lead there; None if nobody looked.
    """

    path: str
    listing: DirectoryListing | None
    link: ShareLink | None = None
    link_refusal: str = ""
    link_checked_at: datetime | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


def search_directory(*, lease: Lease, gateway: Gateway) -> DirectorySearchResult:
    """Look for the directory and record the place in the cloud.

    Raises:
        What `look_for_directory` raises.
    """
    return record_directory(look_for_directory(lease=lease, gateway=gateway))


def look_for_directory(*, lease: Lease, gateway: Gateway) -> DirectorySighting:
    """Ask Dropbox: any successful listing is found, an empty one too; only `path/not_found` is not found.

    Writes nothing. One call, a second one for a new link or to see that the stored one still leads there, a third one if
    it does not.

    Raises:
        ConfigurationMissing, ConfigurationDisabled: there is no place to look.
        UnsafePath: the place would not lie in the folder that holds all archives.
        BasePathMissing: the folder that holds all archives is not there, so "not found" would be a false answer.
        Temporary, Permanent: as the gateway says.
    """
    path = _place_of(lease)
    try:
        listing = gateway.list_directory(path=path)
    except NotFound as error:
        confirm_not_found(gateway=gateway, path=path, answer=error, was_there=lease.runsheet_directory is not None)
        return DirectorySighting(path=path, listing=None, evidence=error.evidence)
    evidence = {
        **gateway.evidence(path=path),
        "answer": "listed",
        "entries": len(listing.entries),
        "request_ids": list(listing.request_ids),
    }
    try:
        return _with_stored_link(lease, path, listing, gateway, evidence) or _with_new_link(
            path, listing, gateway, evidence
        )
    except NotFound as error:
        # It was listed a moment ago; the next try's listing decides, not this answer.
        raise DropboxUnavailable(
            "The directory changed while it was being looked at.", evidence=error.evidence
        ) from error


def record_directory(sighting: DirectorySighting) -> DirectorySearchResult:
    """Write what was seen of the place; the lease itself is written by its transition."""
    if sighting.listing is None:
        forget_link(path=sighting.path)
        return DirectorySearchResult(found=False, path=sighting.path)
    location = record_location(
        path=sighting.path,
        link=sighting.link,
        refusal=sighting.link_refusal,
        checked_at=sighting.link_checked_at,
    )
    return DirectorySearchResult(found=True, path=sighting.path, share_url=location.share_url, location_id=location.pk)


def _place_of(lease: Lease) -> str:
    base_path = storage_configuration(lease.agency).runsheet_archive_base_path
    try:
        return archive_path(base_path=base_path, lease_number=lease.lease_number)
    except ValidationError as error:
        raise UnsafePath(f"{error.messages[0]} Then run it again.", evidence={"base_path": base_path}) from error


def _with_stored_link(
    lease: Lease, path: str, listing: DirectoryListing, gateway: Gateway, evidence: dict[str, Any]
) -> DirectorySighting | None:
    """What somebody starts by hand looks at the link; one of many believes that of the last day."""
    stored = linked_location(path)
    if stored is None:
        return None
    if lease.background and is_trusted(stored, at=now()):
        return DirectorySighting(path=path, listing=listing, evidence=evidence | {"link": "stored"})
    if not leads_there(url=stored.share_url, path=path, gateway=gateway):
        return None
    return DirectorySighting(
        path=path, listing=listing, link_checked_at=now(), evidence=evidence | {"link": "stored and checked"}
    )


def _with_new_link(
    path: str, listing: DirectoryListing, gateway: Gateway, evidence: dict[str, Any]
) -> DirectorySighting:
    try:
        link = gateway.create_share_link(path=path)
    except LinkRefused as error:
        evidence |= {"link": "refused", "link_answer": error.evidence}
        return DirectorySighting(path=path, listing=listing, link_refusal=str(error), evidence=evidence)
    return DirectorySighting(
        path=path, listing=listing, link=link, link_checked_at=now(), evidence=evidence | {"link": "created"}
    )
