"""What is done with several documents that are chosen in the list."""

from collections import Counter
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render

from console.records.who import person
from core.base.clock import now
from core.base.errors import RunsheetError
from documents import bundles
from documents.models import Document
from documents.services import shares
from documents.services.bulk import AT_MOST, bulk


@admin.action(description="Download the files (ZIP)", permissions=["view"])
def download_files(_listed: Any, request: HttpRequest, records: QuerySet[Document]) -> HttpResponseBase:
    """Those of the current versions that may be handed out, in one archive, which tells of the others."""
    try:
        ids = list(records.values_list("pk", flat=True)[: bundles.AT_MOST + 1])
        return bundles.answer(bundles.bundle(by=person(request), document_ids=ids))
    except RunsheetError as why:
        messages.error(request, str(why))
        return HttpResponseRedirect(request.get_full_path())


def _of_many(request: HttpRequest, records: QuerySet[Document], action: str, done: str) -> None:
    """Do it with each that is chosen, and say what became of them."""
    ids = _ids(request, records)
    became = bulk(action=action, document_ids=ids, by=person(request))
    if count := sum(each.is_done for each in became):
        messages.success(request, f"{count:,} of {len(ids):,} {done}.")
    for message, some in Counter(each.message for each in became if not each.is_done).most_common():
        messages.warning(request, f"{some:,} left as they were: {message}")


@admin.action(description="Archive", permissions=["change"])
def archive_chosen(_listed: Any, request: HttpRequest, records: QuerySet[Document]) -> None:
    """Out of sight, until somebody restores them."""
    _of_many(request, records, "archive", "archived")


@admin.action(description="Restore", permissions=["change"])
def restore_chosen(_listed: Any, request: HttpRequest, records: QuerySet[Document]) -> None:
    """Out of the archive."""
    _of_many(request, records, "restore", "restored")


@admin.action(description="Check in", permissions=["change"])
def check_in_chosen(_listed: Any, request: HttpRequest, records: QuerySet[Document]) -> None:
    """Those that anybody has checked out, as far as the person may."""
    held = records.filter(checked_out_by__isnull=False)
    if not held.exists():
        messages.warning(request, "Nobody has checked out any of these documents.")
        return
    _of_many(request, held, "check_in", "checked in")


@admin.action(description="Revoke their share links …", permissions=["share"])
def revoke_links(listed: Any, request: HttpRequest, records: QuerySet[Document]) -> HttpResponse:
    """Ask with the exact number; do it only if they are the same links when that is confirmed."""
    back, user, at = request.get_full_path(), person(request), now()
    ids = _ids(request, records)
    links = shares.to_be_revoked(document_ids=ids, by=user, at=at)
    mark = f"{len(links)}:{max(links, default=0)}"
    if not links:
        if ids:
            messages.warning(request, "None of these documents has a share link that you could revoke.")
        return HttpResponseRedirect(back)
    if request.POST.get("confirmed") == mark:
        count = shares.revoke_many(link_ids=links, by=user, at=at)
        messages.success(request, f"{count:,} share link{'' if count == 1 else 's'} revoked.")
        return HttpResponseRedirect(back)
    context = {
        **listed.admin_site.each_context(request),
        "title": "Revoke share links",
        "name": listed.name,
        "opts": listed.opts,
        "links": len(links),
        "documents": len(ids),
        "mark": mark,
        "action": request.POST.get("action", ""),
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "back": back,
    }
    return render(request, "admin/documents/document/revoke_links.html", context)


def _ids(request: HttpRequest, records: QuerySet[Document]) -> list[int]:
    """Of the chosen ones; none if they are too many, which is said."""
    ids = list(records.order_by("pk").values_list("pk", flat=True)[: AT_MOST + 1])
    if len(ids) <= AT_MOST:
        return ids
    messages.error(request, f"At most {AT_MOST:,} documents at once. Nothing was done; choose fewer.")
    return []


ACTIONS = (download_files, archive_chosen, restore_chosen, check_in_chosen, revoke_links)
