"""The two workflows, for a run that begins just now."""

from cloud.dropbox import Gateway
from discovery.services import lease_directory_search, previous_report_detection
from discovery.services.lease_directory_search import DirectorySighting
from discovery.services.previous_report_detection import DetectionResult
from leases.models import Lease
from leases.queries import configuration_of


def look_for_directory(*, lease: Lease, gateway: Gateway) -> DirectorySighting:
    configuration = configuration_of(lease.agency)
    return lease_directory_search.look_for_directory(lease=lease, gateway=gateway, configuration=configuration)


def detect_previous_report(
    *, lease: Lease, gateway: Gateway, sighting: DirectorySighting | None = None
) -> DetectionResult:
    configuration = configuration_of(lease.agency)
    return previous_report_detection.detect_previous_report(
        lease=lease, gateway=gateway, configuration=configuration, sighting=sighting
    )
