"""The very commands of the units, and with them of compose and Kubernetes, started as a unit starts them.

With production's settings, every secret in a file of the folder that deploy/secrets has made, and addresses without a password.
"""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from redis import Redis

from core.local.processes import free_port
from core.local.servers import ROOT
from tests.core.local.test_processes import eventually
from tests.deploy.units import unit
from tests.forking import Forks
from tests.live import environment_of, own_valkey
from tests.redis_tls import unsecured

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True), unsecured]
LASTING = (
    "runsheet-worker@storage",
    "runsheet-reconciler",
    "runsheet-web",
)  # of the pools one, since they differ by a word

# Packs each file several times, which takes long; tests/core/settings/test_production.py runs it, once for all.
COLLECTED = ("python", "manage.py", "collectstatic", "--no-input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """On which the units are installed.

    Attributes:
        told: what /etc/runsheet/runsheet.env says.
        secrets: /etc/runsheet/secrets.
    """

    told: dict[str, str]
    secrets: Path
    forks: Forks
    port: int

    def run(self, name: str) -> str:
        """Starts a unit that ends by itself; what it said."""
        environment = self._environment(name)
        said = ""
        for command in unit(f"{name}.service").commands(environment):
            if command == COLLECTED:
                continue
            done = self.forks.run(*command, environment=environment)
            assert done.returncode == 0, done.stderr
            said += done.stdout
        return said

    @contextmanager
    def running(self, name: str, log: Path) -> Iterator[None]:
        """Starts one that lasts, and stops it in the time that it has for that."""
        environment = self._environment(name)
        (command,) = unit(f"{name}.service").commands(environment)
        command = tuple(word.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}") for word in command)
        with self.forks.serving(*command, environment=environment, log=log):
            yield
            began = time.monotonic()
        assert time.monotonic() - began < float(unit(f"{name}.service").said("TimeoutStopSec"))

    def _environment(self, name: str) -> dict[str, str]:
        return unit(f"{name}.service").environment(credentials=str(self.secrets), **self.told)

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text().strip()


@pytest.fixture
def host(prepared: Forks, dropbox: "Standin", tmp_path: Path) -> Iterator[Host]:
    """An empty one, with PostgreSQL and with a Redis that wants its password."""
    secrets = tmp_path / "secrets"
    subprocess.run([ROOT / "deploy" / "secrets", secrets], stdout=subprocess.DEVNULL, check=True)
    (secrets / "dropbox_app_secret").write_text("secret\n")
    for folder in ("documents", "backups"):
        (tmp_path / folder).mkdir()
    with own_valkey(tmp_path / "valkey") as valkey:
        with Redis.from_url(valkey.url) as redis:
            redis.config_set("requirepass", (secrets / "redis_password").read_text())
        database = environment_of(redis_url=valkey.url, dropbox=dropbox)["DATABASE_URL"]
        told = {
            **dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)),
            "BACKUP_PLACE": str(tmp_path / "backups"),
            "DATABASE_URL": re.sub(r":[^:@/]*@", "@", database, count=1),
            "DOCUMENTS_DIRECTORY": str(tmp_path / "documents"),
            "DOCUMENTS_FREE_MB": "0",
            "DROPBOX_APP_KEY": "key",
            "PATH": os.environ["PATH"],
            "REDIS_URL": valkey.url,
            "WEB_CONCURRENCY": "1",
            "WORKERS": "1",
        }
        yield Host(told=told, secrets=secrets, forks=prepared, port=free_port())


@contextmanager
def notified(host: Host) -> Iterator[socket.socket]:
    """Where a program tells systemd that it is ready."""
    name = f"runsheet-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(30)
        host.told["NOTIFY_SOCKET"] = f"@{name}"
        yield listener


def test_all_of_them_are_a_whole_runsheet(host: Host, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{host.port}"

    host.run("runsheet-migrate")
    with ExitStack() as stack, notified(host) as systemd:
        for name in LASTING:
            stack.enter_context(host.running(name, tmp_path / f"{name}.log"))
        assert b"READY=1" in systemd.recv(1000)
        eventually(lambda: _health(url) == "ok", within_s=60)
        # As deploy/prometheus/compose.yml asks.
        asks = {"Host": "web:8000", "Authorization": f"Bearer {host.secret('metrics_token')}"}
        eventually(lambda: _workers(url, asks) == {"storage"}, within_s=60)
        assert "TOKEN_ENCRYPTION_KEYS" in host.run("runsheet-backup")
        assert "is whole" in host.run("runsheet-verify-backup")


def _health(url: str) -> str:
    try:
        return str(requests.get(f"{url}/health/ready", timeout=5).json()["status"])
    except requests.RequestException:
        return ""


def _workers(url: str, asks: dict[str, str]) -> set[str]:
    """The queues on which one waits for work, as /metrics tells."""
    told = requests.get(f"{url}/metrics", headers=asks, timeout=10)
    assert told.status_code == 200, told.text
    return set(re.findall(r'runsheet_workers\{queue="(\w+)",state="idle"\} [1-9]', told.text))
