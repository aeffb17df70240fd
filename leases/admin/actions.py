"""What the buttons of a lease do. Whether one is offered, and whether a click does anything, is the door's word."""

from dataclasses import dataclass
from typing import Protocol

from django.contrib.auth.models import User

from core.base.errors import Refused
from leases import services
from leases.models import Lease
from leases.states import DETECTABLE
from statemachine.errors import TransitionForbidden
from statemachine.transitions import Actor, authorise

NO_PERMISSION = "You do not have the permission to start and stop discovery. Ask an administrator."


class Service(Protocol):
    def __call__(self, *, lease_id: int, user: User, generation: int | None = None) -> Lease: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button.

    Attributes:
        name: its part of the address.
        transition: what it takes at the door.
    """

    name: str
    label: str
    transition: str
    service: Service


DISCOVER = Action(
    name="discover",
    label="Run full discovery",
    transition="start_search",
    service=services.start_full_discovery,
)
SEARCH = Action(
    name="search",
    label="Search directory",
    transition="start_search",
    service=services.start_search,
)
DETECT = Action(
    name="detect",
    label="Detect previous report",
    transition="start_detection",
    service=services.start_detection,
)
STOP = Action(
    name="stop",
    label="Stop",
    transition="cancel",
    service=services.cancel,
)
ACTIONS = {action.name: action for action in (DISCOVER, SEARCH, DETECT, STOP)}


def why_absent(action: Action, *, lease: Lease, user: User) -> str:
    """Why the person is not offered the button; empty when it is there."""
    try:
        authorise(lease, action.transition, Actor.person(user))
    except TransitionForbidden:
        return NO_PERMISSION
    except Refused:
        # Who may not press it at all should not be sent to wait for another state.
        return _wrong_state(action, lease) if user.has_perm("leases.run_discovery") else NO_PERMISSION
    return ""


def _wrong_state(action: Action, lease: Lease) -> str:
    state = lease.get_state_display()
    if action is STOP:
        return f"The lease is “{state}”: nothing is under way that could be stopped."
    if lease.is_working:
        return f"The lease is “{state}”: stop that first, or wait until it is settled."
    if lease.state in DETECTABLE or lease.runsheet_directory_id is None:
        return "No archive directory is known for this lease. Search for it first."
    return f"Not possible while the lease is “{state}”. Search for the directory first."
