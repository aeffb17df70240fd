"""Many leases are deleted: first which they are, and then, once that is confirmed, all of them."""

from dataclasses import dataclass
from functools import partial

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from console.records.deleting import delete_marked, mark_of
from leases.models import Lease
from statemachine.queries import were_started_since
from statemachine.rights import require

# The columns that tell which lease one is, and whose it is.
IDENTITY = ("agency", "lease_number")
WHOSE = ("initiated_by", "owed_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What deleting the chosen leases would come to.

    Attributes:
        owed: of how many a run is under way or waits.
        which: what is brought back with the confirmation: it is for these leases only, as they are now.
    """

    chosen: int
    owed: int
    which: str


def plan_of(leases: QuerySet[Lease], *, user: User) -> Plan:
    """What it would come to if the person deleted these leases now; three statements.

    Raises:
        TransitionForbidden: the person may not.
    """
    require(user, "leases.delete_lease")
    # Before it is looked at: what changes meanwhile is asked about again.
    which = mark_of(leases, told_by=(*IDENTITY, *WHOSE))
    counted = leases.order_by().aggregate(chosen=Count("pk"), owed=Count("pk", filter=Q(due_at__isnull=False)))
    return Plan(**counted, which=which)


def delete_leases(*, leases: QuerySet[Lease], which: str, deleted_by: User) -> int:
    """Delete leases, if they are still those that the person was asked about; how many. What lies in Dropbox stays.

    Args:
        which: as `plan_of` has told it.

    Raises:
        TransitionForbidden, ChoiceChanged, StillNeeded, DatabaseTooBusy: nothing was deleted.
    """
    require(deleted_by, "leases.delete_lease")
    return delete_marked(
        Lease.objects.filter(pk__in=list(leases.values_list("pk", flat=True))),
        mark=which,
        told_by=(*IDENTITY, *WHOSE),
        have_moved_on=partial(were_started_since, Lease),
        note=lambda chosen: LogEntry.objects.log_actions(deleted_by.pk, chosen, DELETION),
        delete=lambda chosen: chosen.delete(),
    )
