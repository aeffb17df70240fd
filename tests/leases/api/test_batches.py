"""Imports and runs of many leases, for programs."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leases.models import Batch, Lease
from statemachine import models as engine
from statemachine.batches import run_many
from tests.factories import settled
from tests.leases.api.conftest import HUGE, As, Program, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(olivia: User) -> Batch:
    """Of two leases, started by somebody else than who asks."""
    for number in (1, 2):
        settled(olivia, lease_number=f"NMNM {number}", state="done")
    batch = run_many(Lease.objects.all(), olivia)
    assert isinstance(batch, Batch)
    return batch


@pytest.fixture
def of_another_machine() -> engine.Batch:
    return engine.Batch.objects.create(record_type="storage.indexrun", kind="run", title="No leases")


class TestRead:
    def test_tells_where_its_leases_stand(self, operator: Program, run: Batch, olivia: User) -> None:
        Lease.objects.filter(lease_number="NMNM 1").update(
            state="failed", failure_code="crashed", due_at=None, generation=2
        )

        said = operator.get(f"batches/{run.pk}/").json()

        assert (said["kind"], said["title"], said["condition"]) == ("run", "Full discovery of 2 leases", "under_way")
        assert said["created_by"] == {"id": olivia.pk, "name": "olivia"}
        assert said["progress"] == {
            "total": 2,
            "done": 1,
            "settled": {"failed": 1},
            "under_way": 0,
            "waiting": 1,
            "not_run": 0,
            "stoppable": 1,
        }
        assert said["failures"] == [{"code": "crashed", "words": "worker crashed", "count": 1}]
        assert operator.client.get(said["page"]).status_code == 200

    def test_is_sent_again_only_when_something_has_changed(self, operator: Program, run: Batch) -> None:
        path = f"batches/{run.pk}/"
        had = operator.version_of(path)

        assert operator.get(path, headers={"If-None-Match": had}).status_code == 304
        Lease.objects.update(due_at=None)
        assert operator.get(path, headers={"If-None-Match": had}).status_code == 200

    def test_that_is_not_there_or_of_another_machine_is_told_so(
        self, operator: Program, of_another_machine: engine.Batch
    ) -> None:
        for pk in (0, HUGE, of_another_machine.pk):
            assert refused(operator.get(f"batches/{pk}/")) == (404, "batch_gone")


class TestList:
    def test_has_the_newest_first_and_is_narrowed(
        self, operator: Program, run: Batch, of_another_machine: engine.Batch, olivia: User
    ) -> None:
        imported = operator.post("leases/bulk/", {"items": [{"agency": "BLM", "number": "NMNM 3"}]}).json()["batch_id"]

        def found(**asked: Any) -> list[int]:
            return [each["id"] for each in operator.get("batches/", **asked).json()["items"]]

        assert found() == [imported, run.pk]
        assert found(kind="run") == [run.pk]
        assert found(created_by=operator.user.pk) == [imported]
        assert operator.get("batches/", limit=1, total="true").json()["total"] == 2
        assert refused(operator.get("batches/", kind="walk")) == (422, "invalid")

    def test_takes_one_statement_however_many_there_are(self, operator: Program, run: Batch, olivia: User) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as asked:
                assert operator.get("batches/").status_code == 200
            return len(asked)

        one = statements()
        for _ in range(10):
            Lease.objects.update(due_at=None)
            run_many(Lease.objects.all(), olivia)

        assert statements() == one


class TestStop:
    def test_stops_what_waits(self, operator: Program, run: Batch) -> None:
        answer = operator.post(f"batches/{run.pk}/stop/")

        said = answer.json()
        assert (answer.status_code, said["stopped"], said["left"], said["condition"]) == (200, 2, 0, "stopped")
        assert said["stopped_by"]["name"] == "operator"
        assert not Lease.objects.filter(due_at__isnull=False).exists()

    def test_leaves_another_machines_alone(self, operator: Program, of_another_machine: engine.Batch) -> None:
        assert refused(operator.post(f"batches/{of_another_machine.pk}/stop/")) == (404, "batch_gone")
        assert engine.Batch.objects.get().stopped_at is None

    def test_is_not_for_viewers(self, asked_by: As, run: Batch) -> None:
        for what in ("stop", "again"):
            assert refused(asked_by("Viewer").post(f"batches/{run.pk}/{what}/")) == (403, "transition_forbidden")
        assert Lease.objects.filter(due_at__isnull=False).count() == 2


class TestAgain:
    def test_runs_what_has_failed(self, operator: Program, run: Batch) -> None:
        Lease.objects.update(state="failed", failure_code="crashed", due_at=None, generation=2)

        answer = operator.post(f"batches/{run.pk}/again/", {"at_most": 1})

        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/batches/{run.pk}/")
        assert (answer.json()["started"], answer.json()["progress"]["waiting"]) == (1, 1)
        assert Lease.objects.get(due_at__isnull=False).initiated_by == operator.user

    def test_runs_what_was_not_run(self, operator: Program, run: Batch) -> None:
        operator.post(f"batches/{run.pk}/stop/")

        assert operator.post(f"batches/{run.pk}/again/", {"which": "not_run"}).json()["started"] == 2

    def test_has_nothing_to_start(self, operator: Program, run: Batch) -> None:
        assert refused(operator.post(f"batches/{run.pk}/again/")) == (409, "nothing_to_start")

    @pytest.mark.parametrize("body", [{"which": "done"}, {"at_most": 0}, {"at_most": HUGE}, {"state": "failed"}])
    def test_refuses_what_makes_no_sense(self, operator: Program, run: Batch, body: Any) -> None:
        assert refused(operator.post(f"batches/{run.pk}/again/", body)) == (422, "invalid")
