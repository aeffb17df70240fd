"""Documents on a disk of the test's own, and people who may have some."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from redis import Redis

from storage.backends.local import LocalStorage
from tests.documents.making import Files
from tests.documents.moves import disk
from tests.roles import in_role


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> Files:
    """Where documents lie in this test."""
    directory = tmp_path / "documents"
    settings.STORAGES = settings.STORAGES | {
        "documents": {
            "BACKEND": "storage.backends.local.LocalStorage",
            "OPTIONS": {"directory": str(directory), "is_made": True},
        }
    }
    return Files(directory)


@pytest.fixture
def role(db: None) -> Callable[[str], User]:
    """Somebody in a role; each once."""
    people: dict[str, User] = {}

    def given(name: str) -> User:
        if name not in people:
            people[name] = in_role(name)
        return people[name]

    return given


@pytest.fixture(autouse=True)
def nobody_else(redis: Redis) -> None:
    """What a worker rings for goes nowhere."""


@pytest.fixture
def opal(files: Files, role: Callable[[str], User]) -> User:
    """An operator."""
    return role("Operator")


@pytest.fixture
def ada(files: Files, role: Callable[[str], User]) -> User:
    """An administrator."""
    return role("Administrator")


@pytest.fixture
def new(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStorage:
    """Another disk; the first one is the documents'."""
    path = tmp_path / "new"
    for each in (path, files.directory):
        each.mkdir(exist_ok=True)
    monkeypatch.setenv("DOCUMENTS_DIRECTORY", str(files.directory))
    monkeypatch.setenv("NEW_DOCUMENTS_DIRECTORY", str(path))
    monkeypatch.setenv("DOCUMENTS_FREE_MB", "0")
    return disk(path)
