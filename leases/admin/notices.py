"""Who was told of which failures; to look at."""

from typing import Any, override

from django.contrib import admin
from django.http import HttpRequest

from leases.models import FailureNotice


@admin.register(FailureNotice)
class FailureNoticeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("initiated_by", "reason", "state", "told", "entered_at", "failure_message")
    list_filter = ("state", "reason")
    list_select_related = ("initiated_by",)
    fields = (
        "initiated_by",
        "reason",
        "state",
        "told",
        "entered_at",
        "due_at",
        "tries",
        "failure_code",
        "failure_message",
    )

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
