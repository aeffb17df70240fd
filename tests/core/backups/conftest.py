"""Documents on one disk, backups on another, and the commands in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from redis import Redis

from storage.services import IndexSyncService
from tests.documents.making import Files
from tests.roles import in_role


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command has said, and how it ended."""

    code: int
    out: str
    errors: str

    @property
    def said(self) -> Any:
        """With `--json`."""
        return json.loads(self.out)


def command(name: str, *given: object) -> Ended:
    """In this process."""
    out, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(name, *map(str, given), stdout=out, stderr=errors)
    return Ended(code=int(ended.value.code or 0), out=out.getvalue(), errors=errors.getvalue())


@pytest.fixture
def files(tmp_path: Path, settings: Any, redis: Redis) -> Files:
    """Where documents lie in this test."""
    directory = tmp_path / "documents"
    directory.mkdir()
    settings.STORAGES = settings.STORAGES | {
        "documents": {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": {"directory": str(directory)}}
    }
    return Files(directory)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where backups lie."""
    directory = tmp_path / "backups"
    directory.mkdir()
    return directory


@pytest.fixture
def alone(db: None) -> None:
    """Nobody else is connected: the console of an earlier test has connections, which it makes again when it needs them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def opal(files: Files, db: None) -> User:
    """An operator."""
    return in_role("Operator")


@pytest.fixture
def index(files: Files) -> Callable[[str], Any]:
    """Runs the index to its end, and says what it has found."""

    def run(mode: str = "sync") -> Any:
        service = IndexSyncService()
        return service.work(run_id=service.start(mode=mode, rings=False).pk)

    return run
