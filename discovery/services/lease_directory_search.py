"""The first workflow: does a lease's runsheet archive exist, and which link leads to it?"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError

from cloud.dropbox import Gateway
from cloud.errors import DropboxUnavailable, LinkRefused, NotFound
from cloud.files import CloudFile, DirectoryListing, ShareLink
from cloud.models import CloudLocation
from cloud.queries import location_at
from cloud.services.locations import forget_link, record_location
from core.base.clock import now
from discovery.services.base_paths import confirm_not_found
from discovery.services.judging import (
    confirm_same_archive,
    known_at,
    may_judge,
    origin_of,
    remembered_at,
    shows_full_sight,
)
from discovery.services.nearest_archives import look_around
from discovery.services.share_links import is_trusted, link_that_leads_there
from leases.errors import UnsafePath
from leases.models import NOBODY, AgencyStorageConfig, Lease, Origin
from leases.queries import usable
from leases.validation import archive_path


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySighting:
    """What Dropbox answered, not yet recorded.

    Attributes:
        listing: None when the directory does not exist.
        folder: its description, where the listing alone does not tell enough.
        origin: whom the answer came from, and of which folder it speaks.
        known: whom it was known from before that a directory lies there; None if it was not.
        link: None when there is none, or when a good one is stored already.
        link_refusal: why Dropbox gave no link; empty if it did.
        link_checked_at: when the link was made, or the stored one was seen to lead there; None if nobody looked.
    """

    path: str
    listing: DirectoryListing | None
    folder: CloudFile | None = None
    origin: Origin = NOBODY
    known: Origin | None = None
    link: ShareLink | None = None
    link_refusal: str = ""
    link_checked_at: datetime | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


def look_for_directory(
    *, lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig | None
) -> DirectorySighting:
    """Ask Dropbox: any successful listing is found, an empty one too; only `path/not_found` is not found.

    Writes nothing. One call, a second one for a new link or to see that the stored one still leads there, a third one if
    it does not; one more where the listing alone does not tell which folder it is and whether all of it is seen, and one
    more where it is another one than was known.
    Of one that does not exist, the evidence names the nearest that do; what that costs is remembered for some minutes.

    Args:
        configuration: of the lease's agency, as it was when the run began.

    Raises:
        ConfigurationMissing, ConfigurationDisabled: there is no place to look.
        UnsafePath: the place would not lie in the folder that holds all archives.
        BasePathMissing: the folder that holds all archives is not there, so "not found" would be a false answer.
        ArchiveOutOfSight, AnotherFolder: the account cannot judge what another one has seen.
        Temporary, Permanent: as the gateway says.
    """
    path = place_of(lease, configuration)
    location = location_at(path)
    known = known_at(path, lease, location=location)
    try:
        listing = gateway.list_directory(path=path)
    except NotFound as error:
        known = known or remembered_at(path, account=gateway.account)
        origin = confirm_not_found(gateway=gateway, path=path, answer=error, known=known, lease=lease)
        near = look_around(gateway=gateway, path=path, answer=error, configuration=configuration)
        return DirectorySighting(path=path, listing=None, origin=origin, known=known, evidence=error.evidence | near)
    seen = _sighting(gateway, listing, known)
    if _needs_description(lease, gateway, seen):
        seen = described(gateway, seen)
    try:
        seen = _with_stored_link(lease, gateway, seen, location) or _with_new_link(gateway, seen)
    except NotFound as error:
        raise _changed_meanwhile(evidence=error.evidence) from error
    told = {name: getattr(seen.origin, name) for name in ("namespace", "folder_id") if getattr(seen.origin, name)}
    return replace(seen, evidence=seen.evidence | told)


def _sighting(gateway: Gateway, listing: DirectoryListing, known: Origin | None) -> DirectorySighting:
    told = {"answer": "listed", "entries": len(listing.entries), "request_ids": list(listing.request_ids)}
    return DirectorySighting(
        path=listing.path,
        listing=listing,
        origin=origin_of(gateway, path=listing.path, listing=listing),
        known=known,
        evidence=gateway.evidence(path=listing.path) | told,
    )


def place_of(lease: Lease, configuration: AgencyStorageConfig | None) -> str:
    """Where the lease's archive lies, if there is one.

    Args:
        configuration: of its agency.

    Raises:
        ConfigurationMissing, ConfigurationDisabled: there is no place to look.
        UnsafePath: the place would not lie in the folder that holds all archives.
    """
    base_path = usable(configuration, agency=lease.agency).runsheet_archive_base_path
    try:
        return archive_path(base_path=base_path, lease_number=lease.lease_number)
    except ValidationError as error:
        raise UnsafePath(f"{error.messages[0]} Then run it again.", evidence={"base_path": base_path}) from error


def record_directory(sighting: DirectorySighting) -> CloudLocation | None:
    """Write what was seen of the place; the lease itself is written by its transition.

    Returns:
        The place; None if there is no directory.
    """
    if sighting.listing is None:
        forget_link(path=sighting.path)
        return None
    return record_location(
        path=sighting.path,
        link=sighting.link,
        refusal=sighting.link_refusal,
        checked_at=sighting.link_checked_at,
    )


def described(gateway: Gateway, seen: DirectorySighting) -> DirectorySighting:
    """With the directory's own description, which tells whether it is the known one; one call, two if it is another.

    Raises:
        AnotherFolder: it is not, and the account cannot judge what another one has seen.
        DropboxUnavailable: it went away since it was listed.
        Temporary, Permanent: as the gateway says.
    """
    try:
        folder = gateway.metadata(path=seen.path)
        if seen.known is not None:
            confirm_same_archive(seen.known, gateway=gateway, path=seen.path, seen=folder, evidence=seen.evidence)
        seen = _of_what_lies_there(gateway, seen, folder_id=folder.file_id)
    except NotFound as error:
        raise _changed_meanwhile(evidence=error.evidence) from error
    assert seen.listing is not None
    origin = origin_of(gateway, path=seen.path, listing=seen.listing, folder=folder)
    # Who sees only a part of it is no witness in the place of somebody who saw more.
    return replace(seen, folder=folder, origin=seen.known if folder.is_partial and seen.known else origin)


def _of_what_lies_there(gateway: Gateway, seen: DirectorySighting, *, folder_id: str) -> DirectorySighting:
    """Listed again where another folder than the known one lies there; no call otherwise.

    A listing does not name its folder, so it may be of the known one, which was replaced after it was listed.

    Raises:
        NotFound: nothing lies there any more.
        Temporary, Permanent: as the gateway says.
    """
    if seen.known is None or seen.known.folder_id in {"", folder_id}:
        return seen
    again = _sighting(gateway, gateway.list_directory(path=seen.path), seen.known)
    return replace(again, evidence=seen.evidence | again.evidence)


def _changed_meanwhile(*, evidence: dict[str, Any]) -> DropboxUnavailable:
    """It was listed a moment ago; the next try's listing decides, not this answer."""
    return DropboxUnavailable("The directory changed while it was being looked at.", evidence=evidence)


