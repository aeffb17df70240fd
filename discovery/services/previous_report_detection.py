"""The second workflow: does a previous report lie in a lease's runsheet archive?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cloud.dropbox import Gateway
from cloud.errors import NotFound
from cloud.files import CloudFile, DirectoryListing
from cloud.queries import location_at
from core.base.folding import fold_case, is_same_path
from discovery.services.base_paths import confirm_not_found
from discovery.services.judging import confirm_full_sight, known_at
from discovery.services.lease_directory_search import DirectorySighting, described, place_of
from discovery.services.nearest_archives import look_around
from discovery.services.report_names import Reports, reports_among
from leases.errors import DirectoryElsewhere, DirectoryUnknown
from leases.models import AgencyStorageConfig, Lease, Origin


class DirectoryGone(NotFound):
    """Dropbox has nothing at the known directory's path any more.

    Attributes:
        origin: whom that answer comes from.
    """

    def __init__(self, *, origin: Origin, evidence: dict[str, Any]) -> None:
        super().__init__(evidence=evidence)
        self.origin = origin


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionResult:
    """What the directory held.

    Attributes:
        reports: names (not paths) that match the report pattern, in Dropbox's order and as Dropbox shows them.
        listing: what was read.
        origin: whom the answer came from, and of which folder it speaks.
    """

    reports: Reports
    listing: DirectoryListing
    origin: Origin

    @property
    def found(self) -> bool:
        return bool(self.matching_files)

    @property
    def matching_files(self) -> tuple[str, ...]:
        return self.reports.names

    @property
    def passed_over(self) -> tuple[str, ...]:
        return self.reports.passed_over


def detect_previous_report(
    *,
    lease: Lease,
    gateway: Gateway,
    configuration: AgencyStorageConfig | None,
    sighting: DirectorySighting | None = None,
) -> DetectionResult:
    """Look for file names that match `RUNSHEET_PREVIOUS_REPORT_PATTERN`; a folder of such a name is no report, nor is what
    a program has left behind (`RUNSHEET_PROGRAM_REMAINS`).

    Args:
        configuration: of the lease's agency, as it was when the run began.
        sighting: what the search has just read, so that it is not read twice; None: the directory is listed, all pages,
            and described, which is one more call.

    Raises:
        DirectoryUnknown: no directory is known for the lease.
        DirectoryElsewhere: the known one does not lie where the agency's archives lie now.
        ConfigurationMissing, ConfigurationDisabled, UnsafePath: there is no place where archives lie.
        DirectoryGone: Dropbox has nothing there any more, and this account may say so.
        BasePathMissing: so is the folder that should hold it, or this account cannot see it.
        ArchiveOutOfSight, AnotherFolder: the account cannot judge what another one has seen, or sees only a part.
        Temporary, Permanent: as the gateway says.
    """
    seen = sighting or _look(lease, gateway, configuration)
    assert seen.listing is not None
    reports = reports_among(entry.name for entry in _once(seen.listing.entries) if not entry.is_directory)
    if not reports.names and seen.folder:
        confirm_full_sight(seen.folder, gateway=gateway, path=seen.path, evidence=seen.evidence)
    return DetectionResult(
        reports=reports,
        listing=seen.listing,
        origin=seen.origin,
    )


def _look(lease: Lease, gateway: Gateway, configuration: AgencyStorageConfig | None) -> DirectorySighting:
    if lease.runsheet_directory is None:
        raise DirectoryUnknown
    path = place_of(lease, configuration)
    if not is_same_path(lease.runsheet_directory.path, path):
        raise DirectoryElsewhere(
            f"The known directory is “{lease.runsheet_directory.path}”, but archives of {lease.agency} lie elsewhere now. "
            "It is looked for there by itself.",
            evidence={"path": lease.runsheet_directory.path},
        )
    known = known_at(path, lease, location=location_at(path))
    try:
        listing = gateway.list_directory(path=path)
    except NotFound as error:
        origin = confirm_not_found(gateway=gateway, path=path, answer=error, known=known, lease=lease)
        near = look_around(gateway=gateway, path=path, answer=error, configuration=configuration)
        raise DirectoryGone(origin=origin, evidence=error.evidence | near) from error
    evidence = gateway.evidence(path=path)
    return described(gateway, DirectorySighting(path=path, listing=listing, known=known, evidence=evidence))


def _once(entries: Iterable[CloudFile]) -> Iterator[CloudFile]:
    """Each file once: what changes while a directory is listed may stand on two of its pages."""
    seen: set[str] = set()
    for entry in entries:
        names = {fold_case(entry.path), entry.file_id} - {""}
        if seen.isdisjoint(names):
            yield entry
        seen |= names
