"""Debian's PgBouncer before a PostgreSQL, as deploy/pgbouncer has it, for other addresses.

python -m tests.pooler ARGS     # runs pytest with these, on servers of its own, all through it
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
from core.local.servers import ROOT
from tests.core.local.test_processes import eventually

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
DEPLOYED = ROOT / "deploy" / "pgbouncer"
PORT = 6432
PASSWORD = 'one with a " and a %'
IS_BETWEEN = os.environ.get("DATABASE_POOLER") == "transaction"
unpooled = pytest.mark.skipif(
    IS_BETWEEN, reason="is about what a connection keeps, and behind a pooler none keeps anything"
)
itself = pytest.mark.skipif(IS_BETWEEN, reason="is refused behind a pooler, and needs PostgreSQL's own address")
broken_itself = pytest.mark.skipif(
    IS_BETWEEN, reason="breaks PostgreSQL itself, of which a pooler tells in words of its own"
)


@contextmanager
def pooled(database_url: str, place: Path) -> Iterator[str]:
    """The address of the same database, through the pooler; other databases are there by their names.

    Args:
        place: a folder for its socket, its log and its users, at a short path.
    """
    given = conninfo_to_dict(database_url)
    place.mkdir(exist_ok=True)
    (place / "pgbouncer.ini").write_text(_configuration(given, place))
    # As many open files as a host lets a program have by default.
    command = ["sh", "-c", 'ulimit -S -n 1024; exec "$@"', "-", str(DEPLOYED / "start"), str(place / "pgbouncer.ini")]
    (place / "password").write_text(f"{PASSWORD}\n")
    environment = {**os.environ, "POSTGRES_PASSWORD_FILE": str(place / "password"), "USERS": str(place / "users.txt")}
    environment["PATH"] += ":/usr/sbin"
    owner = None
    if os.getuid() == 0:  # it does not run as root, and has to come to the server's socket
        owner = Path(str(given["host"])).owner()
        shutil.chown(place, owner)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment, user=owner)
    try:
        eventually((place / f".s.PGSQL.{PORT}").exists)
        yield address(place, dbname=str(given["dbname"]))
    finally:
        process.terminate()
        process.wait(10)


def address(place: Path, *, dbname: str) -> str:
    """Of a database through the pooler whose socket is there."""
    return f"postgresql://runsheet:{quote(PASSWORD)}@{quote(str(place), safe='')}:{PORT}/{dbname}"


def _configuration(given: dict[str, str | int | None], place: Path) -> str:
    """What is deployed, but where PostgreSQL is, and who may use which database of it."""
    deployed = (DEPLOYED / "pgbouncer.ini").read_text()
    before, line, behind = deployed.partition("runsheet = ")
    server = f"host={given['host']} port={given.get('port', 5432)} user={given['user']}"
    said = (line + behind).replace("host=postgres port=5432 dbname=runsheet", f"{server} dbname={given['dbname']}")
    others = said.splitlines()[0].replace("runsheet = ", "* = ", 1).replace(f" dbname={given['dbname']}", "")
    return f"""{before}{said.replace("unix_socket_dir =", f"unix_socket_dir = {place}").replace("listen_addr = *", "")}
auth_file = {place}/users.txt
logfile = {place}/log
server_idle_timeout = 1
[databases]
{others}
"""


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
