"""Of many leases whose archives are missing: why they were not made, and what is known before anybody tries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet, Subquery

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is known of many leases without an archive, from what each was last told.

    Attributes:
        near: of how many an archive of a near name lies beside, so that none is made.
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
    is_near = Exists(told.exclude(evidence__nearest=[]))
    return Beside(near=leases.filter(is_near).count(), unseen=leases.exclude(Exists(told)).count())


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
