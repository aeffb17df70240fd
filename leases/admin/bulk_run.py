"""Run many leases again: first what that would come to, then, once it is confirmed, a batch."""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from core.base.errors import Refused
from leases.models import Lease
from statemachine.batches import run_many, which_of
from statemachine.errors import ChoiceChanged, NothingToStart
from statemachine.queries import count_by_state

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.db.models.options import Options

# One listing, and one call for the link: made, or seen to lead there. Without a directory one more in most cases.
CALLS_PER_LEASE = 2
MINUTE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What running the chosen leases would come to.

    Attributes:
        left_alone: of the chosen ones, those that are owed a run already.
        ahead: what the same person's Dropbox is owed already.
        which: what is brought back with the confirmation: it is for these leases only, as they are now.
        minutes: at least; None if nothing but Dropbox itself sets the pace.
    """

    chosen: int
    starting: int
    which: str
    ahead: int
    minutes: int | None

    @property
    def left_alone(self) -> int:
        return self.chosen - self.starting

    @property
    def calls(self) -> int:
        return self.starting * CALLS_PER_LEASE


class ListOfLeases(Protocol):
    """What the action needs of the list it belongs to."""

    admin_site: "AdminSite"
    opts: "Options[Any]"


def plan_for(leases: QuerySet[Lease], *, user: User) -> Plan:
    """What it would come to if the person ran these leases now."""
    idle = Q(due_at__isnull=True)
    counted = leases.order_by().aggregate(chosen=Count("pk"), starting=Count("pk", filter=idle))
    ahead = Lease.objects.filter(due_at__isnull=False, initiated_by=user).count()
    minutes = _minutes((counted["starting"] + ahead) * CALLS_PER_LEASE)
    which = which_of(Lease.objects.filter(idle, pk__in=leases.values("pk")))
    return Plan(**counted, which=which, ahead=ahead, minutes=minutes)


def _minutes(calls: int) -> int | None:
    ceiling = settings.DROPBOX_CALLS_PER_S
    return ceil(calls / ceiling / MINUTE_S) if ceiling else None


@admin.action(description="Run full discovery …", permissions=["run"])
def run_chosen(listed: ListOfLeases, request: HttpRequest, leases: QuerySet[Lease]) -> HttpResponse:
    """Ask with the exact number; do it only if they are the same leases when that is confirmed."""
    user = request.user
    assert isinstance(user, User)
    which = request.POST.get("confirmed")
    if which is None:
        return _ask(listed, request, leases, user, is_changed=False)
    try:
        batch = run_many(leases, user, which=which or "none")
    except (ChoiceChanged, NothingToStart):
        return _ask(listed, request, leases, user, is_changed=True)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(request.get_full_path())
    return HttpResponseRedirect(reverse("admin:leases_batch_change", args=[batch.pk]))


def _ask(
    listed: ListOfLeases, request: HttpRequest, leases: QuerySet[Lease], user: User, *, is_changed: bool
) -> HttpResponse:
    counts = count_by_state(leases)
    context = {
        **listed.admin_site.each_context(request),
        "title": "Run full discovery",
        "opts": listed.opts,
        "plan": plan_for(leases, user=user),
        "is_changed": is_changed,
        "states": [(state, counts[state]) for state in Lease.shown_states() if counts.get(state)],
        "ceiling": settings.DROPBOX_CALLS_PER_S,
        "action": "run_chosen",
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": request.get_full_path(),
    }
    return render(request, "admin/leases/lease/run_chosen.html", context)
