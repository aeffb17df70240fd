"""The list and the page of documents."""

from typing import Any, ClassVar, override

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from console.batches.filters import BatchFilter
from console.machine.change_list import STATES
from console.machine.filters import BY_LAST_CHANGE, BY_STATE, FailureFilter
from console.machine.page import MachineAdmin, generation_of
from console.machine.running import ManyRun
from console.records.exports import Column
from console.records.who import person
from core.base.errors import Refused
from core.base.sizes import size_text
from core.http import uploads
from documents.admin.buttons import BUTTONS
from documents.admin.filters import CheckedOutFilter, KindFilter, OwnerFilter
from documents.admin.forms import DocumentForm, DocumentOfLeaseForm
from documents.admin.many import ACTIONS, revoke_links
from documents.admin.panel import DocumentPanel
from documents.admin.sending import SendingPages
from documents.models import Document
from documents.services import documents
from documents.services.bulk import verify_many
from documents.services.rights import ADD, CHANGE, MANAGE, SEE_LEASES, SHARE
from documents.states import State
from leases import search
from leases.models import Lease
from statemachine.errors import RecordGone, TransitionForbidden

DID = {
    "verify": "had it verified again",
    "add_version": "added a version",
    "take_changed": "took what lies in storage as a new version",
    "bring_back": "brought the file back from a copy",
    "verified": "verified it",
    "verified_archived": "verified it",
    "archive": "archived it",
    "restore": "restored it",
    "change": "changed what is said of it",
    "check_out": "checked it out",
    "check_in": "checked it in",
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
    "declared_type": "Said to be",
    "mime_type": "Kind of file",
    "contradicts": "What does not fit",
    "scan": "Virus scanner",
    "answer": "Answer",
}


class DocumentAdmin(MachineAdmin):
    """People and programs send files; here one sees them, names them and puts them away."""

    form = DocumentForm
    fields = DocumentOfLeaseForm.Meta.fields
    buttons = BUTTONS
    panel = DocumentPanel
    evidence = LABELS
    did = DID
    facts_template: ClassVar[str] = "admin/documents/document/facts.html"
    form_label = "Change what is said of it"
    look_label = "What is said of it"
    empty = "Send the first one, or have a program do it (docs/api.md)."
    shown_with = ("initiated_by", "owner", "lease", "checked_out_by")
    # Where the page of a lease leads.
    lookups = (*MachineAdmin.lookups, "lease__id__exact")
    follows = ("verified_bytes", "current", "purge_at")
    list_display = ("__str__", "state_badge", "kind", "size", "owner", "lease", "changed")
    list_filter = (
        *(BY_STATE, OwnerFilter, KindFilter, CheckedOutFilter),
        *("is_public", FailureFilter, BatchFilter, BY_LAST_CHANGE),
    )
    put_away = frozenset({State.ARCHIVED})
    shows_put_away = (STATES, BatchFilter.parameter_name)
    list_select_related = ("owner", "lease", "initiated_by")
    search_fields = ("name", "unique_name")
    search_help_text = "A part of the name, of the unique name or of the number of the lease."
    sortable_by = ("__str__", "state_badge", "size", "changed")
    beside = (
        ("Send", "admin:documents_document_send", ADD),
        ("Runs", "admin:documents_batch_changelist", "documents.view_document"),
        ("Share links", "admin:documents_sharelink_changelist", "documents.view_sharelink"),
        ("Room", "admin:documents_quota_changelist", "documents.view_quota"),
    )
    file_shows_with = ("owner", "lease", "initiated_by")
    file_columns = (
        *MachineAdmin.file_columns,
        Column("Owner", lambda document: str(document.owner)),
        Column("Lease", lambda document: str(document.lease or ""), right=SEE_LEASES),
        Column("Kind of file", lambda document: document.mime_type),
        Column("Bytes", lambda document: document.size_bytes),
        Column("Version", lambda document: document.current),
        Column("Unique name", lambda document: document.unique_name, width=40),
    )
    actions = (*ACTIONS, *MachineAdmin.actions)
    asks = (*MachineAdmin.asks, revoke_links.__name__)
    many = ManyRun(label="Verify again", become="verified again", start=verify_many)

    @override
    def get_urls(self) -> list[URLPattern]:
        pages, view = SendingPages(self.admin_site), self.admin_site.admin_view
        send, version = (view(csrf_exempt(each)) for each in (pages.send, pages.version))
        for each in (send, version):
            uploads.streamed(each, "POST")  # it looks at the token itself, before the first file
        restore = view(require_POST(self.restore_version))
        return [
            path("send/", send, name="documents_document_send"),
            path("<int:pk>/version/", version, name="documents_document_version"),
            path("<int:pk>/versions/<int:number>/restore/", restore, name="documents_document_restore_version"),
            *super().get_urls(),
        ]

    def restore_version(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """Let an earlier version be the current one again.

        Raises:
            PermissionDenied: nothing was changed.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            documents.restore_version(
                document_id=pk, number=number, by=person(request), generation=generation_of(request)
            )
        except TransitionForbidden as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except RecordGone as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse(self.address("changelist")))
        except Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(
                request, f"Version {number} is the current one again, as a new version. It is verified once more."
            )
        return HttpResponseRedirect(reverse(self.address("change"), args=[pk]))

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """To which lease it belongs is for who may see leases."""
        form = DocumentOfLeaseForm if person(request).has_perm(SEE_LEASES) else DocumentForm
        return super().get_form(request, obj, change=change, **{"form": form, **kwargs})

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        may_see = person(request).has_perm(SEE_LEASES)
        return DocumentOfLeaseForm.Meta.fields if may_see else DocumentForm.Meta.fields

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        """The bytes come first, and a form has none."""
        return False

    def has_share_permission(self, request: HttpRequest) -> bool:
        """Whether to offer what ends links; who does it asks again of which."""
        return person(request).has_perm(SHARE)

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
        if "lease" in changed:
            lease = changed.pop("lease")
            changed["lease_id"] = lease.pk if lease else None
        documents.change(document_id=obj.pk, by=person(request), **changed)

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Document], search_term: str
    ) -> tuple[QuerySet[Document], bool]:
        """Also by the lease, for who may see leases; its number is looked for as in the list of leases."""
        found, is_doubled = super().get_search_results(request, queryset, search_term)
        if not search.keys_of(search_term) or not person(request).has_perm(SEE_LEASES):
            return found, is_doubled
        leases = search.matching(Lease.objects.order_by(), search_term).values("pk")
        return found | queryset.filter(lease__in=leases), is_doubled

    @override
    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """Which lease it belongs to is for who may see leases."""
        may_see = person(request).has_perm(SEE_LEASES)
        return tuple(each for each in self.list_display if may_see or each != "lease")

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description="kind of file", ordering="mime_type")
    def kind(self, document: Document) -> str:
        return document.mime_type

    @admin.display(description="size", ordering="size_bytes")
    def size(self, document: Document) -> SafeString:
        return format_html("{}", size_text(document.size_bytes))
