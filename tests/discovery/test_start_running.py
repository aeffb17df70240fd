"""What is under way, as the start page shows it: what has begun, what comes next, and how many there are in all."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.base.clock import now
from discovery import start
from leases.models import Lease
from tests.factories import settled
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def operator(db: None) -> User:
    return in_role("Operator")


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


class TestRunning:
    def test_shows_what_is_owed(self, console: Client, operator: User) -> None:
        settled(operator, lease_number="idle", state="done")
        settled(operator, lease_number="busy", state="searching", due_at=now())

        assert [lease.lease_number for lease in start.running()] == ["busy"]
        assert "BLM busy" in console.get("/admin/").text

    def test_shows_first_what_a_worker_is_at(self, operator: User) -> None:
        earlier = now() - timedelta(hours=1)
        for number in range(start.RUNNING_SHOWN):
            settled(operator, lease_number=f"waits {number}", due_at=earlier, background=False)
        settled(operator, lease_number="begun", state="detecting", due_at=now())
        settled(operator, lease_number="claimed", state="searching", due_at=now(), claimed_until=now())

        shown = [lease.lease_number for lease in start.running()]

        assert shown == ["claimed", "begun", *(f"waits {number}" for number in range(start.RUNNING_SHOWN - 2))]

    def test_shows_what_comes_next_in_the_order_of_the_line(self, operator: User) -> None:
        for number, background, turn in (("third", True, 8), ("second", True, 7), ("first", False, 9)):
            settled(operator, lease_number=number, state="pending", due_at=now(), background=background, turn=turn)

        assert [lease.lease_number for lease in start.running()] == ["first", "second", "third"]

    @pytest.mark.parametrize("state", ["pending", "not_found", "done", "failed"])
    def test_does_not_show_an_old_result_of_what_waits(self, console: Client, operator: User, state: str) -> None:
        code = "bug" if state == "failed" else ""
        settled(operator, lease_number="waits", state=state, due_at=now(), failure_code=code)

        (shown,) = re.findall(r'<li><a href="[^"]+">BLM waits</a>(.*?)</li>', console.get("/admin/").text, re.DOTALL)

        assert re.sub(r"<[^>]+>", "", shown).strip() == "Waiting for its turn"

    def test_shows_since_when_it_is_where_it_is(self, console: Client, operator: User) -> None:
        settled(operator, lease_number="busy", state="searching", due_at=now())

        (shown,) = re.findall(r'<li><a href="[^"]+">BLM busy</a>(.*?)</li>', console.get("/admin/").text, re.DOTALL)

        assert "Searching" in shown
        assert "<time" in shown

    def test_tells_how_many_there_are_where_it_does_not_show_all(self, console: Client, operator: User) -> None:
        for number in range(start.RUNNING_SHOWN + 1):
            settled(operator, lease_number=f"waits {number}", state="done", due_at=now())
        settled(operator, lease_number="busy", state="searching", due_at=now())
        settled(operator, lease_number="failed", state="failed", failure_code="bug", due_at=now())
        settled(operator, lease_number="idle", state="done")
        settled(operator, lease_number="stopped", state="pending", generation=1)

        assert "In all, 1 lease is under way, and 8 leases wait for their turn:" in console.get("/admin/").text

    def test_tells_nothing_of_the_kind_where_it_shows_all(self, console: Client, operator: User) -> None:
        for number in range(start.RUNNING_SHOWN):
            settled(operator, lease_number=f"waits {number}", state="done", due_at=now())

        assert "In all" not in console.get("/admin/").text

    def test_tells_it_anew_though_no_state_changes(self, console: Client, operator: User) -> None:
        for number in range(start.RUNNING_SHOWN + 3):
            settled(operator, lease_number=f"waits {number}", state="done", due_at=now(), turn=number)
        found = re.search(r'data-poll="([^"]+)"', console.get("/admin/").text)
        assert found

        Lease.objects.filter(turn=start.RUNNING_SHOWN + 2).update(due_at=None)

        assert "In all, 8 leases wait for their turn:" in console.get(unescape(found[1])).text
