"""Whether another Redis would take over: real sentinels are asked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from redis import RedisError

from core.base import redis_servers
from core.base.redis_servers import Sentinels
from core.local.processes import free_port
from core.ops.doctor.finding import Mark
from core.ops.doctor.sentinels import sentinels
from tests.core.local.test_processes import eventually
from tests.dropbox_standin.certificates import make_tls
from tests.redis_tls import needs_debians
from tests.sentinels import ASKED_WITH, SERVICE, Watched, asked, watched

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
        assert first.advice == (
            f"The one at 127.0.0.1:{gone} does not (Error 111 connecting to 127.0.0.1:{gone}. Connection refused). "
            "See that it runs, and the way there."
        )

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


@pytest.fixture(scope="module")
def in_tls(short_directory: Path) -> Iterator[Watched]:
    """With an authority of one's own, and certificates for names only."""
    tls = make_tls(short_directory, addresses=(), names=("localhost",))
    with watched(short_directory / "tls", tls=tls, host="localhost") as servers:
        yield servers


@pytest.fixture
def told_in_tls(in_tls: Watched, settings: Settings) -> Sentinels:
    settings.REDIS_URL = in_tls.environment["REDIS_URL"]
    told = Sentinels(
        hosts=tuple((in_tls.host, port) for port in in_tls.sentinels),
        service=SERVICE,
        user="runsheet",
        password=ASKED_WITH,
        has_tls=True,
    )
    settings.REDIS_SENTINELS = told
    return told


@needs_debians
class TestInTls:
    def test_are_believed_by_the_authority_of_redis(self, told_in_tls: Sentinels) -> None:
        (found,) = sentinels()

        assert (found.mark, found.advice) == (Mark.OK, "")

    def test_are_told_apart_from_those_that_do_not_answer(self, told_in_tls: Sentinels, settings: Settings) -> None:
        settings.REDIS_SENTINELS = replace(
            told_in_tls, hosts=tuple(("127.0.0.1", port) for _, port in told_in_tls.hosts)
        )

        (found,) = sentinels()

        assert (found.mark, found.seen) == (Mark.WRONG, "0 of 3 sentinels answer")
        assert found.advice.startswith("A sentinel's certificate is for another name (")
        assert found.advice.endswith("REDIS_SENTINELS must name the host as the certificate does.")

    def test_name_the_new_primary_as_its_certificate_does(
        self, told_in_tls: Sentinels, in_tls: Watched, settings: Settings
    ) -> None:
        before = in_tls.primary()
        with asked(in_tls.sentinels[0], in_tls.tls, in_tls.host) as sentinel:
            sentinel.execute_command("SENTINEL FAILOVER", SERVICE)

        assert eventually(lambda: _role_of_another(settings, before.port), within_s=15) == "master"
        # Until the one before is a replica, nothing would take over, and that is what is said.
        assert eventually(lambda: [each.mark for each in sentinels()] == [Mark.OK], within_s=30)


def _role_of_another(settings: Settings, port: int) -> str:
    """What the server does to which a connection leads; empty if there is none, or it is still the one at that port."""
    try:
        with redis_servers.client(settings.REDIS_URL, timeout_s=2) as redis:
            return "" if redis.info("server")["tcp_port"] == port else str(redis.info("replication")["role"])
    except RedisError:
        return ""
