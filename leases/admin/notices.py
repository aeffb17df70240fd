"""Who was told of which failures; each person's own behind the bell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, override

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from console.machine.badges import state_badge
from console.machine.next_steps import NextStep, next_step
from console.records.pages import ReadOnlyAdmin
from console.shell.times import time_column
from core.base.errors import words_for
from leases.models import FailureNotice, Lease
from leases.notices import list_of_failed, mark_read, notices_of
from leases.states import NoticeState

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice as its person sees it.

    Attributes:
        url: the list of its failed leases.
        mailed: what became of the mail.
    """

    notice: FailureNotice
    reason: str
    url: str
    mailed: str
    next_step: NextStep | None


def _all_told(user: User) -> Iterator[Told]:
    """One lease of each stands for the others, which failed for the same reason."""
    notices = list(notices_of(user.pk)[:SHOWN])
    leases = Lease.objects.select_related("initiated_by").in_bulk([notice.example_id for notice in notices])
    for notice in notices:
        yield _told(notice, leases.get(notice.example_id), user)


def _told(notice: Any, lease: Lease | None, user: User) -> Told:
    return Told(
        notice=notice,
        reason=words_for(notice.reason),
        url=list_of_failed(notice.reason, user_id=user.pk),
        mailed=_mailed(notice),
        next_step=next_step(lease, user) if lease else None,
    )


def _mailed(notice: FailureNotice) -> str:
    match notice.state:
        case NoticeState.SENT:
            return "A mail was sent."
        case NoticeState.FAILED:
            return f"No mail was sent: {notice.failure_message}"
        case NoticeState.NEEDLESS:
            return "No mail was needed."
    return "A mail is about to be sent."


class FailureNoticeAdmin(ReadOnlyAdmin):
    name = "Notices to everybody"
    empty = "Nobody had to be told of failed leases yet."
    list_display = ("person", "why", "mail", "told", "since", "trouble")
    list_filter = ("state",)
    list_select_related = ("initiated_by",)
    since = time_column("entered_at", "since")
    due = time_column("due_at", "next step")
    fieldsets = (
        (None, {"fields": ("person", "why", "mail", "told", "since", "trouble")}),
        (
            "For whoever looks for a fault",
            {"classes": ("collapse",), "fields": ("reason", "due", "tries", "failure_code")},
        ),
    )

    @admin.display(description="who", ordering="initiated_by__username")
    def person(self, notice: FailureNotice) -> str:
        return str(notice.initiated_by or "somebody who is gone")

    @admin.display(description="why the leases failed", ordering="reason")
    def why(self, notice: FailureNotice) -> str:
        return words_for(notice.reason)

    @admin.display(description="mail", ordering="state")
    def mail(self, notice: FailureNotice) -> SafeString:
        return state_badge(notice, notice.state)

    @admin.display(description="why there was no mail", ordering="failure_message")
    def trouble(self, notice: FailureNotice) -> str:
        return notice.failure_message

    @override
    def get_urls(self) -> list[URLPattern]:
        mine = self.admin_site.admin_view(require_safe(self.mine))
        read = self.admin_site.admin_view(require_POST(self.read))
        return [
            path("mine/", mine, name="leases_failurenotice_mine"),
            path("mine/read/", read, name="leases_failurenotice_read"),
            *super().get_urls(),
        ]

    def mine(self, request: HttpRequest) -> HttpResponse:
        """What the bell leads to.

        Raises:
            PermissionDenied: the person may not look at leases.
        """
        user = _reader(request)
        context = {
            **self.admin_site.each_context(request),
            "title": "Notices",
            "opts": self.model._meta,
            "notices": list(_all_told(user)),
        }
        return render(request, "admin/leases/notices.html", context)

    def read(self, request: HttpRequest) -> HttpResponse:
        """The person has seen them all."""
        mark_read(_reader(request).pk)
        return HttpResponseRedirect(reverse("admin:leases_failurenotice_mine"))


def _reader(request: HttpRequest) -> User:
    if not isinstance(request.user, User) or not request.user.has_perm("leases.view_lease"):
        raise PermissionDenied
    return request.user
