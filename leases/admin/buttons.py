"""The buttons of a lease."""

from console.machine.buttons import Button
from leases import runs
from leases.models import Lease
from leases.states import DETECTABLE, State


def _no_directory(lease: Lease) -> str:
    if lease.state in DETECTABLE or lease.runsheet_directory_id is None:
        return "No archive directory is known for this lease. Search for it first."
    return f"Not possible while the lease is “{lease.state_label}”. Search for the directory first."


BUTTONS = (
    Button(name="discover", label="Run full discovery", step=runs.FULL_DISCOVERY, key="r"),
    Button(name="search", label="Search directory", step=runs.SEARCH),
    Button(
        name="detect",
        label="Detect previous report",
        step=runs.DETECTION,
        first_in={State.FOUND},
        missing=_no_directory,
    ),
    Button(
        name="stop",
        label="Stop",
        step=runs.STOP,
        ends=True,
        asks="What has been found so far stays. Nothing more is done until somebody starts it again.",
    ),
)
