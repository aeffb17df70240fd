"""Starting a lease, and stopping it, as those do for whom a test has no page, no command and no reconciler."""

from django.contrib.auth.models import User

from leases.models import Lease
from leases.services import CREATED
from statemachine.transitions import RECONCILER, Actor, Step, take


def start_by_itself(lease: Lease, *, background: bool = False) -> Lease:
    step = Step(transition=Lease.start_transition, reason=CREATED, background=background)
    return take(model=Lease, pk=lease.pk, step=step, actor=RECONCILER)


def person_takes(step: Step, *, lease_id: int, user: User, generation: int | None = None) -> Lease:
    """What a button does: one of `leases.runs`, in somebody's name."""
    return take(model=Lease, pk=lease_id, step=step, actor=Actor.person(user), generation=generation)
