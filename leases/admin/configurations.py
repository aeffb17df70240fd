"""Where each agency's archives lie; the model normalises the paths and says what is wrong with one."""

from django.contrib import admin

from leases.models import AgencyStorageConfig


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
