"""Delete many records: first how many, and which, then, once it is confirmed, all of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import (
    Count,
    DecimalField,
    F,
    Func,
    Model,
    ProtectedError,
    QuerySet,
    RestrictedError,
    Sum,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from core.base.errors import Refused
from core.base.statement_limits import answered_in_time
from statemachine.errors import ChoiceChanged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models.expressions import Combinable

    from console.records.large_lists import LargeList

NAMED_AT_MOST = 20


class StillNeeded(Refused):
    """Other records need some of these. Nothing was deleted; delete those first."""

    code = "still_needed"
    status = HTTPStatus.CONFLICT


@admin.action(description="Delete …", permissions=["delete"])
def delete_selected(listed: "LargeList", request: HttpRequest, records: QuerySet[Any]) -> HttpResponse:
    """Ask with the exact number; do it only if they are the same records, and nobody else's, when that is confirmed.

    By its name it stands in for the admin's, which names whatever hangs on each of thousands of records.
    """
    found = listed.model._default_manager
    chosen = found.filter(pk__in=list(records.values_list("pk", flat=True)))
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
    opts = listed.opts
    messages.success(request, f"Deleted: {count:,} {opts.verbose_name if count == 1 else opts.verbose_name_plural}.")
    return HttpResponseRedirect(request.get_full_path())


def _delete(listed: "LargeList", request: HttpRequest, chosen: QuerySet[Any], confirmed: str) -> int:
    """How many.

    Raises:
        ChoiceChanged, StillNeeded, DatabaseTooBusy: nothing was deleted.
    """
    return delete_marked(
        chosen,
        mark=confirmed,
        told_by=_told_by(listed),
        have_moved_on=listed.have_moved_on,
        note=partial(listed.log_deletions, request),
        delete=partial(listed.delete_queryset, request),
    )


def _told_by(listed: "LargeList") -> Sequence[str]:
    return (*listed.identity, *listed.whose)


def delete_marked(
    chosen: QuerySet[Any],
    *,
    mark: str,
    told_by: Sequence[str],
    have_moved_on: Callable[[Sequence[int], datetime], bool],
    note: Callable[[QuerySet[Any]], object],
    delete: Callable[[QuerySet[Any]], object],
) -> int:
    """Delete records, if they are still those that somebody was asked about; how many.

    Args:
        mark: as `mark_of` has told it.
        told_by: the columns that say what a record is, and whose.
        have_moved_on: whether what was said of them at an instant is so no more, though they are the same.
        note: writes down who has deleted them.

    Raises:
        ChoiceChanged, StillNeeded, DatabaseTooBusy: nothing was deleted.
    """
    which, _, asked_at = mark.partition("@")
    with answered_in_time():
        locked = list(chosen.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
        since = _moment(asked_at)
        if since is None or which != _which(chosen, told_by) or have_moved_on(locked, since):
            raise ChoiceChanged
        note(chosen)
        try:
            delete(chosen)
        except (ProtectedError, RestrictedError) as error:
            raise StillNeeded from error
    return len(locked)


def mark_of(records: QuerySet[Any], *, told_by: Sequence[str]) -> str:
    """What is brought back with the confirmation: which records they are, and when somebody was asked about them."""
    return f"{_which(records, told_by)}@{_asked_at(records)}"


def _which(records: QuerySet[Any], told_by: Sequence[str]) -> str:
    """A mark of these records. It is another one for other records, and once one of these is called or owned otherwise."""
    hashed = Func(
        *_columns(records.model, told_by),
        template="hashtextextended(concat_ws('|', %(expressions)s), 0)",
        output_field=DecimalField(),
    )
    found = records.order_by().aggregate(count=Count("pk"), sum=Coalesce(Sum(hashed), Value(Decimal(0))))
    return f"{found['count']}:{found['sum']}"


def _columns(model: type[Model], told_by: Sequence[str]) -> "Iterator[Combinable]":
    """What tells a record from others. What its run comes to meanwhile is no reason to ask again."""
    yield F("pk")
    for name in told_by:
        is_always_there = not model._meta.get_field(name).null
        yield F(name) if is_always_there else Coalesce(Cast(F(name), TextField()), Value(""))


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _asked_at(records: QuerySet[Any]) -> str:
    """The present instant by the database's clock, as the log has it."""
    at = records.order_by().annotate(now=Now()).values_list("now", flat=True).first()
    return at.isoformat() if at else ""


def _ask(listed: "LargeList", request: HttpRequest, records: QuerySet[Any], *, is_changed: bool) -> HttpResponse:
    # Before it is looked at: what changes meanwhile is asked about again.
    which = mark_of(records, told_by=_told_by(listed))
    told = listed.told_before_deleting(records)
    context = {
        **listed.admin_site.each_context(request),
        "title": f"Delete {listed.opts.verbose_name_plural}",
        "name": listed.name,
        "opts": listed.opts,
        "which": which,
        "is_changed": is_changed,
        **told,
        "named": records.order_by(*listed.identity, "pk")[:NAMED_AT_MOST],
        "not_named": max(0, told["count"] - NAMED_AT_MOST),
        "action": "delete_selected",
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": request.get_full_path(),
    }
    return render(request, listed.delete_template, context)
