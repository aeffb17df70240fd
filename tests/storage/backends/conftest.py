"""The four places that one contract is asked of: servers out of packages, and a folder."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from bench import stores
from storage.backends.azure import AzureStorage
from storage.backends.gateway import Storage
from storage.backends.gcs import GcsStorage
from storage.backends.local import LocalStorage
from storage.backends.s3 import S3Storage

# Several pages of each place; Azure's are the largest, of 5,000.
MANY = [f"many/{number % 10}/{number:05}.pdf" for number in range(5_500)]
type Server = Callable[..., AbstractContextManager[stores.Store]]
SERVERS: dict[str, tuple[Server, type[Storage]]] = {
    "s3": (stores.seaweedfs, S3Storage),
    "azure": (stores.azurite, AzureStorage),
    "gcs": (stores.fake_gcs, GcsStorage),
}
# Tests of one place run in one process, so that its server is started once.
EACH = [pytest.param(kind, marks=pytest.mark.xdist_group(f"storage-{kind}")) for kind in ("local", *SERVERS)]
EACH_SERVER = [each for each in EACH if each.values != ("local",)]

# Azurite is slow where it keeps thousands, so that they have one of their own.
APART = "-many"

_numbers = itertools.count()


class Stores:
    """The servers that have been asked for so far."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._running: dict[str, stores.Store] = {}
        self._missing: dict[str, str] = {}

    def options(self, kind: str) -> dict[str, Any]:
        """What the back-end is made with; skips where the server cannot be had."""
        if kind not in self._running | self._missing:
            start, _ = SERVERS[kind.removesuffix(APART)]
            files = () if kind == "azure" else MANY
            try:
                self._running[kind] = self._stack.enter_context(start(self._directory / kind, empty_files=files))
            except stores.NotInstalled as error:
                self._missing[kind] = str(error)
        if kind in self._missing:
            pytest.skip(self._missing[kind])
        return dict(self._running[kind].options)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    with ExitStack() as stack:
        yield Stores(tmp_path_factory.mktemp("stores"), stack)


@pytest.fixture(scope="session")
def one_boto3_session() -> Iterator[None]:
    """Each client of S3 reads a megabyte of descriptions, unless it is made by a session that has."""
    import boto3  # only where it is wanted

    session = boto3.session.Session()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3.session, "Session", lambda: session)
        yield


@pytest.fixture
def make(kind: str, running: Stores, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Another way to the same place, with some options changed."""
    if kind == "s3":
        request.getfixturevalue("one_boto3_session")

    def make(**options: Any) -> Storage:
        if kind == "local":
            return LocalStorage(**{"directory": str(tmp_path / "documents"), "is_made": True, **options})
        return SERVERS[kind][1](**{**running.options(kind), **options})

    return make


@pytest.fixture
def storage(make: Callable[..., Storage], kind: str, settings: Settings) -> Storage:
    """The place; a disk is that of the documents as well, so that the addresses it signs lead to it."""
    storage = make()
    if isinstance(storage, LocalStorage):
        options = {"directory": str(storage.directory)}
        settings.STORAGES = settings.STORAGES | {
            "documents": {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}
        }
    return storage


@pytest.fixture
def filled(make: Callable[..., Storage], kind: str, running: Stores) -> Storage:
    """The place, with `MANY` in it."""
    storage = make(**running.options(f"azure{APART}")) if kind == "azure" else make()
    if isinstance(storage, LocalStorage):
        for key in MANY:
            path = storage.directory / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return storage


@pytest.fixture
def at() -> str:
    """Where in the place this test is alone."""
    return f"test/{next(_numbers)}"
