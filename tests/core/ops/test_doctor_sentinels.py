"""Whether another Redis would take over: real sentinels are asked."""

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from core.base.redis_servers import Sentinels
from core.local.processes import free_port
from core.ops.doctor.finding import Mark
from core.ops.doctor.sentinels import sentinels
from tests.core.local.test_processes import eventually
from tests.sentinels import SERVICE, Watched, asked

pytestmark = pytest.mark.process


class TestSentinels:
    def test_are_nobodys_business_where_there_are_none(self, settings: Settings) -> None:
        settings.REDIS_SENTINELS = None

        assert list(sentinels()) == []

    def test_tell_the_primary_and_its_replicas(self, told: Sentinels, running: Watched) -> None:
        (found,) = sentinels()

        assert found.mark is Mark.OK
        assert found.seen == f"the primary is 127.0.0.1:{running.primary().port}, with 1 replica, as 3 sentinels say"

    def test_are_counted_where_some_are_away(self, told: Sentinels, settings: Settings) -> None:
        settings.REDIS_SENTINELS = replace(told, hosts=(*told.hosts[:2], ("127.0.0.1", gone := free_port())))

        first, *_ = sentinels()

        assert (first.mark, first.seen) == (Mark.WRONG, "2 of 3 sentinels answer")
        assert first.advice == f"The one at 127.0.0.1:{gone} does not. See that it runs, and the way there."

    def test_tell_that_no_replica_is_left(self, told: Sentinels, running: Watched) -> None:
        primary = running.primary()
        (replica,) = (server for server in running.servers if server is not primary)
        replica.kill()
        found = eventually(lambda: [each for each in sentinels() if each.mark is Mark.WRONG])
        replica.start()

        assert [each.seen for each in found] == [f"the primary 127.0.0.1:{primary.port} has no replica that is well"]
        assert eventually(lambda: [each.mark for each in sentinels()] == [Mark.OK])

    def test_tell_that_nothing_would_take_over(self, told: Sentinels, running: Watched) -> None:
        with asked(running.sentinels[0], None) as sentinel:
            sentinel.execute_command("SENTINEL SET", SERVICE, "quorum", 9)
            first, _ = sentinels()
            sentinel.execute_command("SENTINEL SET", SERVICE, "quorum", 2)

        assert (first.mark, first.seen) == (Mark.WRONG, "no other Redis would take over")
        assert first.advice.startswith(
            "Too few sentinels reach one another to choose another primary (NOQUORUM 3 usable"
        )
