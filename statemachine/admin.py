"""The log of all transitions to look at, and RQ's dashboard for who may use it."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, override

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard
from django_rq.settings import get_queues_map
from redis.exceptions import RedisError

from statemachine.models import TransitionLog

type View = Callable[..., HttpResponse]


@admin.register(TransitionLog)
class TransitionLogAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("when", "record", "from_state", "to_state", "transition", "actor_kind", "actor", "reason")
    list_filter = ("actor_kind", "transition", "record_type")
    list_select_related = ("actor",)
    search_fields = ("=record_id", "job_id", "reason")
    show_full_result_count = False
    fields = (
        "record",
        "at",
        "from_state",
        "to_state",
        "transition",
        "generation",
        "actor_kind",
        "actor",
        "reason",
        "lasted",
        "tries",
        "job_id",
        "evidence_text",
    )

    @admin.display(description="when", ordering="at")
    def when(self, row: TransitionLog) -> str:
        """To the second, which is how far transitions are apart."""
        return f"{timezone.localtime(row.at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="record")
    def record(self, row: TransitionLog) -> SafeString | str:
        """The record's type and number, leading to its page where there is one."""
        app, _, model = row.record_type.partition(".")
        try:
            name = str(apps.get_model(app, model)._meta.verbose_name).capitalize()
            url = reverse(f"{self.admin_site.name}:{app}_{model}_change", args=[row.record_id])
        except (LookupError, NoReverseMatch):
            return f"{row.record_type} {row.record_id}"
        return format_html('<a href="{}">{} {}</a>', url, name, row.record_id)

    @admin.display(description="evidence")
    def evidence_text(self, row: TransitionLog) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(row.evidence, indent=2, ensure_ascii=False))

    @override
    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """A record's own page leads to its whole history."""
        return lookup == "record_id" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def may_use_queues(user: User | AnonymousUser) -> bool:
    """Whether somebody may look into RQ's queues, and so empty them."""
    return user.is_active and user.is_superuser


def job_url(job_id: str, *, queue: str, user: User | AnonymousUser) -> str:
    """The page of an RQ job; empty for who may not look at it."""
    if not may_use_queues(user):
        return ""
    return reverse("admin:django_rq_job_detail", args=[get_queues_map()[queue], job_id])


@admin.register(Dashboard)
class GuardedQueueAdmin(QueueAdmin):
    """django-rq's dashboard, whose own views let every staff user empty a queue."""

    def get_urls(self) -> list[URLPattern]:
        """Only the dashboard's own pages: the table behind the model does not exist."""
        pages = [
            each
            for each in super().get_urls()  # type: ignore[no-untyped-call]  # django-rq types this class in part
            if str(each.name).startswith("django_rq_")
            and not str(each.name).endswith(("dashboard_add", "dashboard_change", "dashboard_delete", "_history"))
        ]
        for page in pages:
            page.callback = self.admin_site.admin_view(_guarded(page.callback))
        return pages

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_use_queues(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return may_use_queues(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return may_use_queues(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return False


def _guarded(view: View) -> View:
    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_use_queues(request.user):
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except RedisError:
            messages.error(request, "Redis does not answer, so its queues cannot be shown. No work is lost meanwhile.")
            return HttpResponseRedirect(reverse("admin:index"))

    return guard
