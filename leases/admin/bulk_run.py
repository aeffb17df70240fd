"""Run many leases again: first what that would come to, then, once it is confirmed, a batch."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from core.errors import Refused
from leases.batches import run_many
from leases.models import Batch, Lease
from leases.queries import count_by_state
from leases.states import SHOWN

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
        which: tells these leases from as many others.
        minutes: at least; None if nothing but Dropbox itself sets the pace.
    """

    chosen: int
    starting: int
    which: Decimal
    ahead: int
    minutes: int | None

    @property
    def token(self) -> str:
        """What is brought back with the confirmation: it is for these leases only."""
        return f"{self.starting}:{self.which}"

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
    counted = leases.order_by().aggregate(
        chosen=Count("pk"),
        starting=Count("pk", filter=idle),
        # Two sets with the same count, sum and sum of squares are hardly ever chosen one after the other.
        which=Coalesce(Sum(F("pk") * F("pk") + F("pk"), filter=idle, output_field=DecimalField()), Value(Decimal(0))),
    )
    ahead = Lease.objects.filter(due_at__isnull=False, initiated_by=user).count()
    return Plan(**counted, ahead=ahead, minutes=_minutes((counted["starting"] + ahead) * CALLS_PER_LEASE))


def _minutes(calls: int) -> int | None:
    ceiling = settings.DROPBOX_CALLS_PER_S
    return ceil(calls / ceiling / MINUTE_S) if ceiling else None


@admin.action(description="Run full discovery …", permissions=["run"])
def run_chosen(listed: ListOfLeases, request: HttpRequest, leases: QuerySet[Lease]) -> HttpResponse:
    """Ask with the exact number; do it only if they are the same leases when that is confirmed."""
    user = request.user
    assert isinstance(user, User)
    plan = plan_for(leases, user=user)
    confirmed = request.POST.get("confirmed")
    if confirmed != plan.token:
        return _ask(listed, request, leases, plan=plan, is_changed=confirmed is not None)
    try:
        batch = run_many(leases, user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(request.get_full_path())
    if batch.size != plan.starting:
        messages.warning(request, _other_number(plan, batch))
    return HttpResponseRedirect(reverse("admin:leases_batch_change", args=[batch.pk]))


def _other_number(plan: Plan, batch: Batch) -> str:
    """What came between the count and the start, though it is a moment only."""
    return (
        f"{batch.size:,} leases were started, not {plan.starting:,}: at the same moment somebody else "
        f"started, made or deleted some of those that match."
    )


def _ask(
    listed: ListOfLeases, request: HttpRequest, leases: QuerySet[Lease], *, plan: Plan, is_changed: bool
) -> HttpResponse:
    counts = count_by_state(leases)
    context = {
        **listed.admin_site.each_context(request),
        "title": "Run full discovery",
        "opts": listed.opts,
        "plan": plan,
        "is_changed": is_changed,
        "states": [(state, counts[state]) for state in SHOWN if counts.get(state)],
        "ceiling": settings.DROPBOX_CALLS_PER_S,
        "action": "run_chosen",
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": request.get_full_path(),
    }
    return render(request, "admin/leases/lease/run_chosen.html", context)
