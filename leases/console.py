"""What the console shows of leases: read like a table, and said once the apps are there."""

from django.contrib import admin

from console.machine import badges
from console.machine.badges import CLOCK, CROSSED, TICK, WARNING, Appearance
from console.records import sent
from console.shell import navigation, people
from console.shell.navigation import Frame, Key, Place
from leases.admin.batches import LeaseBatchAdmin
from leases.admin.leases import LeaseAdmin
from leases.admin.sent import TELLINGS
from leases.models import Batch, Lease
from leases.states import State
from statemachine.models import STOPPED, STOPPED_LABEL

# The agencies' list is finished, and so declared, by the app that can look whether a folder is there.
LISTS = {
    Lease: LeaseAdmin,
    Batch: LeaseBatchAdmin,
}

APPEARANCES = (
    Appearance(
        machine=Lease,
        name="lease",
        signs={
            State.PENDING: CLOCK,
            STOPPED: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6 6h4v4H6z",
            State.SEARCHING: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9M10.5 10.5L14 14",
            State.FOUND: "M2 4h4l2 2h6v7H2z",
            State.NOT_FOUND: CROSSED,
            State.DETECTING: "M4 2h5l3 3v9H4zM6 8h4M6 11h4",
            State.DONE: TICK,
            State.FAILED: WARNING,
        },
        labels={STOPPED: STOPPED_LABEL},
    ),
)

FRAME = Frame(
    places=(
        Place(
            order=10,
            label="Leases",
            address="admin:leases_lease_changelist",
            right="leases.view_lease",
            key="l",
            is_search=True,
        ),
        Place(order=20, label="Imports and runs", address="admin:leases_batch_changelist", right="leases.view_lease"),
        Place(
            order=30,
            label="Agencies",
            address="admin:leases_agencystorageconfig_changelist",
            right="leases.view_agencystorageconfig",
        ),
    ),
    keys=(
        Key(order=0, presses=("/",), words="Search leases"),
        Key(order=20, presses=("l",), words="All leases"),
        Key(order=30, presses=("n",), words="New lease", address="admin:leases_lease_add", right="leases.add_lease"),
        Key(order=40, presses=("r",), words="On a lease: run full discovery"),
    ),
)


def declare() -> None:
    """Put it in the console."""
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    badges.show(*APPEARANCES)
    navigation.put("leases", FRAME)
    people.explain(email="Where the person is told of failed leases.")
    sent.tell(TELLINGS)
