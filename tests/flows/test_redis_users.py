"""Web, workers and reconciler through a Redis that lets each user do what deploy/redis/users.acl says, over TLS where it can."""

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

import pytest
import requests
from django.contrib.auth.models import User
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from core.base import redis_client, redis_servers
from core.base.redis_keys import OURS, RQS, CacheKind, Kind
from core.local.servers import ROOT
from core.local.spare import NoSpareServer, spare_servers
from dropbox_standin.process import Tls
from leases.models import Lease
from tests import live, redis_tls
from tests.api.conftest import made
from tests.dropbox_standin.certificates import make_tls
from tests.flows.conftest import BLM
from tests.live import System, await_that
from tests.redis_tls import DEBIANS, PASSWORD, SecuredRedis, secured
from tests.typed import commands, needs_redis_cli, typed

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.process, redis_tls.unsecured]
MANY = 30
AS_ADMIN = {"--user runsheet": "--user admin"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """At a short path, for sockets."""
    with tempfile.TemporaryDirectory(prefix="redis-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def certificates(folder: Path) -> Tls:
    return make_tls(folder)


@pytest.fixture(scope="module", params=["Valkey", pytest.param("Debian's, over TLS", marks=redis_tls.needs_debians)])
def server(request: pytest.FixtureRequest, folder: Path, certificates: Tls) -> Iterator[SecuredRedis]:
    tls = None if request.param == "Valkey" else certificates
    with secured(folder / request.param[:6], tls=tls) as running:
        yield running


@pytest.fixture(scope="module")
def product(server: SecuredRedis) -> Redis:
    """What the product may do there."""
    return Redis.from_url(server.url)


@pytest.fixture(scope="module")
def strict(folder: Path, certificates: Tls) -> Iterator[SecuredRedis]:
    """One that wants a certificate of whoever comes."""
    with secured(folder / "strict", tls=certificates, options=("--tls-auth-clients", "optional")) as server:
        with server.client() as redis:
            redis.config_set("tls-auth-clients", "yes")
        yield server


class TestTheProduct:
    @pytest.fixture
    def system(self, operator: User, standin_process: "Standin", folder: Path, certificates: Tls) -> Iterator[System]:
        tls = certificates if DEBIANS else None
        with (
            secured(folder / "burst", tls=tls) as redis,
            live.site(standin_process, redis) as running,
            running.working() as system,
        ):
            yield system

    @pytest.mark.django_db(transaction=True)
    def test_finds_leases_and_is_refused_nothing(self, system: System, operator: User, dropbox: "Standin") -> None:
        numbers = [f"NMNM {each}" for each in range(MANY)]
        dropbox.put(*[f"{BLM}/{number}/Master Documents.pdf" for number in numbers])
        asking = {"Authorization": f"Bearer {made(operator).secret}"}

        sent = requests.post(
            f"{system.url}/api/v1/leases/bulk/",
            json={"items": [{"agency": "BLM", "number": each} for each in numbers]},
            headers=asking,
            timeout=30,
        )
        await_that(lambda: Lease.objects.filter(state="done").count() == MANY, within_s=90)
        metrics = requests.get(
            f"{system.url}/metrics", headers={"Authorization": f"Bearer {live.METRICS_TOKEN}"}, timeout=30
        )

        assert sent.status_code < 400, sent.text
        assert 'runsheet_writable{part="redis"} 1.0' in metrics.text
        redis = system.valkey.client()
        assert redis.acl_log() == []
        assert [key for key in named(redis) if not is_known(key)] == []
        lasting = [key for key in named(redis) if key.startswith(OURS) and redis.ttl(key) == -1]
        assert lasting == [f"{OURS}tally"]


def named(redis: Redis) -> list[str]:
    return sorted(key.decode() for key in redis.scan_iter("*"))


def is_known(key: str) -> bool:
    """One of RQ's, or one of the names in the one table."""
    if key.startswith(RQS):
        return True
    ours, _, rest = key.partition(OURS)
    first, _, more = rest.partition(":")
    kinds, of_cache = get_args(Kind.__value__), get_args(CacheKind.__value__)
    return not ours and (first in kinds or (first == "1" and more.partition(":")[0] in of_cache))


def listen(redis: Redis, channel: str) -> Any:
    """What comes first."""
    with redis.pubsub() as listener:  # type: ignore[no-untyped-call]  # redis types it in part
        listener.subscribe(channel)
        return listener.get_message(timeout=5)


# What would harm others, or tell of them.
REFUSED: dict[str, Callable[[Redis], Any]] = {
    "empty it": lambda redis: redis.flushall(),
    "empty one number": lambda redis: redis.flushdb(),
    "list all keys": lambda redis: redis.keys("*"),
    "walk through all keys": lambda redis: redis.scan(),
    "read its configuration": lambda redis: redis.config_get("*"),
    "change its configuration": lambda redis: redis.config_set("dir", "/etc"),
    "see other clients": lambda redis: redis.client_list(),
    "end other clients": lambda redis: redis.client_kill_filter(_type="normal"),
    "see what others ask": lambda redis: redis.execute_command("MONITOR"),  # type: ignore[no-untyped-call]  # redis types it in part
    "see who may do what": lambda redis: redis.acl_list(),
    "let itself do more": lambda redis: redis.acl_setuser("runsheet", categories=["+@all"]),
    "stop it": lambda redis: redis.shutdown(nosave=True),
    "make it a replica": lambda redis: redis.replicaof("127.0.0.1", "1"),
    "load a module": lambda redis: redis.module_load("/tmp/module.so"),
    "read what is not its own": lambda redis: redis.get("secret"),
    "write what is not its own": lambda redis: redis.set("secret", 1),
    "reach other keys by a script": lambda redis: redis.eval("return redis.call('GET', 'secret')", 0),
    "listen to what is not its own": lambda redis: listen(redis, "others"),
    "speak where it should not": lambda redis: redis.publish("others", "x"),
    "keep functions there": lambda redis: redis.function_load("#!lua name=x\nredis.register_function('x', print)"),
    "move keys elsewhere": lambda redis: redis.migrate("127.0.0.1", 1, "rq:x", 0, 1),
}


class TestTheProductsUser:
    @pytest.mark.parametrize("wish", REFUSED)
    def test_may_not(self, product: Redis, wish: str) -> None:
        with pytest.raises(RedisError, match=r"(?i)permission|not allowed|can't access"):
            REFUSED[wish](product)

    def test_is_told_in_words_what_it_may_not(self, product: Redis) -> None:
        with pytest.raises(NoPermissionError) as refused:
            product.get("secret")

        assert redis_client.in_words(refused.value).startswith(
            "Redis lets us in, but does not let us do what the work needs ("
        )

    def test_comes_in_with_its_password_only(self, server: SecuredRedis) -> None:
        wrong = server.url.replace(quote(PASSWORD, safe=""), "guessed")

        with pytest.raises(RedisError) as refused:
            Redis.from_url(wrong).ping()

        assert redis_client.in_words(refused.value) == redis_client.NO_ENTRY

    def test_has_a_password_that_no_file_tells(self, server: SecuredRedis) -> None:
        assert PASSWORD not in (server.directory / "users.acl").read_text()
        assert (server.directory / "users.acl").stat().st_mode & 0o777 == 0o600

    def test_is_no_user_without_a_name(self, server: SecuredRedis) -> None:
        nameless = server.url.replace("//runsheet:", "//:")

        with pytest.raises(RedisError) as refused:
            Redis.from_url(nameless).ping()

        assert redis_client.in_words(refused.value) == redis_client.NO_ENTRY


@needs_redis_cli
class TestRedisByHand:
    @pytest.fixture
    def instead(self, server: SecuredRedis, certificates: Tls, tmp_path: Path) -> dict[str, str]:
        """What stands here for the examples."""
        (tmp_path / "password").write_text(f"{PASSWORD}\n")
        in_tls = f"-h 127.0.0.1 -p {server.port} --tls --cacert {certificates.ca}"
        return {
            "/etc/runsheet/secrets/redis_password": f"{tmp_path}/password",
            "-h 127.0.0.1 -p 6379": in_tls if server.port else f"-s {server.directory}/redis.sock",
        }

    @staticmethod
    def answer(asked: str, *, instead: dict[str, str], cwd: Path) -> str:
        definition = next(line for line in commands("Redis by hand") if "/etc/runsheet/secrets/redis_password" in line)
        return typed([definition, asked], instead=instead, cwd=cwd)

    def test_answers_to_the_product(self, instead: dict[str, str], tmp_path: Path) -> None:
        assert "used_memory:" in self.answer("redis info memory", instead=instead, cwd=tmp_path)

    def test_answers_to_an_admin(self, server: SecuredRedis, instead: dict[str, str], tmp_path: Path) -> None:
        with server.client() as redis:
            redis.acl_log_reset()

        assert self.answer("redis acl log", instead=instead | AS_ADMIN, cwd=tmp_path).strip() == ""

    def test_forgets_failed_logins(self, server: SecuredRedis, instead: dict[str, str], tmp_path: Path) -> None:
        (forgetting,) = re.findall(r"`(redis --scan .*?)`", (ROOT / "docs/operations.md").read_text())
        with server.client() as redis:
            redis.mset({"runsheet:logins:a": 1, "runsheet:logins:b": 1, "runsheet:pace:a": 1})

            self.answer(forgetting, instead=instead | AS_ADMIN, cwd=tmp_path)

            assert [redis.exists(f"runsheet:{each}") for each in ("logins:a", "logins:b", "pace:a")] == [0, 0, 1]
            redis.delete("runsheet:pace:a")


class TestADemo:
    def test_is_told_that_it_may_not_empty_a_number(
        self, server: SecuredRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REDIS_URL", server.url)

        with pytest.raises(NoSpareServer, match="or give a user who may empty one"):
            spare_servers(tmp_path / "d").__enter__()


@redis_tls.needs_debians
class TestTls:
    @staticmethod
    def said(url: str) -> str:
        """What is said to somebody who comes so; empty if they are let in."""
        try:
            with redis_servers.client(url, timeout_s=2) as redis:
                redis.ping()
        except RedisError as error:
            return redis_client.in_words(error)
        return ""

    def test_asks_for_a_certificate_where_the_server_does(self, strict: SecuredRedis, certificates: Tls) -> None:
        with_it = f"{strict.url}&ssl_certfile={certificates.cert}&ssl_keyfile={certificates.key}"

        assert self.said(with_it) == ""
        assert "ssl_certfile" in self.said(strict.url)

    def test_trusts_no_authority_but_the_one_that_is_named(self, strict: SecuredRedis, tmp_path: Path) -> None:
        other = make_tls(tmp_path).ca

        found = self.said(f"{strict.url.partition('?')[0]}?ssl_ca_certs={other}")

        assert "CERTIFICATE_VERIFY_FAILED" in found
        assert found.startswith("Redis' certificate is of an authority that we do not trust (")

    def test_needs_the_name_that_the_certificate_is_for(self, strict: SecuredRedis) -> None:
        assert self.said(strict.url.replace("127.0.0.1", "localhost")).startswith(
            "Redis' certificate is for another name ("
        )

    def test_is_not_spoken_where_the_address_says_no_such_thing(self, strict: SecuredRedis) -> None:
        plain = strict.url.replace("rediss://", "redis://").partition("?")[0]

        assert "REDIS_URL must begin with rediss://" in self.said(plain)
