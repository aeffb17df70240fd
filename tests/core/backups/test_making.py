"""What a backup holds, and what it leaves alone."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from errno import ENOSPC
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from core.backups import making
from core.backups.alone import alone
from core.backups.copying import Copier
from core.backups.lists import Spool
from core.backups.postgres import major_of, programs, server_version
from core.base.clock import now
from core.models import LastBackup
from documents.errors import MoveRefused
from documents.models import Document, Leftover
from documents.services import sweeping, switching
from storage.backends import documents as documents_storage
from storage.models import StorageRoot
from tests.core.backups.conftest import command
from tests.documents.making import PDF, Files, digest, stored
from tests.pooler import itself

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, itself]

type Index = Callable[..., Any]
AN_HOUR = timedelta(hours=1)


def blobs(place: Path) -> set[str]:
    return {each.name for each in (place / "blobs").rglob("*") if each.is_file()}


def made(place: Path, *given: str) -> Any:
    """What a backup says of itself."""
    ended = command("backup", place, "--json", *given)
    assert ended.code == 0, ended.errors
    return ended.said


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", ["backup", "restore"])
def test_a_pooler_before_postgresql_is_refused(opal: User, place: Path, settings: Any, name: str) -> None:
    made(place)
    settings.DATABASE_IS_POOLED = True

    ended = command(name, place)

    assert (ended.code, ended.out) == (3, "")
    assert "Name PostgreSQL itself in DATABASE_URL" in ended.errors
    assert len(list((place / "backups").iterdir())) == 1


class TestBackup:
    def test_is_noted_so_that_somebody_is_told_where_none_is_made_any_more(self, opal: User, place: Path) -> None:
        said = made(place)["manifest"]

        assert [(each.backup, each.made_at) for each in LastBackup.objects.all()] == [
            (said["id"], datetime.fromisoformat(said["made_at"]))
        ]

    def test_holds_no_extension_which_the_next_server_might_lack(self, opal: User, place: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION vector")
        try:
            said = made(place)["manifest"]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP EXTENSION vector")

        dump = place / "backups" / said["id"] / "database"
        command = [programs(least=major_of(server_version()))["pg_restore"], "--list", str(dump)]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "TABLE public leases_lease" in listed
        assert "vector" not in listed

    def test_is_one_where_the_database_lacks_tables_still(self, opal: User, place: Path) -> None:
        """Who upgrades makes one before the tables are there."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE core_lastbackup RENAME TO core_nobackup")
        try:
            said = made(place)["manifest"]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE core_nobackup RENAME TO core_lastbackup")

        assert (place / "backups" / said["id"]).is_dir()
        assert not LastBackup.objects.exists()

    def test_holds_each_content_once_and_names_the_keys_that_it_needs(self, opal: User, place: Path) -> None:
        stored(opal)
        stored(opal)

        said = made(place)["manifest"]

        assert blobs(place) == {digest(PDF)}
        assert (said["files"]["count"], said["blobs"]["count"]) == (2, 1)
        assert said["tables"]["documents_document"] == 2
        assert set(said["keys"]) == {"SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"}
        assert "test-only" not in "".join(each.read_text(errors="replace") for each in place.rglob("manifest.json"))

    def test_copies_only_what_is_new(self, opal: User, place: Path) -> None:
        stored(opal)
        made(place)
        stored(opal, b"new")

        second = made(place)

        assert (second["added"]["count"], second["manifest"]["blobs"]["count"]) == (1, 2)

    def test_is_of_one_moment(self, opal: User, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        stored(opal)
        _meanwhile(monkeypatch, lambda: stored(opal, b"too late", name="late.txt"))

        said = made(place)

        assert said["manifest"]["tables"]["documents_document"] == said["manifest"]["files"]["count"] == 1
        assert digest(b"too late") not in blobs(place)

    def test_has_what_is_deleted_meanwhile(self, opal: User, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        document = stored(opal)
        Document.objects.update(state="archived", archived_at=now(), purge_at=now() - AN_HOUR)
        swept: list[int] = []

        def purge() -> None:
            sweeping.purge_due()
            Leftover.objects.update(due_at=now() - AN_HOUR)
            swept.append(sweeping.sweep())

        _meanwhile(monkeypatch, purge)
        made(place)

        assert not Document.objects.filter(pk=document.pk).exists()
        assert (swept, blobs(place)) == ([0], {digest(PDF)})
        assert sweeping.sweep() > 0

    def test_takes_what_people_have_laid_there_and_tells_what_it_cannot(
        self, opal: User, files: Files, place: Path
    ) -> None:
        (files.directory / "scans").mkdir()
        files["scans/deed.tif"].write_bytes(b"II*\0")
        files["scans/link"].symlink_to("deed.tif")

        ended = command("backup", place, "--json")

        assert (ended.code, [each["key"] for each in ended.said["left_out"]]) == (1, ["scans/link"])
        assert blobs(place) == {digest(b"II*\0")}

    def test_goes_by_what_the_index_has_read(self, opal: User, files: Files, place: Path, index: Index) -> None:
        """Of what it knows wrongly, it finds out."""
        (files.directory / "scans").mkdir()
        files["scans/deed.tif"].write_bytes(b"II*\0")
        index()
        StorageRoot.objects.get().files.filter(key="scans/deed.tif").update(sha256=digest(b"another"))

        made(place)

        assert blobs(place) == {digest(b"II*\0")}


class TestWrongBefore:
    def test_is_told_and_older_backups_stay(self, opal: User, files: Files, place: Path) -> None:
        first, second = stored(opal, b"one", name="a.txt"), stored(opal, b"two", name="b.txt")
        gone, changed = (each.versions.get().key for each in (first, second))
        files[gone].unlink()
        files[changed].write_bytes(b"2")

        ended = command("backup", place)

        assert ended.code == 1
        assert f"Versions of documents whose file is nowhere: 1.\n  {gone}" in ended.errors
        assert f"in the backup as they are: 1.\n  {changed}" in ended.errors
        assert "older backups stay" in ended.errors
        assert blobs(place) == {digest(b"2")}
        for later in (command("verify_backup", place), command("verify_backup", place, "--list")):
            told = later.out + later.errors
            assert "Of 1 versions of documents it has no file" in told
            assert "1 files of documents were not what was uploaded" in told
        assert command("verify_backup", place).code == 1

    def test_is_right_where_an_earlier_backup_has_it(self, opal: User, files: Files, place: Path) -> None:
        key = stored(opal).versions.get().key
        made(place)
        files[key].unlink()

        assert made(place)["manifest"]["files"]["count"] == 1


class TestRefused:
    def test_is_a_root_that_is_not_there(self, opal: User, files: Files, place: Path, index: Index) -> None:
        stored(opal)
        index()
        shutil.rmtree(files.directory)
        files.directory.mkdir()

        ended = command("backup", place)

        assert ended.code == 3
        assert "See that the disk is mounted" in ended.errors
        assert not list(place.rglob("manifest.json"))

    def test_is_a_place_among_the_documents(self, opal: User, files: Files) -> None:
        inside = files.directory / "backups"
        inside.mkdir()

        assert "Let backups lie elsewhere" in command("backup", inside).errors
        assert "Let backups lie elsewhere" in command("backup", files.directory.parent).errors

    def test_is_the_place_of_another_runsheet(self, opal: User, place: Path, index: Index) -> None:
        stored(opal)
        index()
        made(place)
        StorageRoot.objects.update(marker="another")
        documents_storage().put(".runsheet-root", [b"another\n"])

        ended = command("backup", place)

        assert (ended.code, "are of another Runsheet" in ended.errors) == (3, True)

    def test_is_a_second_one_and_a_move_beside_it(self, opal: User, place: Path) -> None:
        with alone():
            ended = command("backup", place)
            with pytest.raises(MoveRefused, match="backed up"), switching.alone():
                pass

        assert (ended.code, "Another backup" in ended.errors) == (3, True)

    def test_is_one_beside_a_move(self, opal: User, place: Path) -> None:
        with switching.alone():
            ended = command("backup", place)

        assert (ended.code, "are being moved" in ended.errors) == (3, True)

    def test_is_one_without_fitting_programs(self, opal: User, place: Path, settings: Any) -> None:
        settings.BACKUP_POSTGRES_BIN = str(place)

        ended = command("backup", place)

        assert (ended.code, "or name their folder in BACKUP_POSTGRES_BIN" in ended.errors) == (3, True)

    def test_is_one_that_would_not_be_the_newest_and_so_is_one_that_is_still_to_come(
        self, opal: User, place: Path
    ) -> None:
        said = made(place)["manifest"]
        wrong = f"2099{said['id'][4:]}"
        folder = (place / "backups" / said["id"]).rename(place / "backups" / wrong)
        manifest = folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace(said["id"], wrong))

        ended, verified, named = (
            command("backup", place),
            command("verify_backup", place),
            command("verify_backup", place, "--backup", wrong),
        )

        assert (ended.code, f"Backup {wrong} lies in" in ended.errors) == (3, True)
        assert (verified.code, "a clock was wrong" in verified.errors) == (3, True)
        assert named.code == 0, named.errors

    def test_is_one_whose_lists_find_no_room_on_this_machine(
        self, opal: User, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Spool, "chunks", _is_full)

        ended = command("backup", place)

        assert ended.code == 2
        assert f"No space left on device. Temporary files lie in {gettempdir()}." in ended.errors

    def test_is_a_directory_that_is_not_there(self, opal: User, place: Path) -> None:
        assert "There is no directory" in command("backup", place / "nowhere").errors


class TestBrokenOff:
    def test_leaves_nothing_that_looks_like_a_backup_and_goes_on(
        self, opal: User, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored(opal)
        with monkeypatch.context() as patch:
            patch.setattr(making, "check_rows", _dies)
            ended = command("backup", place)

        assert (ended.code, ended.errors) == (
            130,
            "Stopped. Run the same command again, and it goes on with what is there.\n",
        )
        assert "There is no backup" in command("verify_backup", place, "--list").out
        again = made(place)
        assert (again["added"]["count"], again["manifest"]["blobs"]["count"]) == (0, 1)
        listed = command("verify_backup", place, "--list").out.splitlines()
        assert [line.split()[0] for line in listed] == [again["manifest"]["id"]]


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Between the moment and the copying."""
    run = Copier.run

    def after(*given: Any) -> Any:
        act()
        return run(*given)

    monkeypatch.setattr(Copier, "run", after)


def _is_full(_: object) -> Any:
    raise OSError(ENOSPC, "No space left on device")


def _dies(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt
