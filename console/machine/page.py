"""The page of any record that a state machine works on, with the buttons that start and stop its runs.

A kind of record declares what is its own (docs/how-to/add-a-machine.md); everything else comes from here.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, override

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.checks import CheckMessage
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from console.machine import following
from console.machine.buttons import Button, lacking, press
from console.machine.checks import errors_of
from console.machine.lists import MachineList
from console.machine.panel import Panel
from console.machine.words import one_of
from console.records.concurrent_edits import UnchangedForm
from console.records.large_lists import LargeList
from console.records.who import person
from console.shell.times import distance_text
from core.base.clock import now
from core.base.errors import Refused
from statemachine.deleting import delete
from statemachine.errors import RecordGone, Stale, TransitionForbidden
from statemachine.models import StateMachine, TransitionLog


class MachinePage(LargeList):
    """The page of one record.

    Attributes:
        buttons: what can be done with it.
        facts: what stands under “Result”: names as in `list_display`.
        facts_template: what stands there instead, for who has more to say.
        evidence: the labels of what transitions keep as evidence, in the order in which they are shown.
        did: what each transition did, as one tells it of somebody: “switched it on”.
        panel: what the page asks for all this; a kind of record that has more to say derives its own.
        shown_with: the relations that the page shows something of.
        follows: the columns that a worker changes beside those of every machine, and that the page or the list shows.
        form_label, look_label, form_note: what stands above the form for who may change it and who may only look, and below.
        add_note: what stands above the form of a new one.
    """

    buttons: ClassVar[tuple[Button, ...]] = ()
    facts: ClassVar[Sequence[str]] = ()
    facts_template: ClassVar[str] = "console/machine/facts.html"
    evidence: ClassVar[Mapping[str, str]] = {}
    did: ClassVar[Mapping[str, str]] = {}
    panel: ClassVar[type[Panel[Any]]] = Panel
    shown_with: ClassVar[tuple[str, ...]] = ("initiated_by",)
    follows: ClassVar[Sequence[str]] = ()
    form_label: ClassVar[str] = "Change what was entered"
    look_label: ClassVar[str] = "What was entered"
    form_note: ClassVar[str] = ""
    add_note: ClassVar[str] = "Once it is saved, it starts by itself, and its page shows how that goes."
    form = UnchangedForm
    change_form_template = "console/machine/page.html"

    def address(self, page: str) -> str:
        """The name of the address of one of the pages."""
        return f"admin:{self._named(page)}"

    @property
    def a_record(self) -> str:
        """One of its records, within a sentence."""
        return one_of(self.model)

    def followed(self, pk: int) -> str:
        """What is followed, as a page's proof of what it shows names it."""
        return f"{self.opts.label_lower}:{pk}"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With all that the page shows of others."""
        records = super().get_queryset(request)
        match = request.resolver_match
        is_page = match is not None and match.url_name == self._named("change")
        return records.select_related(*self.shown_with) if is_page else records

    # --- The form ---------------------------------------------------------------------------------------------------

    @override
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was changed of it: a worker may have moved the record on meanwhile.

        Raises:
            RecordGone: somebody has deleted it meanwhile.
        """
        if change:
            try:
                obj.save(update_fields=form.changed_data)
            except self.model.NotUpdated as error:
                raise RecordGone from error
        else:
            obj.initiated_by = person(request)
            super().save_model(request, obj, form, change)

    @override
    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """Where one can watch it; the list that one came from is not forgotten."""
        return HttpResponseRedirect(self._kept(request, "change", obj.pk))

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
            messages.error(request, self.why_not(refusal, object_id))
            return HttpResponseRedirect(request.get_full_path())

    def why_not(self, refusal: Refused, pk: str | None) -> str:  # noqa: ARG002 - for who derives from it
        """Why nothing was saved."""
        return str(refusal)

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["page"] = self
        if obj is None:
            context["title"] = self.add_label
        else:
            context["panel"] = self.panel_of(request, obj)
        context["show_save_and_continue"] = False  # saving leads to its page anyway
        context["show_save_and_add_another"] = add
        return super().render_change_form(request, context, add, change, form_url, obj)

    @override
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """As any way to delete one; somebody who has done it meanwhile has done what was wanted."""
        with suppress(RecordGone):
            delete(model=self.model, pk=obj.pk, user=person(request))

    def panel_of(self, request: HttpRequest, record: Any) -> Panel[Any]:
        """What the page shows of the record to who asks."""
        return self.panel(record=record, user=person(request), page=self, kept=self.get_preserved_filters(request))

    # --- Following the work, and the buttons ------------------------------------------------------------------------

    @override
    def get_urls(self) -> list[URLPattern]:
        *urls, anything_else = super().get_urls()
        act = self.admin_site.admin_view(require_POST(self.act))
        return [
            *urls,
            path("<int:pk>/live/", require_safe(self.live), name=self._named("live")),
            path("<int:pk>/<slug:name>/", act, name=self._named("action")),
            anything_else,
        ]

    def live(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What of the page follows the work; 204 as long as it is what the person sees already.

        Raises:
            PermissionDenied, Http404: for who may not look, or no longer.
        """

        def version() -> str:
            values = self.model._default_manager.filter(pk=pk).values(*following.SHOWN, *self.follows).first()
            return following.version_of(values) if values else "gone"

        if following.is_unchanged(request, what=self.followed(pk), version=version):
            return HttpResponse(status=204)
        return self.admin_site.admin_view(self._live)(request, pk)

    def _live(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):  # nor is who may not look told whether there is such a record
            raise PermissionDenied
        record = get_object_or_404(self.model._default_manager.select_related(*self.shown_with), pk=pk)
        return render(request, "console/machine/live.html", {"panel": self.panel_of(request, record)})

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Do what a button says, if the button would be there.

        Raises:
            PermissionDenied, Http404: nothing was changed.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        button = next((each for each in self.buttons if each.name == name), None)
        if button is None:
            raise Http404
        # Before the door, which looks first whether the record has moved on.
        right = button.right(self.model)
        if not request.user.has_perm(right):
            raise PermissionDenied(lacking(self.model, right))
        try:
            self._press(request, button, pk)
        except TransitionForbidden as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except RecordGone as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(self._kept(request, "changelist"))
        return HttpResponseRedirect(self._kept(request, "change", pk))

    def _press(self, request: HttpRequest, button: Button, pk: int) -> None:
        """What a button says, told to the person as it turned out.

        Raises:
            TransitionForbidden, RecordGone: nothing was changed.
        """
        model: type[StateMachine] = self.model
        try:
            record = press(
                button,
                model=model,
                record_id=pk,
                user=person(request),
                generation=generation_of(request),
                answers=self._answers(request, button, pk),
            )
        except (TransitionForbidden, RecordGone):
            raise
        except Stale:
            messages.warning(request, self.overtaken(button.label, pk))
        except Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, _done(button, record))

    def _answers(self, request: HttpRequest, button: Button, pk: int) -> Mapping[str, Any]:
        """To what the button asks of the record as it is now.

        Raises:
            RecordGone, Unanswered: nothing was changed.
        """
        if button.question is None:
            return {}
        record = self.get_queryset(request).filter(pk=pk).first()
        if record is None:
            raise RecordGone
        return button.answers(record, request.POST)

    def overtaken(self, label: str, pk: int | str) -> str:
        """What happened between the look and the click, and who did it.

        Raises:
            RecordGone: somebody has deleted it.
        """
        record: StateMachine | None = self.model._default_manager.filter(pk=pk).first()
        if record is None:
            raise RecordGone
        last = TransitionLog.objects.of(record).select_related("actor").last()
        if last is None:
            return str(Stale())
        by = last.actor or f"a {last.get_actor_kind_display()}"
        return (
            f"“{label}” was not done, because the {self.opts.verbose_name} had moved on: {by} did "
            f"“{last.transition.replace('_', ' ')}” {distance_text(last.at - now())}, and now it is “{record.state_label}”."
        )

    def _kept(self, request: HttpRequest, page: str, *args: int) -> str:
        """An address from which one comes back to the same list."""
        kept: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return add_preserved_filters(kept, reverse(self.address(page), args=args))


class MachineAdmin(MachinePage, MachineList):
    """The list and the page of a kind of record; what it declares, it derives from this."""

    @override
    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return [*super().check(**kwargs), *errors_of(self)]


def generation_of(request: HttpRequest) -> int:
    """What the person saw when the button was drawn.

    Raises:
        Stale: the request does not say.
    """
    try:
        return int(request.POST.get("generation", ""))
    except ValueError:
        raise Stale from None


def _done(button: Button, record: StateMachine) -> str:
    """Without the state, which the page shows, and which moves on while this sentence stands."""
    if button.ends:
        return f"{record}: stopped."
    return f"{record}: “{button.label}” was {'started' if record.is_working else 'done'}."
