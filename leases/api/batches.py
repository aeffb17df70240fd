"""Imports and runs of many leases, for programs: how they stand, stopped, and run again."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router, Status
from pydantic import BaseModel, Field

from api import etags
from api.paging import Page, Paged, page
from api.shapes import Key, Person, Said
from console.records.links import page_of
from core.base.errors import words_for
from core.http.lists import of_list
from leases.api.asking import SEE, asking, here
from leases.models import Batch, Lease
from statemachine import batches as engine
from statemachine.batches import Condition, Progress, condition_of, failures_of, progress_of, with_condition
from statemachine.errors import BatchGone

router = Router()

type BatchKind = Literal["import", "run"]
type Which = Literal["failed", "not_run"]
STATES: Mapping[Which, str] = {"failed": Lease.failed_state(), "not_run": Lease.initial_state()}


class BatchItem(BaseModel):
    """Many leases that one person has made or started together.

    Attributes:
        size: how many it made or started.
        left_out: how many of what was sent it did not take.
        condition: whether anything of it is still owed.
        page: its address in the console.
    """

    id: int
    kind: BatchKind
    title: str
    size: int
    left_out: int
    condition: Condition
    created_by: Person | None
    created_at: datetime
    stopped_by: Person | None
    stopped_at: datetime | None
    page: str

    @classmethod
    def fields(cls, batch: Batch) -> dict[str, Any]:
        """Those that the row tells."""
        return {
            "id": batch.pk,
            "kind": batch.kind,
            "title": batch.title,
            "size": batch.size,
            "left_out": batch.left_out,
            "condition": condition_of(batch),
            "created_by": Person.of(batch.created_by),
            "created_at": batch.created_at,
            "stopped_by": Person.of(batch.stopped_by),
            "stopped_at": batch.stopped_at,
            "page": page_of(batch),
        }

    @classmethod
    def of(cls, batch: Batch) -> "BatchItem":
        return cls(**cls.fields(batch))


class ProgressAnswer(BaseModel):
    """Where its leases stand, all counted at one instant.

    Attributes:
        settled: those that ran and that nothing is owed for, by state.
        not_run: those that were stopped, or never begun.
        stoppable: those under way or waiting that this batch has started, and nobody since.
    """

    total: int
    done: int
    settled: dict[str, int]
    under_way: int
    waiting: int
    not_run: int
    stoppable: int

    @classmethod
    def of(cls, progress: Progress) -> "ProgressAnswer":
        return cls(
            total=progress.total,
            done=progress.done,
            settled=progress.settled,
            under_way=progress.under_way,
            waiting=progress.waiting,
            not_run=progress.not_run,
            stoppable=progress.stoppable,
        )


class FailedFor(BaseModel):
    """How many of its leases have failed for one reason."""

    code: str
    words: str
    count: int


class BatchAnswer(BatchItem):
    """One batch, with where its leases stand."""

    progress: ProgressAnswer
    failures: list[FailedFor]

    @classmethod
    def whole(cls, batch: Batch) -> "BatchAnswer":
        """With one statement more, and two where any has failed."""
        progress = progress_of(batch)
        failed = failures_of(batch) if progress.settled.get(Lease.failed_state()) else []
        return cls(
            **cls.fields(batch),
            progress=ProgressAnswer.of(progress),
            failures=[FailedFor(code=code, words=words_for(code), count=count) for code, count in failed],
        )


class Listed(Paged):
    """The parameters of the list.

    Attributes:
        created_by: the number of the person who has started it.
    """

    kind: BatchKind | None = None
    created_by: Key | None = None


class Again(Said):
    """Which of its leases are run again.

    Attributes:
        which: those that have “failed”, or those that were “not_run”.
        at_most: as many as that; those that settled first.
    """

    which: Which = "failed"
    at_most: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class StoppedAnswer(BatchAnswer):
    """The batch, once it is stopped.

    Attributes:
        stopped: how many leases were.
        left: how many are still under way; stop it once more.
    """

    stopped: int
    left: int


class StartedAgain(BatchAnswer):
    """The batch, and how many of its leases were started."""

    started: int


@router.get("/", response=Page[BatchItem], url_name="batches")
@of_list
def batches(request: HttpRequest, response: HttpResponse, wanted: Annotated[Listed, Query()]) -> Page[BatchItem]:
    """Imports and runs, the newest first.

    Raises:
        TransitionForbidden, CursorUnknown: there is nothing to see.
    """
    asking(request, SEE)
    asked = {"kind": wanted.kind, "created_by": wanted.created_by}
    found = _with_all().filter(**{name: value for name, value in asked.items() if value is not None})
    shown = page(found, order=["-pk"], cursor=wanted.cursor, limit=wanted.limit, total=wanted.total)
    return shown.shown(BatchItem.of).told(request, response)


@router.get("/{int:batch_id}/", response=BatchAnswer, url_name="batch")
def batch(request: HttpRequest, response: HttpResponse, batch_id: int) -> BatchAnswer:
    """How a batch stands.

    Raises:
        TransitionForbidden, BatchGone: there is nothing to see.
        NotModified: who asks has it already.
    """
    asking(request, SEE)
    answer = BatchAnswer.whole(found := batch_there(batch_id))
    etags.told(request, response, etags.etag_of(found, answer.model_dump(mode="json")))
    return answer


@router.post("/{int:batch_id}/stop/", response=StoppedAnswer, url_name="stop_batch")
def stop(request: HttpRequest, batch_id: int) -> StoppedAnswer:
    """Owe nothing any more that the batch has started: what is under way is stopped, what waits never begins.

    Raises:
        TransitionForbidden, BatchGone, DatabaseTooBusy: nothing was stopped.
    """
    user = asking(request, SEE)
    batch_there(batch_id)
    came = engine.stop(batch_id=batch_id, user=user)
    whole = BatchAnswer.whole(batch_there(batch_id))
    return StoppedAnswer(**whole.model_dump(), stopped=came.count, left=came.left)


@router.post("/{int:batch_id}/again/", response={HTTPStatus.ACCEPTED: StartedAgain}, url_name="run_batch_again")
def again(
    request: HttpRequest,
    response: HttpResponse,
    batch_id: int,
    wish: Annotated[Again, Body()] = Again(),  # noqa: B008 - it never changes
) -> Status[StartedAgain]:
    """Run again what has failed, or what was not run.

    Raises:
        TransitionForbidden, BatchGone, NothingToStart, DatabaseTooBusy: nothing was started.
    """
    user = asking(request, SEE)
    batch_there(batch_id)
    started = engine.run_again(batch_id=batch_id, state=STATES[wish.which], user=user, at_most=wish.at_most)
    response["Location"] = here(request, "batch", batch_id)
    whole = BatchAnswer.whole(batch_there(batch_id))
    return Status(HTTPStatus.ACCEPTED, StartedAgain(**whole.model_dump(), started=started))


def batch_there(batch_id: int) -> Batch:
    """A batch of leases, with all that is shown of it; another machine's is none here.

    Raises:
        BatchGone: there is none.
    """
    found = _with_all().filter(pk=batch_id).first()
    if found is None:
        raise BatchGone
    return found


def _with_all() -> QuerySet[Batch]:
    return with_condition(Batch.objects.select_related("created_by", "stopped_by"), Lease)
