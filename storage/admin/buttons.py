"""The buttons of a run of the index: what each asks before, and why one is absent."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.auth.models import User

from console.machine.buttons import Button, Question, Service
from statemachine.transitions import Step
from storage.models import IndexRun, RunState
from storage.services import IndexSyncService

MOST = 2**31 - 1  # what a column for a number holds


def counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _by(what: Callable[..., IndexRun]) -> Service:
    """A wish at the service, of who presses the button."""

    def done(*, record_id: int, user: User, generation: int | None, **answers: Any) -> IndexRun:
        return what(IndexSyncService(by=user), run_id=record_id, generation=generation, **answers)

    return done


class ForceForm(forms.Form):
    """Whoever lets rows be deleted says so."""

    force = forms.BooleanField(
        label="Rows may be deleted", error_messages={"required": "Tick that rows may be deleted. Nothing was changed."}
    )


class NumberForm(forms.Form):
    """Whoever lets go of the brake has read the number."""

    allow_missing = forms.IntegerField(
        label="How many are missing?",
        min_value=0,
        max_value=MOST,
        error_messages={
            "required": "Say how many are missing. Nothing was changed.",
            "invalid": "Say how many are missing, as a number. Nothing was changed.",
        },
    )


def _before_apply(run: IndexRun) -> Question | None:
    deleted = run.counts.get("records_deleted", 0)
    if not deleted:
        return None
    rows = counted(deleted, "row is", "rows are")
    protected = ", also where something stands on them, as a share link" if run.include_protected else ""
    return Question(
        words=f"{rows} deleted{protected}. It can be undone until a later run changes rows.", form=ForceForm
    )


def _before_override(run: IndexRun) -> Question:
    then = "Its plan can be applied then." if run.stops_at_plan else "Its plan is applied at once then."
    return Question(
        words=f"{run.missing_count:,} are missing. {then} Go on only if somebody took the files away on purpose.",
        form=NumberForm,
    )


def _before_undo(run: IndexRun) -> Question:
    changes = counted(run.applied_up_to, "change is", "changes are")
    return Question(words=f"{changes} taken back: the rows become what they were before. Storage is not touched.")


FORGOTTEN = "Its differences were deleted, since it is old. Start a new run."


def _no_plan(run: IndexRun) -> str:
    if run.forgotten_at:
        return FORGOTTEN
    if run.state in {RunState.DONE, RunState.UNDONE}:
        return "Its plan has been applied already. Start a new run to look again."
    if run.state == RunState.REFUSED:
        return _no_brake(run) or "It is refused. Let it go on all the same first, or start a new run."
    return "It has no whole plan. Start a new run."


def _no_brake(run: IndexRun) -> str:
    if run.state == RunState.REFUSED:
        if run.forgotten_at:
            return FORGOTTEN
        return "" if run.plan_is_whole else "There is no plan to go on with. See why it is refused, then look again."
    return "Nothing holds it back."


def _nothing_applied(run: IndexRun) -> str:
    if run.state == RunState.UNDONE:
        return "It has been undone already."
    if run.forgotten_at:
        return FORGOTTEN
    return "" if run.applied_up_to else "It has changed no row."


BUTTONS = (
    Button(
        name="apply",
        label="Apply",
        step=Step(transition="apply"),
        service=_by(IndexSyncService.apply),
        question=_before_apply,
        missing=_no_plan,
    ),
    Button(
        name="override",
        label="Go on all the same",
        step=Step(transition="override"),
        service=_by(IndexSyncService.override),
        question=_before_override,
        missing=_no_brake,
    ),
    Button(
        name="undo",
        label="Undo",
        step=Step(transition="undo"),
        service=_by(IndexSyncService.undo),
        question=_before_undo,
        missing=_nothing_applied,
    ),
    Button(
        name="stop",
        label="Stop",
        step=Step(transition="abort"),
        service=_by(IndexSyncService.abort),
        ends=True,
        asks="What has been applied stays, and can be undone. Nothing more is done.",
    ),
)
