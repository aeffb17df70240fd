"""The start page: what it tells, to whom, and what it costs."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis

from cloud.models import DropboxAccount
from core.base import redis_client
from core.base.clock import now
from core.base.errors import codes_where
from core.ops import probes, tally
from core.ops.probes import Probe
from discovery import charts, start
from leases.models import AgencyStorageConfig, Lease
from statemachine import heartbeat
from tests.factories import settled
from tests.roles import in_role

MOST_QUERIES = 16  # 15, as the bench of the console allows, and one for all that the apps count

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture(autouse=True)
def not_asked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer stands that another test has got."""
    monkeypatch.setattr(heartbeat, "database_works", Probe(heartbeat.database_works._ask))
    monkeypatch.setattr(probes, "redis_works", Probe(probes.redis_works._ask))
    redis_client._silent_until.clear()


@pytest.fixture
def operator(db: None) -> User:
    return in_role("Operator")


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def failed(user: User, number: str, **values: Any) -> Lease:
    given = {"failure_code": "configuration_missing", "failure_message": "BLM has none.", "initiated_by": user}
    return settled(user, lease_number=number, state="failed", **given | values)


def configure(*agencies: str) -> None:
    for agency in agencies:
        AgencyStorageConfig.objects.create(
            agency=agency, runsheet_archive_base_path="/a", documents_base_path="/d", misc_index_base_path="/m"
        )


def connected(user: User) -> None:
    DropboxAccount.objects.create(
        user=user, account_id="dbid:1", refresh_token="r", root_namespace_id="1", home_namespace_id="1",
        connected_at=now(),
    )  # fmt: skip


class TestCounts:
    def test_lead_to_their_lists(self, console: Client, operator: User) -> None:
        settled(operator, lease_number="1", state="done")
        settled(operator, lease_number="2", state="done")

        text = console.get("/admin/").text

        link = re.search(
            r'<a href="(/admin/leases/lease/\?state__exact=done)">.*?<strong>(\d+)</strong>', text, re.DOTALL
        )
        assert link
        assert link[2] == "2"
        assert console.get(link[1]).context["cl"].result_count == 2


class TestAttention:
    def test_is_asked_for_by_reason_with_what_helps(self, client: Client, operator: User) -> None:
        for number in range(3):
            failed(operator, str(number))
        client.force_login(in_role("Administrator"))

        text = client.get("/admin/").text

        assert '<strong class="number">3</strong> leases: agency not configured' in text
        assert "BLM has none." in text
        assert 'href="/admin/leases/agencystorageconfig/add/?agency=BLM">Configure BLM</a>' in text

    def test_leaves_ones_own_dropbox_to_the_banner(self, console: Client, operator: User) -> None:
        failed(operator, "1", failure_code="connect_dropbox")

        console.force_login(operator)
        text = console.get("/admin/").text

        assert "What has failed waits for your Dropbox, or starts again by itself." in text
        assert "No lease has failed." not in text

        assert list(start.troubles(operator)) == []
        assert [trouble.count for trouble in start.troubles(in_role("Viewer"))] == [1]

    def test_sends_nobody_to_anothers_dropbox(self, operator: User) -> None:
        failed(operator, "1", failure_code="connect_dropbox")

        (trouble,) = start.troubles(in_role("Viewer"))

        assert trouble.next_step
        assert not trouble.next_step.url
        assert trouble.next_step.otherwise == "Ask operator to connect Dropbox."
        assert trouble.sentence.startswith("The run uses the Dropbox of operator,")

    def test_names_nobody_where_several_people_lack_their_dropbox(self, operator: User) -> None:
        failed(operator, "1", failure_code="connect_dropbox")
        failed(in_role("Administrator"), "2", failure_code="connect_dropbox")

        (trouble,) = start.troubles(in_role("Viewer"))

        assert (trouble.count, trouble.sentence, trouble.next_step) == (2, start.OF_SEVERAL, None)

    def test_is_not_asked_for_what_starts_again_by_itself(self, console: Client, operator: User) -> None:
        failed(operator, "1", due_at=now())

        assert "or starts again by itself." in console.get("/admin/").text

    def test_is_not_asked_for_when_nothing_failed(self, console: Client) -> None:
        assert "No lease has failed." in console.get("/admin/").text


