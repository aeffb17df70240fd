"""The console as a whole: which lists it has, and what they are called."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.exceptions import AlreadyRegistered
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.test import Client

from api import console as of_interface
from cloud import console as of_cloud
from console import own
from console.batches.admin import BatchAdmin
from console.shell.people import PeopleAdmin, RoleAdmin
from console.shell.site import Console
from discovery import console as of_discovery
from documents import console as of_documents
from leases import console as of_leases
from storage import console as of_storage

pytestmark = pytest.mark.django_db


class TestEverythingThatIsKept:
    def test_is_called_as_in_the_navigation(self, client: Client, olivia: User) -> None:
        client.force_login(olivia)

        apps = client.get("/admin/auth/user/").context["available_apps"]

        names = [
            "Documents", "Dropbox", "Interface for programs", "Leases", "Notices", "People", "Storage", "System",
            "What has happened",
        ]  # fmt: skip
        assert [app["name"] for app in apps] == names
        lists = {str(model["name"]) for app in apps for model in app["models"]}
        assert {"People", "Roles", "Archives", "Agencies", "Queues, jobs and workers", "Imports and runs"} <= lists

    def test_is_gathered_only_for_a_page_that_shows_it(
        self, client: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.force_login(olivia)
        monkeypatch.setattr(Console, "_app_list", lambda *_: pytest.fail("nobody reads it"))

        assert client.get("/admin/auth/user/").status_code == 200


class TestLists:
    def test_are_those_that_the_apps_declare(self) -> None:
        declared: dict[Any, Any] = {**own.LISTS, **of_cloud.LISTS, **of_leases.LISTS, **of_discovery.LISTS}
        declared |= of_storage.LISTS
        declared |= of_interface.LISTS | of_documents.LISTS
        for kind in (of_storage.RUNS, of_documents.DOCUMENTS):
            declared[kind.machine] = kind.shown
        declared[of_documents.DOCUMENTS.batch] = BatchAdmin

        assert {model: type(shown) for model, shown in admin.site._registry.items()} == declared

    @pytest.mark.parametrize(("model", "djangos"), [(User, UserAdmin), (Group, GroupAdmin)])
    def test_of_people_and_roles_are_not_djangos(self, model: type[User | Group], djangos: type) -> None:
        site = Console()

        site.register(model, djangos)

        assert not site.is_registered(model)
        assert isinstance(admin.site.get_model_admin(User), PeopleAdmin)
        assert isinstance(admin.site.get_model_admin(Group), RoleAdmin)

    def test_are_declared_once(self) -> None:
        with pytest.raises(AlreadyRegistered):
            admin.site.register(User, PeopleAdmin)
