"""What ails Redis, by its name; and who waits for it, how often and for how long."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpRequest, HttpResponse
from pytest_django.fixtures import Settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError, RedisError, ResponseError, WatchError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from bench.outages import redis_cannot_save, redis_full, redis_lonely, redis_read_only, slow
from core.base import redis_client
from core.base.redis_client import RedisSilent, ask, in_words, is_outage, patient, share_patience
from core.base.redis_servers import Sentinels
from dropbox_standin.process import Tls
from tests.deaf import deaf_server
from tests.dropbox_standin.certificates import make_tls
from tests.dropbox_standin.conftest import tls  # noqa: F401 - a fixture

FROM_URL: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": Retry(NoBackoff(), 0)}


@pytest.fixture
def own(own_redis: str) -> str:
    return own_redis


@pytest.fixture
def directory(own_redis: str) -> Path:
    """The server's."""
    return Path(urlsplit(own_redis).path).parent


@pytest.fixture(autouse=True)
def heard() -> None:
    """Nobody has failed to answer a moment ago."""
    redis_client._silent_until.clear()


def failure(url: str, question: Callable[[Redis], Any] = lambda redis: redis.set("key", "value")) -> RedisError:
    """What is raised instead of an answer."""
    with Redis.from_url(url, **FROM_URL) as redis, pytest.raises(RedisError) as raised:
        question(redis)
    return raised.value


def two_in_a_pipeline(redis: Redis) -> None:
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.get("key")
        pipeline.hset("hash", "field", "value")
        pipeline.execute()


class TestWhatRedisRefuses:
    @pytest.mark.parametrize(
        ("broken", "words"),
        [
            (redis_full, redis_client.FULL),
            (redis_read_only, redis_client.READ_ONLY),
            (redis_lonely, redis_client.DETACHED),
        ],
    )
    @pytest.mark.parametrize("question", [lambda redis: redis.set("key", "value"), two_in_a_pipeline])
    def test_is_named(
        self, own: str, broken: Callable[[str], AbstractContextManager[None]], words: str, question: Any
    ) -> None:
        with broken(own):
            found = failure(own, question)

        assert (is_outage(found), in_words(found)) == (True, words)

    def test_is_named_when_it_cannot_save(self, own: str, directory: Path) -> None:
        with redis_cannot_save(own, directory):
            found = [failure(own), failure(own, two_in_a_pipeline)]

        assert [in_words(each) for each in found] == [redis_client.CANNOT_SAVE] * 2
        assert all(is_outage(each) for each in found)

    def test_is_over_when_it_is_mended(self, own: str, directory: Path) -> None:
        for broken in (redis_full(own), redis_read_only(own), redis_lonely(own), redis_cannot_save(own, directory)):
            with broken:
                pass

        with Redis.from_url(own, **FROM_URL) as redis:
            assert redis.set("key", "value")

    def test_is_who_may_come_in(self, own: str) -> None:
        with Redis.from_url(own, **FROM_URL) as redis:
            redis.acl_setuser(
                "poor", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"], commands=["-hset"]
            )
        address = own.replace("unix://", "unix://poor:{}@")

        assert in_words(failure(address.format("wrong"))) == redis_client.NO_ENTRY
        found = failure(address.format("pw"), two_in_a_pipeline)
        assert in_words(found).startswith("Redis lets us in, but does not let us do what the work needs (")
        assert is_outage(found)

    def test_is_who_brings_no_password(self, own: str) -> None:
        with Redis.from_url(own, **FROM_URL) as redis:
            redis.config_set("requirepass", "secret")
            found = failure(own)
            redis.config_set("requirepass", "")

        assert (is_outage(found), in_words(found)) == (True, redis_client.NO_ENTRY)

    def test_is_one_connection_too_many(self) -> None:
        # Raised here: the server closes such a connection so soon that the words may be lost on the way.
        found = RedisConnectionError("max number of clients reached")

        assert (is_outage(found), in_words(found)) == (True, redis_client.CROWDED)

    def test_is_no_outage_when_the_question_was_wrong(self, own: str) -> None:
        found = failure(own, lambda redis: (redis.set("text", "x"), redis.lpush("text", "y")))

        assert not is_outage(found)
        assert in_words(found).startswith("Redis refuses: WRONGTYPE Operation against a key")

    @pytest.mark.parametrize("error", [DataError("Invalid input"), WatchError("changed"), ResponseError("ERR syntax")])
    def test_is_no_outage_for_other_bugs(self, error: RedisError) -> None:
        assert not is_outage(error)

    def test_is_no_error_of_something_else(self) -> None:
        assert not is_outage(ValueError())


