"""A list of very many records that no machine works on: roles."""

import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import clear_url_caches
from pytest_django.fixtures import Settings

from console.records.change_list import CappedChangeList
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


class CappedRoles(Roles):
    def get_changelist(self, request: Any, **kwargs: Any) -> type[CappedChangeList]:
        return CappedChangeList

    def called(self, record: Any) -> str:
        return f"the {record}"


class TestCappedList:
    @pytest.fixture
    def capped(self, console: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
        monkeypatch.setattr("console.records.change_list.COUNTED_AT_MOST", 60)
        _show(CappedRoles)
        return console

    def test_is_turned_to_up_to_a_number_and_says_that_there_is_more(self, capped: Client) -> None:
        Group.objects.bulk_create(Group(name=f"role {number:02}") for number in range(70))

        answer = capped.get(LIST, {"p": 2})

        assert (answer.context["cl"].result_count, len(answer.context["cl"].result_list)) == (60, 10)
        assert "There are more than these 60." in answer.text
        assert "Select all 60" not in answer.text
        assert 'aria-label="Select the role 69 for an action"' in capped.get(LIST).text

    def test_that_holds_no_more_says_nothing(self, capped: Client) -> None:
        Group.objects.bulk_create(Group(name=f"role {number:02}") for number in range(60))

        answer = capped.get(LIST, {"p": 9})

        assert answer.context["cl"].result_count == 60
        assert "There are more" not in answer.text
        assert "Select all 60" in answer.text

    def test_looks_once_for_what_is_not_there(self, capped: Client) -> None:
        with CaptureQueriesContext(connection) as asked:
            answer = capped.get(LIST, {"q": "nothing"})

        assert "No group matches" in answer.text
        assert sum("nothing" in query["sql"].lower() and "auth_group" in query["sql"] for query in asked) == 1


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
