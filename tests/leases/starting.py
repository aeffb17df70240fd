"""Starting a lease as the reconciler does, without one."""

from leases.models import Lease
from leases.services import CREATED
from statemachine.transitions import RECONCILER, Step, take


def start_by_itself(lease: Lease, *, background: bool = False) -> Lease:
    step = Step(transition=Lease.start_transition, reason=CREATED, background=background)
    return take(model=Lease, pk=lease.pk, step=step, actor=RECONCILER)
