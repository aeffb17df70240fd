"""The runs of the index: their list, the page of each, and the page that starts one."""

from typing import Any, ClassVar, override

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from console.machine.filters import BY_LAST_CHANGE, BY_STATE, FailureFilter, PersonFilter
from console.machine.page import MachineAdmin
from console.records.exports import STREAMED, Column, download
from console.records.filters import AskingFilter
from console.records.pages import ReadOnly
from console.records.sent import Sent, Telling
from console.records.shown_again import LOGGED_OUT
from console.records.who import person
from storage.admin.buttons import BUTTONS, FORGOTTEN
from storage.admin.changes import ChangesPage, Wanted, export_of
from storage.admin.figures import in_short
from storage.admin.looking import look_now
from storage.admin.panel import RunPanel, mode_of
from storage.admin.places import BESIDE
from storage.admin.starting import StartForm
from storage.models import IndexRun, StorageRoot

DID = {
    "plan": "began to look",
    "planned": "finished the plan",
    "refuse": "refused to conclude anything",
    "override": "let it go on all the same",
    "apply": "began to apply it",
    "applied": "applied all of it",
    "undo": "began to undo it",
    "undone": "undid it",
    "abort": "stopped it",
}


NOT_WHOLE = "The plan is not finished."


class RootFilter(AskingFilter):
    """The roots that there are."""

    title = "root"
    parameter_name = "root__name"

    @override
    def there_is(self) -> list[tuple[str, str]]:
        return [(root.name, root.title) for root in StorageRoot.objects.only("name", "declaration")]


class RunAdmin(ReadOnly, MachineAdmin):
    """A run is started by its own page, and changed by its buttons."""

    name = "Index runs"
    add_label = "New run"
    beside = BESIDE[:2]
    empty = "Start the first one."
    list_display = ("__str__", "state_badge", "where", "how", "who", "changed", "differences")
    list_filter = (BY_STATE, RootFilter, "mode", FailureFilter, PersonFilter, BY_LAST_CHANGE)
    list_select_related = ("root", "user", "initiated_by")
    sortable_by = ("__str__", "state_badge", "changed")
    follows = ("counts", "planned_up_to", "applied_up_to")
    file_shows_with = ("root", "user", "initiated_by")
    file_columns = (
        *MachineAdmin.file_columns,
        Column("Root", lambda run: str(run.root)),
        Column("Mode", lambda run: str(mode_of(run))),
        Column("Refused", lambda run: run.refusal, width=60),
        Column("Differences", in_short, width=40),
    )
    fields = (
        "root",
        "mode",
        "user",
        "dry_run",
        "incremental",
        "checksums",
        "include_protected",
        "allow_missing",
        "grace",
    )
    look_label = "What was asked for"
    shown_with = ("root", "user", "initiated_by")
    panel = RunPanel
    buttons = BUTTONS
    did = DID
    facts_template: ClassVar[str] = "admin/storage/indexrun/facts.html"

    @property
    def tellings(self) -> dict[str, Telling]:
        """What was sent, for who had been logged out meanwhile; see `console.records.sent`."""
        return {"look": lambda _request, _given, form: Sent(what="Look now", facts=(("Root", form.get("root", "")),))}

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(IndexRun.run_right)

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("look/", view(require_POST(look_now)), name=self._named("look")),
            path("<int:pk>/changes/", view(require_safe(self.changes)), name=self._named("changes")),
            path("<int:pk>/changes/<slug:kind>/", view(require_safe(self.file)), name=self._named("changes_file")),
            *super().get_urls(),
        ]

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description="root", ordering="root")
    def where(self, run: IndexRun) -> str:
        return f"{run.root}/{run.prefix}" if run.prefix else str(run.root)

    @admin.display(description="mode", ordering="mode")
    def how(self, run: IndexRun) -> SafeString | str:
        return mode_of(run)

    @admin.display(description="who", ordering="initiated_by")
    def who(self, run: IndexRun) -> str:
        return str(run.initiated_by or run.get_occasion_display())

    @admin.display(description="differences", empty_value="\N{EN DASH}")
    def differences(self, run: IndexRun) -> str | None:
        return in_short(run) or None

    # --- Starting one -----------------------------------------------------------------------------------------------

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Start a run as it is said; whatever is refused is said beside its field, and what was typed stays.

        Raises:
            PermissionDenied: for who may not look for differences at all.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent, user = request.method == "POST", person(request)
        form = StartForm(request.POST, user=user) if is_sent else StartForm(initial=request.GET.dict(), user=user)
        if hasattr(request, "is_shown_again"):
            messages.warning(request, LOGGED_OUT)
        elif is_sent and form.is_valid() and (run := form.start()):
            return HttpResponseRedirect(self._kept(request, "change", run.pk))
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": self.add_label, "form": form}
        return render(request, "admin/storage/indexrun/start.html", context)

    # --- What it would do, row by row -------------------------------------------------------------------------------

    def changes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A page of its differences.

        Raises:
            PermissionDenied, Http404: for who may not look; there is no such run.
        """
        run = self._run(request, pk)
        page = ChangesPage(run=run, wanted=Wanted.of(request.GET.dict()), user=person(request))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Differences of {str(run).lower()}",
            "run": run,
            "mode": mode_of(run),
            "told": "" if run.plan_is_whole else NOT_WHOLE,
            "none": _none(run),
            "page": page,
            "kinds": list(STREAMED),
        }
        return render(request, "admin/storage/indexrun/changes.html", context)

    def file(self, request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
        """The same as a file, all of it.

        Raises:
            PermissionDenied, Http404: for who may not look; there is no such run, or no such kind of file.
        """
        run = self._run(request, pk)
        if kind not in STREAMED:
            raise Http404
        return download(export_of(run, Wanted.of(request.GET.dict())), kind=kind)

    def _run(self, request: HttpRequest, pk: int) -> IndexRun:
        if not (self.has_view_permission(request) and request.user.has_perm("storage.view_indexchange")):
            raise PermissionDenied
        return get_object_or_404(IndexRun.objects.select_related("root"), pk=pk)


def _none(run: IndexRun) -> str:
    """What it means that there are no differences."""
    if run.forgotten_at:
        return FORGOTTEN
    return "There are no differences." if run.plan_is_whole else NOT_WHOLE
