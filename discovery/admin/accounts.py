"""Dropbox accounts to look at; they are made by connecting, not by typing."""

from typing import Any, override

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from discovery.models import DropboxAccount


class IsLostFilter(admin.SimpleListFilter):
    """Whose connection has to be made anew."""

    title = "connection"
    parameter_name = "connection"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("works", "works"), ("lost", "has to be made anew")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "works":
                return queryset.filter(needs_reconnect_reason="")
            case "lost":
                return queryset.exclude(needs_reconnect_reason="")
        return queryset


@admin.register(DropboxAccount)
class DropboxAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = (
        "user",
        "display_name",
        "email",
        "space",
        "connected_at",
        "last_used_at",
        "changed_at",
        "needs_reconnect_reason",
    )
    list_filter = (IsLostFilter,)
    search_fields = ("user__username", "display_name", "email", "account_id")
    fields = (
        "user",
        "account_id",
        "display_name",
        "email",
        "space",
        "granted",
        "connected_at",
        "last_used_at",
        "changed_at",
        "needs_reconnect_reason",
        "access_token_expires_at",
        "paused_until",
        "root_namespace_id",
        "home_namespace_id",
    )
    readonly_fields = ("space", "granted")

    @admin.display(description="space")
    def space(self, account: DropboxAccount) -> str:
        return "team space" if account.is_team_space else "personal space"

    @admin.display(description="permissions")
    def granted(self, account: DropboxAccount) -> str:
        return ", ".join(account.scopes)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DropboxAccount]:
        """Without the tokens, so that the page opens even when they cannot be decrypted."""
        return super().get_queryset(request).select_related("user").defer("refresh_token", "access_token")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
