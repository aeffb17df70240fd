"""Whatever a backup holds is put back, or nothing is."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from core.backups import replacing, restoring, settling
from core.backups.restoring import NOTE
from documents.models import Document, DocumentVersion, Move, ShareLink
from documents.services import writing
from leases.models import Lease
from statemachine.models import TransitionLog
from storage.models import IndexRun, StoredFile
from tests.core.backups.conftest import command
from tests.core.backups.rows import all_rows
from tests.documents.making import Files, stored, verified
from tests.documents.sharing import linked
from tests.factories import settled
from tests.pooler import itself
from tests.toy.models import Kettle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, itself, pytest.mark.usefixtures("alone")]

type Index = Callable[..., Any]


@pytest.fixture
def world(opal: User, files: Files, index: Index) -> User:
    """A lease, a document of two versions with a link, one that is still to be verified, and files that people have laid there."""
    lease = settled(opal)
    linked(opal, verified(opal, lease_id=lease.pk))
    stored(opal, b"more", name="notes.txt")
    scans = files[f"{opal.pk}/scans"]
    scans.mkdir()
    (scans / "plat.tif").write_bytes(b"II*\0 a plat")
    (scans / "empty").touch()
    (scans / "of-nothing").mkdir()
    index()
    (scans / "since.tif").write_bytes(b"not in the index yet")
    return opal


def lose(files: Files) -> None:
    """All that lies in storage."""
    shutil.rmtree(files.directory)
    files.directory.mkdir()


def forget() -> None:
    """What the rows said."""
    Document.objects.update(name="somebody else's")
    Lease.objects.update(lease_number="NMNM 9")


@contextmanager
def beside_ours() -> Iterator[None]:
    """What a program that watches the database may lay there."""
    with connection.cursor() as cursor:
        cursor.execute('CREATE SCHEMA "its ""own"".*"')
        cursor.execute('CREATE TABLE "its ""own"".*".readings AS SELECT 7 AS said')
        cursor.execute('CREATE TABLE "odd "" name" AS SELECT 8 AS said')
        cursor.execute("CREATE PUBLICATION changes")
        cursor.execute("SELECT lo_create(4711)")
    yield
    with connection.cursor() as cursor:
        cursor.execute('DROP SCHEMA "its ""own"".*" CASCADE')
        cursor.execute('DROP TABLE "odd "" name"')
        cursor.execute("DROP PUBLICATION changes")
        cursor.execute("SELECT lo_unlink(4711)")


def beside(lying: dict[str, bytes]) -> dict[str, bytes]:
    """All but what is written anew."""
    return {key: content for key, content in lying.items() if not key.endswith("document.json")}


class TestRestore:
    def test_brings_back_every_row_and_every_file(self, world: User, files: Files, place: Path) -> None:
        before, lying, history = all_rows(), files.all(), TransitionLog.objects.count()
        assert command("backup", place).code == 0
        lose(files)
        forget()

        ended = command("restore", place, "--replace")

        assert (ended.code, ended.errors) == (0, "")
        assert "0 differences" in ended.out
        assert all_rows() == before
        assert beside(files.all()) == lying
        of_index = TransitionLog.objects.filter(record_type="storage.indexrun")
        assert TransitionLog.objects.exclude(pk__in=of_index).count() < history

    def test_writes_anew_what_stands_beside_documents(self, world: User, files: Files, place: Path) -> None:
        writing.write_owed()
        command("backup", place)
        lose(files)

        command("restore", place, "--replace")

        there = {key for key in files.all() if key.endswith("document.json")}
        assert there == {
            f"{world.pk}/documents/{pk}/document.json" for pk in Document.objects.values_list("pk", flat=True)
        }

    def test_has_nothing_verified_again(self, world: User, files: Files, place: Path) -> None:
        command("backup", place)
        lose(files)

        ended = command("restore", place, "--replace", "--json")

        synced = ended.said["synced"]["stats"]
        assert (synced["records_updated"], synced["records_missed"], synced["anomalies"]) == (0, 0, 0)
        assert ended.said["audited"]["in_sync"]
        assert StoredFile.objects.get(key__endswith="since.tif").state == "present"

    def test_goes_on_beside_a_run_of_the_index_that_the_backup_has(
        self, world: User, files: Files, place: Path
    ) -> None:
        IndexRun.objects.update(state="applying")
        command("backup", place)

        assert command("restore", place, "--replace").code == 0
        assert IndexRun.objects.filter(state="aborted").exists()

    def test_leaves_documents_where_they_are_restored_to(self, world: User, files: Files, place: Path) -> None:
        Move.objects.create(source="local:/elsewhere", target=f"local:{files.directory}", moved_at="2026-01-01T00:00Z")
        command("backup", place)
        Move.objects.create(source=f"local:{files.directory}", target="local:/elsewhere", moved_at="2026-01-02T00:00Z")

        assert command("restore", place, "--replace").code == 0
        assert Move.objects.count() == 1

    def test_says_what_was_wrong_already_when_the_backup_was_made(self, world: User, files: Files, place: Path) -> None:
        version = DocumentVersion.objects.order_by("pk")[0]
        files[version.key].write_bytes(b"another deed")
        command("backup", place)

        ended = command("restore", place, "--replace")

        assert ended.code == 1
        assert "1 files of documents were not what was uploaded" in ended.errors

    def test_says_which_keys_are_not_here(self, world: User, place: Path, settings: Any) -> None:
        command("backup", place)
        settings.SECRET_KEY = "another"

        ended = command("restore", place, "--replace")

        assert ended.code == 1
        assert "SECRET_KEY" in ended.errors


class TestReplace:
    def test_is_asked_for_where_somebody_would_lose_something(self, world: User, files: Files, place: Path) -> None:
        command("backup", place)

        with_rows = command("restore", place)
        with_files = command("restore", place, "--only", "storage")

        assert (with_rows.code, with_files.code) == (3, 3)
        assert "The database holds leases" in with_rows.errors
        assert "Files lie in local:" in with_files.errors

    def test_leaves_files_that_the_backup_does_not_know(self, world: User, files: Files, place: Path) -> None:
        command("backup", place)
        plat = files[f"{world.pk}/scans/plat.tif"]
        plat.write_bytes(b"II*\0 a PLAT")
        plat.with_name("new.tif").write_bytes(b"new")

        ended = command("restore", place, "--replace", "--json")

        assert (ended.said["put"]["count"], plat.read_bytes()) == (1, b"II*\0 a plat")
        assert plat.with_name("new.tif").exists()
        assert ended.said["audited"]["in_sync"]

    def test_is_refused_while_others_are_connected(self, world: User, place: Path, database_url: str) -> None:
        command("backup", place)

        own = connection.copy()
        own.ensure_connection()
        with psycopg.connect(database_url, application_name="somebody's"):
            ended = command("restore", place, "--replace")
        own.close()

        assert ended.code == 3
        assert re.search(r"the database: runsheet \(\d+\), somebody's \(\d+\)\. Stop", ended.errors)

    def test_leaves_what_others_have_in_the_database(self, world: User, place: Path) -> None:
        with beside_ours():
            made = command("backup", place)
            ended = command("restore", place, "--replace")

            assert (made.code, ended.code) == (0, 0), made.errors + ended.errors
            with connection.cursor() as cursor:
                cursor.execute('SELECT * FROM "its ""own"".*".readings')
                assert cursor.fetchall() == [(7,)]
                cursor.execute('SELECT * FROM public."odd "" name"')  # which lies among ours, and so is restored
                assert cursor.fetchall() == [(8,)]


class TestOnly:
    def test_the_database_gets_back_newer_documents_from_what_stands_beside_them(
        self, world: User, files: Files, place: Path
    ) -> None:
        command("backup", place)
        newer = verified(world, b"since then", name="since.txt")
        writing.write_owed()

        ended = command("restore", place, "--replace", "--only", "database")

        assert ended.code == 0, ended.errors
        assert Document.objects.get(pk=newer.pk).name == "since.txt"
        assert ShareLink.objects.count() == 1

    def test_storage_leaves_the_rows(self, world: User, files: Files, place: Path) -> None:
        command("backup", place)
        newer = settled(world, lease_number="NMNM 2")
        lose(files)

        ended = command("restore", place, "--only", "storage")

        assert ended.code == 0, ended.errors
        assert Lease.objects.filter(pk=newer.pk).exists()
        assert {version.key for version in DocumentVersion.objects.all()} <= set(files.all())


class TestUnfit:
    def test_is_what_a_newer_runsheet_has_made(self, world: User, place: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('leases', '0999_later', now())")
        command("backup", place)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '0999_later'")

        ended = command("restore", place, "--replace")

        assert ended.code == 3
        assert "leases.0999_later" in ended.errors

    def test_is_not_what_an_older_one_has_made(self, world: User, place: Path) -> None:
        call_command("migrate", "toy", "zero", verbosity=0)
        command("backup", place)

        ended = command("restore", place, "--replace")

        assert ended.code == 0, ended.errors
        assert not Kettle._default_manager.exists()

    def test_is_a_dump_that_is_not_whole_and_nothing_is_replaced(self, world: User, place: Path) -> None:
        said = command("backup", place, "--json").said
        dump = place / "backups" / said["manifest"]["id"] / "database"
        dump.write_bytes(dump.read_bytes()[:-2_000])
        forget()
        before = all_rows()

        ended = command("restore", place, "--replace", "--only", "database")

        assert ended.code == 2
        assert all_rows() == before

    def test_is_a_content_that_is_another_and_no_file_is_written(self, world: User, files: Files, place: Path) -> None:
        command("backup", place)
        lose(files)
        for blob in (each for each in (place / "blobs").rglob("*") if each.is_file()):
            blob.write_bytes(blob.read_bytes().replace(b"A deed", b"B deed"))

        ended = command("restore", place, "--only", "storage")

        assert ended.code == 2
        assert "is not what" in ended.errors
        assert not any(b"B deed" in content for content in files.all().values())

    def test_is_what_lies_in_the_way_and_is_no_file(self, world: User, files: Files, place: Path) -> None:
        command("backup", place)
        version = files[DocumentVersion.objects.order_by("pk")[0].key]
        version.unlink()
        version.mkdir()
        (version / "note").write_text("mine")
        before = all_rows()

        ended = command("restore", place, "--replace")

        assert (ended.code, "A file cannot be put back. There is something in storage under" in ended.errors) == (
            2,
            True,
        )
        assert all_rows() == before
        assert (version / "note").read_text() == "mine"


class TestBrokenOff:
    @pytest.mark.parametrize(
        ("where", "name"),
        [(replacing, "replace"), (settling, "migrate"), (settling, "fit_rows"), (settling, "compare")],
    )
    @pytest.mark.usefixtures("world")
    def test_anywhere_it_goes_on(
        self, files: Files, place: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
    ) -> None:
        before = all_rows()
        command("backup", place)
        lose(files)
        with monkeypatch.context() as patch:
            patch.setattr(where, name, _dies)
            assert command("restore", place, "--replace").code == 130

        ended = command("restore", place, *(["--replace"] if name == "replace" else []), "--json")

        assert ended.code == 0, ended.errors
        assert (ended.said["put"]["count"], ended.said["there"]) == (0, 5)
        assert all_rows() == before
        assert not files[NOTE].exists()

    def test_once_the_database_was_there_it_is_restored_once_more_where_that_is_wished(
        self, world: User, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = all_rows()
        command("backup", place)
        with monkeypatch.context() as patch:
            patch.setattr(settling, "compare", _dies)
            command("restore", place, "--replace")
        forget()

        left = command("restore", place)
        assert "was left as it is" in left.out
        with monkeypatch.context() as patch:
            patch.setattr(settling, "compare", _dies)
            command("restore", place, "--replace")
        forget()
        ended = command("restore", place, "--replace")

        assert ended.code == 0, ended.errors
        assert "was left as it is" not in ended.out
        assert all_rows() == before

    def test_what_is_backed_up_then_can_be_restored(
        self, world: User, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command("backup", place)
        with monkeypatch.context() as patch:
            patch.setattr(settling, "compare", _dies)
            command("restore", place, "--replace")

        assert command("backup", place).code == 0
        ended = command("restore", place, "--replace")

        assert ended.code == 0, ended.errors

    def test_by_the_database_it_is_as_it_was(self, world: User, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        command("backup", place)
        forget()
        before = all_rows()
        monkeypatch.setattr(restoring, "dump_as_sql", lambda *_: _broken())

        ended = command("restore", place, "--replace", "--only", "database")

        assert ended.code == 2
        assert "nonsense" in ended.errors
        assert all_rows() == before


def _dies(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def _broken() -> Iterator[bytes]:
    yield b"SELECT nonsense;\n"
