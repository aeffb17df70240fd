import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from core.local import processes, servers
from core.local.processes import free_port
from core.management.commands import up
from leases.models import Lease
from tests.architecture.floors import ROOT_PACKAGES

# One process of each kind, and nobody waits for Dropbox.
HURRIED = {"WEB_CONCURRENCY": "1", "DISCOVERY_BACKOFF_BASE_S": "0.1", "DROPBOX_CALLS_PER_S": "0"}
SOURCES = (*ROOT_PACKAGES, "manage.py", "gunicorn.conf.py")
READY = re.compile(r"Console +(http://127\.0\.0\.1:\d+/admin/)\n +Login +operator / operator")


def eventually[T](ask: Callable[[], T | None], *, within_s: float = 60) -> T:
    deadline = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return answer


def manage(checkout: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(
        command, cwd=checkout, env=environment(), input=typed, capture_output=True, text=True, check=False
    )


def environment() -> dict[str, str]:
    ours = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if name not in ours and "COV" not in name}


def processes_of(checkout: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if Path(process.cwd()).is_relative_to(checkout) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Running:
    """A `manage.py up` in a terminal of its own, with as few processes as there can be."""

    def __init__(self, checkout: Path, *options: str) -> None:
        self.output = checkout / f"up-{time.monotonic_ns()}.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--workers", "1", *options],
                cwd=checkout,
                env=environment() | HURRIED,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def address(self) -> str:
        return eventually(self._ready).group(1)

    def _ready(self) -> re.Match[str] | None:
        assert self.process.poll() is None, self.output.read_text()
        return READY.search(self.output.read_text())

    def press_ctrl_c(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)  # as a terminal does: everybody in the foreground hears it
        return self.process.wait(60)


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A second checkout, so that one where somebody works is left alone."""
    servers.LOCAL.mkdir(exist_ok=True)
    copy = Path(tempfile.mkdtemp(prefix="up-", dir=servers.LOCAL))
    copy.chmod(0o755)
    for name in SOURCES:
        source = servers.ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name)  # with what was compiled there, which would take long anew
        else:
            shutil.copy(source, copy / name)
    yield copy
    for process in processes_of(copy):
        process.kill()
    if (copy / ".local").exists():
        servers.remove(copy / ".local")
    shutil.rmtree(copy)


UNSETTLED = """
    SELECT count(*) FROM leases_lease JOIN auth_user ON auth_user.id = created_by_id
    WHERE state NOT IN ('done', 'not_found', 'failed') AND username <> 'newcomer'
"""


def asked(checkout: Path, query: str) -> int:
    """The one number that the query comes to."""
    with psycopg.connect(database_of(checkout)) as database:
        found = database.execute(query).fetchone()
    assert found is not None
    return int(found[0])


def tables(checkout: Path) -> set[str]:
    """Which tables the checkout's PostgreSQL holds."""
    with psycopg.connect(database_of(checkout)) as database:
        return {name for (name,) in database.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")}


def database_of(checkout: Path) -> str:
    data = checkout / ".local" / "postgres"
    return servers._postgres_url(servers._socket_directory(data), database="runsheet")


@pytest.mark.process
class TestUp:
    def test_serves_survives_a_kill_and_ends_everything(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = Running(checkout)
        assert urlopen(first.address).status == 200
        assert re.search(r"the stand-in at http://127\.0\.0\.1:\d+\n", first.output.read_text())
        assert "newcomer / newcomer, an operator who has no Dropbox yet" in first.output.read_text()

        # What the demo has given it to do, it does.
        eventually(lambda: asked(checkout, UNSETTLED) == 0)
        assert asked(checkout, "SELECT count(*) FROM leases_lease WHERE state = 'done'") == 9

        with psycopg.connect(database_of(checkout)) as database:
            database.execute("CREATE TABLE kept ()")

        # Other commands find its stand-in without being told.
        connected = manage(checkout, "connect_dropbox", "--user", "newcomer", typed="standin-refresh-paul\n")
        assert "newcomer is connected to Dropbox as Paul Partner" in connected.stdout

        # Another one beside it is refused and does no harm.
        monkeypatch.setattr(servers, "LOCAL", checkout / ".local")
        with pytest.raises(CommandError, match=re.escape(servers.AlreadyRunning.sentence())):
            call_command("up")
        assert urlopen(first.address).status == 200

        # Killed, it leaves nothing but the two servers, ...
        first.process.kill()
        first.process.wait()
        eventually(lambda: all(each.name() in {"postgres", "valkey-server"} for each in processes_of(checkout)))
        assert servers.running_standin() == {}

        # ... which the next one clears away; it finds the data again.
        port = free_port()
        second = Running(checkout, "--port", str(port))
        address = second.address
        assert address == f"http://127.0.0.1:{port}/admin/"
        assert urlopen(address).status == 200
        assert "kept" in tables(checkout)

        assert second.press_ctrl_c() == 0
        assert not processes._answers(address)
        assert processes_of(checkout) == []
        assert second.output.read_text().endswith("Everything is stopped; the data stays for the next time.\n")


class TestLoadDemoData:
    def test_adds_nothing_where_somebody_is_already(self, olivia: User) -> None:
        out = StringIO()

        call_command("load_demo_data", stdout=out)

        assert out.getvalue() == "There are users already; nothing is added.\n"
        assert list(User.objects.all()) == [olivia]

    def test_makes_only_the_user_where_no_stand_in_runs(self, db: None) -> None:
        call_command("load_demo_data", "--only-user", stdout=StringIO())

        assert User.objects.get().check_password("operator")
        assert not Lease.objects.exists()


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"port": 0}, "--port must be a number from 1 to 65535, not 0."),
            ({"port": 70_000}, "--port must be a number from 1 to 65535, not 70000."),
            ({"workers": 0}, "--workers must be 1 or more, not 0."),
        ],
    )
    def test_gets_one_sentence(self, options: dict[str, int], sentence: str) -> None:
        with pytest.raises(CommandError) as refusal:
            call_command("up", **options)

        assert str(refusal.value) == sentence

    def test_a_taken_port_is_named(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]

            with pytest.raises(CommandError, match=f"Port {port} of 127.0.0.1 cannot be had"):
                call_command("up", port=port)

    def test_the_real_dropbox_needs_an_app(self, settings: Any) -> None:
        settings.DROPBOX_APP_KEY = ""

        with pytest.raises(CommandError, match="Set DROPBOX_APP_KEY and DROPBOX_APP_SECRET"):
            call_command("up", real_dropbox=True)


class TestPlan:
    def test_proposes_leases_that_the_stand_in_has(self) -> None:
        plan = up._plan(port=None, workers=1, real_dropbox=False)

        assert plan.proposals["LEASES_TO_TRY"].startswith("BLM NMNM 0017224; ")

    def test_runs_no_stand_in_beside_the_real_dropbox(self) -> None:
        plan = up._plan(port=None, workers=1, real_dropbox=True)

        assert plan.standin_port is None
        assert plan.dropbox_base_url == ""
        assert plan.proposals == {}
        assert "dropbox.com" in up._welcome(plan)

    def test_uses_the_dropbox_that_the_environment_names(self, settings: Any) -> None:
        settings.DROPBOX_BASE_URL = "http://127.0.0.1:9"

        plan = up._plan(port=None, workers=1, real_dropbox=False)

        assert plan.standin_port is None
        assert plan.dropbox_base_url == "http://127.0.0.1:9"