@contextmanager
def answering_with(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does that to each connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    asker, _ = listener.accept()
                except OSError:
                    return
                with asker:
                    answer(asker)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


class TestTheWayThere:
    def test_nobody_listens(self) -> None:
        found = failure("redis://127.0.0.1:1")

        assert is_outage(found)
        assert in_words(found).startswith(
            "Redis does not answer (Error 111 connecting to 127.0.0.1:1. Connection refused)."
        )

    @pytest.mark.long
    def test_nobody_answers(self) -> None:
        with deaf_server() as port:
            found = failure(f"redis://127.0.0.1:{port}")
            in_tls = failure(f"rediss://127.0.0.1:{port}")

        assert in_words(found).startswith("Redis does not answer in time (Timeout reading from socket)")
        assert in_words(in_tls) == redis_client.NO_TLS_ANSWER

    def test_something_else_answers(self) -> None:
        def refuse(asker: socket.socket) -> None:
            asker.recv(10)
            asker.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with answering_with(refuse) as port:
            found = failure(f"redis://127.0.0.1:{port}")
            in_tls = failure(f"rediss://127.0.0.1:{port}")

        assert is_outage(found)
        assert in_words(found).startswith(
            "What answers at REDIS_URL ends the connection or does not speak as Redis does"
        )
        assert in_words(in_tls).startswith("Redis and we cannot agree on TLS (")

    def test_no_tls_where_it_is_wanted(self, tls: Tls) -> None:  # noqa: F811 - the fixture
        with answering_in(tls) as port:
            plain = failure(f"redis://127.0.0.1:{port}")

        assert in_words(plain).startswith("What answers at REDIS_URL ends the connection")


@contextmanager
def answering_in(tls: Tls) -> Iterator[int]:  # noqa: F811 - the fixture
    """A server that shows its certificate, and that is all; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.cert, tls.key)

    def greet(asker: socket.socket) -> None:
        with suppress(OSError):  # the asker has gone, or speaks no TLS
            context.wrap_socket(asker, server_side=True).close()

    with answering_with(greet) as port:
        yield port


class TestACertificate:
    @staticmethod
    def said(shown: Tls, trusted: Path | None) -> str:
        """What is said of one that is not believed."""
        options = f"?ssl_ca_certs={trusted}" if trusted else ""
        with answering_in(shown) as port:
            found = failure(f"rediss://127.0.0.1:{port}/0{options}")
        assert is_outage(found)
        assert "CERTIFICATE_VERIFY_FAILED" in in_words(found)
        assert "127.0.0.1" not in redis_client.for_everybody(found)
        return redis_client.for_everybody(found)

    @pytest.mark.parametrize("is_named", [True, False])
    def test_is_of_an_authority_that_nobody_has_named(self, tmp_path: Path, tls: Tls, is_named: bool) -> None:  # noqa: F811 - the fixture
        assert self.said(make_tls(tmp_path), tls.ca if is_named else None) == (
            "Redis' certificate is of an authority that we do not trust. Name its authority as ssl_ca_certs in REDIS_URL."
        )

    def test_is_for_another_name(self, tmp_path: Path) -> None:
        named = make_tls(tmp_path, addresses=(), names=("localhost",))

        assert self.said(named, named.ca) == (
            "Redis' certificate is for another name. REDIS_URL must name the host as the certificate does."
        )

    def test_is_for_another_name_than_the_sentinels_say(self, tmp_path: Path, settings: Settings) -> None:
        settings.REDIS_SENTINELS = Sentinels(hosts=(("sentinel.example.com", 26379),), service="runsheet")
        named = make_tls(tmp_path, addresses=(), names=("localhost",))

        found = self.said(named, named.ca)

        assert found.startswith("Redis' certificate is for another name. The sentinels must name the host as")
        assert "replica-announce-ip" in found

    @pytest.mark.parametrize("days", [-1, 3])
    def test_is_not_valid_now(self, tmp_path: Path, days: int) -> None:
        late = make_tls(tmp_path, days=days)

        assert self.said(late, late.ca) == (
            "Redis' certificate is not valid now. Renew it, or see the clocks of its host and this one."
        )

    def test_is_of_an_authority_that_does_not_say_what_it_is_for(self, tmp_path: Path) -> None:
        plain = make_tls(tmp_path, says_usage=False)

        assert self.said(plain, plain.ca) == (
            "Redis' certificate or its authority's lacks something. Make both as docs/operations.md, “Certificates of one's own”, "
            "does."
        )


class TestSilence:
    def test_keeps_the_reason(self, own: str, settings: Settings) -> None:
        settings.REDIS_URL = own
        with redis_full(own), pytest.raises(RedisError):
            ask(lambda redis: redis.set("key", "value"))

        with pytest.raises(RedisSilent) as silent:
            ask(lambda redis: redis.get("key"))

        assert in_words(silent.value) == redis_client.FULL
        assert is_outage(silent.value)

    def test_is_each_patience_of_its_own(self, own: str, settings: Settings) -> None:
        settings.DOORBELL_TIMEOUT_S = 0.05
        with slow(own, delay_s=0.2) as settings.REDIS_URL:
            with pytest.raises(RedisTimeoutError):
                ask(lambda redis: redis.ping())

            with patient():
                assert ask(lambda redis: redis.ping())


class TestOneRequest:
    @staticmethod
    def request(*questions: Callable[[Redis], Any]) -> list[str]:
        """What came of each question of one request."""
        came: list[str] = []

        def view(_request: HttpRequest) -> HttpResponse:
            for question in questions:
                try:
                    ask(question)
                except RedisError as error:
                    came.append(type(error).__name__)
                    redis_client._silent_until.clear()  # as if it took long until the next
                else:
                    came.append("answer")
            return HttpResponse()

        share_patience(view)(HttpRequest())
        return came

    def test_asks_no_more_after_a_failure(self, settings: Settings) -> None:
        began = time.monotonic()
        with deaf_server() as port:
            settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"

            came = self.request(*[lambda redis: redis.ping()] * 20)

        assert came == ["TimeoutError", *["RedisSilent"] * 19]
        assert time.monotonic() - began < 2 * settings.DOORBELL_TIMEOUT_S + 0.3

    @pytest.mark.long
    def test_waits_for_a_slow_one_a_few_times_only(self, own: str, settings: Settings) -> None:
        with slow(own, delay_s=0.2) as settings.REDIS_URL:
            began = time.monotonic()

            came = self.request(*[lambda redis: redis.ping()] * 20)

            took_s = time.monotonic() - began
        assert (came[0], came[-1]) == ("answer", "RedisSilent")
        assert took_s < 3

    def test_is_asked_in_the_next_request(self, own: str, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1"
        self.request(lambda redis: redis.ping())
        settings.REDIS_URL = own

        assert self.request(lambda redis: redis.ping()) == ["answer"]
        assert in_words(RedisSilent("slow a moment ago")).startswith(
            "Redis does not answer in time (slow a moment ago)"
        )
