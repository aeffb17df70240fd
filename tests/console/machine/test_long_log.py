"""The log to look at when it holds millions of lines: what is found, and what the database is spared."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.records import lists
from statemachine.doorbell import Message
from statemachine.models import TransitionLog

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LOG = "/admin/statemachine/transitionlog/"
JOB = Message(label="leases.lease", pk=7, state="searching", generation=3).job_id


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def logged(record_id: int, generation: int = 1, **values: Any) -> TransitionLog:
    given = {"transition": "cancel", "from_state": "searching", "to_state": "pending", "actor_kind": "user"}
    return TransitionLog.objects.create(
        record_type="leases.lease", record_id=record_id, generation=generation, lasted=timedelta(), **given | values
    )


def found(client: Client, **wanted: str) -> list[tuple[int, int]]:
    listed = client.get(LOG, wanted).context["cl"].result_list
    return [(row.record_id, row.generation) for row in listed]


class TestSearch:
    @pytest.fixture(autouse=True)
    def _rows(self) -> None:
        logged(7, 1)
        logged(7, 4, job_id=JOB, reason="because of 70")
        logged(70)

    def test_finds_one_record_by_its_number(self, console: Client) -> None:
        assert found(console, q=" 7 ") == [(7, 4), (7, 1)]

    def test_finds_one_job_by_its_name(self, console: Client) -> None:
        assert found(console, q=JOB) == [(7, 4)]

    @pytest.mark.parametrize("junk", ["because", "-", "7x", "9" * 40])
    def test_finds_nothing_for_anything_else(self, console: Client, junk: str) -> None:
        assert found(console, q=junk) == []

    def test_for_nothing_shows_all_the_newest_first(self, console: Client) -> None:
        assert found(console, q=" ") == [(70, 1), (7, 4), (7, 1)]


class TestManyLines:
    @pytest.fixture(autouse=True)
    def _many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "COUNTED_AT_MOST", 3)

    def test_are_counted_to_the_limit_only_and_that_is_said(self, console: Client) -> None:
        for number in range(5):
            logged(number)

        answer = console.get(LOG)

        assert answer.context["cl"].result_count == 3
        assert "There are more than these 3. Narrow the list to see others." in answer.text

    def test_within_the_limit_are_all_there(self, console: Client) -> None:
        for number in range(3):
            logged(number)

        assert "There are more" not in console.get(LOG).text

    def test_are_never_all_read_to_offer_filters(self, console: Client) -> None:
        logged(1)

        with CaptureQueriesContext(connection) as asked:
            text = console.get(LOG).text

        assert not any("DISTINCT" in query["sql"] for query in asked)
        assert "?transition=cancel" in text
        assert "?record_type=leases.lease" in text
