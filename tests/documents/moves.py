"""Two places for documents, and the command that moves all from one to the other, in this process or in one of its own."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.db import connection

from core.local.processes import child_environment
from core.local.servers import ROOT, ServerUrls
from storage.backends import Storage
from storage.backends.local import LocalStorage

S3 = {
    "bucket": "DOCUMENTS_S3_BUCKET",
    "endpoint_url": "DOCUMENTS_S3_ENDPOINT_URL",
    "region": "DOCUMENTS_S3_REGION",
    "access_key_id": "DOCUMENTS_S3_ACCESS_KEY_ID",
    "secret_access_key": "DOCUMENTS_S3_SECRET_ACCESS_KEY",
    "addressing": "DOCUMENTS_S3_ADDRESSING",
}


def variables_of(options: Mapping[str, Any]) -> dict[str, str]:
    """What the environment says of a bucket."""
    return {S3[name]: str(value) for name, value in options.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command has said, and how it ended."""

    code: int
    out: str
    errors: str


def move(*given: str) -> Ended:
    """In this process."""
    out, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("move_storage", *given, stdout=out, stderr=errors)
    return Ended(code=int(ended.value.code or 0), out=out.getvalue(), errors=errors.getvalue())


def moved(*given: str) -> Ended:
    """From one disk to the other."""
    return move("local", "local", *given)


def moving(*given: str, redis_url: str, **environment: str) -> "subprocess.Popen[str]":
    """In a process of its own, with the same database."""
    of = connection.settings_dict
    url = f"postgresql://{of['USER']}:{of['PASSWORD']}@{quote(of['HOST'], safe='')}:{of['PORT']}/{of['NAME']}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "move_storage", *given],
        cwd=ROOT,
        env=child_environment(ServerUrls(database_url=url, redis_url=redis_url), **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def all_of(storage: Storage) -> dict[str, bytes]:
    """Each file that lies there, whole."""
    return {each.key: storage.read(each.key) for each in storage.listing()}


def disk(path: Path) -> LocalStorage:
    return LocalStorage(directory=str(path))
