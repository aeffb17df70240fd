"""A list of very many records that no machine works on: roles."""

import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import clear_url_caches
from pytest_django.fixtures import Settings

from console.records.exports import Column
from console.records.filters import called
from console.records.large_lists import LargeList
from console.shell.people import RoleAdmin
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/auth/group/"


class Roles(LargeList):
    search_fields: ClassVar[tuple[str, ...]] = ("name",)
    identity = ("name",)
    file_columns = (Column("Role", lambda role: role.name),)


@pytest.fixture
def console(settings: Settings, client: Client, olivia: User) -> Iterator[Client]:
    """As if the console showed roles like that."""
    Group.objects.all().delete()
    _show(Roles)
    settings.ROOT_URLCONF = "tests.toy.urls"
    clear_url_caches()
    client.force_login(olivia)
    yield client
    _show(RoleAdmin)
    sys.modules.pop("tests.toy.urls", None)
    clear_url_caches()


def _show(shown: type[Any]) -> None:
    admin.site.unregister(Group)
    admin.site.register(Group, shown)


def choose(client: Client, **form: str) -> Any:
    chosen = list(Group.objects.values_list("pk", flat=True))
    given = {"action": "delete_selected", "_selected_action": chosen, "index": "0", **form}
    return question_of(client, client.post(LIST, given))


class Unsearched(Roles):
    search_fields: ClassVar[tuple[str, ...]] = ()


class TestList:
    def test_that_cannot_be_searched_is_not_narrowed_by_an_address_that_would(self, console: Client) -> None:
        _show(Unsearched)

        assert "matches" not in console.get(LIST, {"q": "anything"}).text

    def test_is_counted_and_searched_as_the_admin_does(self, console: Client) -> None:
        for number in range(60):
            Group.objects.create(name=f"role {number:02}")

        pages = [console.get(LIST, {"p": page}).context["cl"] for page in (1, 2)]
        found = console.get(LIST, {"q": "07"}).context["cl"]

        assert [(page.result_count, len(page.result_list)) for page in pages] == [(60, 50), (60, 10)]
        assert [role.name for role in found.result_list] == ["role 07"]

    def test_leads_from_the_address_of_a_search_to_what_is_found(self, console: Client) -> None:
        assert console.post(f"{LIST}search/", {"q": "07"})["Location"] == f"{LIST}?q=07"

    def test_is_called_as_its_model_is_called(self, console: Client) -> None:
        text = console.get(LIST).text

        assert "<h1>Groups</h1>" in text
        assert "There is no group yet." in text
        assert '<a class="button" href="/admin/auth/group/add/">Add</a>' in text

    def test_becomes_a_file(self, console: Client) -> None:
        Group.objects.create(name="cooks")

        assert console.get(f"{LIST}download/csv/").getvalue().decode("utf-8-sig").split() == ["Role", "cooks"]
        assert console.get(f"{LIST}download/docx/").status_code == 404


class TestDeleting:
    def test_names_what_is_deleted_and_does_it(self, console: Client) -> None:
        Group.objects.create(name="cooks")

        asked = choose(console)
        done = choose(console, confirmed=asked.context["which"])

        assert "<strong>1 group</strong> will be deleted. That cannot be undone.</p>" in asked.text
        assert "<dt>Group</dt><dd>cooks</dd>" in asked.text
        assert done.status_code == 302
        assert not Group.objects.exists()


class TestCalled:
    def test_gives_a_filter_the_name_of_its_column(self, console: Client) -> None:
        kind = called("last seen", admin.DateFieldListFilter)
        field = User._meta.get_field("last_login")

        made = kind(field, None, {}, User, admin.site.get_model_admin(User), "last_login")  # type: ignore[arg-type]  # as the admin does

        assert (made.title, isinstance(made, admin.DateFieldListFilter)) == ("last seen", True)
