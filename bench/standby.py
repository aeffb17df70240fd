"""A streaming replica of a PostgreSQL, by deploy/postgres/replica, that may be paused, hung, killed and started again: for tests.

Whatever database the primary has, the replica has, too.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.backups import postgres
from core.local import servers
from core.local.servers import ROOT

SCRIPT = ROOT / "deploy" / "postgres" / "replica"
STARTS_WITHIN_S = 60.0
OPTIONS = {
    "fsync": "off",
    "listen_addresses": "",
    "max_standby_streaming_delay": "200ms",
    "wal_retrieve_retry_interval": "200ms",
}


class Standby:
    """The replica.

    Attributes:
        url: where it has the database that the primary's address names.
    """

    def __init__(self, primary_url: str, directory: Path) -> None:
        given = conninfo_to_dict(primary_url)
        self._directory, self._primary_url = directory, primary_url
        self._socket = servers._socket_directory(directory)  # noqa: SLF001 - a long path needs another place
        self._given = [str(given["host"]), str(given["user"])]
        self._owner = Path(self._given[0]).owner() if os.getuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self.address(str(given["dbname"]))

    def address(self, database: str) -> str:
        return f"postgresql://{self._given[1]}@{quote(str(self._socket), safe='')}/{database}"

    def start(self) -> None:
        """Return once it lets us in."""
        self._directory.mkdir(exist_ok=True)
        if self._owner:
            for each in (self._directory, self._socket):
                shutil.chown(each, self._owner)
        options = {**OPTIONS, "unix_socket_directories": str(self._socket)}
        told = [each for name, value in options.items() for each in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [SCRIPT, self._directory / "data", *self._given, *told],
                env={"PATH": f"{postgres._embedded()[-1]}:{os.environ['PATH']}"},  # noqa: SLF001 - that of the server
                stdout=log, stderr=log, user=self._owner, start_new_session=True, umask=0o077,
            )  # fmt: skip
        self._await("SELECT pg_is_in_recovery()")

    def pause(self) -> None:
        """Let it receive and replay nothing of it."""
        self._await("SELECT true FROM pg_wal_replay_pause()")
        self._await("SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def resume(self) -> None:
        """Replaying may cut off the very statement that asks for it; it is asked for again."""
        self._await("SELECT true FROM pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Return once it has all that the primary has now."""
        with psycopg.connect(self._primary_url, autocommit=True) as primary:
            primary.execute("SET synchronous_commit = on")  # or the log would reach it later
            primary.execute("SELECT pg_logical_emit_message(true, 'until', 'here')")
            (until,) = primary.execute("SELECT pg_current_wal_flush_lsn()").fetchone() or [None]
        self._await(f"SELECT pg_last_wal_replay_lsn() >= '{until}'")

    def kill(self) -> None:
        """At once, and all of its processes."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGKILL)
        for child in self._children():
            with suppress(ProcessLookupError):  # it ended by itself
                os.kill(child, signal.SIGKILL)
        self._process.wait()

    def hang(self) -> None:
        """Keep each connection and answer nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def restore(self) -> None:
        """Whatever was done to it."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        self.go_on()
        self.resume()

    def ask(self, statement: str) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return (connection.execute(statement).fetchone() or [None])[0]

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        for each in (*self._children(), self._process.pid):
            with suppress(ProcessLookupError):  # it ended by itself
                os.kill(each, number)

    def _children(self) -> list[int]:
        assert self._process
        return [
            int(each)
            for each in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        ]

    def _await(self, statement: str) -> None:
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                if self.ask(statement):
                    return
            except psycopg.OperationalError:
                assert self._process
                if self._process.poll() is not None:
                    raise
            assert time.monotonic() < until, f"not within {STARTS_WITHIN_S:.0f} s: {statement}"
            time.sleep(0.02)


@contextmanager
def standby(primary_url: str, directory: Path) -> Iterator[Standby]:
    """One that has started.

    Args:
        directory: for its data, its socket and its log; made if missing.
    """
    made = Standby(primary_url, directory)
    made.start()
    try:
        yield made
    finally:
        made.kill()
