"""Places in the cloud to look at; they are made by searching, not by typing."""

from typing import Any, override

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from leases.admin.links import dropbox_link
from leases.models import CloudLocation


@admin.register(CloudLocation)
class CloudLocationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("path", "provider", "is_directory", "link", "share_expires_at", "updated_at")
    list_filter = ("provider", "is_directory")
    search_fields = ("path",)
    fields = (
        "provider",
        "path",
        "name",
        "is_directory",
        "link",
        "share_expires_at",
        "share_checked_at",
        "is_public",
        "file_id",
        "size_bytes",
        "modified_at",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("link",)

    @admin.display(description="share link")
    def link(self, location: CloudLocation) -> SafeString | str:
        return dropbox_link(location)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
