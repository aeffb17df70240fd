"""Roles are there as soon as the database is."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from tests.roles import ROLES, in_role, migrate_roles

pytestmark = pytest.mark.django_db


def rights(name: str) -> set[str]:
    return {
        f"{app}.{code}"
        for app, code in Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
    }


class TestRoles:
    def test_are_made_in_an_empty_database(self) -> None:
        """The permissions that they hold are made by Django after all migrations: too late."""
        migrate_roles()
        before = {name: rights(name) for name in ROLES}
        Group.objects.all().delete()
        Permission.objects.all().delete()
        ContentType.objects.all().delete()
        ContentType.objects.clear_cache()

        migrate_roles()

        assert {name: rights(name) for name in ROLES} == before
        assert min(map(len, before.values())) > 3

    def test_are_each_more_than_the_one_before(self) -> None:
        migrate_roles()

        assert rights("Viewer") < rights("Operator") < rights("Administrator")

    def test_let_viewers_view_and_nothing_else(self) -> None:
        migrate_roles()

        assert {right for right in rights("Viewer") if ".view_" not in right} == set()

    def test_are_whole_again_when_they_are_made_again(self) -> None:
        migrate_roles()
        before = rights("Operator")
        role = Group.objects.get(name="Operator")
        role.permissions.clear()
        role.permissions.add(Permission.objects.get(codename="view_group"))

        migrate_roles()

        assert rights("Operator") == before | {"auth.view_group"}

    def test_keep_the_people_in_them_when_they_are_made_again(self) -> None:
        olga = in_role("Operator")

        migrate_roles()

        assert [role.name for role in olga.groups.all()] == ["Operator"]
