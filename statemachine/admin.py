"""The log of all transitions to look at."""

import json
from typing import override

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.records import ReadOnlyAdmin
from core.times import exact
from statemachine import dashboard  # noqa: F401 - registers itself
from statemachine.models import TransitionLog


@admin.register(TransitionLog)
class TransitionLogAdmin(ReadOnlyAdmin):
    name = "Transition log"
    empty = "Nothing has happened yet. Whatever changes the state of a lease or a notice leaves a line here."
    list_display = ("when", "record", "from_state", "to_state", "transition", "actor_kind", "actor", "reason")
    list_filter = ("actor_kind", "transition", "record_type")
    list_select_related = ("actor",)
    search_fields = ("=record_id", "job_id", "reason")
    show_full_result_count = False
    fields = (
        "record",
        "when",
        "from_state",
        "to_state",
        "transition",
        "generation",
        "actor_kind",
        "actor",
        "reason",
        "lasted",
        "tries",
        "job_id",
        "evidence_text",
    )

    @admin.display(description="when", ordering="at")
    def when(self, row: TransitionLog) -> SafeString:
        """To the second, which is how far transitions are apart."""
        return format_html("<time>{}</time>", exact(row.at))

    @admin.display(description="record")
    def record(self, row: TransitionLog) -> SafeString | str:
        """The record's type and number, leading to its page where there is one."""
        app, _, model = row.record_type.partition(".")
        try:
            name = str(apps.get_model(app, model)._meta.verbose_name).capitalize()
            url = reverse(f"{self.admin_site.name}:{app}_{model}_change", args=[row.record_id])
        except (LookupError, NoReverseMatch):
            return f"{row.record_type} {row.record_id}"
        return format_html('<a href="{}">{} {}</a>', url, name, row.record_id)

    @admin.display(description="evidence")
    def evidence_text(self, row: TransitionLog) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(row.evidence, indent=2, ensure_ascii=False))

    @override
    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """A record's own page leads to its whole history."""
        return lookup == "record_id" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]
