import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NobodyAnswers

from core.local import servers
from core.local.servers import AlreadyRunning, ServerUrls, UnfitPath, configured_urls, remove, running
from tests.core.local.test_processes import eventually

# Starts servers in a directory, leaves a mark in both, says so, and waits to be killed.
LEAVES_A_MARK = """
import sys, time
from pathlib import Path
import psycopg
from redis import Redis
from core.local.servers import running

with running(Path(sys.argv[1])) as urls:
    with psycopg.connect(urls.database_url) as connection:
        connection.execute("CREATE TABLE mark ()")
    redis = Redis.from_url(urls.redis_url)
    redis.set("mark", "here")
    redis.waitaof(1, 0, 0)  # until it is on the disk
    print("marked", flush=True)
    time.sleep(60)
"""


# Ends with 1 if nobody has the lock.
TAKES = "import fasteners, sys; sys.exit(fasteners.InterProcessLock(sys.argv[1]).acquire(blocking=False))"


@pytest.fixture
def nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")


@pytest.fixture
def directory(nothing_configured: None) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="servers-", dir=servers.LOCAL))
    yield path
    remove(path)
    assert not path.exists()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """A data directory that PostgreSQL has made, which takes it seconds; a copy is as good."""
    path = Path(tempfile.mkdtemp(prefix="cluster-", dir=servers.LOCAL))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL")
        with running(path):
            pass
    yield path / "postgres"
    remove(path)


@pytest.fixture
def used(directory: Path, cluster: Path) -> Path:
    """A directory in which servers have run before."""
    subprocess.run(["cp", "-a", cluster, directory / "postgres"], check=True)
    return directory


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Servers that run."""

    directory: Path
    urls: ServerUrls


@pytest.fixture(scope="module")
def house(cluster: Path) -> Iterator[House]:
    """For tests that leave it as they find it."""
    with TemporaryDirectory(prefix="servers-", dir=servers.LOCAL) as name, ExitStack() as stack:
        subprocess.run(["cp", "-a", cluster, Path(name) / "postgres"], check=True)
        with pytest.MonkeyPatch.context() as patch:
            for variable in ("DATABASE_URL", "REDIS_URL"):
                patch.delenv(variable)
            urls = stack.enter_context(running(Path(name)))
        yield House(directory=Path(name), urls=urls)


def answer(urls: ServerUrls) -> bool:
    with psycopg.connect(urls.database_url) as connection, Redis.from_url(urls.redis_url) as redis:
        return bool(connection.execute("SELECT 1").fetchone() and redis.ping())


def start_and_kill(directory: Path) -> None:
    command = [sys.executable, "-c", LEAVES_A_MARK, str(directory)]
    with subprocess.Popen(command, cwd=servers.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "marked\n"
        process.kill()


def kill(directory: Path, name: str) -> None:
    """SIGKILL one of the servers."""
    if name == "postgres":
        server = servers._postmaster(directory / "postgres")
    else:
        # What has ended and is waited for by nobody yet has no command line.
        running = psutil.process_iter(["ppid", "cmdline"])
        ours = [each for each in running if each.info["ppid"] == os.getpid()]
        server = next(each for each in ours if str(directory) in " ".join(each.info["cmdline"] or ()))
    assert server is not None
    server.kill()
    eventually(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)


def until_it_starts(guard: Callable[[], bool]) -> None:
    """A killed one is not gone before its last thread is, and what is left of PostgreSQL may hold its memory for longer."""
    for _ in range(20):
        with suppress(subprocess.SubprocessError):
            if guard():
                return
        time.sleep(0.5)
    raise AssertionError("it never started")


@pytest.mark.process
class TestRunning:
    def test_starts_both_servers_and_stops_them(self, used: Path) -> None:
        with running(used) as urls:
            assert answer(urls)

        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(urls.database_url)
        with pytest.raises(NobodyAnswers):
            Redis.from_url(urls.redis_url).ping()

    def test_listens_on_sockets_in_the_directory_only(self, house: House) -> None:
        with psycopg.connect(house.urls.database_url) as connection:
            listening = connection.execute("SHOW listen_addresses").fetchone()

        assert listening == ("",)
        assert house.urls.redis_url.startswith(f"unix://{house.directory}")

    def test_leaves_what_the_environment_names_alone(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/x")
        monkeypatch.setenv("REDIS_URL", "redis://redis.example/")

        with running(directory) as urls:
            assert urls == ServerUrls(database_url="postgresql://db.example/x", redis_url="redis://redis.example/")

        assert [path.name for path in directory.iterdir()] == ["lock"]

    def test_refuses_a_directory_that_another_run_uses(self, house: House) -> None:
        with pytest.raises(AlreadyRunning, match="already running in this checkout"), running(house.directory):
            pass

        assert answer(house.urls)

    def test_finds_its_data_again_after_it_was_killed(self, used: Path) -> None:
        start_and_kill(used)

        with running(used) as urls, psycopg.connect(urls.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM mark").fetchone() == (0,)
            assert Redis.from_url(urls.redis_url).get("mark") == b"here"

    def test_makes_a_data_directory_anew_whose_making_was_interrupted(self, directory: Path) -> None:
        unfinished = directory / "postgres.new"
        unfinished.mkdir()
        (unfinished / "PG_VERSION").write_text("18")

        with running(directory) as urls:
            assert answer(urls)

    @pytest.mark.parametrize("name", ["postgres", "valkey"])
    def test_guards_start_a_killed_server_again(self, house: House, name: str) -> None:
        assert not any(guard() for guard in house.urls.guards.values())
        kill(house.directory, name)

        until_it_starts(house.urls.guards[name])

        assert answer(house.urls)
        assert not any(guard() for guard in house.urls.guards.values())

    def test_does_not_take_another_process_for_the_server(self, used: Path) -> None:
        with running(used):
            pid_file = (used / "postgres" / "postmaster.pid").read_text()
        lines = [str(os.getpid()), *pid_file.splitlines()[1:]]
        (used / "postgres" / "postmaster.pid").write_text("\n".join(lines))

        with running(used) as urls:
            assert answer(urls)

    def test_works_in_a_checkout_whose_path_is_too_long_for_a_socket(self, directory: Path, cluster: Path) -> None:
        deep = directory / ("d" * 120)
        deep.mkdir()
        subprocess.run(["cp", "-a", cluster, deep / "postgres"], check=True)

        with running(deep) as urls:
            assert answer(urls)

        for url in (urls.database_url, urls.redis_url):
            assert "d" * 120 not in url
        remove(deep)
        shutil.rmtree(servers._socket_directory(deep / "valkey"))

    def test_closes_the_runtime_directory_while_no_server_starts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[str] = []
        monkeypatch.setenv("XDG_RUNTIME_DIR", "")
        monkeypatch.setattr(servers, "WHEEL", "another")

        def load(name: str) -> None:
            is_free = subprocess.call([sys.executable, "-c", TAKES, tmp_path / "python_PostgresServer" / ".lockfile"])
            done.append(f"{name}, {tmp_path.stat().st_mode & 0o777:o}, {'free' if is_free else 'taken'}")

        monkeypatch.setattr(servers, "import_module", load)
        tmp_path.chmod(0o755)  # as the wheel leaves it

        servers._load_wheel(tmp_path)

        assert done == ["another, 700, taken"]

    def test_says_that_postgresql_does_not_start_below_a_blank(self, directory: Path) -> None:
        with pytest.raises(UnfitPath, match="whose path holds a blank"), running(directory / "my leases"):
            pytest.fail("started")

    def test_tells_other_commands_of_the_checkout_where_they_answer(
        self, used: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(servers, "LOCAL", used)

        with running(used) as urls:
            assert configured_urls() == urls
            assert (used / "servers.json").exists()

        assert not (used / "servers.json").exists()

    def test_does_not_write_down_addresses_that_may_hold_a_password(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(servers, "LOCAL", directory)
        monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@db.example/x")
        monkeypatch.setenv("REDIS_URL", "redis://:secret@redis.example/")

        with running(directory):
            assert "secret" not in (directory / "servers.json").read_text()

    def test_keeps_valkey_when_the_terminal_sends_ctrl_c_to_everybody(self, used: Path) -> None:
        command = [sys.executable, "-c", LEAVES_A_MARK, str(used)]
        with subprocess.Popen(
            command, cwd=servers.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, process_group=0
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            os.kill(process.pid, signal.SIGSTOP)
            os.killpg(process.pid, signal.SIGINT)
            socket = used / "valkey" / "valkey.sock"

            assert Redis(unix_socket_path=str(socket)).get("mark") == b"here"

            process.kill()


class TestConfiguredUrls:
    def test_falls_back_to_where_the_embedded_servers_will_be(
        self, nothing_configured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(servers, "LOCAL", tmp_path)

        urls = configured_urls()

        assert urls.redis_url == f"unix://{tmp_path}/valkey/valkey.sock?db=0"
        assert urls.database_url.endswith("%2Fpostgres/runsheet")

    def test_may_stand_in_files(
        self, nothing_configured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, url in {"DATABASE_URL": "postgresql://u:secret@db.example/x", "REDIS_URL": "redis://h/"}.items():
            (tmp_path / name).write_text(f"{url}\n")
            monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))

        urls = configured_urls()

        assert (urls.database_url, urls.redis_url) == ("postgresql://u:secret@db.example/x", "redis://h/")
        with running(tmp_path / "none") as named:
            assert named == urls

    def test_is_not_misled_by_half_a_file(
        self, nothing_configured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(servers, "LOCAL", tmp_path)
        (tmp_path / "servers.json").write_text('{"REDIS')

        assert configured_urls().redis_url.startswith("unix://")


@pytest.mark.process
class TestRemove:
    def test_stops_what_a_killed_run_has_left(self, used: Path) -> None:
        start_and_kill(used)
        postgres = int((used / "postgres" / "postmaster.pid").read_text().split()[0])

        remove(used)

        assert not used.exists()
        with pytest.raises(ProcessLookupError):
            os.kill(postgres, 0)
        used.mkdir()

    def test_leaves_a_directory_that_is_in_use_alone(self, house: House) -> None:
        remove(house.directory)

        assert answer(house.urls)


class TestRunningStandin:
    VARIABLES = {"DROPBOX_BASE_URL": "http://127.0.0.1:9"}

    @pytest.fixture(autouse=True)
    def _local(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(servers, "LOCAL", tmp_path)

    def test_is_found_while_it_runs(self) -> None:
        with servers._alone(servers.LOCAL), servers.remember_standin(self.VARIABLES):
            assert servers.running_standin() == self.VARIABLES

        assert servers.running_standin() == {}

    def test_is_forgotten_when_what_ran_it_was_killed(self) -> None:
        with servers.remember_standin(self.VARIABLES):  # and nobody holds the servers
            assert servers.running_standin() == {}

        assert not (servers.LOCAL / "standin.json").exists()

    def test_of_a_killed_run_is_none_beside_the_real_dropbox(self) -> None:
        (servers.LOCAL / "standin.json").write_text('{"DROPBOX_BASE_URL": "http://127.0.0.1:9"}')

        with servers._alone(servers.LOCAL), servers.remember_standin(None):
            assert servers.running_standin() == {}

    def test_is_none_where_half_of_the_file_was_written(self) -> None:
        (servers.LOCAL / "standin.json").write_text('{"DROPBOX_')

        assert servers.running_standin() == {}
