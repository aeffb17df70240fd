"""Delete many leases: first how many, and in which states, then, once it is confirmed, all of them."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from leases.models import Lease
from leases.queries import count_by_state
from leases.states import SHOWN

NAMED_AT_MOST = 20


@admin.action(description="Delete …", permissions=["delete"])
def delete_selected(listed: Any, request: HttpRequest, leases: QuerySet[Lease]) -> HttpResponse:
    """Ask with the exact number; do it only if it is the same number when that is confirmed.

    By its name it stands in for the admin's, which names whatever hangs on each of thousands of leases.
    """
    chosen = Lease.objects.filter(pk__in=list(leases.values_list("pk", flat=True)))
    count = chosen.count()
    confirmed = request.POST.get("confirmed")
    if confirmed != str(count):
        return _ask(listed, request, chosen, count=count, is_changed=confirmed is not None)
    with transaction.atomic():
        listed.log_deletions(request, chosen)
        listed.delete_queryset(request, chosen)
    messages.success(request, f"Deleted: {count:,} lease{'' if count == 1 else 's'}.")
    return HttpResponseRedirect(request.get_full_path())


def _ask(listed: Any, request: HttpRequest, leases: QuerySet[Lease], *, count: int, is_changed: bool) -> HttpResponse:
    counts = count_by_state(leases)
    context = {
        **listed.admin_site.each_context(request),
        "title": "Delete leases",
        "opts": listed.opts,
        "count": count,
        "is_changed": is_changed,
        "states": [(state, counts[state]) for state in SHOWN if counts.get(state)],
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
