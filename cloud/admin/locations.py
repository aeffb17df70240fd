"""Places in the cloud to look at; they are made by searching, not by typing."""

from typing import Any, override

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from cloud.admin.links import dropbox_link
from cloud.dependants import dependants, one_of_each
from cloud.models import CloudLocation
from console.records.lists import CappedPaginator
from console.records.pages import ReadOnlyAdmin
from console.shell.times import ago, time_column

# Of each kind of record that stands on one place.
SHOWN = 20


class CloudLocationAdmin(ReadOnlyAdmin):
    name = "Archives"
    list_display = ("path", "link", "expires", "checked", "updated")
    search_fields = ("name",)
    show_full_result_count = False
    paginator = CappedPaginator
    checked = time_column("share_checked_at", "link last checked")
    created = time_column("created_at", "first found")
    updated = time_column("updated_at", "last change")
    fieldsets = (
        (None, {"fields": ("path", "owners", "link", "is_public", "expires", "checked", "created", "updated")}),
        (
            "For whoever looks for a fault",
            {"classes": ("collapse",), "fields": ("provider", "file_id", "is_directory", "size_bytes", "modified_at")},
        ),
    )

    @property
    def empty(self) -> str:  # type: ignore[override]  # known once all apps have said so
        return f"No archive has been found yet. Each {one_of_each()}'s archive stands here as soon as it is found in Dropbox."

    @property
    def search_help_text(self) -> str:  # type: ignore[override]  # the same
        return f"A part of the folder's name, which is the number of the {one_of_each()}"

    @admin.display(description="archive of")
    def owners(self, location: CloudLocation) -> SafeString | str:
        """Their pages; one folder has more than one only where numbers differ in blanks or case."""
        addresses = (
            (each.page_url(owner), owner) for each in dependants() for owner in each.standing_on(location)[:SHOWN]
        )
        return format_html_join(", ", '<a href="{}">{}</a>', addresses) or f"No {one_of_each()} any more"

    @admin.display(description="share link")
    def link(self, location: CloudLocation) -> SafeString | str:
        return dropbox_link(location)

    @admin.display(description="link expires", ordering="share_expires_at")
    def expires(self, location: CloudLocation) -> SafeString | str:
        return ago(location.share_expires_at) if location.share_expires_at else "Never" if location.share_url else ""

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Unlike other records to look at: whoever deletes one lets what stands on it be searched anew."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
