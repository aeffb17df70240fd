"""A PostgreSQL that archives its log by the scripts of deploy/postgres, and what is typed to go back to a moment."""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.backups import postgres
from core.local import servers

SCRIPTS = servers.ROOT / "deploy" / "postgres"
BACKUPS = servers.ROOT / "docs" / "backups.md"
AS_ROOT = os.geteuid() == 0
ARCHIVING = """
archive_mode = on
archive_command = 'WAL_ARCHIVE="{archive}" "{scripts}/archive" "%p" "%f"'
"""
WITHIN_S = 60


class Scripts:
    """Those of deploy/postgres, and the archive that they are told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.archive = directory / "archive"
        self.logs = self.archive / "wal"
        for each in (self.logs, self.archive / "base"):
            each.mkdir(parents=True)

    def __call__(self, name: str, *given: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return self.run(str(SCRIPTS / name), *given, environment=environment)

    def run(
        self, *command: str, environment: Mapping[str, str], user: int | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """A command that is told where the archive is, as ourselves or another user."""
        told = os.environ | {"WAL_ARCHIVE": str(self.archive), "LC_ALL": "C.UTF-8"}
        told["PATH"] = f"{programs()}:{told['PATH']}"
        return subprocess.run(
            command, env={**told, **environment}, user=user, capture_output=True, text=True, check=False
        )


class Archived(Scripts):
    """A PostgreSQL of one's own that archives its log."""

    @contextmanager
    def running(self, name: str) -> Iterator[str]:
        """The server whose data is in the directory; its address."""
        with servers.running(self.directory / name, durable=False) as urls:
            eventually(urls.database_url, "SELECT NOT pg_is_in_recovery()")
            yield urls.database_url

    def base(self, url: str, *, kept: str = "2") -> "subprocess.CompletedProcess[str]":
        at = conninfo_to_dict(url)
        who = ("--host", str(at["host"]), "--username", str(at["user"]))
        return self.run(str(SCRIPTS / "base"), *who, environment={"BASE_BACKUPS_KEPT": kept}, user=self.owner.st_uid)

    def go_back(self, time: str) -> None:
        """What docs/backups.md says to type, in a folder that is root's where we are root, but for the data in it."""
        (command, *_) = re.findall(r"--entrypoint sh postgres -ec '\n(.*?)'\n", BACKUPS.read_text(), re.DOTALL)
        here = {
            "/var/lib/postgresql/18": str(self.directory / "first"),
            "/srv/runsheet": str(SCRIPTS),
            "2026-01-31 14:04:30+00": time,
            "=postgres": "=",
            "docker": "postgres",
        }
        for image, ours in here.items():
            assert image in command
            command = command.replace(image, ours)
        command = command.replace("--owner=", f"--owner={self.owner.st_uid}").replace(
            "--group=", f"--group={self.owner.st_gid}"
        )
        ended = self.run("sh", "-ec", command, environment={"PATH": f"{self._image()}:{os.environ['PATH']}"})
        assert ended.returncode == 0, ended.stderr

    def _image(self) -> Path:
        """The folder with what PostgreSQL's image has and we may lack: `gosu`, which goes on as another user."""
        folder = self.directory / "image"
        folder.mkdir()
        changes = f"setpriv --reuid={self.owner.st_uid} --regid={self.owner.st_gid} --clear-groups" if AS_ROOT else ""
        (gosu := folder / "gosu").write_text(f'#!/bin/sh\nshift\nexec {changes} "$@"\n')
        gosu.chmod(0o755)
        return folder

    @property
    def owner(self) -> os.stat_result:
        """Whose the data is: another user's where we are root."""
        return (self.directory / "first" / "postgres").stat()

    def give_to_postgres(self, directory: Path) -> None:
        for each in (directory, *directory.rglob("*")):
            os.chown(each, self.owner.st_uid, self.owner.st_gid)


def programs() -> Path:
    """Those of PostgreSQL that belong to the server."""
    return postgres._embedded()[-1]


def ask(url: str, statement: str) -> Any:
    """The first column of the first row."""
    with psycopg.connect(url, autocommit=True) as connection:
        return (connection.execute(statement).fetchone() or [None])[0]


def eventually(url: str, statement: str) -> None:
    """It is true."""
    until = time.monotonic() + WITHIN_S
    while not ask(url, statement):
        assert time.monotonic() < until, f"not within {WITHIN_S} s: {statement}"
        time.sleep(0.05)
