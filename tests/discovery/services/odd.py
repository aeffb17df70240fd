"""What a lease comes to when Dropbox answers oddly: a search and a detection as their reactions do them, without a queue."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.cache import cache

from cloud.dropbox import gateway_for
from cloud.models import CloudLocation
from core.base.errors import RunsheetError
from discovery.services.lease_directory_search import record_directory
from leases.models import Lease
from tests.discovery.services.asking import detect_previous_report, look_for_directory
from tests.factories import ARCHIVE

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

MISSING = "(missing)"
UNAVAILABLE = "dropbox_unavailable"
REPORT = f"{ARCHIVE}/Master Documents.pdf"


def file(**changed: Any) -> dict[str, Any]:
    """A report as a listing tells of it; `MISSING` leaves a field out."""
    entry = {
        ".tag": "file",
        "name": "Master Documents.pdf",
        "path_lower": REPORT.lower(),
        "path_display": REPORT,
        "id": "id:abc",
        "rev": "0123456789",
        "size": 1,
        "client_modified": "2020-01-01T00:00:00Z",
        "server_modified": "2020-01-01T00:00:00Z",
    }
    return {name: value for name, value in (entry | changed).items() if value != MISSING}


def listing(*entries: dict[str, Any], **changed: Any) -> dict[str, Any]:
    body = {"entries": list(entries), "cursor": "c1", "has_more": False} | changed
    return {name: value for name, value in body.items() if value != MISSING}


def link(url: Any = "https://www.dropbox.com/scl/fo/x?rlkey=y", **changed: Any) -> dict[str, Any]:
    permissions: dict[str, Any] = dict.fromkeys(
        [
            "can_revoke",
            "can_set_expiry",
            "can_remove_expiry",
            "allow_download",
            "can_allow_download",
            "can_disallow_download",
            "allow_comments",
            "team_restricts_comments",
        ],
        True,
    )
    permissions |= {"visibility_policies": [], "effective_audience": {".tag": "public"}}
    body = {
        ".tag": "folder",
        "url": url,
        "id": "id:x",
        "name": "NMNM 0501759",
        "path_lower": ARCHIVE.lower(),
        "link_permissions": permissions,
    }
    return {name: value for name, value in (body | changed).items() if value != MISSING}


def permissions(**changed: Any) -> dict[str, Any]:
    given: dict[str, Any] = link()["link_permissions"]
    return {name: value for name, value in (given | changed).items() if value != MISSING}


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
        location = record_directory(sighting)
        if location is None:
            return Come(code="not_found", evidence=_storable(sighting.evidence))
        lease.runsheet_directory = CloudLocation.objects.get(pk=location.pk)
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


def come_of(dropbox: "Standin", lease: Lease, route: str, **fault: Any) -> Come:
    """What it comes to when the next answer of the route is that."""
    dropbox.fault(route, **({"status": 200} | fault))
    assert lease.created_by is not None
    return run(lease, lease.created_by)
