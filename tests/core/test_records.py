"""What lists and pages of records have in common, whoever made them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.safestring import mark_safe

from core.templatetags.records import labelled
from leases.templatetags.console import trail

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def console(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    return client


class TestLabelled:
    def test_puts_its_heading_to_each_cell(self) -> None:
        cells = [mark_safe(text) for text in ("<td><input></td>", "<th>a</th>", "<td>b</td>", "other")]
        headers = [{"text": "<input>"}, {"text": "name"}, {"text": "A & B"}, {"text": "x"}]

        assert list(labelled(cells, headers)) == [
            "<td><input></td>",
            '<th data-label="Name">a</th>',
            '<td data-label="A &amp; B">b</td>',
            "other",
        ]

    def test_is_in_every_list(self, console: Client) -> None:
        assert '<td data-label="Email address" class="field-email">' in console.get("/admin/auth/user/").text


class TestTrail:
    def test_of_queues_leads_over_the_system(self, console: Client) -> None:
        page = " ".join(console.get("/admin/django_rq/dashboard/").text.split())

        assert '<a href="/admin/">Start</a> &rsaquo; <a href="/admin/system/">System</a> &rsaquo; <a href=' in page
        assert ">Queues</a>" in page
        assert "Django RQ" not in page

    def test_begins_at_the_start(self) -> None:
        assert trail(mark_safe('<a href="/">Home</a> x')) == '<a href="/">Start</a> x'

    @pytest.mark.parametrize(
        ("address", "place"),
        [
            ("/admin/django_rq/dashboard/", "System"),
            ("/admin/statemachine/transitionlog/", "System"),
            ("/admin/auth/group/", "People"),
            ("/admin/discovery/dropboxaccount/", "People"),
            ("/admin/leases/cloudlocation/", "Archives"),
        ],
    )
    def test_is_marked_in_the_navigation(self, console: Client, address: str, place: str) -> None:
        text = console.get(address).text

        assert text.count('aria-current="page">' + place + "</a>") == 1


class TestEverythingThatIsKept:
    def test_is_called_as_in_the_navigation(self, console: Client) -> None:
        apps = console.get("/admin/auth/user/").context["available_apps"]

        assert [app["name"] for app in apps] == ["Dropbox", "Leases", "People", "System", "What has happened"]
        lists = {str(model["name"]) for app in apps for model in app["models"]}
        assert {"People", "Roles", "Archives", "Agencies", "Queues, jobs and workers", "Imports and runs"} <= lists
