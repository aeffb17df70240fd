"""The second workflow: does a previous report lie in a lease's runsheet archive?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from cloud.dropbox import Gateway
from cloud.errors import NotFound
from cloud.files import CloudFile, DirectoryListing
from cloud.queries import location_at
from core.base.folding import fold_case, is_same_path
from core.base.patterns import compiled_as_it_looks
from discovery.services.base_paths import confirm_not_found
from discovery.services.judging import confirm_full_sight, known_at
from discovery.services.lease_directory_search import DirectorySighting, described, place_of
from discovery.services.nearest_archives import look_around
from discovery.services.program_remains import is_remains
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
        matching_files: names (not paths) that match the report pattern, in Dropbox's order and as Dropbox shows them.
        passed_over: names that match it too, and are remains of programs.
        listing: what was read.
        origin: whom the answer came from, and of which folder it speaks.
    """

    found: bool
    matching_files: tuple[str, ...]
    listing: DirectoryListing
    origin: Origin
    passed_over: tuple[str, ...] = ()


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
    matching = [entry.name for entry in _once(seen.listing.entries) if _has_report_name(entry)]
    names = tuple(name for name in matching if not is_remains(name))
    if not names and seen.folder:
        confirm_full_sight(seen.folder, gateway=gateway, path=seen.path, evidence=seen.evidence)
    return DetectionResult(
        found=bool(names),
        matching_files=names,
        listing=seen.listing,
        origin=seen.origin,
        passed_over=tuple(name for name in matching if is_remains(name)),
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
        near = look_around(gateway=gateway, path=path, answer=error)
        raise DirectoryGone(origin=origin, evidence=error.evidence | near) from error
    evidence = gateway.evidence(path=path)
    return described(gateway, DirectorySighting(path=path, listing=listing, known=known, evidence=evidence))


def is_report_name(name: str) -> bool:
    """Whether a file of that name is a previous report; a folder of that name is none."""
    return _looks_like_report(name) and not is_remains(name)


def _looks_like_report(name: str) -> bool:
    return bool(compiled_as_it_looks(settings.RUNSHEET_PREVIOUS_REPORT_PATTERN)(name))


def _has_report_name(entry: CloudFile) -> bool:
    return not entry.is_directory and _looks_like_report(entry.name)


def _once(entries: Iterable[CloudFile]) -> Iterator[CloudFile]:
    """Each file once: what changes while a directory is listed may stand on two of its pages."""
    seen: set[str] = set()
    for entry in entries:
        names = {fold_case(entry.path), entry.file_id} - {""}
        if seen.isdisjoint(names):
            yield entry
        seen |= names
