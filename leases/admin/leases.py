"""The page of a lease: what is its own beside that of any record."""

from typing import Any, ClassVar, override

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.machine.page import MachinePage, generation_of
from console.records.who import person
from core.base.errors import Refused
from leases import sections, services
from leases.admin.forms import LeaseForm
from leases.admin.lease_list import LeaseList
from leases.admin.panel import LeasePanel
from leases.admin.why import DID, LABELS
from leases.buttons import BUTTONS
from leases.duplicates import and_others, similar_to
from leases.lookalikes import difference, doubts_about_number
from leases.models import Lease
from statemachine.errors import RecordGone, Stale

# The button beside a name that comes near the one that was not found.
CORRECT_TO_THIS = "Correct the number to this"


class LeaseAdmin(MachinePage, LeaseList):
    """A person says which lease; everything else is found out, and goes through the services."""

    form = LeaseForm
    fields = ("agency", "lease_number")
    buttons = BUTTONS
    panel = LeasePanel
    evidence = LABELS
    did = DID
    facts_template = "admin/leases/lease/facts.html"
    change_form_template: ClassVar[str] = "admin/leases/lease/change_form.html"
    shown_with = (
        *("runsheet_directory", "documents_directory", "misc_index_directory"),
        *("initiated_by", "created_by"),
    )
    form_label = "Correct the agency or the lease number"
    look_label = "Agency and lease number"
    form_note = "What was found belongs to another path then, so it is forgotten and searched again."
    add_note = (
        "Once it is saved, its archive is looked for in your Dropbox by itself, and its page shows how that goes."
    )

    @override
    def save_model(self, request: HttpRequest, obj: Lease, form: Any, change: bool) -> None:
        """Nothing is saved around the services: one of them starts the run that the change owes."""
        user = person(request)
        if change:
            # The form itself is about the two fields alone, a button beside “not found” about that, too.
            seen = generation_of(request) if "generation" in request.POST else None
            services.change_lease(
                lease_id=obj.pk, agency=obj.agency, lease_number=obj.lease_number, changed_by=user, generation=seen
            )
        else:
            made = services.create_lease(agency=obj.agency, lease_number=obj.lease_number, created_by=user)
            obj.pk = made.pk
        if "_addanother" in request.POST:
            self._tell_of_doubts(request, obj)

    def _tell_of_doubts(self, request: HttpRequest, lease: Lease) -> None:
        """To who goes on with another lease; the page of this one, where everybody else is led, tells it by itself."""
        for doubt in doubts_about_number(lease.lease_number, agency=lease.agency):
            messages.warning(request, f"See whether this is the number that is meant: {doubt}")
        if sentence := _told_of_similar(lease):
            messages.warning(request, sentence)

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Lease | None = None,
    ) -> HttpResponse:
        if obj is not None:
            # Beside what is polled: no work changes it, and it takes a query.
            context["similar"] = _told_of_similar(obj)
            context["sections"] = sections.of(obj, person(request))
        return super().render_change_form(request, context, add, change, form_url, obj)

    @override
    def why_not(self, refusal: Refused, pk: str | None) -> str:
        """Why nothing was saved; of a lease that has moved on, to what."""
        if not isinstance(refusal, Stale) or pk is None:
            return str(refusal)
        try:
            return self.overtaken(CORRECT_TO_THIS, pk)
        except RecordGone as gone:
            return str(gone)


def _told_of_similar(lease: Lease) -> SafeString | str:
    """Two leases may differ in a blank only, but rarely do; nobody is kept from it. Empty where there is no such other."""
    similar = similar_to(lease)
    if similar is None:
        return ""
    first, others = similar.first, similar.others
    return format_html(
        'This agency also has the lease <a class="exact" href="{}">{}</a>, whose number differs in nothing but '
        "{}{}. If {} are the same lease, delete or correct {}.",
        reverse("admin:leases_lease_change", args=[first.pk]),
        first.lease_number,
        difference(lease.lease_number, first.lease_number),
        and_others(others, ", and {} like it"),
        "they" if others else "both",
        "all but one of them" if others else "one of them",
    )
