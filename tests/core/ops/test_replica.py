"""What is seen of a replica, by a process that asks it, by Prometheus and by the doctor. It is a real one."""

import logging
import math
from threading import Event
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from core.base.replica import ALIAS
from core.ops import replica as ops
from core.ops.doctor.finding import Finding, Mark, answer
from core.ops.doctor.replica import WITHOUT
from core.ops.doctor.replica import replica as look
from core.ops.probes import Probe
from core.ops.replica import NotOurs, ReplicaCollector, Standing, Watch, examine
from leases.models import Lease
from tests.core.local.test_processes import eventually
from tests.factories import settled
from tests.pooler import unpooled
from tests.replicas import Replica

pytestmark = [
    pytest.mark.process,
    pytest.mark.xdist_group("replica"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
    pytest.mark.usefixtures("known_replica"),
    unpooled,
]


def told(look: Any = examine) -> dict[str, float]:
    """What a scrape gets."""
    return {each.name: each.samples[0].value for each in ReplicaCollector(Probe(look)).collect()}


@pytest.fixture
def elsewhere(replica: Replica, settings: Any) -> Any:
    """Lets the address lead to another database, for as long as the test lasts."""
    known = dict(connections.settings[ALIAS])

    def lead(**to: str) -> None:
        connections[ALIAS].close()
        connections.settings[ALIAS].update(to)
        connections[ALIAS].settings_dict.update(to)

    yield lead
    lead(**{name: known[name] for name in ("HOST", "NAME")})


class TestWhatIsSeen:
    def test_of_one_that_has_everything(self, replica: Replica) -> None:
        assert answer(examine).lag_s < 1
        assert (of := told())["runsheet_replica_up"] == 1
        assert of["runsheet_replica_lag_seconds"] < 1 < of["runsheet_replica_lag_at_most_seconds"] == 5
        (found,) = look()
        assert found.mark is Mark.OK
        assert " is in recovery, follows this primary, and is behind by 0." in found.seen

    def test_of_one_that_is_behind(self, replica: Replica, settings: Any) -> None:
        settings.DATABASE_REPLICA_LAG_S = 0
        replica.standby.pause()
        settled(None)

        assert 0 < told()["runsheet_replica_lag_seconds"] < 60
        (found,) = look()
        assert found.mark is Mark.WRONG
        assert "more than DATABASE_REPLICA_LAG_S (0 s)" in found.advice

    def test_of_one_that_is_away(self, replica: Replica) -> None:
        replica.standby.kill()

        assert told() | {"runsheet_replica_lag_at_most_seconds": 0} == {
            "runsheet_replica_up": 0,
            "runsheet_replica_lag_seconds": math.inf,
            "runsheet_replica_lag_at_most_seconds": 0,
        }
        (found,) = look()
        assert (found.mark, found.seen.rpartition(" cannot be ")[2]) == (Mark.WRONG, "asked")
        assert "DATABASE_REPLICA_URL" in found.advice
        assert "DATABASE_URL" not in found.advice

    def test_of_one_that_hangs(self, replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.ops.doctor.finding.PATIENCE_S", 0.3)
        monkeypatch.setattr(ops, "PATIENCE_S", 0.3)
        replica.standby.hang()

        assert told()["runsheet_replica_up"] == 0
        (found,) = look()
        assert "does not answer within" in found.seen

    def test_of_the_primary_itself(self, elsewhere: Any) -> None:
        elsewhere(HOST=connection.settings_dict["HOST"])

        with pytest.raises(NotOurs, match="names a server that is no replica but takes what is written"):
            answer(examine)
        (found,) = look()
        assert (found.mark, "none of this primary's" in found.seen) == (Mark.WRONG, True)

    def test_of_another_database(self, elsewhere: Any) -> None:
        elsewhere(NAME="postgres")

        with pytest.raises(NotOurs, match="or another database, than DATABASE_URL does"):
            answer(examine)


class TestAProcess:
    def test_says_at_the_start_that_it_is_none(self, elsewhere: Any, replica: Replica, caplog: Any) -> None:
        elsewhere(HOST=connection.settings_dict["HOST"])
        caplog.clear()

        assert replica.look() is None

        (line,) = caplog.messages
        assert line == f"replica: {ops.NO_REPLICA} {ops.READ_AT_PRIMARY}"
        assert not ops.watch.is_well()

    def test_asks_it_only_once_it_was_looked_at(self, replica: Replica) -> None:
        answers = Event()
        watch = Watch(lambda: Standing(lag_s=0, has_own=answers.wait(10)))

        assert not watch.is_well()
        answers.set()
        assert eventually(watch.is_well)

    def test_tells_the_same_trouble_once_a_minute(self, caplog: Any) -> None:
        caplog.set_level(logging.INFO, ops.__name__)
        watch = Watch()

        for lag_s in (9, 0, 9, 0, 9):
            watch.stands(Standing(lag_s=lag_s, has_own=True))

        assert caplog.messages == [
            f"replica: The replica is behind by 9.0 s. {ops.READ_AT_PRIMARY}",
            "replica: Lists and exports are read at the replica.",
        ]


class TestARoleWithoutRights:
    def test_may_ask_all_of_it(self, replica: Replica) -> None:
        """What a role of its own in PostgreSQL needs, there as here: nothing but to connect and to read."""
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE IF EXISTS lowly")
            cursor.execute("CREATE ROLE lowly LOGIN")
        replica.standby.catch_up()
        try:
            with psycopg.connect(replica.standby.url.replace("postgres@", "lowly@")) as there:
                assert there.execute(ops.AT_REPLICA).fetchone()
                assert there.execute(ops.IDENTITY).fetchone()
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP ROLE lowly")


def test_without_one_nothing_is_wrong_and_nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {name: value for name, value in connections.settings.items() if name != ALIAS}
    monkeypatch.setattr(connections, "settings", settings)

    assert list(look()) == [Finding(Mark.OK, WITHOUT)]
    assert told() == {}
    assert not Lease.objects.exists()
