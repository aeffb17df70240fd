"""Places in the cloud to look at; they are made by searching, not by typing."""

from typing import Any, override

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from cloud.models import CloudLocation
from console.records.lists import CappedPaginator
from console.records.pages import ReadOnlyAdmin
from console.shell.times import ago, time_column
from leases.admin.links import dropbox_link
from leases.models import Lease

LEASES_SHOWN = 20


class CloudLocationAdmin(ReadOnlyAdmin):
    name = "Archives"
    empty = "No archive has been found yet. Each lease's archive stands here as soon as it is found in Dropbox."
    list_display = ("path", "link", "expires", "checked", "updated")
    search_fields = ("name",)
    search_help_text = "A part of the folder's name, which is the number of the lease"
    show_full_result_count = False
    paginator = CappedPaginator
    checked = time_column("share_checked_at", "link last checked")
    created = time_column("created_at", "first found")
    updated = time_column("updated_at", "last change")
    fieldsets = (
        (None, {"fields": ("path", "leases", "link", "is_public", "expires", "checked", "created", "updated")}),
        (
            "For whoever looks for a fault",
            {"classes": ("collapse",), "fields": ("provider", "file_id", "is_directory", "size_bytes", "modified_at")},
        ),
    )

    @admin.display(description="archive of")
    def leases(self, location: CloudLocation) -> SafeString:
        """Their pages; one folder has more than one lease only where numbers differ in blanks or case."""
        found = Lease.objects.filter(runsheet_directory=location)[:LEASES_SHOWN]
        addresses = ((reverse("admin:leases_lease_change", args=[lease.pk]), lease) for lease in found)
        return format_html_join(", ", '<a href="{}">{}</a>', addresses) or SafeString("No lease any more")

    @admin.display(description="share link")
    def link(self, location: CloudLocation) -> SafeString | str:
        return dropbox_link(location)

    @admin.display(description="link expires", ordering="share_expires_at")
    def expires(self, location: CloudLocation) -> SafeString | str:
        return ago(location.share_expires_at) if location.share_expires_at else "Never" if location.share_url else ""

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Unlike other records to look at: whoever deletes one lets its lease be searched anew."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