def _needs_description(lease: Lease, gateway: Gateway, seen: DirectorySighting) -> bool:
    """Whether the listing does not tell which folder it is, where that matters, or whether all of it is seen."""
    assert seen.listing is not None
    if not shows_full_sight(seen.listing):
        return True
    if seen.known is None:
        return False
    keeps_report = not lease.follow_through
    return keeps_report or not may_judge(seen.known, account=gateway.account, namespace=seen.origin.namespace)


def _with_stored_link(
    lease: Lease, gateway: Gateway, seen: DirectorySighting, stored: CloudLocation | None
) -> DirectorySighting | None:
    """What somebody starts by hand looks at the link; one of many believes that of the last day, if it is of this space."""
    if stored is None or not stored.has_link:  # type: ignore[attr-defined]  # annotated by `location_at`
        return None
    is_of_this_space = seen.known is not None and seen.known.path_root == seen.origin.path_root
    if lease.background and is_of_this_space and is_trusted(stored, at=now()):
        # Which folder was listed nobody has seen then: another one may lie there than the link has led to.
        return replace(seen, evidence=seen.evidence | {"link": "stored"})
    if not is_of_this_space and seen.folder is None:
        seen = described(gateway, seen)
    link = link_that_leads_there(url=stored.share_url, path=seen.path, gateway=gateway)
    if link is None or (seen.folder and link.file_id != seen.folder.file_id):
        return None
    seen = _led_to(gateway, seen, link)
    return replace(seen, link_checked_at=now(), evidence=seen.evidence | {"link": "stored and checked"})


def _with_new_link(gateway: Gateway, seen: DirectorySighting) -> DirectorySighting:
    try:
        link = gateway.create_share_link(path=seen.path)
    except LinkRefused as error:
        evidence = seen.evidence | {"link": "refused", "link_answer": error.evidence}
        # No link names the folder, so its description has to.
        named = seen if seen.folder else described(gateway, seen)
        return replace(named, link_refusal=str(error), evidence=evidence)
    seen = _led_to(gateway, seen, link)
    return replace(seen, link=link, link_checked_at=now(), evidence=seen.evidence | {"link": "created"})


def _led_to(gateway: Gateway, seen: DirectorySighting, link: ShareLink) -> DirectorySighting:
    """What was seen, if it is what the link leads to; listed again where only that tells that the known one was replaced.

    Raises:
        DropboxUnavailable: the link leads to another folder than was described.
        NotFound: nothing lies there any more.
        Temporary, Permanent: as the gateway says.
    """
    if seen.folder is None:
        return _of_folder(link.file_id, _of_what_lies_there(gateway, seen, folder_id=link.file_id))
    described_as = seen.folder.file_id
    if link.file_id not in {"", described_as}:
        raise _changed_meanwhile(evidence=seen.evidence | {"folder_id": described_as, "link_leads_to": link.file_id})
    return _of_folder(link.file_id, seen)


def _of_folder(folder_id: str, seen: DirectorySighting) -> DirectorySighting:
    """The link names the folder that it leads to, where nothing better does."""
    return seen if seen.origin.folder_id else replace(seen, origin=replace(seen.origin, folder_id=folder_id))
