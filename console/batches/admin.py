"""The history of what was done with many records of a machine, and the page of one batch, which follows its work."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, override

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.views.decorators.http import require_POST, require_safe

from console.batches.page import BatchPage
from console.machine import following
from console.records.links import address_of, right_to_see
from console.records.pages import ReadOnlyAdmin
from console.records.sent import Sent, Telling, shortened
from console.records.who import person
from console.shell.times import ago
from core.base.errors import Refused
from statemachine import batches
from statemachine.batches import Condition, Progress, Stopped, condition_of, progress_of, with_condition
from statemachine.errors import BatchGone, TransitionForbidden
from statemachine.models import Batch, StateMachine

MOST_DIGITS = 10
CONDITIONS: Mapping[Condition, str] = {
    Condition.UNDER_WAY: "under way",
    Condition.NOT_ALL_RUN: "some did not run",
    Condition.SETTLED: "settled",
}


class BatchAdmin(ReadOnlyAdmin):
    """Who may see the records sees what was done with many of them; the buttons are the engine's business.

    Is registered for a machine's own `Batch`, whose manager says which machine that is. The list of the records needs
    `console.batches.filters.BatchFilter`.

    Attributes:
        name: “Runs of kettles”, unless it says otherwise.
        page: what the page of one asks for what it shows.
    """

    name = ""
    page: ClassVar[type[BatchPage]] = BatchPage
    change_list_template = "console/batches/list.html"
    list_display = ("title", "kind", "taken", "condition", "created_by", "created")
    list_filter = ("kind", ("created_by", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("created_by", "stopped_by")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("title",)
    search_help_text = "Search by the file's name or the run's"
    fields = ()
    change_form_template = "console/batches/page.html"

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.machine: type[StateMachine] = apps.get_model(model._default_manager.record_type)
        self.name = self.name or f"Runs of {self.machine._meta.verbose_name_plural}"
        # The column is called as the machine's records are.
        self.taken = admin.display(description=self.machine._meta.verbose_name_plural, ordering="size")(_taken)
        self.tellings: Mapping[str, Telling] = {"stop": self._sent_to_stop, "again": self._sent_again}

    @admin.display(description="now")
    def condition(self, batch: Batch) -> str:
        """Whether anything of it is still owed; the page of the batch says how much."""
        condition = condition_of(batch)
        return (
            f"stopped by {batch.stopped_by or 'somebody'}" if condition == Condition.STOPPED else CONDITIONS[condition]
        )

    @admin.display(description="when", ordering="created_at")
    def created(self, batch: Batch) -> SafeString:
        return ago(batch.created_at)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return with_condition(super().get_queryset(request), self.machine)

    # --- Who may what -----------------------------------------------------------------------------------------------

    @override
    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @override
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(right_to_see(self.machine))

    # --- Pages ------------------------------------------------------------------------------------------------------

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/live/", require_safe(self.live), name=self._named("live")),
            path("<int:pk>/stop/", view(require_POST(self.stop)), name=self._named("stop")),
            path("<int:pk>/again/", view(require_POST(self.again)), name=self._named("again")),
            *super().get_urls(),
        ]

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        records = reverse(address_of(self.machine, "changelist"))
        given = {"many": self.machine._meta.verbose_name_plural, "records_url": records}
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
            context["page"] = self.page(batch=obj, user=person(request))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What of the page follows the work; 204 as long as it is what the person sees already.

        Raises:
            PermissionDenied, Http404: for who may not look.
        """

        @cache
        def progress() -> Progress:
            return progress_of(self.model(pk=pk, record_type=self.machine._meta.label_lower))

        if following.is_unchanged(request, what=f"batch:{pk}", version=lambda: repr(progress())):
            return HttpResponse(status=204)
        return self.admin_site.admin_view(self._live)(request, pk, progress)

    def _live(self, request: HttpRequest, pk: int, progress: Callable[[], Progress]) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(self.model._default_manager.select_related("created_by", "stopped_by"), pk=pk)
        page = self.page(batch=batch, user=person(request), progress=progress())
        return render(request, "console/batches/live.html", {"page": page})

    def _named(self, page: str) -> str:
        return address_of(self.model, page).removeprefix("admin:")

    # --- Buttons ----------------------------------------------------------------------------------------------------

    def stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Owe nothing any more that the batch has started.

        Raises:
            PermissionDenied: nothing was changed.
        """
        return self._act(request, pk, lambda: self._stopped(batches.stop(batch_id=pk, user=person(request))))

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Run again what has failed; with the state in which records begin, what was stopped.

        Raises:
            PermissionDenied: nothing was changed.
        """
        start = self.machine.initial_state()
        state = start if request.POST.get("state") == start else self.machine.failed_state()
        told = _told(request.POST.get("expected", ""))
        return self._act(
            request,
            pk,
            lambda: self._started(
                batches.run_again(batch_id=pk, state=state, user=person(request), at_most=told), told
            ),
        )

    def _act(self, request: HttpRequest, pk: int, act: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        # What another machine's batch owes is not this page's business.
        if not self.model._default_manager.filter(pk=pk).exists():
            return self._gone(request, BatchGone())
        try:
            messages.success(request, act())
        except TransitionForbidden as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except BatchGone as refusal:
            return self._gone(request, refusal)
        except Refused as refusal:
            messages.warning(request, str(refusal))
        return HttpResponseRedirect(reverse(address_of(self.model, "change"), args=[pk]))

    def _gone(self, request: HttpRequest, refusal: BatchGone) -> HttpResponse:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse(address_of(self.model, "changelist")))

    def _stopped(self, stopped: Stopped) -> str:
        counted, left = self.machine.counted(stopped.count), stopped.left
        if left:
            return (
                f"Stopped: {counted}. {left:,} {'is' if left == 1 else 'are'} still under way: press “Stop” once more."
            )
        return f"Stopped: {counted}." if stopped.count else "There was nothing left to stop."

    def _started(self, count: int, told: int | None) -> str:
        """With the number, and why it is smaller than the button's if it is."""
        is_fewer = told is not None and told != count
        other = f", not {told:,}: the others had been started since the page was drawn" if is_fewer else ""
        return f"Started: {self.machine.counted(count)}{other}. They run a few at a time."

    # --- What was sent before a login -------------------------------------------------------------------------------

    def _sent_to_stop(self, request: HttpRequest, given: Mapping[str, Any], form: QueryDict) -> Sent:
        return Sent(what="Stop", facts=tuple(self._about(request, given["pk"], form)))

    def _sent_again(self, request: HttpRequest, given: Mapping[str, Any], form: QueryDict) -> Sent:
        is_start = form.get("state") == self.machine.initial_state()
        what = "Run what was not run" if is_start else "Run what has failed again"
        return Sent(what=what, facts=tuple(self._about(request, given["pk"], form)))

    def _about(self, request: HttpRequest, pk: int, form: QueryDict) -> Iterator[tuple[str, str]]:
        """The batch, for who may see it, and how many records."""
        found = self.model._default_manager.filter(pk=pk).first()
        if found is not None and self.has_view_permission(request):
            yield "Batch", str(found)
        if count := shortened(form.get("expected", "")):
            yield capfirst(str(self.machine._meta.verbose_name_plural)), count


def _taken(batch: Batch) -> str:
    """How many it took, and how many it did not."""
    return f"{batch.size:,}" + (f" ({batch.left_out:,} left out)" if batch.left_out else "")


def _told(expected: str) -> int | None:
    """How many the button named; never are more started."""
    return int(expected) if expected.isascii() and expected.isdecimal() and len(expected) < MOST_DIGITS else None
