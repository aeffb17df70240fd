"""Run many records together: first what that would come to, then, once it is confirmed, a batch."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from core.base.errors import Refused
from statemachine.batches import Plan, plan_of, run_many, which_of
from statemachine.errors import ChoiceChanged, NothingToStart
from statemachine.queries import count_by_state

if TYPE_CHECKING:
    from console.machine.lists import MachineList


class Start(Protocol):
    """Owes each of the records a run, and keeps together what was started together.

    Raises:
        ChoiceChanged: they are others by now. Nothing was saved.
        NothingToStart: all of them are owed a run already, or there are none. Nothing was saved.
        Refused: another reason for which nothing was saved.
    """

    def __call__(self, records: QuerySet[Any], user: User, /, *, which: str) -> Model: ...


def _nothing(_plan: Plan) -> Iterable[tuple[str, str]]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyRun:
    """How many records of a list are run at once.

    Attributes:
        label: what it is called.
        start: does it; a batch of the engine's, unless an app has its own.
        name: of the action.
        permission: it is offered to whom the list's `has_…_permission` of this name says.
        among: which of the chosen ones it may be of.
        does: what stands on the button, before how many.
        left: what is said of those that are left alone, after “which”.
        which_of: a mark of records that are owed no run. Other records have another one; so have these after a run.
        become: what happens to them, after “will be”.
        facts: what a person should know before, each with its name.
    """

    label: str
    name: str = "run_chosen"
    permission: str = "run"
    among: Q = field(default_factory=Q)
    does: str = "Run"
    left: str = ""
    start: Start = run_many
    which_of: Callable[[QuerySet[Any]], str] = which_of
    become: str = "run"
    facts: Callable[[Plan], Iterable[tuple[str, str]]] = _nothing


def plan_for(records: QuerySet[Any], *, many: ManyRun, user: User) -> Plan:
    """What it would come to if the person ran these records now."""
    return plan_of(records, user=user, among=many.among, which_of=many.which_of)


def run_chosen(many: ManyRun) -> Any:
    """The action that asks with the exact number, and does it only if they are the same records when that is confirmed."""

    def act(listed: "MachineList", request: HttpRequest, records: QuerySet[Any]) -> HttpResponse:
        user = request.user
        assert isinstance(user, User)
        which = request.POST.get("confirmed")
        if which is None:
            return _ask(listed, request, many, records, is_changed=False)
        try:
            batch = many.start(records, user, which=which or "none")
        except (ChoiceChanged, NothingToStart):
            return _ask(listed, request, many, records, is_changed=True)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())
        opts = batch._meta
        return HttpResponseRedirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[batch.pk]))

    # By its name the admin knows an action.
    act.__name__ = many.name
    return admin.action(description=f"{many.label} …", permissions=[many.permission])(act)


def _ask(
    listed: "MachineList", request: HttpRequest, many: ManyRun, records: QuerySet[Any], *, is_changed: bool
) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    counts = count_by_state(records)
    plan = plan_for(records, many=many, user=user)
    context = {
        **listed.admin_site.each_context(request),
        "title": many.label,
        "name": listed.name,
        "opts": listed.opts,
        "many": many,
        "plan": plan,
        "facts": many.facts(plan) if plan.starting else (),
        "is_changed": is_changed,
        "states": [(state, counts[state]) for state in listed.model.shown_states() if counts.get(state)],
        "action": many.name,
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": request.get_full_path(),
    }
    return render(request, "console/machine/run_chosen.html", context)