class TestFollowing:
    @pytest.fixture
    def address(self, console: Client, operator: User) -> str:
        settled(operator, lease_number="busy", state="searching", due_at=now())
        return self.asked_by(console)

    def asked_by(self, console: Client) -> str:
        found = re.search(r'data-poll="([^"]+)" data-pause="2000"', console.get("/admin/").text)
        assert found
        return unescape(found[1])

    def test_costs_two_queries_while_nothing_changes(self, console: Client, address: str) -> None:
        with CaptureQueriesContext(connection) as asked:
            answer = console.get(address)

        assert (answer.status_code, answer.content, len(asked)) == (204, b"", 2)

    def test_shows_what_has_changed_and_ends_when_nothing_is_owed(self, console: Client, address: str) -> None:
        Lease.objects.update(state="done", due_at=None)

        text = console.get(address).text

        assert "No lease is being searched at this moment." in text
        assert "data-poll" not in text

    @pytest.fixture
    def waiting(self, operator: User) -> Lease:
        """Owed a search that has not begun."""
        return settled(operator, lease_number="waiting", state="pending", due_at=now())

    @pytest.mark.usefixtures("waiting")
    def test_ends_when_what_was_owed_is_stopped_though_no_count_changes(self, console: Client) -> None:
        address = self.asked_by(console)
        Lease.objects.update(due_at=None)

        answer = console.get(address)

        assert answer.status_code == 200
        assert "data-poll" not in answer.text

    def test_shows_what_is_under_way_instead_though_no_count_changes(
        self, console: Client, operator: User, waiting: Lease
    ) -> None:
        other = settled(operator, lease_number="other", state="pending")
        address = self.asked_by(console)
        Lease.objects.filter(pk=waiting.pk).update(due_at=None)
        Lease.objects.filter(pk=other.pk).update(due_at=now())

        assert "BLM other" in console.get(address).text

    def test_says_nothing_to_who_may_no_longer_look(self, console: Client, operator: User, address: str) -> None:
        operator.groups.clear()

        assert console.get("/start/").status_code == 403

    def test_is_not_begun_where_nothing_is_owed(self, console: Client) -> None:
        assert "data-poll" not in console.get("/admin/").text


class TestTasks:
    def test_are_those_of_a_new_installation(self, client: Client) -> None:
        administrator = in_role("Administrator")
        client.force_login(administrator)

        text = client.get("/admin/").text

        assert re.findall(r'<a class="button is-small" href="[^"]+">([^<]+)</a>', text) == [
            "Connect Dropbox", "Configure NMSLO", "Configure BLM", "Add a lease",
        ]  # fmt: skip

    def test_offer_only_what_one_may_do(self, operator: User) -> None:
        assert [task.button for task in start.tasks(operator, has_leases=False) if task.url] == [
            "Connect Dropbox",
            "Add a lease",
        ]

    def test_are_ticked_off(self, operator: User) -> None:
        configure("BLM")
        connected(operator)

        assert [task.is_done for task in start.tasks(operator, has_leases=False)] == [True, False, True, False]

    def test_credit_nobody_with_the_leases_of_others(self, operator: User) -> None:
        settled(None)

        assert start.tasks(operator, has_leases=True)[-1].label == "There are leases"

    def test_are_gone_when_all_is_done(self, operator: User) -> None:
        configure("BLM", "NMSLO")
        connected(operator)
        settled(operator)

        assert start.tasks(operator, has_leases=True) == []

    def test_come_back_when_dropbox_is_lost(self, operator: User) -> None:
        configure("BLM", "NMSLO")
        connected(operator)
        settled(operator)
        DropboxAccount.objects.update(needs_reconnect_reason="Ended.")

        assert not start.tasks(operator, has_leases=True)[0].is_done

    def test_are_not_for_who_only_looks(self, client: Client) -> None:
        client.force_login(in_role("Viewer"))

        assert "To begin" not in client.get("/admin/").text


