"""Delete many leases: first how many, and in which states, then, once it is confirmed, all of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, DecimalField, F, Func, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from core.base.errors import Refused
from core.base.statement_limits import answered_in_time
from leases.models import Lease
from leases.queries import were_started_since
from statemachine.errors import ChoiceChanged
from statemachine.queries import count_by_state

NAMED_AT_MOST = 20
# What a lease is, and whose: what its own run comes to meanwhile is no reason to ask again.
ITSELF = ("pk", "agency", "lease_number", "initiated_by", "owed_by")


@admin.action(description="Delete …", permissions=["delete"])
def delete_selected(listed: Any, request: HttpRequest, leases: QuerySet[Lease]) -> HttpResponse:
    """Ask with the exact number; do it only if they are the same leases, and nobody else's, when that is confirmed.

    By its name it stands in for the admin's, which names whatever hangs on each of thousands of leases.
    """
    chosen = Lease.objects.filter(pk__in=list(leases.values_list("pk", flat=True)))
    confirmed = request.POST.get("confirmed")
    if confirmed is None:
        return _ask(listed, request, chosen, is_changed=False)
    try:
        count = _delete(listed, request, chosen, confirmed)
    except ChoiceChanged:
        return _ask(listed, request, chosen, is_changed=True)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(request.get_full_path())
    messages.success(request, f"Deleted: {count:,} lease{'' if count == 1 else 's'}.")
    return HttpResponseRedirect(request.get_full_path())


def _delete(listed: Any, request: HttpRequest, chosen: QuerySet[Lease], confirmed: str) -> int:
    """How many.

    Raises:
        ChoiceChanged, DatabaseTooBusy: nothing was deleted.
    """
    which, _, asked_at = confirmed.partition("@")
    with answered_in_time():
        locked = list(chosen.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        since = _moment(asked_at)
        if since is None or which != _which(chosen) or were_started_since(locked, since):
            raise ChoiceChanged
        listed.log_deletions(request, chosen)
        listed.delete_queryset(request, chosen)
    return len(locked)


def _which(leases: QuerySet[Lease]) -> str:
    """Tells these leases from any others, and from themselves once they are somebody else's."""
    parts = (Coalesce(F(name), Value(0)) if name.endswith("_by") else F(name) for name in ITSELF)
    hashed = Func(*parts, template="hashtextextended(concat_ws('|', %(expressions)s), 0)", output_field=DecimalField())
    found = leases.order_by().aggregate(count=Count("pk"), sum=Coalesce(Sum(hashed), Value(Decimal(0))))
    return f"{found['count']}:{found['sum']}"


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _asked_at(leases: QuerySet[Lease]) -> str:
    """The present instant by the database's clock, as the log has it."""
    at = leases.order_by().annotate(now=Now()).values_list("now", flat=True).first()
    return at.isoformat() if at else ""


def _ask(listed: Any, request: HttpRequest, leases: QuerySet[Lease], *, is_changed: bool) -> HttpResponse:
    asked_at = _asked_at(leases)  # before it is looked at
    counts = count_by_state(leases)
    count = sum(counts.values())
    context = {
        **listed.admin_site.each_context(request),
        "title": "Delete leases",
        "opts": listed.opts,
        "count": count,
        "which": f"{_which(leases)}@{asked_at}",
        "is_changed": is_changed,
        "states": [(state, counts[state]) for state in Lease.shown_states() if counts.get(state)],
        "owed": leases.filter(due_at__isnull=False).count(),
        "named": leases.order_by("agency", "lease_number")[:NAMED_AT_MOST],
        "not_named": max(0, count - NAMED_AT_MOST),
        "action": "delete_selected",
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": request.get_full_path(),
    }
    return render(request, "admin/leases/lease/delete_chosen.html", context)
