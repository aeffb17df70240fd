"""Where each agency's archives lie; the model normalises the paths and says what is wrong with one."""

from typing import Any, override

from django.contrib import admin, messages
from django.http import HttpRequest
from django.shortcuts import redirect

from leases.models import AgencyStorageConfig
from leases.services import configuration_saved


@admin.register(AgencyStorageConfig)
class AgencyStorageConfigAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("agency", "enabled", "runsheet_archive_base_path", "updated_at")
    list_filter = ("enabled",)
    search_fields = ("agency", "runsheet_archive_base_path", "documents_base_path", "misc_index_base_path")
    fields = (
        "agency",
        "enabled",
        "runsheet_archive_base_path",
        "documents_base_path",
        "misc_index_base_path",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("created_at", "updated_at")

    @override
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """An agency has one configuration: who wants to add another is led to it."""
        there_is = self.get_queryset(request).filter(agency=request.GET.get("agency", "")).first()
        if there_is and request.method == "GET":
            return redirect("admin:leases_agencystorageconfig_change", there_is.pk)
        return super().add_view(request, form_url, extra_context)

    @override
    def save_model(self, request: HttpRequest, obj: AgencyStorageConfig, form: Any, change: bool) -> None:
        """What failed for want of this configuration goes on by itself."""
        super().save_model(request, obj, form, change)
        if count := configuration_saved(obj):
            messages.info(request, f"Leases that failed for want of this and now start again by themselves: {count}.")
