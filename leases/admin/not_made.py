"""Of many leases whose archives are missing: why they were not made, and what is known before anybody tries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from console.batches.page import Told
from console.records.links import record_url
from leases.models import Lease
from leases.states import State
from statemachine.batches import standing_at
from statemachine.models import Batch, TransitionLog

# A page names so many, and looks through so many of the batch for them.
SHOWN = 20
LOOKED_THROUGH = 1_000
RECORD_TYPE = Lease._meta.label_lower
# Those that were told of a near name that is not the archive of another lease; the same number written otherwise may be meant.
NEAR = """
SELECT lease.id FROM leases_lease lease JOIN statemachine_transitionlog answer
    ON answer.record_type = %s AND answer.record_id = lease.id AND answer.generation = lease.generation
CROSS JOIN LATERAL jsonb_array_elements_text(answer.evidence -> 'nearest') AS near(name)
WHERE lease.state = %s AND NOT EXISTS (
    SELECT 1 FROM leases_lease other
    WHERE other.agency = lease.agency AND dropbox_fold(other.lease_number) = dropbox_fold(near.name)
        AND other.runsheet_directory_id IS NOT NULL AND short_number(near.name) <> short_number(lease.lease_number)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is known of many leases without an archive, from what each was last told.

    Attributes:
        near: of how many an archive of a near name that is no other lease's lies beside, so that none is made.
        unseen: of how many nobody could see that.
    """

    near: int
    unseen: int


def _answers() -> QuerySet[TransitionLog]:
    """The one that a lease stands on."""
    return TransitionLog.objects.filter(
        record_type=RECORD_TYPE, record_id=OuterRef("pk"), generation=OuterRef("generation")
    )


def beside(leases: QuerySet[Any]) -> Beside:
    """Of leases whose archives were not found; two statements."""
    told = _answers().filter(evidence__has_key="nearest")
    near = leases.filter(pk__in=RawSQL(NEAR, [RECORD_TYPE, State.NOT_FOUND]))  # noqa: S611 - what is asked is constant
    return Beside(near=near.count(), unseen=leases.exclude(Exists(told)).count())


def not_made(batch: Batch, user: User) -> Iterator[Told]:
    """Why archives of a batch's leases were not made, with the leases' pages; nothing where nobody wanted any."""
    members = standing_at(batch, State.NOT_FOUND).order_by("record").values("record")[:LOOKED_THROUGH]
    why = Subquery(_answers().values("evidence__not_made")[:1])
    found = Lease.objects.filter(pk__in=members).annotate(not_made=why).filter(not_made__isnull=False).order_by("pk")
    leases = list(found[: SHOWN + 1])
    for lease in leases[:SHOWN]:
        yield Told(label=str(lease), url=record_url(lease, user), words=str(lease.not_made))
    if leases[SHOWN:]:
        yield Told(label="There are more", url="", words="The page of each lease says why.")
