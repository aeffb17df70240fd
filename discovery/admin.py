"""Dropbox accounts to look at, which are made by connecting, not by typing; and the end of a person's connection."""

from typing import Any, override

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from discovery.errors import AccountBusy, DropboxNotConnected
from discovery.models import DropboxAccount
from discovery.services.dropbox_accounts import disconnect_account


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
        return "team space" if account.path_root else "personal space"

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


admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Who is deleted is disconnected first: nobody could end that person's connection any more."""

    @override
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The account goes with its person, although nobody may delete it by itself."""
        found, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        return found, counts, perms_needed - {DropboxAccount._meta.verbose_name}, protected

    @override
    def delete_model(self, request: HttpRequest, obj: User) -> None:
        _disconnect(request, obj)
        super().delete_model(request, obj)

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            _disconnect(request, person)
        super().delete_queryset(request, queryset)

    @override
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except AccountBusy as refusal:
            return _try_again(request, refusal)

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except AccountBusy as refusal:
            return _try_again(request, refusal)


def _disconnect(request: HttpRequest, person: User) -> None:
    """End the connection at Dropbox, if there is one.

    Raises:
        AccountBusy: a worker renews it at this moment.
    """
    try:
        ended = disconnect_account(user=person)
    except DropboxNotConnected:
        return
    if not ended.revoked:
        messages.warning(
            request,
            f"Dropbox could not be told that {person} is gone. Nothing of the connection is stored any more; to be sure, "
            "let its owner remove Runsheet at Dropbox itself, under Settings, Connected apps.",
        )


def _try_again(request: HttpRequest, refusal: AccountBusy) -> HttpResponse:
    messages.error(request, f"Nobody was deleted. {refusal}")
    return HttpResponseRedirect(request.get_full_path())
