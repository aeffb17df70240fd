"""Lists of leases, for programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.base.clock import now
from leases.api.shapes import Shown
from leases.models import Batch, BatchLease, Lease
from tests.factories import settled
from tests.leases.api.conftest import HUGE, Program, refused

pytestmark = pytest.mark.django_db


class TestList:
    def names(self, program: Program, **asked: Any) -> list[str]:
        answer = program.get("leases/", **asked)
        assert answer.status_code == 200, answer.text
        return [each["number"] for each in answer.json()["items"]]

    @pytest.fixture
    def some(self, operator: Program) -> dict[str, Lease]:
        nina = User.objects.create_user("nina")
        made = {
            "done": settled(operator.user, lease_number="NMNM 1", state="done", runsheet_report_found=True),
            "failed": settled(nina, lease_number="NMNM 12", state="failed", failure_code="bug", initiated_by=nina),
            "state": settled(nina, agency="NMSLO", lease_number="B0-1234-5", generation=3),
            "new": settled(nina, lease_number="NMNM 7", due_at=now()),
        }
        Lease.objects.filter(pk=made["done"].pk).update(entered_at=now() - timedelta(days=3))
        batch = Batch.objects.create(kind=Batch.Kind.RUN, title="Two", created_by=nina)
        for each in ("done", "new"):
            BatchLease.objects.create(batch=batch, record=made[each])
        return made

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({}, ["NMNM 7", "B0-1234-5", "NMNM 12", "NMNM 1"]),
            ({"agency": "NMSLO"}, ["B0-1234-5"]),
            ({"state": "stopped"}, ["B0-1234-5"]),
            ({"state": "pending"}, ["NMNM 7"]),
            ({"state": "done"}, ["NMNM 1"]),
            ({"number": "nmnm1"}, ["NMNM 1"]),
            ({"number": "nmnm 7; NMNM12"}, ["NMNM 7", "NMNM 12"]),
            ({"number": ""}, []),
            ({"search": "nmnm 1"}, ["NMNM 12", "NMNM 1"]),
            ({"report": "true"}, ["NMNM 1"]),
            ({"failure": "bug"}, ["NMNM 12"]),
            ({"changed_since": "0001-01-01T00:00:00+23:59"}, ["NMNM 7", "B0-1234-5", "NMNM 12", "NMNM 1"]),
            ({"changed_since": "9999-12-31T23:59:59-23:59"}, []),
            ({"order": "number"}, ["B0-1234-5", "NMNM 1", "NMNM 12", "NMNM 7"]),
            ({"order": "changed_at", "agency": "BLM", "limit": 1}, ["NMNM 1"]),
        ],
    )
    def test_is_narrowed_and_ordered(
        self, operator: Program, some: dict[str, Lease], asked: dict[str, Any], found: list[str]
    ) -> None:
        assert self.names(operator, **asked) == found

    def test_is_narrowed_by_people_times_and_batches(self, operator: Program, some: dict[str, Lease]) -> None:
        nina, batch = some["new"].created_by_id, Batch.objects.get().pk

        assert self.names(operator, created_by=operator.user.pk) == ["NMNM 1"]
        assert self.names(operator, started_by=nina) == ["NMNM 12"]
        assert self.names(operator, batch=batch) == ["NMNM 7", "NMNM 1"]
        assert self.names(operator, batch=batch, standing="waiting") == ["NMNM 7"]
        assert self.names(operator, batch=batch, standing="settled") == ["NMNM 1"]
        since = (now() - timedelta(hours=1)).isoformat()
        assert self.names(operator, changed_since=since) == ["NMNM 7", "B0-1234-5", "NMNM 12"]

    def test_one_page_after_the_other_has_each_once(self, operator: Program, some: dict[str, Lease]) -> None:
        first = operator.get("leases/", limit=3, total="true", order="number")
        assert first.json()["total"] == 4
        some["state"].delete()  # what goes from the first page moves nothing in the second

        assert 'rel="next"' in first["Link"]
        assert self.names(operator, limit=3, order="number", cursor=first.json()["next"]) == ["NMNM 7"]

    def test_takes_one_statement_however_many_there_are(self, operator: Program, lease: Lease) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as asked:
                assert operator.get("leases/").status_code == 200
            return len(asked)

        one = statements()
        for number in range(30):
            settled(operator.user, lease_number=f"MANY {number}", runsheet_directory=lease.runsheet_directory)

        assert statements() == one
        with CaptureQueriesContext(connection) as asked:
            operator.get("leases/")
        assert len([each for each in asked if "leases_lease" in each["sql"]]) == 1

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"state": "lost"}, "invalid"),
            ({"agency": "NASA"}, "invalid"),
            ({"order": "runsheet_report_found"}, "invalid"),
            ({"limit": 0}, "invalid"),
            ({"limit": 1_001}, "invalid"),
            ({"batch": HUGE}, "invalid"),
            ({"changed_since": "yesterday"}, "invalid"),
            ({"changed_since": "2026-11-02T08:15:00"}, "invalid"),
            ({"cursor": "elsewhere"}, "cursor_unknown"),
            ({"search": ",".join(map(str, range(1_001)))}, "too_many_searched"),
            ({"number": ",".join(map(str, range(1_001)))}, "too_many_searched"),
        ],
    )
    def test_says_what_makes_no_sense(self, operator: Program, asked: dict[str, Any], code: str) -> None:
        assert refused(operator.get("leases/", **asked)) == (422, code)

    def test_knows_every_state(self) -> None:
        assert list(Shown.__value__.__args__) == Lease.shown_states()
