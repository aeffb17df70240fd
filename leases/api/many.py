"""Many leases at once, for programs: made with what became of each, or run together."""

from http import HTTPStatus
from typing import Annotated, Literal

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Body, Router, Status
from pydantic import BaseModel, Field

from api.shapes import Said, Text
from core.base.folding import printable
from leases import many
from leases.api.asking import SEE, asking, here
from leases.api.batches import BatchAnswer, batch_there
from leases.api.filters import Chosen
from leases.making import ABSENT, make_archives
from leases.models import Batch, Lease
from statemachine import batches
from statemachine.batches import Plan, plan_of

router = Router()

TITLE_AT_MOST = 200


class OneOfMany(Said):
    """One lease as a file would hold it.

    Attributes:
        agency: in whatever words an import knows.
    """

    agency: Annotated[str, Field(max_length=500)]
    number: Annotated[str, Field(max_length=500)]


class ManyLeases(Said):
    """Leases to be made.

    Attributes:
        only_sure: leave out those that may not be what is meant.
        title: what the history calls it.
    """

    items: Annotated[list[OneOfMany], Field(min_length=1, max_length=many.AT_MOST)]
    only_sure: bool = False
    title: Annotated[Text, Field(max_length=TITLE_AT_MOST)] = ""


class ItemAnswer(BaseModel):
    """What became of one of them.

    Attributes:
        row: its place among what was sent, from 1.
        number: as it is kept.
        lease_id: of the lease that was made.
        existing_id: of the lease that there was already.
        code: with which it alone would have been refused; empty: it was not.
        problems: why it was refused, a sentence each.
        doubts: why it may not be what is meant, a sentence each.
    """

    row: int
    agency: str
    number: str
    became: many.Became
    lease_id: int | None
    existing_id: int | None
    code: str
    problems: list[str]
    doubts: list[str]

    @classmethod
    def of(cls, item: many.Item) -> "ItemAnswer":
        return cls(
            row=item.row,
            agency=item.agency,
            number=item.number,
            became=item.became,
            lease_id=item.lease_id,
            existing_id=item.existing_id,
            code=item.code,
            problems=list(item.problems),
            doubts=list(item.doubts),
        )


class MadeMany(BaseModel):
    """What became of all of them, in their order.

    Attributes:
        batch_id: of the batch that those are that were made; null: none was.
    """

    batch_id: int | None
    made: int
    left_out: int
    items: list[ItemAnswer]


class ManyRuns(Chosen):
    """Which leases are run.

    Attributes:
        what: “full” discovery, or that the missing “archive” of each is made.
        dry_run: start nothing, and say what it would come to.
        which: what a dry run has told: these leases only, as they were then.
    """

    what: Literal["full", "archive"] = "full"
    dry_run: bool = False
    which: str = ""


class PlanAnswer(BaseModel):
    """What running them would come to.

    Attributes:
        chosen: how many there are.
        starting: how many of them would be started.
        left_alone: how many would not: they are under way, or nothing is missing.
        ahead: how many runs are owed to the same person already.
        which: what is sent with the run, so that it is of these leases only, as they are now.
    """

    chosen: int
    starting: int
    left_alone: int
    ahead: int
    which: str

    @classmethod
    def of(cls, plan: Plan) -> "PlanAnswer":
        return cls(
            chosen=plan.chosen,
            starting=plan.starting,
            left_alone=plan.left_alone,
            ahead=plan.ahead,
            which=plan.which,
        )


@router.post("/bulk/", response={HTTPStatus.OK: MadeMany, HTTPStatus.ACCEPTED: MadeMany}, url_name="add_many_leases")
def add_many(request: HttpRequest, response: HttpResponse, wish: Annotated[ManyLeases, Body()]) -> Status[MadeMany]:
    """Make leases as one batch, by the rules of an import: what is wrong is left out, and the others are made.

    Raises:
        TransitionForbidden, Overtaken, DatabaseTooBusy: nothing was saved.
    """
    user = asking(request, SEE)
    became = many.create_many(
        leases=[(each.agency, each.number) for each in wish.items],
        created_by=user,
        title=printable(wish.title).strip() or f"{len(wish.items):,} leases of a program",
        with_doubtful=not wish.only_sure,
    )
    made = sum(each.lease_id is not None for each in became.items)
    told = MadeMany(
        batch_id=became.batch.pk if became.batch else None,
        made=made,
        left_out=len(became.items) - made,
        items=list(map(ItemAnswer.of, became.items)),
    )
    if became.batch is None:
        return Status(HTTPStatus.OK, told)
    response["Location"] = here(request, "batch", became.batch.pk)
    return Status(HTTPStatus.ACCEPTED, told)


@router.post(
    "/run/", response={HTTPStatus.OK: PlanAnswer, HTTPStatus.ACCEPTED: BatchAnswer}, url_name="run_many_leases"
)
def run_many(
    request: HttpRequest, response: HttpResponse, wish: Annotated[ManyRuns, Body()]
) -> Status[PlanAnswer] | Status[BatchAnswer]:
    """Run many leases as one batch, or make their missing archives; those that are under way are left alone.

    Raises:
        TransitionForbidden, ArchivesAreNotMade, OnlyReads, ChoiceUnclear, ChoiceChanged, NothingToStart, TooManySearched, DatabaseTooBusy:
            nothing was started.
    """
    user = asking(request, SEE, Lease.run_right)
    chosen = wish.leases()
    if wish.dry_run:
        plan = plan_of(chosen, user=user, among=ABSENT if wish.what == "archive" else Q())
        return Status(HTTPStatus.OK, PlanAnswer.of(plan))
    batch = _started(wish, chosen, user)
    response["Location"] = here(request, "batch", batch.pk)
    return Status(HTTPStatus.ACCEPTED, BatchAnswer.whole(batch_there(batch.pk)))


def _started(wish: ManyRuns, chosen: QuerySet[Lease], user: User) -> Batch:
    start = make_archives if wish.what == "archive" else batches.run_many
    batch = start(chosen, user, which=wish.which)
    assert isinstance(batch, Batch)
    return batch
