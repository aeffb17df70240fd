"""The bell, what it leads to, and the navigation beside it."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import FailureNotice
from console.notices.queries import mark_read, unread_notices
from leases.models import Lease
from tests.factories import settled
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

MINE = "/admin/console/failurenotice/mine/"


@pytest.fixture
def operator(db: None) -> User:
    return in_role("Operator")


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def failed(user: User, *, number: str = "NMNM 1", reason: str = "configuration_missing") -> Lease:
    notice, _ = FailureNotice.objects.get_or_create(initiated_by=user, record_type="leases.lease", reason=reason)
    return settled(
        user, lease_number=number, state="failed", failure_code=reason, failure_message="No.", initiated_by=user,
        failure_notice=notice,
    )  # fmt: skip


def unread(page: Any) -> str:
    found = re.search(r'class="unread">(\d+)<', page.text)
    return found[1] if found else ""


class TestBell:
    def test_counts_what_is_new(self, console: Client, operator: User) -> None:
        failed(operator, number="NMNM 1")
        failed(operator, number="NMNM 2")
        failed(operator, number="NMNM 3", reason="bug")

        assert unread(console.get("/admin/")) == "2"

    def test_is_quiet_about_what_is_mended_read_or_another_persons(
        self, console: Client, operator: User, viewer: User
    ) -> None:
        failed(operator, number="NMNM 1")
        mark_read(operator.pk)
        Lease.objects.filter(pk=failed(operator, number="NMNM 2", reason="bug").pk).update(state="done")
        failed(viewer, number="NMNM 3")

        assert unread(console.get("/admin/")) == ""

    def test_is_nothing_for_who_may_not_look_at_leases(self, client: Client) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert 'class="bell"' not in client.get("/admin/").text


class TestNotices:
    def test_tell_what_failed_and_what_helps(self, console: Client, operator: User) -> None:
        failed(operator, number="NMNM 1")
        failed(operator, number="NMNM 2")
        lost = failed(operator, number="NMNM 3", reason="connect_dropbox")

        text = console.get(MINE).text

        assert "2 leases failed: agency not configured" in text
        assert "Ask an administrator to do that." in text
        assert f'<a class="button" href="/dropbox/?next=%2Fadmin%2Fleases%2Flease%2F{lost.pk}' in text

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("sent", "A mail was sent."),
            ("failed", "No mail was sent: No mail server is configured"),
            ("needless", "No mail was needed."),
            ("sending", "A mail is about to be sent."),
        ],
    )
    def test_tell_what_became_of_the_mail(self, console: Client, operator: User, state: str, words: str) -> None:
        failed(operator)
        FailureNotice.objects.update(state=state, failure_message="No mail server is configured")

        assert words in console.get(MINE).text

    def test_are_read_when_the_person_says_so(self, console: Client, operator: User, viewer: User) -> None:
        failed(operator)
        failed(viewer, number="NMNM 2")

        console.get(MINE)
        assert unread_notices(operator.pk).count() == 1
        answer = console.post(f"{MINE}read/", follow=True)

        assert unread(answer) == ""
        assert unread_notices(viewer.pk).count() == 1

    def test_say_that_no_lease_is_failed_any_more_and_not_why(self, console: Client, operator: User) -> None:
        """Somebody else may have run them with a Dropbox of their own, and nothing is mended."""
        failed(operator, reason="connect_dropbox")
        Lease.objects.update(state="done")

        text = console.get(MINE).text

        assert "Dropbox not connected: no lease is failed for it any more</h2>" in text
        assert "mended" not in text

    def test_say_what_would_stand_there(self, console: Client) -> None:
        assert "Nothing to tell" in console.get(MINE).text


class TestNavigation:
    @pytest.mark.parametrize(
        ("role", "labels"),
        [
            ("Viewer", ["Start", "Leases", "Imports and runs", "Agencies", "Documents", "Archives", "Storage"]),
            (
                "Administrator",
                [
                    "Start",
                    "Leases",
                    "Imports and runs",
                    "Agencies",
                    "Documents",
                    "Archives",
                    "Storage",
                    "People",
                    "System",
                ],
            ),
        ],
    )
    def test_offers_what_one_may_see(self, client: Client, role: str, labels: list[str]) -> None:
        client.force_login(in_role(role))

        nav = client.get("/admin/").text.partition('<nav class="console-nav"')[2].partition("</nav>")[0]

        assert re.findall(r">([A-Z][\w ]+)</a>", nav) == labels

    def test_marks_where_one_is(self, console: Client) -> None:
        page = console.get("/admin/leases/lease/").text

        assert re.search(r'href="/admin/leases/lease/"[^>]* aria-current="page"', page)
        assert not re.search(r'href="/admin/"[^>]* aria-current="page"', page)
