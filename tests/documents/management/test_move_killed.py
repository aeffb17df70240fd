"""`kill -9` of whoever moves the documents, at many points, while people go on: nothing that was accepted is lost, or lies in one place only."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils.module_loading import import_string
from redis import Redis

from bench import stores
from documents.errors import DocumentsMove, DocumentsMoved
from documents.models import Document, DocumentVersion, Move, MovedFile
from documents.services import moving, switching
from storage.backends import Storage
from storage.backends.s3 import S3Storage
from tests.documents.making import Files, digest, stored, verified
from tests.documents.moves import all_of, disk, variables_of
from tests.documents.moves import moving as move_in_a_process

if TYPE_CHECKING:
    import subprocess

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]
FILES, LARGE_BYTES, WITHIN_S = 20, 9_000_000, 120
MARKER = ".runsheet-root"


class Uploading:
    """People who send one document after the other, as one process does with the settings that it was started with."""

    def __init__(self, by: User) -> None:
        self._by = by
        self._is_over = threading.Event()
        self.accepted: dict[int, bytes] = {}
        self.refused: list[str] = []
        self.wrong: list[BaseException] = []
        self._threads = [threading.Thread(target=self._send, args=(each,)) for each in range(2)]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for each in self._threads:
            each.join()

    def _send(self, which: int) -> None:
        number = 0
        try:
            while not self._is_over.wait(0.2):
                number += 1
                content = f"{which} {number}".encode()
                try:
                    self.accepted[stored(self._by, content, name=f"{which}-{number}.txt").pk] = content
                except (DocumentsMove, DocumentsMoved) as error:
                    self.refused.append(error.code)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.wrong.append(error)
        finally:
            connection.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Storage]:
    with stores.seaweedfs(tmp_path / "weed") as running:
        yield S3Storage(**running.options)


@pytest.fixture
def start(files: Files, store: S3Storage, redis: Redis, settings: Any) -> Callable[..., "subprocess.Popen[str]"]:
    """The command as a program, from the disk to the bucket, or back."""
    files.directory.mkdir(exist_ok=True)
    options = {"bucket": store._bucket, **{name: value for name, value in store._whither.items() if value}}
    said = {
        "bucket": options["bucket"],
        "endpoint_url": options["endpoint_url"],
        "region": options["region_name"],
        "access_key_id": options["aws_access_key_id"],
        "secret_access_key": options["aws_secret_access_key"],
        "addressing": "path",
    }

    def begun(*given: str) -> "subprocess.Popen[str]":
        return move_in_a_process(
            *given,
            redis_url=settings.REDIS_URL,
            DOCUMENTS_STORAGE=given[0],
            DOCUMENTS_DIRECTORY=str(files.directory),
            DOCUMENTS_FREE_MB="0",
            **variables_of(said),
        )

    return begun


@pytest.mark.long
def test_loses_nothing_there_and_back(
    opal: User, files: Files, store: S3Storage, start: Callable[..., "subprocess.Popen[str]"], settings: Any
) -> None:
    (files.directory / "7").mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        (files.directory / f"7/scan {number}.bin").write_bytes(os.urandom(200_000))
    (files.directory / "7/large.bin").write_bytes(os.urandom(LARGE_BYTES))
    (files.directory / MARKER).write_bytes(b"abc\n")
    verified(opal)
    with Uploading(opal) as people:
        kills = _killed_until_done(lambda: start("local", "s3"), at_s=(0, 0, 0.02, 0.3))
        assert kills >= 2, "where it is quick, one comes to its end before it is met"
        _await(lambda: "documents_moved" in people.refused)  # the old settings write nothing any more
    assert people.wrong == []
    assert len(people.accepted) > 0

    lies_there = all_of(store)

    assert lies_there.pop(MARKER) == b"abc\n"
    assert lies_there == {key: content for key, content in files.all().items() if not _is_of_nobody(key)}
    assert _oracle(store) == []
    assert {
        pk: store.read(each.versions.get().key) for pk, each in Document.objects.in_bulk(people.accepted).items()
    } == (people.accepted)
    before = settings.STORAGES
    options = {"BACKEND": "storage.backends.s3.S3Storage", "OPTIONS": _options(store)}
    settings.STORAGES = settings.STORAGES | {"documents": options}
    later = verified(opal, b"%PDF-1.7 later")

    back = start("s3", "local", "--onto")
    out, errors = back.communicate(timeout=WITHIN_S)

    assert back.returncode == 0, errors
    assert "Now set DOCUMENTS_STORAGE=local" in out
    settings.STORAGES = before
    assert _oracle(disk(files.directory)) == []
    assert files[later.versions.get().key].read_bytes() == b"%PDF-1.7 later"
    stored(opal)


def _killed_until_done(start: Callable[[], "subprocess.Popen[str]"], *, at_s: tuple[float, ...]) -> int:
    """How often it was killed: so long after something of it was to be seen; the last one comes to its end."""
    kills = 0
    for after_s in at_s:
        seen = MovedFile.objects.count()
        running = start()
        _await(lambda: Move.objects.exists() and (MovedFile.objects.count() > seen or running.poll() is not None))  # noqa: B023 - asked at once
        time.sleep(after_s)  # where it is by then is left to chance on purpose
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            kills += 1
        running.communicate(timeout=WITHIN_S)
    last = start()
    _, errors = last.communicate(timeout=WITHIN_S)
    assert last.returncode == 0, errors
    return kills


def _await(came: Callable[[], object]) -> None:
    until = time.monotonic() + WITHIN_S
    while not came():
        assert time.monotonic() < until
        time.sleep(0.02)


def _oracle(storage: Storage) -> list[str]:
    """The keys of versions whose bytes are not there as they were sent."""
    wrong = []
    for key, sha256 in DocumentVersion.objects.values_list("key", "sha256"):
        if digest(storage.read(key)) != sha256:
            wrong.append(key)
    return wrong


def _is_of_nobody(key: str) -> bool:
    """What an upload has left that was refused at its end."""
    is_document = "/documents/" in key
    return is_document and not DocumentVersion.objects.filter(key=key).exists()


def _options(store: S3Storage) -> dict[str, Any]:
    found = store._whither
    return {
        "bucket": store._bucket,
        "endpoint_url": found["endpoint_url"],
        "region": found["region_name"],
        "access_key_id": found["aws_access_key_id"],
        "secret_access_key": found["aws_secret_access_key"],
        "addressing": "path",
    }


class Killed(BaseException):
    """Nothing catches it, as nothing catches `kill -9`; what PostgreSQL does then, it does when the connection is closed."""


# Whatever a move calls that has an effect, in both of its services and in the places.
POINTS = [
    *((disk_method, "storage.backends.local.LocalStorage") for disk_method in ("_put", "_stream", "_delete")),
    ("bulk_create", "django.db.models.query.QuerySet"),
    ("take", "documents.services.switching.Alone"),
    ("switch", "documents.services.switching.Alone"),
]


class TestEachPoint:
    def test_leaves_one_place_in_charge_with_all_in_it(
        self, opal: User, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            verified(opal, f"%PDF-1.7 {number}".encode())
        old = disk(files.directory)
        old.put(MARKER, [b"abc\n"])
        killed = 0
        for point in range(1, 200):
            Move.objects.all().delete()
            old.put(MARKER, [b"abc\n"])
            target = disk(_made(tmp_path / f"new {point}"))
            with monkeypatch.context() as patch:
                calls = _killing(patch, at=point)
                try:
                    _moved(old, target)
                except Killed:
                    killed += 1
            if not calls.was_reached:
                break
            move = Move.objects.order_by("pk").last()
            is_moved = move is not None and move.moved_at is not None
            assert _oracle(target if is_moved else old) == [], f"point {point}"
            _moved(old, target)
            assert _oracle(target) == [], f"point {point}"
            assert target.read(MARKER) == b"abc\n"
            assert not old.exists(MARKER)
        assert killed > 20


class _Calls:
    def __init__(self, at: int) -> None:
        self.left = at

    @property
    def was_reached(self) -> bool:
        return self.left <= 0

    def one(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


def _killing(patch: pytest.MonkeyPatch, *, at: int) -> _Calls:
    """Killed before or behind the effect of whatever comes then."""
    calls = _Calls(at)

    def wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **said: Any) -> Any:
            calls.one()
            done = original(*given, **said)
            calls.one()
            return done

        return call

    for name, owner in POINTS:
        kind = import_string(owner)
        patch.setattr(kind, name, wrapped(getattr(kind, name)))
    return calls


def _moved(old: Storage, target: Storage) -> None:
    """What the command does, without its words."""
    with switching.alone() as here:
        move = switching.require_sense(old, target, onto=True) or switching.begin(old, target)
        if move.moved_at is None:
            copier = moving.Copier(move=move, source=old, target=target, told=lambda _: here.require(), at_once=1)
            copier.run()
            assert switching.switch(copier, here, wait_s=0, leaves_behind=False).troubles == ()
        switching.finish(move, old, target)


def _made(path: Path) -> Path:
    path.mkdir()
    return path