class TestCharts:
    def test_count_what_was_settled_by_day_and_outcome(self, operator: User) -> None:
        yesterday = timezone.localtime() - timedelta(days=1)
        settled(operator, lease_number="1", state="done", entered_at=yesterday)
        settled(operator, lease_number="2", state="failed", failure_code="bug", entered_at=yesterday)
        settled(operator, lease_number="3", state="done", entered_at=yesterday - timedelta(days=60))

        chart = start.settled()

        assert chart.rows[-2] == (f"{yesterday:%Y-%m-%d}", [1, 0, 0, 1])
        assert sum(sum(amounts) for _, amounts in chart.rows) == 2
        assert 'class="chart-done"' in chart.picture

    def test_measure_dropbox(self, redis: Redis) -> None:
        tally.observe("dropbox_call_seconds", 0.07, route="list", outcome="ok")
        tally.observe("dropbox_call_seconds", 0.07, route="list", outcome="not_found")
        tally.observe("dropbox_call_seconds", 40, route="list", outcome="dropbox_unavailable")

        _, calls = start.measured()

        assert calls.rows[1] == ("up to 0.1 s", [1, 1, 0])
        assert calls.rows[-1] == ("more than 30 s", [0, 0, 1])

    def test_measure_leases_only(self, redis: Redis) -> None:
        tally.observe("settle_seconds", 0.5, machine="leases.lease", state="done")
        tally.observe("settle_seconds", 0.5, machine="console.failurenotice", state="sent")

        times, _ = start.measured()

        assert times.rows[0] == ("up to 1 s", [1])

    @pytest.mark.parametrize(("most", "top"), [(0, "1"), (3, "5"), (7, "10"), (1234, "2,000")])
    def test_have_round_numbers(self, most: float, top: str) -> None:
        picture = charts.svg([charts.Bar(label="<", title="<", parts={"done": most})], title="<")

        assert f">{top}</text>" in picture
        assert "<<" not in picture


class TestPage:
    def test_costs_as_much_for_many_leases_as_for_few(self, console: Client, operator: User) -> None:
        failed(operator, "0")
        settled(operator, lease_number="a", state="searching", due_at=now())
        console.get("/admin/")
        with CaptureQueriesContext(connection) as few:
            console.get("/admin/")
        for number in range(1, 20):
            failed(operator, str(number))
            settled(operator, lease_number=f"b{number}", state="searching", due_at=now())

        with CaptureQueriesContext(connection) as many:
            console.get("/admin/")

        assert len(many) == len(few)

    @pytest.mark.parametrize("role", ["Operator", "Administrator"])
    def test_costs_few_queries_whatever_has_failed(self, client: Client, role: str) -> None:
        user, other = in_role(role), in_role("Viewer")
        configure("BLM")
        for code in codes_where(lambda failure: failure.words):
            failed(user, f"{code} 1", failure_code=code)
            failed(other, f"{code} 2", failure_code=code)
        client.force_login(user)
        client.get("/admin/")

        with CaptureQueriesContext(connection) as asked:
            text = client.get("/admin/").text

        assert "Needs attention" in text
        assert len(asked) <= MOST_QUERIES, [query["sql"][:200] for query in asked]

    def test_is_not_what_a_single_app_shows(self, console: Client) -> None:
        text = console.get("/admin/leases/").text

        assert "Needs attention" not in text
        assert "/admin/cloud/cloudlocation/" in text

    def test_is_empty_for_who_may_not_look_at_leases(self, client: Client) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        text = client.get("/admin/").text

        assert "You have no role yet" in text
        assert "Ask an administrator" in text
        assert "Needs attention" not in text
        assert "You may look at leases" not in client.get("/dropbox/").text

    def test_tells_who_may_do_other_things_what_is_missing(self, client: Client, operator: User) -> None:
        operator.groups.clear()
        operator.user_permissions.add(Permission.objects.get(codename="view_user"))
        client.force_login(operator)

        assert "You may not look at leases" in client.get("/admin/").text
