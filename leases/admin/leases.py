"""The page of a lease, with the buttons that start and stop its runs."""

from typing import Any, ClassVar, override

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from console.machine import following as polling
from console.shell.times import distance_text
from core.base.clock import now
from core.base.errors import Refused
from leases import services
from leases.admin.actions import ACTIONS, NO_PERMISSION, STOP, Action
from leases.admin.forms import LeaseForm
from leases.admin.lease_list import LeaseList
from leases.admin.panel import Panel
from leases.duplicates import and_others, similar_to
from leases.lookalikes import difference, doubts_about_number
from leases.models import Lease
from statemachine.errors import RecordGone, Stale, TransitionForbidden
from statemachine.models import TransitionLog

# The button beside a name that comes near the one that was not found.
CORRECT_TO_THIS = "Correct the number to this"
SHOWN_WITH_ONE = ("runsheet_directory", "initiated_by", "created_by")


class LeaseAdmin(LeaseList):
    """A person says which lease; everything else is found out, and goes through the services."""

    form = LeaseForm
    fields = ("agency", "lease_number")
    change_form_template: ClassVar[str] = "admin/leases/lease/change_form.html"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Lease]:
        """With all that a lease's page shows of others."""
        leases = super().get_queryset(request)
        is_page = request.resolver_match is not None and request.resolver_match.url_name == "leases_lease_change"
        return leases.select_related(*SHOWN_WITH_ONE) if is_page else leases

    @override
    def save_model(self, request: HttpRequest, obj: Lease, form: Any, change: bool) -> None:
        """Nothing is saved around the services: one of them starts the run that the change owes."""
        user = person(request)
        if change:
            # The form itself is about the two fields alone, a button beside “not found” about that, too.
            seen = _generation(request) if "generation" in request.POST else None
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
        for doubt in doubts_about_number(lease.lease_number):
            messages.warning(request, f"See whether this is the number that is meant: {doubt}")
        if sentence := _told_of_similar(lease):
            messages.warning(request, sentence)

    @override
    def response_post_save_add(self, request: HttpRequest, obj: Lease) -> HttpResponseRedirect:
        """Where one can watch it; the list that one came from is not forgotten."""
        return HttpResponseRedirect(self._kept(request, "admin:leases_lease_change", obj.pk))

    response_post_save_change = response_post_save_add

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
            messages.error(request, _why_not(refusal, object_id))
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
            context["panel"] = Panel(lease=obj, user=person(request), kept=self.get_preserved_filters(request))
            # Beside what is polled: no work changes it, and it takes a query.
            context["similar"] = _told_of_similar(obj)
        context["show_save_and_continue"] = False  # saving leads to its page anyway
        context["show_save_and_add_another"] = add
        return super().render_change_form(request, context, add, change, form_url, obj)

    @override
    def delete_model(self, request: HttpRequest, obj: Lease) -> None:
        """Held first: the admin deletes its memberships before it, and stopping a batch holds both in the other order."""
        with transaction.atomic():
            Lease.objects.select_for_update(of=("self",)).filter(pk=obj.pk).first()
            super().delete_model(request, obj)

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        act = self.admin_site.admin_view(require_POST(self.act))
        return [
            *urls,
            path("<int:pk>/live/", require_safe(self.live), name="leases_lease_live"),
            path("<int:pk>/<slug:name>/", act, name="leases_lease_action"),
            anything_else,
        ]

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What of the page follows the work; 204 as long as it is what the person sees already.

        Raises:
            PermissionDenied, Http404: for who may not look, or no longer.
        """

        def version() -> str:
            values = Lease.objects.filter(pk=pk).values(*polling.SHOWN).first()
            return polling.version_of(values) if values else "gone"

        if polling.is_unchanged(request, what=f"lease:{pk}", version=version):
            return HttpResponse(status=204)
        return self.admin_site.admin_view(self._live)(request, pk)

    def _live(self, request: HttpRequest, pk: int) -> HttpResponse:
        lease = get_object_or_404(Lease.objects.select_related(*SHOWN_WITH_ONE), pk=pk)
        if not self.has_view_permission(request, lease):
            raise PermissionDenied
        panel = Panel(lease=lease, user=person(request), kept=self.get_preserved_filters(request))
        return render(request, "admin/leases/lease/live.html", {"panel": panel})

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
        # Before the door, which looks first whether the lease has moved on.
        if not request.user.has_perm("leases.run_discovery"):
            raise PermissionDenied(NO_PERMISSION)
        try:
            _do(request, action, pk)
        except TransitionForbidden as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except RecordGone as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(self._kept(request, "admin:leases_lease_changelist"))
        return HttpResponseRedirect(self._kept(request, "admin:leases_lease_change", pk))

    def _kept(self, request: HttpRequest, name: str, *args: int) -> str:
        """An address from which one comes back to the same list."""
        kept: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return add_preserved_filters(kept, reverse(name, args=args))


def person(request: HttpRequest) -> User:
    """Who asks; the admin site lets nobody in who is not logged in."""
    assert isinstance(request.user, User)
    return request.user


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


def _do(request: HttpRequest, action: Action, pk: int) -> None:
    """What a button says, told to the person as it turned out.

    Raises:
        TransitionForbidden, RecordGone: nothing was changed.
    """
    try:
        lease = action.service(lease_id=pk, user=person(request), generation=_generation(request))
    except (TransitionForbidden, RecordGone):
        raise
    except Stale:
        messages.warning(request, _overtaken(action.label, pk))
    except Refused as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _done(action, lease))


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
    """Without the state, which the page shows, and which moves on while this sentence stands."""
    return f"{lease}: stopped." if action is STOP else f"{lease}: “{action.label}” was started."


def _why_not(refusal: Refused, pk: str | None) -> str:
    """Why nothing was saved; of a lease that has moved on, to what."""
    if not isinstance(refusal, Stale) or pk is None:
        return str(refusal)
    try:
        return _overtaken(CORRECT_TO_THIS, pk)
    except RecordGone as gone:
        return str(gone)


def _overtaken(label: str, pk: int | str) -> str:
    """What happened between the look and the click, and who did it.

    Raises:
        RecordGone: somebody has deleted it.
    """
    lease = Lease.objects.filter(pk=pk).first()
    if lease is None:
        raise RecordGone
    last = TransitionLog.objects.of(lease).select_related("actor").last()
    if last is None:
        return str(Stale())
    by = last.actor or f"a {last.get_actor_kind_display()}"
    return (
        f"“{label}” was not done, because the lease had moved on: {by} did “{last.transition.replace('_', ' ')}” "
        f"{distance_text(last.at - now())}, and now it is “{lease.get_state_display()}”."
    )
