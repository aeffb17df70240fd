"""Dropbox accounts to look at; they are made by connecting, not by typing."""

from typing import Any, override

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from cloud.models import DropboxAccount
from console.machine.badges import mark
from console.records.pages import ReadOnlyAdmin
from console.shell.times import ago, time_column


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


class DropboxAccountAdmin(ReadOnlyAdmin):
    name = "Dropbox accounts"
    empty = "Nobody has connected a Dropbox yet. Each person does that under “Your Dropbox”, at the top of every page."
    list_display = ("user", "account", "email", "connection", "space", "connected", "used")
    list_filter = (IsLostFilter,)
    search_fields = ("user__username", "display_name", "email", "account_id")
    connected = time_column("connected_at", "connected")
    used = time_column("last_used_at", "last used")
    changed = time_column("changed_at", "Dropbox last told of changes")
    token_ends = time_column("access_token_expires_at", "access token ends")
    fieldsets = (
        (
            None,
            {"fields": ("user", "account", "email", "connection", "connected", "used", "space", "granted", "pause")},
        ),
        (
            "For whoever looks for a fault",
            {
                "classes": ("collapse",),
                "fields": ("account_id", "root_namespace_id", "home_namespace_id", "token_ends", "changed"),
            },
        ),
    )

    @admin.display(description="Dropbox account", ordering="display_name")
    def account(self, account: DropboxAccount) -> str:
        return str(account)

    @admin.display(description="connection", ordering="needs_reconnect_reason")
    def connection(self, account: DropboxAccount) -> SafeString:
        """In one word, or why it is lost."""
        reason = account.needs_reconnect_reason
        return mark("bad", reason) if reason else mark("good", "Works")

    @admin.display(description="space")
    def space(self, account: DropboxAccount) -> str:
        return "Team space" if account.is_team_space else "Personal space"

    @admin.display(description="permissions")
    def granted(self, account: DropboxAccount) -> str:
        return ", ".join(account.scopes)

    @admin.display(description="pause that Dropbox asked for")
    def pause(self, account: DropboxAccount) -> SafeString | str:
        return ago(account.paused_until) if account.paused_until else "None so far"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[DropboxAccount]:
        """Without the tokens, so that the page opens even when they cannot be decrypted."""
        return super().get_queryset(request).select_related("user").defer("refresh_token", "access_token")
