"""What `manage.py move_storage` moves, refuses and says; who it is killed under stands in test_move_killed.py."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from documents.errors import DocumentsMove, DocumentsMoved, MoveBroken
from documents.models import Document, Leftover, Move, MovedFile, Upload
from documents.services import in_charge, receiving, sweeping, switching, uploads
from documents.services.moving import Copier
from storage.backends.errors import Denied
from storage.backends.local import LocalStorage
from tests.documents.making import PDF, Files, look, stored, verified, worked
from tests.documents.moves import all_of, disk, moved

pytestmark = pytest.mark.django_db(transaction=True)
MARKER = ".runsheet-root"


def look_there(settings: Any, storage: LocalStorage) -> None:
    """As processes that were restarted do."""
    settings.STORAGES = settings.STORAGES | {
        "documents": {
            "BACKEND": "storage.backends.local.LocalStorage",
            "OPTIONS": {"directory": str(storage.directory)},
        }
    }


class TestAMove:
    def test_takes_all_over_and_then_only_the_new_place_is_written_to(
        self, opal: User, files: Files, new: LocalStorage, settings: Any
    ) -> None:
        document, other = verified(opal), stored(opal, b"", name="Empty.txt")
        (files.directory / "7").mkdir()
        files["7/Laid there by hand, ä.txt"].write_bytes(b"foreign")
        files[MARKER].write_bytes(b"abc\n")
        before = files.all()

        ended = moved()

        assert ended.code == 0, ended
        assert "there are 3 files" in ended.out
        assert "Now give the variables of local the values of those that begin with NEW_" in ended.out
        assert all_of(new) == before
        assert {key: content for key, content in before.items() if key != MARKER} == files.all()
        with pytest.raises(DocumentsMoved):
            stored(opal)
        assert not Upload.objects.exists()
        look_there(settings, new)
        assert worked(stored(opal)).state == worked(Document.objects.get(pk=other.pk)).state == document.state
        assert moved().out.startswith("All has moved to")
        assert not MovedFile.objects.exists()

    def test_goes_there_and_back(
        self, opal: User, files: Files, new: LocalStorage, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verified(opal)
        assert moved().code == 0
        look_there(settings, new)
        later = verified(opal, b"Later.")
        monkeypatch.setenv("DOCUMENTS_DIRECTORY", str(new.directory))
        monkeypatch.setenv("NEW_DOCUMENTS_DIRECTORY", str(files.directory))
        assert "There are files in" in moved().errors

        ended = moved("--onto")

        assert ended.code == 0
        assert all_of(disk(files.directory)) == all_of(new)
        with pytest.raises(DocumentsMoved):
            uploads.add_version(document_id=later.pk, by=opal, chunks=[b"x"], length=1)

    def test_copies_only_what_is_new_or_has_changed(self, opal: User, files: Files, new: LocalStorage) -> None:
        stored(opal)
        (files.directory / "7").mkdir()
        for name in ("a", "b", "c"):
            files[f"7/{name}"].write_bytes(b"1")
        assert "copied just now: 4." in moved("--copy-only").out
        files["7/a"].write_bytes(b"2")
        files["7/b"].unlink()

        ended = moved("--copy-only")

        assert "there are 3 files" in ended.out
        assert "copied just now: 1." in ended.out
        assert all_of(new) == files.all()
        stored(opal)  # the source is in charge still
        assert moved().code == 0
        assert all_of(new) == files.all()

    def test_tells_what_was_wrong_before_and_moves_it_as_it_is(
        self, opal: User, files: Files, new: LocalStorage
    ) -> None:
        damaged, missing = verified(opal), verified(opal)
        files[damaged.versions.get().key].write_bytes(b"%PDF-1.7 changed")
        files[missing.versions.get().key].unlink()

        ended = moved()

        assert ended.code == 1
        assert f"Not what was uploaded, and moved as it is: 1 file.\n  {damaged.versions.get().key}" in ended.out
        assert f"Named by versions, and not there before either: 1 file.\n  {missing.versions.get().key}" in ended.out
        assert Move.objects.get().moved_at

    def test_leaves_out_what_is_on_its_way_or_left_over(self, opal: User, files: Files, new: LocalStorage) -> None:
        document = stored(opal)
        disk(files.directory).put("1/documents/8/1/dead", [b"1"])
        disk(files.directory).put("1/documents/9/1/left", [b"1"])
        Upload.objects.create(key="1/documents/8/1/dead", owner=opal)
        Leftover.objects.create(key="1/documents/9/1/left")
        Leftover.objects.create(key=document.versions.get().key)  # never what something stands on

        ended = moved("--wait-s", "1")

        assert (ended.code, set(all_of(new))) == (0, {document.versions.get().key})
        assert "have to be sent again: 1." in ended.out


class TestWhoeverWrites:
    def test_waits_while_the_last_files_go_over(self, opal: User, new: LocalStorage) -> None:
        document = verified(opal)
        upload = receiving.begin(key="1/documents/77/1/a", owner_id=opal.pk, agency="", length=1)
        with switching.alone() as here:
            here.take(in_charge.BEGINNING)
            with pytest.raises(DocumentsMove) as refused:
                stored(opal)
            here.take(in_charge.KEEPING)
            with pytest.raises(DocumentsMove):
                _settled(upload)
            receiving.give_up(upload)
        assert refused.value.retry_after_s == 30
        assert Leftover.objects.get().key == upload.key
        assert worked(document).state == "active"

        stored(opal)  # whoever moves has died: all goes on

        assert sweeping.sweep() == 1

    def test_deletes_nothing_while_files_are_moved(self, opal: User, files: Files, new: LocalStorage) -> None:
        disk(files.directory).put("1/documents/9/1/left", [b"1"])
        Leftover.objects.create(key="1/documents/9/1/left")
        assert moved("--copy-only").code == 0

        assert sweeping.sweep() == 0

        assert Leftover.objects.count() == 1
        assert moved("--give-up").code == 0
        assert sweeping.sweep() == 1

    def test_with_new_settings_too_early_is_told(self, opal: User, new: LocalStorage, settings: Any) -> None:
        stored(opal)
        assert moved("--copy-only").code == 0
        look_there(settings, new)

        with pytest.raises(DocumentsMoved):
            stored(opal)

    def test_looks_in_the_old_place_takes_nothing_for_gone(
        self, opal: User, files: Files, new: LocalStorage, settings: Any
    ) -> None:
        assert moved().code == 0
        before = settings.STORAGES
        look_there(settings, new)
        document = stored(opal)
        settings.STORAGES = before

        look(Document.objects.get(pk=document.pk))

        document = Document.objects.get(pk=document.pk)
        assert (document.state, document.tries) == ("pending", 0)
        assert document.is_owed


class TestWhatIsRefused:
    def test_is_said(
        self, opal: User, files: Files, new: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored(opal)
        (new.directory / "x").write_bytes(b"somebody else's")
        assert "There are files in" in moved().errors
        (new.directory / "x").unlink()
        (new.directory / MARKER).write_bytes(b"another")
        assert "Another root of Runsheet" in moved("--onto").errors
        (new.directory / MARKER).unlink()
        monkeypatch.setenv("NEW_DOCUMENTS_DIRECTORY", str(files.directory))
        assert "Both are the same place" in moved().errors
        monkeypatch.setenv("NEW_DOCUMENTS_DIRECTORY", str(tmp_path / "not there"))
        assert "cannot be opened" in moved().errors
        monkeypatch.setenv("DOCUMENTS_DIRECTORY", str(new.directory))
        monkeypatch.setenv("NEW_DOCUMENTS_DIRECTORY", str(tmp_path))
        assert "Only from there can they be moved" in moved().errors
        monkeypatch.delenv("NEW_DOCUMENTS_DIRECTORY")
        refused = moved()
        assert (refused.code, "NEW_DOCUMENTS_DIRECTORY is not set" in refused.errors) == (3, True)
        assert not Move.objects.exists()

    def test_to_go_elsewhere_before_one_move_has_ended(
        self, opal: User, new: LocalStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored(opal)
        assert moved("--copy-only").code == 0
        other = tmp_path / "other"
        other.mkdir()
        monkeypatch.setenv("NEW_DOCUMENTS_DIRECTORY", str(other))

        assert "has not come to its end" in moved().errors
        assert "was begun" in moved("--give-up").errors
        with switching.alone():
            assert "are being moved or backed up already" in moved().errors

    def test_to_give_up_what_has_ended_unless_it_is_forced(self, opal: User, new: LocalStorage) -> None:
        assert moved().code == 0
        assert "To go back, move it back" in moved("--give-up").errors
        assert moved("--give-up", "--force").code == 0

        stored(opal)

    def test_to_leave_anything_behind_unless_it_is_wished(self, opal: User, files: Files, new: LocalStorage) -> None:
        stored(opal)
        (files.directory / "7").mkdir()
        files["7/back\\slash.txt"].write_bytes(b"1")
        looked = moved("--dry-run")
        assert (looked.code, "To be moved: 2 files of" in looked.out, "back\\\\slash" in looked.errors) == (
            1,
            True,
            True,
        )
        stopped = moved()
        assert (stopped.code, "What cannot be moved: 1 file." in stopped.errors) == (2, True)
        stored(opal)

        ended = moved("--leave-behind")

        assert (ended.code, "They stay where they are." in ended.errors) == (1, True)
        assert len(all_of(new)) == 2
        assert moved("--dry-run").out == "All has moved already.\n"


@pytest.mark.parametrize(
    ("error", "tells"),
    [
        (KeyboardInterrupt(), (130, "Stopped. Run the same command again")),
        (Denied("Closed."), (2, "Closed. Run the same command again")),
    ],
)
def test_what_ends_it_says_how_to_go_on(
    opal: User, new: LocalStorage, monkeypatch: pytest.MonkeyPatch, error: BaseException, tells: tuple[int, str]
) -> None:
    def ends(*_: Any) -> None:
        raise error

    stored(opal)
    monkeypatch.setattr(Copier, "run", ends)

    ended = moved()

    assert (ended.code, tells[1] in ended.errors) == (tells[0], True)


def test_the_database_that_is_away_is_told(new: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(switching, "require_sense", away)

    with pytest.raises(CommandError, match="lock timeout"):
        call_command("move_storage", "local", "local")


def test_numbers_have_bounds(new: LocalStorage) -> None:
    with pytest.raises(CommandError, match="must be a whole number from 1 to 32, not '33'"):
        call_command("move_storage", "local", "local", "--at-once", "33")


def test_the_database_that_forgets_us_stops_the_move(opal: User, new: LocalStorage) -> None:
    stored(opal, PDF)
    with switching.alone() as here:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND pid <> pg_backend_pid() AND datname = current_database()"
            )
        with pytest.raises(MoveBroken, match="goes on where it has stopped"):
            here.require()
        with switching.alone():
            pass


def _settled(upload: Upload) -> None:
    with transaction.atomic():
        receiving.settle(upload, used=1)
