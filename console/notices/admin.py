"""Who was told of which failures; each person's own behind the bell."""

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
from console.machine.next_steps import NextStep, next_step, step_for_all
from console.notices.addresses import list_of_failed
from console.notices.models import FailureNotice, Noticed
from console.notices.queries import machine_of, mark_read, notices_of, rights_among, seen_by
from console.notices.states import NoticeState
from console.records.pages import ReadOnlyAdmin
from console.records.sent import Sent, Telling
from console.shell.times import time_column
from core.base.errors import failure_of, words_for

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice as its person sees it.

    Attributes:
        count: how many records, in words, such as "3 kettles".
        one: what such a record is called.
        became: what became of them.
        url: the list of those that are still failed.
        mailed: what became of the mail.
    """

    notice: FailureNotice
    count: str
    one: str
    became: str
    reason: str
    url: str
    mailed: str
    next_step: NextStep | None


def _all_told(user: User, machines: list[type[Noticed]]) -> list[Told]:
    """One record of each stands for the others, which failed for the same reason."""
    rights = rights_among(user, machines)
    return [_told(notice, user) for notice in notices_of(user.pk, machines=machines, at_most=SHOWN, rights=rights)]


def _told(notice: Any, user: User) -> Told:
    machine = machine_of(notice)
    step = next_step if notice.failed_count == 1 else step_for_all
    return Told(
        notice=notice,
        count=machine.counted(notice.failed_count),
        one=str(machine._meta.verbose_name),
        became=failure_of(notice.reason).became,
        reason=words_for(notice.reason),
        url=list_of_failed(machine, notice.reason, user_id=notice.initiated_by_id),
        mailed=_mailed(notice),
        next_step=step(notice.example, user) if notice.example else None,
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
    empty = "Nobody had to be told of failed records yet."
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
        if notice.right:
            return "who looks after them"
        return str(notice.initiated_by or "somebody who is gone")

    @admin.display(description="why they failed", ordering="reason")
    def why(self, notice: FailureNotice) -> str:
        return words_for(notice.reason)

    @admin.display(description="mail", ordering="state")
    def mail(self, notice: FailureNotice) -> SafeString:
        return state_badge(notice, notice.state)

    @admin.display(description="why there was no mail", ordering="failure_message")
    def trouble(self, notice: FailureNotice) -> str:
        return notice.failure_message

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.tellings: dict[str, Telling] = {"read": lambda *_: Sent(what="Mark all as read")}

    @override
    def get_urls(self) -> list[URLPattern]:
        mine = self.admin_site.admin_view(require_safe(self.mine))
        read = self.admin_site.admin_view(require_POST(self.read))
        return [
            path("mine/", mine, name="console_failurenotice_mine"),
            path("mine/read/", read, name="console_failurenotice_read"),
            *super().get_urls(),
        ]

    def mine(self, request: HttpRequest) -> HttpResponse:
        """What the bell leads to.

        Raises:
            PermissionDenied: the person may not look at anything that could fail.
        """
        user, machines = _reader(request)
        context = {
            **self.admin_site.each_context(request),
            "title": "Notices",
            "opts": self.model._meta,
            "notices": _all_told(user, machines),
            "many": _in_words([str(each._meta.verbose_name_plural) for each in machines]),
        }
        return render(request, "console/notices/mine.html", context)

    def read(self, request: HttpRequest) -> HttpResponse:
        """The person has seen them all."""
        user, machines = _reader(request)
        mark_read(user.pk, machines=machines, rights=rights_among(user, machines))
        return HttpResponseRedirect(reverse("admin:console_failurenotice_mine"))


def _reader(request: HttpRequest) -> tuple[User, list[type[Noticed]]]:
    """Who looks, and of which machines they may see the records."""
    if not isinstance(request.user, User) or not (machines := seen_by(request.user)):
        raise PermissionDenied
    return request.user, machines


def _in_words(names: list[str]) -> str:
    """Such as “kettles or pots”."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
