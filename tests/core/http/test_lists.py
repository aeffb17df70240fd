"""Lists and exports are read at a replica, and nothing but these; and what becomes of it where that does not work.

The replica is a real one, which streams from the server that all tests share.
"""

import logging
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.records import exports
from core.base.replica import ALIAS, alias_of_lists
from core.base.statement_limits import read_in_time
from core.http import lists
from core.models import LastWrite
from core.ops import replica as ops
from leases.models import Lease
from storage.models import StorageRoot
from tests.factories import settled
from tests.leases.api.conftest import Program
from tests.pooler import unpooled
from tests.replicas import Replica
from tests.roles import in_role

pytestmark = [
    pytest.mark.process,
    pytest.mark.xdist_group("replica"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
    pytest.mark.usefixtures("known_replica"),
    unpooled,
]

LIST = "/admin/leases/lease/"
CSV = f"{LIST}download/csv/"
LOGGER = "core.ops.replica"


def numbers_in(answer: Any) -> set[str]:
    """Those of the leases that a list, or a file, shows."""
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return {number for number in ("NMNM 1", "NMNM 2", "NMNM 3") if number in text.decode()}


@pytest.fixture
def lease(transactional_db: None) -> Lease:
    return settled(None, lease_number="NMNM 1")


@pytest.fixture
def operator(transactional_db: None) -> Program:
    return Program(in_role("Operator"))


@pytest.fixture
def client(operator: Program) -> Client:
    return operator.client


@pytest.fixture
def stale(lease: Lease, client: Client, replica: Replica) -> Replica:
    """It has the first lease, and will not have what comes; nobody has noticed yet that it is behind."""
    replica.standby.pause()
    return replica


class TestWhatIsReadThere:
    @pytest.mark.parametrize(
        "address",
        [
            LIST,
            f"{LIST}?q=NMNM+1",
            CSV,
            f"{LIST}download/xlsx/",
            f"{LIST}download/json/",
            "/admin/leases/batch/",
            "/admin/cloud/cloudlocation/",
            "/admin/documents/document/",
            "/admin/statemachine/transitionlog/",
            "/admin/storage/storedfile/",
            "/admin/storage/indexrun/",
            "/api/v1/leases/?total=true",
            "/api/v1/batches/",
            "/api/v1/documents/",
            "/api/v1/documents/shares/",
            "/api/v1/files/",
        ],
    )
    def test_lists_and_exports(self, lease: Lease, client: Client, replica: Replica, address: str) -> None:
        connections[ALIAS].ensure_connection()
        with CaptureQueriesContext(connections[ALIAS]) as there:
            answer = client.get(address)
            list(answer)

        assert answer.status_code == 200
        assert replica.counted == [("replica", "fresh")]
        assert len(there) > 1, "more than how far it is"

    @pytest.mark.parametrize("address", ["{}/change/", "/api/v1/leases/{}/", "/api/v1/leases/{}/history/", "/admin/"])
    def test_no_page_of_one_record(self, lease: Lease, client: Client, replica: Replica, address: str) -> None:
        path = address.format(lease.pk)
        with CaptureQueriesContext(connections[ALIAS]) as there:
            answer = client.get(path if path.startswith("/") else f"{LIST}{path}")

        assert answer.status_code == 200
        assert (replica.counted, len(there)) == ([], 0)

    def test_nothing_of_who_somebody_is(self, lease: Lease, client: Client, replica: Replica) -> None:
        connections[ALIAS].ensure_connection()
        with CaptureQueriesContext(connections[ALIAS]) as there:
            client.get(LIST)

        asked = " ".join(each["sql"] for each in there)
        assert 'FROM "auth_' not in asked
        assert 'FROM "django_session"' not in asked

    def test_nothing_is_written_for_a_list(self, lease: Lease, client: Client, replica: Replica) -> None:
        with CaptureQueriesContext(connection) as here:
            client.get(LIST)

        assert [each["sql"] for each in here if not each["sql"].strip().startswith("SELECT")] == []

    def test_a_session_there_writes_nothing(self, replica: Replica) -> None:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SHOW default_transaction_read_only")

            assert cursor.fetchone() == ("on",)

    def test_the_primary_for_who_will_have_nothing_old(self, stale: Replica, client: Client) -> None:
        settled(None, lease_number="NMNM 2")

        found = client.get(LIST, headers={"Cache-Control": "no-cache"})

        assert numbers_in(found) == {"NMNM 1", "NMNM 2"}
        assert stale.why() == "asked"


class TestWhoHasWrittenSomething:
    def test_sees_it_at_once(self, stale: Replica, operator: Program) -> None:
        answer = operator.post("leases/", {"agency": "BLM", "number": "NMNM 2"})

        assert answer.status_code == 201
        assert numbers_in(operator.get("leases/")) == {"NMNM 1", "NMNM 2"}
        assert numbers_in(operator.client.get(LIST)) == {"NMNM 1", "NMNM 2"}
        assert numbers_in(operator.client.get(CSV)) == {"NMNM 1", "NMNM 2"}
        assert stale.counted == [("primary", "own")] * 3

    def test_is_back_at_the_replica_once_it_has_that(self, stale: Replica, operator: Program) -> None:
        operator.post("leases/", {"agency": "BLM", "number": "NMNM 2"})
        stale.standby.resume()
        stale.standby.catch_up()

        assert numbers_in(operator.get("leases/")) == {"NMNM 1", "NMNM 2"}
        assert stale.why() == "fresh"

    def test_and_nobody_else(self, stale: Replica, operator: Program) -> None:
        operator.post("leases/", {"agency": "BLM", "number": "NMNM 2"})

        assert numbers_in(Program(in_role("Viewer")).get("leases/")) == {"NMNM 1"}

    def test_by_a_form_of_the_console_too(self, stale: Replica, operator: Program) -> None:
        operator.client.post(f"{LIST}add/", {"agency": "BLM", "lease_number": "NMNM 3"})

        assert numbers_in(operator.client.get(LIST)) == {"NMNM 1", "NMNM 3"}

    def test_is_forgotten_with_the_person(self, replica: Replica, operator: Program) -> None:
        operator.post("leases/", {"agency": "BLM", "number": "NMNM 2"})
        assert LastWrite.objects.count() == 1
        Lease.objects.all().delete()

        User.objects.filter(pk=operator.user.pk).delete()

        assert LastWrite.objects.count() == 0


class TestWhatIsOldDecidesNothing:
    def test_a_change_needs_the_version_of_now(self, stale: Replica, lease: Lease, operator: Program) -> None:
        seen = operator.version_of(f"leases/{lease.pk}/")
        Lease.objects.update(lease_number="NMNM 2")
        assert numbers_in(operator.get("leases/")) == {"NMNM 1"}

        answer = operator.send("PATCH", f"leases/{lease.pk}/", {"number": "NMNM 3"}, If_Match=seen)

        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")

    def test_an_action_is_about_what_is_there_now(self, stale: Replica, lease: Lease, replica: Replica) -> None:
        client = Program(in_role("Administrator")).client
        Lease.objects.all().delete()
        assert numbers_in(client.get(LIST)) == {"NMNM 1"}

        answer = client.post(LIST, {"action": "delete_selected", "_selected_action": lease.pk}, follow=True)

        assert numbers_in(answer) == set()
        assert "Deleted" not in answer.content.decode()

    def test_nor_does_it_let_anybody_look(self, stale: Replica, operator: Program) -> None:
        assert numbers_in(operator.client.get(LIST)) == {"NMNM 1"}
        operator.user.groups.clear()

        assert operator.client.get(LIST).status_code == 403
        assert operator.get("leases/").status_code == 403

    def test_a_refusal_is_never_the_replicas(self, stale: Replica, client: Client) -> None:
        StorageRoot.objects.create(name="elsewhere", declaration={})

        answer = Program(in_role("Viewer")).get("files/", root="elsewhere")

        assert answer.status_code == 200
        assert stale.why() == "refused"


class TestLimits:
    @pytest.mark.parametrize("is_pooled", [False, True])
    def test_of_a_file_are_those_of_a_file(self, replica: Replica, settings: Any, is_pooled: bool) -> None:
        settings.DATABASE_IS_POOLED = is_pooled

        with read_in_time(ALIAS):
            assert _limit() == "90s"
        assert _limit() == "5s"


class TestTrouble:
    @pytest.fixture
    def lines(self, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
        caplog.set_level(logging.INFO, LOGGER)
        caplog.clear()
        return caplog

    def test_behind_by_too_much(self, stale: Replica, client: Client, lines: Any, settings: Any) -> None:
        settings.DATABASE_REPLICA_LAG_S = 0
        settled(None, lease_number="NMNM 2")

        found = [numbers_in(client.get(LIST)) for _ in range(3)]

        assert found == [{"NMNM 1", "NMNM 2"}] * 3
        assert stale.counted == [("primary", "behind")] * 3
        (line,) = lines.messages
        assert line.startswith("replica: The replica is behind by ")
        assert line.endswith(" s. Lists and exports are read at the primary meanwhile.")

    def test_killed(self, lease: Lease, client: Client, replica: Replica, lines: Any) -> None:
        assert numbers_in(client.get(LIST)) == {"NMNM 1"}
        replica.standby.kill()

        found = [numbers_in(client.get(LIST)) for _ in range(3)]

        assert found == [{"NMNM 1"}] * 3
        assert replica.counted[1:] == [("primary", "failed"), ("primary", "away"), ("primary", "away")]
        (line,) = lines.messages
        assert line.startswith("replica: The replica fails: ")

    def test_back(self, lease: Lease, client: Client, replica: Replica, lines: Any) -> None:
        replica.standby.kill()
        client.get(LIST)
        replica.standby.start()

        assert replica.look()

        assert numbers_in(client.get(LIST)) == {"NMNM 1"}
        assert replica.why() == "fresh"
        assert lines.messages[-1] == "replica: Lists and exports are read at the replica."

    def test_hangs(self, lease: Lease, client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
        client.get(LIST)
        monkeypatch.setattr(lists.read_list, "__kwdefaults__", {"within_s": 0.2})
        replica.standby.hang()

        assert numbers_in(client.get(LIST)) == {"NMNM 1"}
        assert replica.why() == "failed"

    def test_in_the_way_of_its_recovery(
        self,
        lease: Lease,
        client: Client,
        replica: Replica,
        monkeypatch: pytest.MonkeyPatch,
        lines: Any,
    ) -> None:
        """What the list reads is taken away meanwhile, and the replica does not wait for it."""
        whole = lists._whole

        def meanwhile(answer: Any) -> Any:
            if alias_of_lists() == ALIAS:
                with connections[ALIAS].cursor() as cursor:
                    _collide(cursor)
            return whole(answer)

        monkeypatch.setattr(lists, "_whole", meanwhile)

        assert numbers_in(client.get(LIST)) == {"NMNM 1"}
        assert replica.why() == "failed"
        assert "had to break off a list" in lines.text
        assert ops.watch.is_well()

    def test_in_the_middle_of_a_file(self, client: Client, replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exports, "AT_ONCE", 100)
        Lease.objects.bulk_create(
            Lease(agency="BLM", lease_number=f"NMNM {number}", due_at=None) for number in range(300)
        )
        replica.standby.catch_up()
        answer: Any = client.get(CSV)
        parts = answer.streaming_content
        first = [next(parts) for _ in range(10)]
        replica.standby.kill()

        rest = list(parts)

        assert replica.counted == [("replica", "fresh")]
        rows = b"".join([*first, *rest]).decode().splitlines()[1:]
        assert len(rows) == 300
        assert len(set(rows)) == 300


def _limit() -> str:
    """How long a statement may take there."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


def _collide(cursor: Any) -> None:
    """Look at a table that the primary drops meanwhile: the replica does not wait for long."""
    with connection.cursor() as primary:
        primary.execute("CREATE TABLE to_be_dropped AS SELECT 1 AS one")
        until = time.monotonic() + 10
        while time.monotonic() < until:
            cursor.execute("SELECT to_regclass('to_be_dropped') IS NOT NULL")
            if cursor.fetchone() == (True,):
                break
        cursor.execute("BEGIN")
        cursor.execute("SELECT one FROM to_be_dropped")
        primary.execute("DROP TABLE to_be_dropped")
        cursor.execute("SELECT pg_sleep(10)")
