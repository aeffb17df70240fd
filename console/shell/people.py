"""People and their roles in the console: who looks after them cannot become more than he is."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any, override

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db.models import Count, Model, Q, QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.records.pages import RecordAdmin
from console.shell.people_forms import PasswordForm, PersonForm, RightsField
from console.shell.times import time_column
from core.base.errors import Refused

# Of a field, its label and what it means; what only the apps know of it they say, see `explain`.
WORDS = {
    "username": ("Username", "What the person logs in with."),
    "email": ("E-mail address", ""),
    "is_active": ("Active", "Switch this off instead of deleting who has left: the history keeps the name."),
    "is_staff": ("May log in to the console", "Without this nobody gets in, whatever the role."),
    "groups": ("Roles", ""),
    "is_superuser": ("Superuser", "May do everything, without any role."),
    "user_permissions": ("Single rights", "Beside those of the roles. Better is a role."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """What else ends when a person is deleted.

    Attributes:
        before: is called for each who is deleted, and may refuse it.
        goes_along: whose records go with the person, although who deletes may not delete them by themselves.
        reading: what has to hold while everything is counted that would go.
    """

    before: Callable[[HttpRequest, User], None]
    goes_along: tuple[type[Model], ...] = ()
    reading: Callable[[], AbstractContextManager[None]] = nullcontext


_EXPLAINED: dict[str, str] = {}
_BESIDE: dict[str, tuple[str, str, str]] = {}
_FAREWELLS: list[Farewell] = []


def explain(**texts: str) -> None:
    """Say of fields of a person what they mean to the apps."""
    _EXPLAINED.update(texts)


def put_beside(label: str, address: str, right: str) -> None:
    """Lead from the list of people to another list, which is looked for there; see `RecordAdmin.beside`."""
    _BESIDE[address] = (label, address, right)


def say_farewell(farewell: Farewell) -> None:
    """Let this happen before a person is deleted."""
    _FAREWELLS.append(farewell)


class RoleFilter(admin.RelatedFieldListFilter):
    """Called as the console calls it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "role"


class MayEnterFilter(admin.SimpleListFilter):
    """Who gets into the console, and who does not or no longer."""

    title = "may log in"
    parameter_name = "enters"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(is_staff=True, is_active=True)
            case "no":
                return queryset.exclude(is_staff=True, is_active=True)
        return queryset


class PeopleAdmin(RecordAdmin, UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Whoever may change users gives the roles that hold nothing he lacks, to people who hold nothing he lacks.

    Else a new password for a superuser would be the way to become one.
    """

    name = "People"
    add_label = "Add a person"
    list_display = ("username", "full_name", "email", "roles", "may_enter", "seen")
    list_filter = (("groups", RoleFilter), MayEnterFilter)
    seen = time_column("last_login", "last login")
    joined = time_column("date_joined", "added")
    form = PersonForm
    change_password_form = PasswordForm
    change_user_password_template = "console/password.html"  # noqa: S105 - a path
    readonly_fields = ("way_in", "number", "seen", "joined")
    fieldsets = (
        (None, {"fields": ("username", "way_in", "is_active", "is_staff", "groups")}),
        ("Who that is", {"fields": ("number", "first_name", "last_name", "email", "seen", "joined")}),
        ("Rights beside the roles", {"classes": ("collapse",), "fields": ("is_superuser", "user_permissions")}),
    )
    add_form = UserCreationForm
    add_form_template = "console/record.html"
    add_fieldsets = ((None, {"fields": ("username", "email", "password1", "password2", "is_staff", "groups")}),)
    # Three roles are ticked sooner than moved from box to box.
    filter_horizontal = ()

    @property
    def beside(self) -> tuple[tuple[str, str, str], ...]:  # type: ignore[override]  # known once all apps have said so
        return (("Roles", "admin:auth_group_changelist", "auth.view_group"), *_BESIDE.values())

    @admin.display(description="number")
    def number(self, person: User) -> str:
        """By which commands, programs and the paths of files name a person."""
        return str(person.pk)

    @admin.display(description="name", ordering="last_name")
    def full_name(self, person: User) -> str:
        return person.get_full_name()

    @admin.display(description="password")
    def way_in(self, person: User) -> SafeString:
        """Where a new one is given; how the old one is kept is nobody's business."""
        return format_html(
            '{} <a class="button is-second is-small" href="{}">Set a new password</a>',
            "Set." if person.has_usable_password() else "None: the person cannot log in.",
            reverse("admin:auth_user_password_change", args=[person.pk]),
        )

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        """A superuser needs none."""
        named = [role.name for role in person.groups.all()]
        return ", ".join(["Superuser", *named] if person.is_superuser else named)

    @admin.display(description="may log in", boolean=True)
    def may_enter(self, person: User) -> bool:
        return person.is_active and person.is_staff

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @override
    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Who is added here is meant to get in."""
        return {"is_staff": True, **super().get_changeform_initial_data(request)}

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Rights beside the roles are a superuser's business."""
        fixed = () if _is_superuser(request) else ("is_superuser", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *fixed)

    @override
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """In the words of the console; a role is not made on the way."""
        if db_field.name in WORDS:
            label, meaning = WORDS[db_field.name]
            kwargs["label"], kwargs["help_text"] = label, _EXPLAINED.get(db_field.name, meaning)
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "groups":
            field.widget.can_add_related = False
        return field

    @override
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxSelectMultiple
            kwargs["queryset"] = Group.objects.exclude(permissions__in=_lacking(request)).order_by("name")
        else:
            return _rights(db_field)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @override
    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    # --- Deleting ---------------------------------------------------------------------------------------------------

    @override
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a person needs no right of its own."""
        with ExitStack() as reading:
            for farewell in _FAREWELLS:
                reading.enter_context(farewell.reading())
            found, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        along = {model._meta.verbose_name for farewell in _FAREWELLS for model in farewell.goes_along}
        return found, counts, perms_needed - along, protected

    @override
    def delete_model(self, request: HttpRequest, obj: User) -> None:
        _say_farewell(request, obj)
        super().delete_model(request, obj)

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            _say_farewell(request, person)
        super().delete_queryset(request, queryset)

    @override
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refusal:
            return _nobody_deleted(request, refusal)

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except Refused as refusal:
            return _nobody_deleted(request, refusal)


class RoleAdmin(RecordAdmin, GroupAdmin):
    """Rights to tick, under what they are about; Django's two boxes say nothing to who cannot see them."""

    name = "Roles"
    add_label = "Add a role"
    beside = (("People", "admin:auth_user_changelist", "auth.view_user"),)
    list_display = ("role", "people")
    filter_horizontal = ()

    @admin.display(description="role", ordering="name")
    def role(self, role: Group) -> str:
        return role.name

    @admin.display(description="people", ordering="count")
    def people(self, role: Any) -> int:
        return int(role.count)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        roles: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = roles.annotate(count=Count("user"))
        return counted

    @override
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any) -> Any:
        return _rights(db_field)


def _rights(db_field: Any) -> Any:
    return db_field.formfield(form_class=RightsField, widget=CheckboxSelectMultiple(attrs={"class": "rights"}))


def _say_farewell(request: HttpRequest, person: User) -> None:
    """What has to happen before the person is gone.

    Raises:
        Refused: it cannot happen at this moment.
    """
    for farewell in _FAREWELLS:
        farewell.before(request, person)


def _nobody_deleted(request: HttpRequest, refusal: Refused) -> HttpResponse:
    messages.error(request, f"Nobody was deleted. {refusal}")
    return HttpResponseRedirect(request.get_full_path())


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
