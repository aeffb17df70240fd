"""The list of any machine's records: their states and how it counts them, what narrows it, and how it follows the work."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any, ClassVar, override

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from console.machine import badges, following
from console.machine.change_list import STATES, MachineChangeList, versions_of
from console.machine.columns import FAILURE, LAST_CHANGE, RUN_FOR, STATE, TRIES, WHY, tries_of
from console.machine.filters import BY_LAST_CHANGE, BY_STATE, FailureFilter, PersonFilter
from console.machine.running import ManyRun, run_chosen
from console.machine.words import one_of
from console.records.exports import Column
from console.records.large_lists import LargeList
from console.records.lists import is_key
from console.shell.times import ago
from core.base.errors import words_for
from core.http.lists import read_list
from statemachine.queries import count_by_state, were_started_since, with_last_tries

# The counts over the list may be so old while records that are not shown move on.
COUNTS_LAST_S = 10


class MachineList(LargeList):
    """What the list needs; the page of one record builds on it.

    Attributes:
        many: how many of them are run at once; None: that is not offered.
        also_many: what else many of them are run for, each under a name of its own.
        put_away: the states whose records are listed only when the address asks for them.
        shows_put_away: what, in the address, asks for them as for all others.
        follows: the columns that a worker changes beside those of every machine, and that are shown.
    """

    add_label = ""  # as in “Add a kettle”
    many: ClassVar[ManyRun | None] = None
    also_many: ClassVar[Sequence[ManyRun]] = ()
    put_away: ClassVar[frozenset[str]] = frozenset()
    shows_put_away: Collection[str] = (STATES,)
    follows: ClassVar[Sequence[str]] = ()
    list_display: Any = ("__str__", "state_badge", "tries_taken", "initiated_by", "changed")
    list_filter: ClassVar[Any] = (BY_STATE, FailureFilter, PersonFilter, BY_LAST_CHANGE)
    lookups: ClassVar[Collection[str]] = (STATES,)  # where a batch leads to what is under way
    list_select_related: ClassVar[Any] = ("initiated_by",)
    asks: ClassVar[Collection[str]] = ("run_chosen", "delete_selected")
    file_columns: ClassVar[Sequence[Column]] = (Column("Name", str), STATE, FAILURE, WHY, TRIES, RUN_FOR, LAST_CHANGE)
    file_shows_with: ClassVar[Sequence[str]] = ("initiated_by",)
    whose: ClassVar[Sequence[str]] = ("initiated_by",)
    delete_template: ClassVar[str] = "console/machine/delete_chosen.html"
    change_list_template: ClassVar[str] = "console/machine/list.html"

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.add_label = self.add_label or f"Add {one_of(model)}"
        if self.many:
            self.actions = (*map(run_chosen, (self.many, *self.also_many)), *self.actions)

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[MachineChangeList]:
        return MachineChangeList

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Whether to offer the action; who does it asks again."""
        return request.user.has_perm(self.model.run_right)

    @override
    def get_preserved_filters(self, request: HttpRequest) -> str:
        """What leads back to the same list; also from rows that were asked for anew."""
        match = request.resolver_match
        if match and match.url_name == self._named("rows") and request.GET:
            return urlencode({"_changelist_filters": request.GET.urlencode()})
        return super().get_preserved_filters(request)

    @override
    def for_file(self, records: QuerySet[Any]) -> QuerySet[Any]:
        return with_last_tries(super().for_file(records))

    @override
    def told_before_deleting(self, chosen: QuerySet[Any]) -> dict[str, Any]:
        counts = count_by_state(chosen)
        return {
            "count": sum(counts.values()),
            "states": [(state, counts[state]) for state in self.model.shown_states() if counts.get(state)],
            "owed": chosen.filter(due_at__isnull=False).count(),
        }

    @override
    def have_moved_on(self, keys: Sequence[int], since: datetime) -> bool:
        return were_started_since(self.model, keys, since)

    # --- Columns ----------------------------------------------------------------------------------------------------

    @admin.display(description="state", ordering="state")
    def state_badge(self, record: Any) -> SafeString:
        """The state, and what a failure is called, or what is being waited for."""
        badge = badges.state_badge(record, record.shown_state)
        if not record.failure_code:
            return badge
        return format_html('{} <span class="failure-code">{}</span>', badge, words_for(record.failure_code))

    @admin.display(description="tries", empty_value="\N{EN DASH}")
    def tries_taken(self, record: Any) -> int | None:
        """Of the work that is under way, else of the last that was."""
        return tries_of(record)

    @admin.display(description="created", ordering="created_at")
    def created(self, record: Any) -> SafeString:
        """For a kind of record that says when it was made."""
        return ago(record.created_at)

    @admin.display(description="last change", ordering="entered_at")
    def changed(self, record: Any) -> SafeString:
        return ago(record.entered_at)

    # --- Following the work -----------------------------------------------------------------------------------------

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        return [*urls, path("rows/", require_safe(self.follow), name=self._named("rows")), anything_else]

    def follow(self, request: HttpRequest) -> HttpResponse:
        """The rows that somebody looks at as they are now; 204 as long as they are what the person sees already.

        Raises:
            PermissionDenied: for who may not look, or no longer.
        """
        shown = [int(pk) for pk in request.GET.getlist("shown") if is_key(pk)]
        shown = shown[: self.list_per_page]
        versions = cache(partial(versions_of, self.model._default_manager.all(), shown, self.follows))
        what = self.opts.label_lower
        if following.is_unchanged(
            request, what=what, version=lambda: versions().rows, within_s=COUNTS_LAST_S
        ) or following.is_unchanged(request, what=what, version=lambda: versions().all, name="counted"):
            return HttpResponse(status=204)
        return self.admin_site.admin_view(self._rows)(request, shown)

    def _rows(self, request: HttpRequest, shown: list[int]) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        wanted = request.GET.copy()
        for name in ("shown", "seen", "counted"):
            wanted.pop(name, None)
        request.GET = wanted  # type: ignore[assignment]  # what the list was asked for
        try:
            return read_list(request, lambda: self._rendered(request, shown))
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{self.address_of('changelist')}?{ERROR_FLAG}=1")

    def _rendered(self, request: HttpRequest, shown: list[int]) -> HttpResponse:
        listed = self.listed(request)
        rows = {record.pk: record for record in listed.rows(shown)}
        # In their places, also if what they are sorted by has changed: somebody may be about to click on one.
        listed.result_list = [rows[pk] for pk in shown if pk in rows]
        return render(request, "console/machine/rows.html", {"cl": listed, "opts": self.opts})
