"""How much room each person and each agency has for documents."""

from typing import Any, override

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from console.records.exports import Column
from console.records.large_lists import DOWNLOADS, LargeList
from core.base.sizes import size_text
from documents.models import Quota
from documents.services import quotas

WITHOUT_LIMIT = "No limit"


class QuotaAdmin(LargeList):
    """The rows come by themselves, with the first file; what one says is the limit."""

    name = "Room for documents"
    change_form_template = "console/record.html"
    empty = "Nobody has sent a file yet."
    beside = (("Documents", "admin:documents_document_changelist", "documents.view_document"),)
    fields = ("of", "used", "reserved", "limit", "limit_bytes")
    readonly_fields = ("of", "used", "reserved", "limit")
    list_display = ("__str__", "used", "reserved", "limit")
    list_select_related = ("user",)
    sortable_by = ("used",)
    search_fields = ("user__username", "agency")
    search_help_text = "A part of a person's or an agency's name."
    actions = DOWNLOADS
    file_columns = (
        Column("Whose", str),
        Column("Bytes used", lambda quota: quota.used_bytes),
        Column("Bytes reserved", lambda quota: quota.reserved_bytes),
        Column("Bytes at most", lambda quota: quota.limit),
    )
    file_shows_with = ("user",)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With whose it is, and how full it is."""
        named = {"name": self.name, "subtitle": None, "title": f"Room of {kwargs['obj']}"}
        return super().render_change_form(request, {**context, **named}, *args, **kwargs)

    @override
    def save_model(self, request: HttpRequest, obj: Quota, form: Any, change: bool) -> None:
        """Under the lock under which it is used."""
        quotas.limit(owner_id=obj.user_id, agency=obj.agency, limit_bytes=obj.limit_bytes)

    @admin.display(description="whose")
    def of(self, quota: Quota) -> str:
        return f"{'Agency' if quota.agency else 'Person'} {quota}"

    @admin.display(description="used", ordering="used_bytes")
    def used(self, quota: Quota) -> str:
        return size_text(quota.used_bytes)

    @admin.display(description="kept for what is on its way")
    def reserved(self, quota: Quota) -> str:
        return size_text(quota.reserved_bytes)

    @admin.display(description="at most")
    def limit(self, quota: Quota) -> str:
        return WITHOUT_LIMIT if quota.limit is None else size_text(quota.limit)
