"""The history of imports and bulk runs, and the page of one, which follows its work."""

from collections.abc import Callable
from functools import cache
from typing import Any, override

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from console.machine import following as polling
from console.records.pages import ReadOnlyAdmin
from console.records.who import person
from console.shell.times import ago
from core.base.errors import Refused
from leases.admin import left_out
from leases.admin.batch_page import BatchPage
from leases.admin.imports import ImportPages
from leases.models import Batch, BatchLease, Lease
from leases.states import State
from statemachine import batches
from statemachine.batches import Progress, Stopped, owed_by_batches, progress_of
from statemachine.errors import BatchGone, TransitionForbidden
from statemachine.models import CALLED_OFF

MOST_DIGITS = 10


class BatchAdmin(ReadOnlyAdmin):
    """Who may see leases sees what was done with many of them; the buttons are the services' business."""

    name = "Imports and runs"
    change_list_template = "admin/leases/batch/change_list.html"
    list_display = ("title", "kind", "leases_taken", "condition", "created_by", "created")
    list_filter = ("kind", ("created_by", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("created_by", "stopped_by")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("title",)
    search_help_text = "Search by the file's name or the run's"
    fields = ()
    change_form_template = "admin/leases/batch/page.html"

    @admin.display(description="leases", ordering="size")
    def leases_taken(self, batch: Batch) -> str:
        """How many it took, and how many it did not."""
        return f"{batch.size:,}" + (f" ({batch.left_out:,} left out)" if batch.left_out else "")

    @admin.display(description="now")
    def condition(self, batch: Batch) -> str:
        """Whether anything of it is still owed; the page of the batch says how much."""
        if batch.is_owed:  # type: ignore[attr-defined]  # annotated below
            return "under way"
        if batch.stopped_at:
            return f"stopped by {batch.stopped_by or 'somebody'}"
        return "some did not run" if batch.has_stopped else "settled"  # type: ignore[attr-defined]  # as above

    @admin.display(description="when", ordering="created_at")
    def created(self, batch: Batch) -> SafeString:
        return ago(batch.created_at)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        owed = owed_by_batches(Lease).values("owed_by")
        found: QuerySet[Batch] = super().get_queryset(request)
        stopped = BatchLease.objects.filter(
            BatchLease.cut_short(), record__in=Lease.objects.filter(Lease.stopped())
        ).values("batch")
        called_off = BatchLease.objects.filter(CALLED_OFF).values("batch")
        return found.annotate(
            is_owed=ExpressionWrapper(Q(pk__in=owed), output_field=BooleanField()),
            has_stopped=ExpressionWrapper(Q(pk__in=stopped) | Q(pk__in=called_off), output_field=BooleanField()),
        )

    # --- Who may what -----------------------------------------------------------------------------------------------

    @override
    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @override
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("leases.view_lease")

    # --- Pages ------------------------------------------------------------------------------------------------------

    @override
    def get_urls(self) -> list[URLPattern]:
        imports, view = ImportPages(self.admin_site), self.admin_site.admin_view
        return [
            path("import/", view(imports.choose), name="leases_batch_import"),
            path("import/<int:upload_id>/", view(imports.preview), name="leases_batch_preview"),
            path("import/<int:upload_id>/read/", view(require_POST(imports.read)), name="leases_batch_read"),
            path("import/<int:upload_id>/words/", view(require_POST(imports.words)), name="leases_batch_words"),
            path(
                "import/<int:upload_id>/left-out/",
                view(require_safe(left_out.of_preview)),
                name="leases_batch_preview_left_out",
            ),
            path("<int:pk>/left-out/", view(require_safe(left_out.of_batch)), name="leases_batch_left_out"),
            path("<int:pk>/live/", require_safe(self.live), name="leases_batch_live"),
            path("<int:pk>/stop/", view(require_POST(self.stop)), name="leases_batch_stop"),
            path("<int:pk>/again/", view(require_POST(self.again)), name="leases_batch_again"),
            *super().get_urls(),
        ]

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        given = {"may_import": request.user.has_perm("leases.add_lease")}
        return super().changelist_view(request, given | (extra_context or {}))

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Batch | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["page"] = BatchPage(batch=obj, user=person(request))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What of the page follows the work; 204 as long as it is what the person sees already.

        Raises:
            PermissionDenied, Http404: for who may not look.
        """

        @cache
        def progress() -> Progress:
            return progress_of(Batch(pk=pk, record_type=Lease._meta.label_lower))

        if polling.is_unchanged(request, what=f"batch:{pk}", version=lambda: repr(progress())):
            return HttpResponse(status=204)
        return self.admin_site.admin_view(self._live)(request, pk, progress)

    def _live(self, request: HttpRequest, pk: int, progress: Callable[[], Progress]) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(Batch.objects.select_related("created_by", "stopped_by"), pk=pk)
        page = BatchPage(batch=batch, user=person(request), progress=progress())
        return render(request, "admin/leases/batch/live.html", {"page": page})

    # --- Buttons ----------------------------------------------------------------------------------------------------

    def stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Owe nothing any more that the batch has started.

        Raises:
            PermissionDenied: nothing was changed.
        """
        return self._act(request, pk, lambda: _stopped(batches.stop(batch_id=pk, user=person(request))))

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Run again what has failed; with `state=pending`, what was stopped.

        Raises:
            PermissionDenied: nothing was changed.
        """
        state = State.PENDING if request.POST.get("state") == State.PENDING else State.FAILED
        told = _told(request.POST.get("expected", ""))
        return self._act(
            request,
            pk,
            lambda: _started(batches.run_again(batch_id=pk, state=state, user=person(request), at_most=told), told),
        )

    def _act(self, request: HttpRequest, pk: int, act: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            messages.success(request, act())
        except TransitionForbidden as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except BatchGone as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("admin:leases_batch_changelist"))
        except Refused as refusal:
            messages.warning(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:leases_batch_change", args=[pk]))


def _stopped(stopped: Stopped) -> str:
    if stopped.left:
        return f"Stopped: {_leases(stopped.count)}. {stopped.left:,} {'is' if stopped.left == 1 else 'are'} still under way: press “Stop” once more."
    return f"Stopped: {_leases(stopped.count)}." if stopped.count else "There was nothing left to stop."


def _told(expected: str) -> int | None:
    """How many the button named; never are more started."""
    return int(expected) if expected.isascii() and expected.isdecimal() and len(expected) < MOST_DIGITS else None


def _started(count: int, told: int | None) -> str:
    """With the number, and why it is smaller than the button's if it is."""
    other = f", not {told:,}: the others had been started since the page was drawn" if told not in (None, count) else ""
    return f"Started: {_leases(count)}{other}. They run a few at a time."


def _leases(count: int) -> str:
    return f"{count:,} lease{'' if count == 1 else 's'}"
