"""What a lease comes to when Dropbox answers oddly: a search and a detection as their reactions do them, without a queue."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache

from core.errors import RunsheetError
from discovery.dropbox import gateway_for
from discovery.services.lease_directory_search import look_for_directory, record_directory
from discovery.services.previous_report_detection import detect_previous_report
from leases.models import CloudLocation, Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Come:
    """What it came to.

    Attributes:
        code: the failure's code; "found" or "not_found".
        sentence: what the operator reads.
        report: whether a previous report was seen; None if nobody looked.
    """

    code: str
    sentence: str = ""
    report: bool | None = None
    url: str = ""
    refusal: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


def run(lease: Lease, user: User) -> Come:
    """Search and detect; what is no `RunsheetError` is a bug and passes through."""
    cache.clear()
    try:
        gateway = gateway_for(user)
        sighting = look_for_directory(lease=lease, gateway=gateway)
        result = record_directory(sighting)
        if not result.found:
            return Come(code="not_found", evidence=_storable(sighting.evidence))
        lease.runsheet_directory = CloudLocation.objects.get(path=result.path)
        detection = detect_previous_report(lease=lease, gateway=gateway, sighting=sighting)
    except RunsheetError as error:
        return Come(code=error.code, sentence=str(error), evidence=_storable(error.evidence))
    location = lease.runsheet_directory
    return Come(
        code="found",
        report=detection.found,
        url=location.share_url,
        refusal=location.share_refusal,
        evidence=_storable(sighting.evidence),
    )


def _storable(evidence: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(evidence)
    assert "\\u0000" not in text
    assert "\\ud8" not in text.lower()
    assert len(text) < 20_000
    return evidence
