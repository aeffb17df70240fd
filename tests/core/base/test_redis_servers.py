"""To which server a connection leads: real sentinels say which one is the primary."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import django_rq
import pytest
from pytest_django.fixtures import Settings
from redis import ConnectionPool, Redis, RedisError
from rq.connections import parse_connection

from core.base import redis_client, redis_servers
from core.base.cache import Cache
from core.base.redis_client import in_words, is_outage
from core.base.redis_servers import NoPrimary, Sentinels
from core.local.processes import free_port
from core.settings import base
from tests.core.local.test_processes import eventually
from tests.sentinels import SENTINELS_PASSWORD, SERVICE, Watched, _sentinel, asked
from tests.typed import commands, needs_redis_cli, typed

pytestmark = pytest.mark.process


def client(settings: Settings) -> Redis:
    return redis_servers.client(settings.REDIS_URL, timeout_s=2)


def said(settings: Settings) -> str:
    """What is said to whoever asks now."""
    with client(settings) as redis, pytest.raises(NoPrimary) as raised:
        redis.ping()
    assert is_outage(raised.value)
    assert "({reason})" not in in_words(raised.value)
    assert "127.0.0.1" not in redis_client.for_everybody(raised.value)
    return in_words(raised.value)


def is_primary(redis: Redis) -> bool:
    return bool(redis.info("replication")["role"] == "master")


class TestAConnection:
    def test_leads_to_the_primary(self, told: Sentinels, settings: Settings) -> None:
        with client(settings) as redis:
            assert is_primary(redis)
            assert redis.set("runsheet:x", 1)

    def test_is_found_by_any_sentinel_that_is_left(self, told: Sentinels, settings: Settings) -> None:
        gone = ("127.0.0.1", free_port())
        settings.REDIS_SENTINELS = replace(told, hosts=(gone, gone, told.hosts[2]))

        with client(settings) as redis:
            assert is_primary(redis)

    def test_asks_first_who_has_answered_before(self, told: Sentinels, settings: Settings) -> None:
        settings.REDIS_SENTINELS = replace(told, hosts=(("127.0.0.1", free_port()), told.hosts[0]))
        primary = redis_servers.Primary(settings.REDIS_SENTINELS, redis_servers.patience(1))

        found = [primary.get_master_address() for _ in range(2)]

        assert found[0] == found[1]
        assert next(primary._in_turn()) == 1

    def test_is_made_so_by_all_who_make_one(self, told: Sentinels, settings: Settings) -> None:
        cache = Cache([settings.REDIS_URL], base.CACHES["default"])
        cache.set("key", "value")
        worker: Any = django_rq.get_connection("discovery")
        of_class, connection_class, options = parse_connection(
            worker
        )  # as RQ makes those of its workers out of their pool's
        anew = of_class(connection_pool=ConnectionPool(connection_class=connection_class, **options))

        assert cache.get("key") == "value"
        assert [is_primary(each) for each in (worker, anew)] == [True, True]
        assert redis_client.ask(is_primary)


class TestNoPrimary:
    def test_is_because_no_sentinel_answers(self, told: Sentinels, settings: Settings) -> None:
        settings.REDIS_SENTINELS = replace(told, hosts=(("127.0.0.1", free_port()),) * 2)

        assert said(settings).startswith("None of the sentinels answers (Error 111 connecting to 127.0.0.1:")

    def test_is_because_they_watch_another_service(self, told: Sentinels, settings: Settings) -> None:
        settings.REDIS_SENTINELS = replace(told, service="other")

        assert said(settings).startswith("The sentinels watch no Redis of that name (No such master with that name)")

    @pytest.mark.parametrize("password", ["", "guessed"])
    def test_is_because_they_let_nobody_in(self, told: Sentinels, settings: Settings, password: str) -> None:
        settings.REDIS_SENTINELS = replace(told, user=password and "runsheet", password=password)

        assert said(settings).startswith("The sentinels do not let us in (")

    def test_is_because_none_is_well(self, told: Sentinels, settings: Settings, short_directory: Path) -> None:
        with _sentinel(short_directory / "lonely", free_port(), None) as port:
            settings.REDIS_SENTINELS = replace(told, hosts=(("127.0.0.1", port), ("127.0.0.1", free_port())))
            eventually(lambda: _is_missed(port))

            assert said(settings).startswith("The sentinels know of no primary that is well (127.0.0.1:")


def _is_missed(port: int) -> bool:
    try:
        with asked(port, None) as sentinel:
            return bool(sentinel.sentinel_master(SERVICE)["is_sdown"])
    except RedisError:
        return False


class TestTheProductsUserOfTheSentinels:
    def test_may_ask_and_change_nothing(self, told: Sentinels) -> None:
        host, port = told.hosts[0]
        with Redis(host=host, port=port, username=told.user, password=told.password) as sentinel:
            for command in ("SENTINEL FAILOVER runsheet", "SENTINEL REMOVE runsheet", "SENTINEL SET runsheet quorum 1"):
                with pytest.raises(RedisError, match="permission"):
                    sentinel.execute_command(*command.split())
            assert sentinel.sentinel_master(SERVICE)
        assert told.password != SENTINELS_PASSWORD


@needs_redis_cli
class TestSentinelsByHand:
    def test_answer_to_what_is_to_be_typed(self, told: Sentinels, tmp_path: Path) -> None:
        (tmp_path / "password").write_text(f"{told.password}\n")
        lines = [line for line in commands("Redis by hand") if line.startswith("sentinel")]
        instead = {
            "/etc/runsheet/secrets/redis_sentinel_password": f"{tmp_path}/password",
            "-h sentinel-1.example.com -p 26379": f"-h 127.0.0.1 -p {told.hosts[0][1]}",
        }

        said = typed(lines, instead=instead, cwd=tmp_path)

        assert said.startswith("OK 3 usable Sentinels.")
        assert "num-other-sentinels" in said

    def test_choose_another_primary_for_whoever_has_their_own_password(self, told: Sentinels, tmp_path: Path) -> None:
        (line,) = (line for line in commands("Redis by hand") if "failover" in line)
        here = {
            "-h sentinel-1.example.com -p 26379": f"-h 127.0.0.1 -p {told.hosts[0][1]}",
            "failover runsheet": "failover other",
        }

        said = typed([f"echo {SENTINELS_PASSWORD} | {line}"], instead=here, cwd=tmp_path)

        assert "ERR No such master with that name" in said


class TestAFailOver:
    """The last one, since the servers change their parts."""

    def test_is_followed_by_who_waits_and_by_who_asks_next(
        self, running: Watched, told: Sentinels, settings: Settings
    ) -> None:
        met: list[BaseException] = []
        waiting, asking = client(settings), client(settings)
        before = asking.info("server")["tcp_port"]

        def wait() -> None:
            try:
                redis_servers.client(settings.REDIS_URL, timeout_s=20).blpop(["rq:nothing"], 15)
            except RedisError as error:
                met.append(error)

        waiter = threading.Thread(target=wait)
        waiter.start()
        eventually(lambda: waiting.info("clients")["blocked_clients"])
        with asked(running.sentinels[0], None) as sentinel:
            sentinel.execute_command("SENTINEL FAILOVER", SERVICE)
        waiter.join(15)

        assert [is_outage(each) for each in met] == [True], met
        assert eventually(lambda: _port(asking), within_s=15) not in {before, -1}


def _port(redis: Redis) -> int:
    """Where it leads now, if that takes what is written; 0: it does not yet."""
    try:
        redis.set("runsheet:x", 2)
        return int(redis.info("server")["tcp_port"])
    except RedisError as error:
        return 0 if is_outage(error) else -1
