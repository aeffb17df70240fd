"""The list and the page of documents."""

from typing import Any, ClassVar, override

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.batches.filters import BatchFilter
from console.machine.filters import BY_LAST_CHANGE, BY_STATE, FailureFilter
from console.machine.page import MachineAdmin
from console.machine.running import ManyRun
from console.records.exports import Column
from console.records.filters import AskingFilter
from console.records.who import person
from documents.admin.buttons import BUTTONS
from documents.admin.forms import DocumentForm
from documents.admin.panel import DocumentPanel
from documents.models import Document
from documents.services import documents
from documents.services.bulk import verify_many
from documents.services.rights import CHANGE, MANAGE
from storage.admin.amounts import size_text

DID = {
    "verify": "had it verified again",
    "add_version": "added a version",
    "take_changed": "took what lies in storage as a new version",
    "bring_back": "brought the file back from a copy",
    "verified": "verified it",
    "verified_archived": "verified it",
    "archive": "archived it",
    "restore": "restored it",
    "purge": "wanted it deleted for good",
    "cancel": "stopped it",
}
LABELS = {
    "version": "Version",
    "key": "In storage",
    "size": "Bytes",
    "size_now": "Bytes now",
    "sha256": "SHA-256",
    "sha256_now": "SHA-256 now",
    "from": "From byte",
    "declared_type": "Said to be",
    "mime_type": "Kind of file",
    "contradicts": "What does not fit",
    "scan": "Virus scanner",
    "answer": "Answer",
}


class OwnerFilter(AskingFilter):
    """Those who have any."""

    title = "owner"
    parameter_name = "owner__id__exact"

    @override
    def there_is(self) -> list[tuple[str, str]]:
        owners = Document.objects.order_by("owner__username").values_list("owner_id", "owner__username").distinct()
        return [(str(pk), name) for pk, name in owners]


class DocumentAdmin(MachineAdmin):
    """People send files by the interface for programs; here they see them, name them and put them away."""

    form = DocumentForm
    fields = ("name", "unique_name", "is_public", "metadata")
    buttons = BUTTONS
    panel = DocumentPanel
    evidence = LABELS
    did = DID
    facts_template: ClassVar[str] = "admin/documents/document/facts.html"
    form_label = "Change what is said of it"
    look_label = "What is said of it"
    empty = "Nobody has sent a file yet; see docs/documents.md for how."
    shown_with = ("initiated_by", "owner", "lease", "checked_out_by")
    follows = ("verified_bytes", "current", "purge_at")
    list_display = ("__str__", "state_badge", "kind", "size", "owner", "lease", "changed")
    list_filter = (BY_STATE, OwnerFilter, "is_public", FailureFilter, BatchFilter, BY_LAST_CHANGE)
    list_select_related = ("owner", "lease", "initiated_by")
    search_fields = ("name", "unique_name")
    sortable_by = ("__str__", "state_badge", "size", "changed")
    beside = (
        ("Runs", "admin:documents_batch_changelist", "documents.view_document"),
        ("Share links", "admin:documents_sharelink_changelist", "documents.view_sharelink"),
    )
    file_shows_with = ("owner", "lease", "initiated_by")
    file_columns = (
        *MachineAdmin.file_columns,
        Column("Owner", lambda document: str(document.owner)),
        Column("Lease", lambda document: str(document.lease or "")),
        Column("Kind of file", lambda document: document.mime_type),
        Column("Bytes", lambda document: document.size_bytes),
        Column("Version", lambda document: document.current),
        Column("Unique name", lambda document: document.unique_name, width=40),
    )
    many = ManyRun(label="Verify again", become="verified again", start=verify_many)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """The bytes come first, and a form has none."""
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is archived, and purged after a grace."""
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        """Their own, or everybody's."""
        user = person(request)
        is_theirs = obj is None or obj.owner_id == user.pk or user.has_perm(MANAGE)
        return user.has_perm(CHANGE) and is_theirs

    @override
    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:
        """Nothing is saved around the services."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        documents.change(document_id=obj.pk, by=person(request), **changed)

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description="kind of file", ordering="mime_type")
    def kind(self, document: Document) -> str:
        return document.mime_type

    @admin.display(description="size", ordering="size_bytes")
    def size(self, document: Document) -> SafeString:
        return format_html("{}", size_text(document.size_bytes))
