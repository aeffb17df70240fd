"""Roles are there as soon as the database is."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from core.local.servers import ROOT
from tests.roles import ROLES, in_role, migrate_roles

pytestmark = pytest.mark.django_db

# What the documentation says, and what it comes to; what is said of one role is so of those above it.
TOLD = {
    "Viewer": {
        "see leases": ["leases.view_lease"],
        "configurations": ["leases.view_agencystorageconfig"],
        "archives": ["cloud.view_cloudlocation"],
        "notices": ["console.view_failurenotice"],
        "the log of transitions": ["statemachine.view_transitionlog"],
        "roots": ["storage.view_storageroot"],
        "files": ["storage.view_storedfile"],
        "index runs": ["storage.view_indexrun"],
        "what they would change": ["storage.view_indexchange"],
        "see everybody's documents": ["documents.view_document"],
    },
    "Operator": {
        "make, change": ["leases.add_lease", "leases.change_lease"],
        "make archives that are missing": ["leases.make_archives"],
        "run and stop leases, and connect an own Dropbox": ["leases.run_discovery"],
        "compare storage with its index, and stop a run": ["storage.run_index"],
        "send documents, change their own": ["documents.add_document", "documents.change_document"],
        "give these to people outside by a link": ["documents.share_document", "documents.view_sharelink"],
    },
    "Administrator": {
        "change configurations": ["leases.add_agencystorageconfig", "leases.change_agencystorageconfig"],
        "delete records": [
            "leases.delete_lease",
            "leases.delete_agencystorageconfig",
            "cloud.delete_cloudlocation",
        ],
        "see all Dropbox connections": ["cloud.view_dropboxaccount"],
        "see and revoke everybody's API tokens": ["api.view_apitoken", "api.revoke_apitoken"],
        "change everybody's documents": ["documents.manage_documents"],
        "delete archived documents for good": ["documents.purge_document"],
        "say how much room documents may take": ["documents.view_quota", "documents.change_quota"],
        "look after people": ["auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user"],
        "RQ's queues": ["statemachine.use_queues"],
        "let an index run change, clean and undo": ["storage.change_index"],
        "let go of the brake": ["storage.override_brake"],
        "roles": ["auth.view_group"],
    },
}


def rights(name: str) -> set[str]:
    return {
        f"{app}.{code}"
        for app, code in Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
    }


class TestRoles:
    def test_are_what_the_documentation_says(self) -> None:
        migrate_roles()
        told = dict(re.findall(r"^\| (\w+) \| (.+) \|$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
        so_far: set[str] = set()

        for role, words in TOLD.items():
            assert [each for each in words if each not in told[role]] == []
            so_far |= {right for given in words.values() for right in given}
            assert rights(role) == so_far

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
