"""What the operator should do about a lease, in a few words; what to do about a failure stands on its class."""

from collections.abc import Mapping

from core.base.errors import failure_of
from leases.models import Lease
from leases.states import State

WAIT = "Wait; it goes on by itself"
LINK_REFUSED = "Open the directory in Dropbox; ask the Dropbox team's administrator to allow share links"
BY_STATE: Mapping[str, str] = {
    State.PENDING: "Nothing runs; start it when you want it searched",
    State.SEARCHING: WAIT,
    State.DETECTING: WAIT,
    State.FOUND: "Detect a previous report, if you want to know",
    State.NOT_FOUND: "Check the lease number; if it is right, there is no archive yet",
}


def advice_for(lease: Lease) -> str:
    """What to do next about the lease as it is."""
    if lease.state == State.FAILED:
        return failure_of(lease.failure_code).advice
    # Refused for a directory that is known: the link is the only thing missing.
    if lease.runsheet_directory and lease.runsheet_directory.share_refusal:
        return LINK_REFUSED
    if lease.state == State.DONE:
        return "Use the report that exists" if lease.runsheet_report_found else "No report yet; make one"
    return BY_STATE[lease.state]
