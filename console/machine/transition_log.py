"""The log of all transitions to look at."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, override

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from console.machine import badges
from console.records.lists import CappedPaginator, is_key
from console.records.pages import ReadOnlyAdmin
from console.shell.times import exact
from core.base.job_ids import JobId
from statemachine.evidence import bounded
from statemachine.models import ActorKind, TransitionLog
from statemachine.reactions import machines


class KnownFilter(admin.SimpleListFilter):
    """Narrows to one of what the code knows: to find out what millions of rows hold takes too long."""

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Raises: IncorrectLookupParameters: the address names something else, for which all the rows would be read."""
        if not self.value():
            return queryset
        if self.value() not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return queryset.filter(**{str(self.parameter_name): self.value()})


class TransitionFilter(KnownFilter):
    title = parameter_name = "transition"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names: set[str] = set()
        for model in machines():
            names |= {each.name for each in model._meta.get_field("state").get_all_transitions(model)} | model.edits
        return [(name, name.replace("_", " ")) for name in sorted(names)]


class RecordTypeFilter(KnownFilter):
    title = "record type"
    parameter_name = "record_type"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(record_types())]


def record_types() -> list[str]:
    return [model._meta.label_lower for model in machines()]


BY: dict[str, str] = {
    ActorKind.WORKER: "A worker",
    ActorKind.RECONCILER: "The reconciler",
    ActorKind.TERMINAL: "Somebody at a terminal",
}


class TransitionLogAdmin(ReadOnlyAdmin):
    name = "Transition log"
    list_display = ("when", "record", "change", "what", "who", "reason")
    list_filter = ("actor_kind", TransitionFilter, RecordTypeFilter)
    lookups = ("record_id",)  # where a record's own page leads to its whole history
    list_select_related = ("actor",)
    # The box is there for it; what is typed into it goes to `get_search_results`.
    search_fields = ("record_id",)
    show_full_result_count = False
    paginator = CappedPaginator
    ordering = ("-pk",)
    sortable_by = ("when",)
    fields = (
        "record",
        "when",
        "change",
        "what",
        "who",
        "reason",
        "lasted",
        "tries",
        "generation",
        "job_id",
        "evidence_text",
    )

    @property
    def empty(self) -> str:  # type: ignore[override]  # which machines there are is known once all apps have said so
        """With the names of what there is."""
        kinds = " or ".join(f"a {name}" for name in badges.names())
        return f"Nothing has happened yet. Whatever changes the state of {kinds} leaves a line here."

    @property
    def search_help_text(self) -> str:  # type: ignore[override]  # as above
        return f"The number of a {badges.names()[0]} or another record, or the name of an RQ job."

    @admin.display(description="when", ordering="at")
    def when(self, row: TransitionLog) -> SafeString:
        """To the second, which is how far transitions are apart."""
        return format_html("<time>{}</time>", exact(row.at))

    @override
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, in which the records have their names: one query for each kind."""
        shown = super().get_changelist_instance(request)
        _name(list(shown.result_list))
        return shown

    @override
    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> TransitionLog | None:
        found: TransitionLog | None = super().get_object(request, object_id, from_field)
        _name([found] if found else [])
        return found

    @admin.display(description="of")
    def record(self, row: Any) -> SafeString | str:
        """What the record is called, leading to its page where there is one."""
        if row.about is None:
            return f"{row.record_type} {row.record_id}, which is gone"
        name = f"{capfirst(row.about._meta.verbose_name)} {row.about}"
        try:
            url = reverse(f"{self.admin_site.name}:{row.record_type.replace('.', '_')}_change", args=[row.record_id])
        except NoReverseMatch:
            return name
        return format_html('<a href="{}">{}</a>', url, name)

    @admin.display(description="from → to")
    def change(self, row: TransitionLog) -> SafeString:
        return format_html(
            "{} → {}", *(badges.state_badge(row.record_type, state) for state in (row.from_state, row.to_state))
        )

    @admin.display(description="what", ordering="transition")
    def what(self, row: TransitionLog) -> str:
        return row.transition.replace("_", " ").capitalize()

    @admin.display(description="who", ordering="actor")
    def who(self, row: TransitionLog) -> str:
        """A person, or what kind of process."""
        return str(row.actor) if row.actor else BY.get(row.actor_kind, "Somebody who is no longer here")

    @admin.display(description="evidence")
    def evidence_text(self, row: TransitionLog) -> SafeString:
        return format_html(
            '<pre class="exact">{}</pre>', json.dumps(bounded(row.evidence), indent=2, ensure_ascii=False)
        )

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TransitionLog], search_term: str
    ) -> tuple[QuerySet[TransitionLog], bool]:
        """Of one record, or of one job: by the one index that names the records."""
        term = search_term.strip()
        job = JobId.read(term)
        number = str(job.pk) if job else term
        if not is_key(number):
            return (queryset.none() if number else queryset), False
        found = queryset.filter(record_type__in=record_types(), record_id=int(number))
        return (found.filter(job_id=term) if job else found), False


def _name(rows: Sequence[Any]) -> None:
    """Write to each row the record that it is about; None if that is gone."""
    wanted = defaultdict(set)
    for row in rows:
        wanted[row.record_type].add(row.record_id)
    found = {kind: _records(model, pks) for kind, pks in wanted.items() if (model := _model(kind))}
    for row in rows:
        row.about = found.get(row.record_type, {}).get(row.record_id)


def _records(model: Any, pks: Collection[int]) -> dict[int, Any]:
    """By their ids, with what they may be called by."""
    others = [field.name for field in model._meta.concrete_fields if field.many_to_one]
    found: dict[int, Any] = model._default_manager.select_related(*others).in_bulk(pks)
    return found


def _model(record_type: str) -> Any:
    try:
        return apps.get_model(record_type)
    except LookupError:
        return None
