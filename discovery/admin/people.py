"""People: who is deleted is disconnected from Dropbox first."""

from typing import Any, override

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core.people import PeopleAdmin
from discovery.errors import AccountBusy, DropboxNotConnected
from discovery.fields import sealed
from discovery.models import DropboxAccount
from discovery.services.dropbox_accounts import disconnect_account

admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(PeopleAdmin):
    """Afterwards nobody could end that person's connection any more."""

    @override
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The account goes with its person, although nobody may delete it by itself and no key may open its tokens."""
        with sealed():
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
