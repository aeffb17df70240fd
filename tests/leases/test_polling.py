"""Who asks whether something has changed: what it costs to find out that one may not know, and who is told when."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.machine import following, lists
from core.base.clock import now
from leases.batches import import_leases
from leases.models import Batch, Lease
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
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


@pytest.fixture(params=["list", "lease", "batch", "start"])
def address(request: pytest.FixtureRequest, console: Client, operator: User) -> str:
    """What a page asks for again and again, while work is owed."""
    import_leases(leases=[("BLM", "NMNM 1"), ("BLM", "NMNM 2")], user=operator, title="leases.csv")
    pages = {
        "list": "/admin/leases/lease/",
        "lease": f"/admin/leases/lease/{Lease.objects.latest('pk').pk}/change/",
        "batch": f"/admin/leases/batch/{Batch.objects.get().pk}/change/",
        "start": "/admin/",
    }
    found = re.search(r'data-poll="([^"]+)"', console.get(pages[request.param]).text)
    assert found
    return unescape(found[1])


class TestWhoIsLoggedIn:
    def test_costs_two_queries_while_nothing_changes(self, console: Client, address: str) -> None:
        with CaptureQueriesContext(connection) as asked:
            answer = console.get(address)

        assert (answer.status_code, len(asked)) == (204, 2)

    def test_is_shown_everything_anew_once_a_minute(
        self, console: Client, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(following, "LASTS_S", -1)
        monkeypatch.setattr(lists, "COUNTS_LAST_S", -1)

        assert console.get(address).status_code == 200

    def test_is_told_after_a_minute_that_the_right_is_lost(
        self, console: Client, operator: User, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator.groups.clear()
        monkeypatch.setattr(following, "LASTS_S", -1)
        monkeypatch.setattr(lists, "COUNTS_LAST_S", -1)

        assert console.get(address).status_code == 403

    def test_is_sent_to_the_login_after_a_minute_when_switched_off(
        self, console: Client, operator: User, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        User.objects.filter(pk=operator.pk).update(is_active=False)
        monkeypatch.setattr(following, "LASTS_S", -1)
        monkeypatch.setattr(lists, "COUNTS_LAST_S", -1)

        assert console.get(address)["Location"].startswith("/admin/login/")

    def test_costs_nothing_of_the_leases_with_a_proof_of_ones_own_making(self, console: Client, address: str) -> None:
        """Whoever lost the right keeps the session for a while."""
        User.objects.update(is_active=False)

        with CaptureQueriesContext(connection) as asked:
            console.get(re.sub("(seen|counted)=[^&]*", r"\1=1:é:1", address))

        assert not any("leases_" in query["sql"] for query in asked)


class TestTheList:
    def test_is_not_shown_anew_while_nothing_happens_anywhere(
        self, console: Client, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import_leases(leases=[("BLM", "NMNM 1")], user=operator, title="leases.csv")
        found = re.search(r'data-poll="([^"]+)"', console.get("/admin/leases/lease/").text)
        assert found
        monkeypatch.setattr(lists, "COUNTS_LAST_S", -1)

        assert console.get(unescape(found[1])).status_code == 204


class TestAStranger:
    def test_costs_no_query_at_all(self, client: Client, address: str) -> None:
        with CaptureQueriesContext(connection) as asked:
            answer = Client().get(address)

        assert answer["Location"].startswith("/admin/login/")
        assert len(asked) == 0

    @pytest.mark.parametrize("key", ["x" * 32, "of another console"])
    def test_with_a_session_of_nobody_costs_the_session_only(self, address: str, key: str) -> None:
        stranger = Client()
        stranger.cookies[settings.SESSION_COOKIE_NAME] = key

        with CaptureQueriesContext(connection) as asked:
            stranger.get(address)

        assert not any("leases_" in query["sql"] for query in asked)

    def test_whose_session_is_over_is_one(self, console: Client, address: str) -> None:
        Session.objects.update(expire_date=now() - timedelta(days=1))

        with CaptureQueriesContext(connection) as asked:
            console.get(address)

        assert not any("leases_" in query["sql"] for query in asked)
