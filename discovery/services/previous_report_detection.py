"""The second workflow: does a previous report lie in a lease's runsheet archive?"""

import unicodedata
from dataclasses import dataclass

from django.conf import settings

from core.patterns import compiled
from discovery.dropbox import Gateway
from discovery.errors import NotFound
from discovery.services.base_paths import confirm_not_found
from leases.cloud import CloudFile, DirectoryListing
from leases.errors import DirectoryUnknown
from leases.models import Lease
from leases.queries import storage_configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionResult:
    """What the directory held.

    Attributes:
        matching_files: names (not paths) that match the report pattern, in Dropbox's order.
        listing: what was read.
    """

    found: bool
    matching_files: tuple[str, ...]
    listing: DirectoryListing


def detect_previous_report(
    *, lease: Lease, gateway: Gateway, listing: DirectoryListing | None = None
) -> DetectionResult:
    """Look for file names that match `RUNSHEET_PREVIOUS_REPORT_PATTERN`; a folder of such a name is no report.

    Args:
        listing: what the search has just read, so that it is not read twice; None: the directory is listed, all pages.

    Raises:
        ConfigurationMissing, ConfigurationDisabled: as for a search, nothing is done for this agency.
        DirectoryUnknown: no directory is known for the lease.
        NotFound: the directory is gone.
        BasePathMissing: so is the folder that should hold it, or this account cannot see it.
        Temporary, Permanent: as the gateway says.
    """
    storage_configuration(lease.agency)
    if lease.runsheet_directory is None:
        raise DirectoryUnknown
    if listing is None:
        listing = _list(lease.runsheet_directory.path, gateway)
    names = tuple(entry.name for entry in listing.entries if _is_report(entry))
    return DetectionResult(found=bool(names), matching_files=names, listing=listing)


def _list(path: str, gateway: Gateway) -> DirectoryListing:
    try:
        return gateway.list_directory(path=path)
    except NotFound as error:
        confirm_not_found(gateway=gateway, path=path, answer=error, was_there=True)
        raise


def _is_report(entry: CloudFile) -> bool:
    # macOS uploads names in NFD; the pattern is written in NFC.
    name = unicodedata.normalize("NFC", entry.name)
    return not entry.is_directory and compiled(settings.RUNSHEET_PREVIOUS_REPORT_PATTERN)(name)
