"""Debian's PgBouncer before a PostgreSQL, which hands each transaction to another connection.

    python -m tests.pooler ARGS     # runs pytest with these, on servers of its own, all through it

It is set up as docs/operations.md says, for other addresses.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from bench.outages import BEHIND
from core.local import servers
from tests.core.local.test_processes import eventually

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
PORT = 6432
IS_BETWEEN = os.environ.get("DATABASE_POOLER") == "transaction"
unpooled = pytest.mark.skipif(
    IS_BETWEEN, reason="is about what a connection keeps, and behind a pooler none keeps anything"
)
broken_itself = pytest.mark.skipif(
    IS_BETWEEN, reason="breaks PostgreSQL itself; what a pooler makes of that is shown by tests/core/test_pooler.py"
)
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} connect_query='SET lock_timeout = ''10s''; SET idle_in_transaction_session_timeout = ''40s'''

[pgbouncer]
unix_socket_dir = {place}
listen_port = {listens}
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 1000
server_idle_timeout = 1
server_login_retry = 0.2
query_wait_timeout = 10
logfile = {place}/log
pidfile = {place}/pid
"""


@contextmanager
def pooled(database_url: str, place: Path) -> Iterator[str]:
    """The address of the same database, through the pooler.

    Args:
        place: an empty folder for its socket and its log.
    """
    assert PROGRAM
    given = conninfo_to_dict(database_url)
    where = {"host": given["host"], "port": given.get("port", 5432), "user": given["user"]}
    configuration = place / "pgbouncer.ini"
    configuration.write_text(CONFIGURATION.format(place=place, listens=PORT, **where))
    command = [PROGRAM, str(configuration)]
    if os.getuid() == 0:  # it does not run as root, and has to come to the server's socket
        owner = Path(str(given["host"])).owner()
        shutil.chown(place, owner)
        command[1:1] = ["-u", owner]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        eventually((place / f".s.PGSQL.{PORT}").exists)
        yield f"postgresql://postgres@{quote(str(place), safe='')}:{PORT}/{given['dbname']}"
    finally:
        process.terminate()
        process.wait(10)


def main() -> int:
    """Run the tests through it."""
    with (
        tempfile.TemporaryDirectory(prefix="pooled-", dir=servers.LOCAL) as behind,
        tempfile.TemporaryDirectory(prefix="pooler-") as place,
        servers.running(Path(behind), durable=False) as urls,
        pooled(urls.database_url, Path(place)) as url,
    ):
        environment = {**os.environ, "DATABASE_URL": url, "DATABASE_POOLER": "transaction", BEHIND: urls.database_url}
        return subprocess.call([sys.executable, "-m", "pytest", *sys.argv[1:]], env=environment)


if __name__ == "__main__":
    sys.exit(main())
