"""The list of leases and the page of one, with the buttons that start and stop its runs."""

from typing import Any, ClassVar, override

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from core.errors import Refused
from leases import services
from leases.admin.actions import ACTIONS, Action
from leases.admin.forms import LeaseForm
from leases.admin.links import dropbox_link
from leases.admin.panel import Panel
from leases.models import Lease
from leases.states import State
from statemachine.errors import RecordGone, Stale, TransitionForbidden


class FailureCodeFilter(admin.SimpleListFilter):
    """The codes that there are, of failed leases and of those that are being tried again."""

    title = "failure code"
    parameter_name = "failure_code"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = Lease.objects.exclude(failure_code="").order_by("failure_code").values_list("failure_code", flat=True)
        return [(code, code.replace("_", " ")) for code in codes.distinct()]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(failure_code=self.value()) if self.value() else queryset


@admin.register(Lease)
class LeaseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A person says which lease; everything else is found out, and goes through the services."""

    form = LeaseForm
    fields = ("agency", "lease_number")
    list_display = (
        "lease_number",
        "agency_code",
        "state_badge",
        "report",
        "link",
        "tries",
        "created_by",
        "created",
    )
    list_filter = ("state", "agency", FailureCodeFilter, "runsheet_report_found")
    list_select_related = ("runsheet_directory", "created_by")
    list_per_page = 50
    search_fields = ("lease_number",)
    search_help_text = "Search by lease number"
    change_form_template: ClassVar[str] = "admin/leases/lease/change_form.html"

    class Media:
        css = {"all": ["leases/admin.css"]}

    @admin.display(description="agency", ordering="agency")
    def agency_code(self, lease: Lease) -> str:
        return lease.agency

    @admin.display(description="state", ordering="state")
    def state_badge(self, lease: Lease) -> SafeString:
        """The state, and what a failure is called, or what is being waited for."""
        badge = format_html('<span class="state state-{}">{}</span>', lease.state, lease.get_state_display())
        if not lease.failure_code:
            return badge
        return format_html('{} <span class="failure-code">{}</span>', badge, lease.failure_code.replace("_", " "))

    @admin.display(description="report found", boolean=True, ordering="runsheet_report_found")
    def report(self, lease: Lease) -> bool | None:
        """Unknown until the directory has been read."""
        return lease.runsheet_report_found or (False if lease.state == State.DONE else None)

    @admin.display(description="link", empty_value="none")
    def link(self, lease: Lease) -> SafeString | str | None:
        return dropbox_link(lease.runsheet_directory) if lease.runsheet_directory else None

    @admin.display(description="created", ordering="created_at")
    def created(self, lease: Lease) -> str:
        return f"{timezone.localtime(lease.created_at):%Y-%m-%d %H:%M}"

    @override
    def save_model(self, request: HttpRequest, obj: Lease, form: Any, change: bool) -> None:
        """Nothing is saved around the services: one of them starts the run that the change owes."""
        user = person(request)
        if change:
            services.change_lease(lease_id=obj.pk, agency=obj.agency, lease_number=obj.lease_number, changed_by=user)
        else:
            made = services.create_lease(agency=obj.agency, lease_number=obj.lease_number, created_by=user)
            obj.pk = made.pk

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What somebody else did between the form's check and the save is an answer, not an error page."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

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
            context["panel"] = Panel(lease=obj, user=person(request))
        return super().render_change_form(request, context, add, change, form_url, obj)

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        act = self.admin_site.admin_view(require_POST(self.act))
        return [*urls, path("<int:pk>/<slug:name>/", act, name="leases_lease_action"), anything_else]

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Do what a button says, if the button would be there.

        Raises:
            PermissionDenied, Http404: nothing was changed.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        action = ACTIONS.get(name)
        if action is None:
            raise Http404
        try:
            lease = action.service(lease_id=pk, user=person(request), generation=_generation(request))
        except TransitionForbidden as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except RecordGone as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("admin:leases_lease_changelist"))
        except Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, _done(action, lease))
        return HttpResponseRedirect(reverse("admin:leases_lease_change", args=[pk]))


def person(request: HttpRequest) -> User:
    """Who asks; the admin site lets nobody in who is not logged in."""
    assert isinstance(request.user, User)
    return request.user


def _generation(request: HttpRequest) -> int:
    """What the person saw when the button was drawn.

    Raises:
        Stale: the request does not say.
    """
    try:
        return int(request.POST.get("generation", ""))
    except ValueError:
        raise Stale from None


def _done(action: Action, lease: Lease) -> str:
    return f"“{action.label}”: {lease} is now “{lease.get_state_display()}”."
