"""People and their roles in the console: who looks after them cannot become more than he is."""

from typing import Any, override

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db.models import Q, QuerySet
from django.forms import CheckboxSelectMultiple, SelectMultiple
from django.http import HttpRequest


class PeopleAdmin(UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Whoever may change users gives the roles that hold nothing he lacks, to people who hold nothing he lacks.

    Else a new password for a superuser would be the way to become one.
    """

    # Three roles are ticked sooner than moved from box to box.
    filter_horizontal = ()

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Rights beside the roles are a superuser's business."""
        fixed = () if _is_superuser(request) else ("is_superuser", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *fixed)

    @override
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxSelectMultiple
            kwargs["queryset"] = Group.objects.exclude(permissions__in=_lacking(request)).order_by("name")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @override
    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """A list that everybody can use; Django's two boxes say nothing to who cannot see them."""

    filter_horizontal = ()

    @override
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        kwargs["widget"] = SelectMultiple(attrs={"size": 20})
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _may_touch(request: HttpRequest, person: User | None) -> bool:
    if person is None or _is_superuser(request):
        return True
    # Not by what the person may do at present: who is not active may do nothing, and can be made active.
    return not person.is_superuser and not (_held(person) & _lacking(request)).exists()


def _held(person: User | AnonymousUser) -> QuerySet[Permission]:
    return Permission.objects.filter(Q(pk__in=_of_roles(person)) | Q(pk__in=person.user_permissions.values("pk")))


def _of_roles(person: User | AnonymousUser) -> QuerySet[Permission, Any]:
    return Permission.objects.filter(group__in=person.groups.all()).values("pk")


def _lacking(request: HttpRequest) -> QuerySet[Permission]:
    if _is_superuser(request):
        return Permission.objects.none()
    return Permission.objects.exclude(pk__in=_held(request.user).values("pk"))


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)
