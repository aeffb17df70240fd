"""Dropbox accounts to look at; they are made by connecting, not by typing."""

from typing import Any, override

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from discovery.models import DropboxAccount


@admin.register(DropboxAccount)
class DropboxAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("user", "display_name", "email", "connected_at", "paused_until", "needs_reconnect_reason")
    search_fields = ("user__username", "display_name", "email", "account_id")
    fields = (
        "user",
        "account_id",
        "display_name",
        "email",
        "scopes",
        "root_namespace_id",
        "home_namespace_id",
        "connected_at",
        "access_token_expires_at",
        "paused_until",
        "needs_reconnect_reason",
    )

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
