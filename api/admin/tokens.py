"""Everybody's tokens, for who looks after people: who made each and when, what uses it, who has ended it."""

from typing import Any, override

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from api.models import ApiToken
from api.services.tokens import REVOKES_ALL
from api.standing import standing
from console.records.pages import ReadOnlyAdmin
from console.shell.times import ago, time_column
from core.base.clock import now


class StandingFilter(admin.SimpleListFilter):
    """Which of them open something."""

    title = "standing"
    parameter_name = "standing"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("works", "works"), ("expired", "expired"), ("revoked", "revoked")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "works":
                return queryset.filter(revoked_at=None, expires_at__gt=now(), user__is_active=True)
            case "expired":
                return queryset.filter(revoked_at=None, expires_at__lte=now())
            case "revoked":
                return queryset.exclude(revoked_at=None)
        return queryset


class ApiTokenAdmin(ReadOnlyAdmin):
    name = "API tokens"
    empty = "Nobody has made an API token yet. Each person does that under “Your API tokens”, at the top of every page."
    list_display = ("name", "user", "stands", "made", "expires", "used", "ended_by")
    list_filter = (StandingFilter,)
    list_select_related = ("user", "revoked_by")
    ordering = ("-pk",)
    search_fields = ("name", "user__username", "hint")
    search_help_text = "A part of its name or of the person's, or its last four characters"
    change_form_template = "api/token.html"
    made = time_column("created_at", "made")
    expires = time_column("expires_at", "expires")
    used = time_column("last_used_at", "last used")
    fields = ("user", "stands", "is_for", "last_characters", "made", "expires", "used", "ended")

    @admin.display(description="standing")
    def stands(self, token: ApiToken) -> SafeString:
        return standing(token, at=now())

    @admin.display(description="what it is for")
    def is_for(self, token: ApiToken) -> str:
        return "; ".join(token.words)

    @admin.display(description="last characters")
    def last_characters(self, token: ApiToken) -> str:
        """Nobody knows more of it but who has it."""
        return f"…{token.hint}"

    @admin.display(description="revoked")
    def ended(self, token: ApiToken) -> SafeString | str:
        return format_html("{} by {}", ago(token.revoked_at), self.ended_by(token)) if token.revoked_at else "No"

    @admin.display(description="revoked by", ordering="revoked_by__username")
    def ended_by(self, token: ApiToken) -> str:
        if token.revoked_at is None:
            return ""
        return str(token.revoked_by or "somebody who is gone")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """Not even the digest is on a page."""
        return super().get_queryset(request).select_related("user", "revoked_by").defer("digest")

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        token: ApiToken | None = kwargs.get("obj")
        may = token is not None and token.revoked_at is None and request.user.has_perm(REVOKES_ALL)
        return super().render_change_form(request, {**context, "may_revoke": may}, *args, **kwargs)
