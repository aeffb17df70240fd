"""Where each agency's archives lie; the model normalises the paths and says what is wrong with one."""

from typing import Any, override

from django.contrib import admin, messages
from django.http import HttpRequest

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
    def save_model(self, request: HttpRequest, obj: AgencyStorageConfig, form: Any, change: bool) -> None:
        """What failed for want of this configuration goes on by itself."""
        super().save_model(request, obj, form, change)
        if count := configuration_saved(obj):
            messages.info(request, f"Leases that failed for want of this and now start again by themselves: {count}.")
