"""What becomes of a move where one of the places fails, or is not what it was."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from documents.management.commands import move_storage
from documents.models import Move
from documents.services import moving, switching
from documents.services.moving import Copier
from storage.backends.errors import Denied, Exists, FullDisk, NotFound, Throttled
from storage.backends.local import LocalStorage
from storage.index.walking import MARKER
from tests.documents.making import Files, stored
from tests.documents.moves import all_of, disk, moved

pytestmark = pytest.mark.django_db(transaction=True)


class Failing(LocalStorage):
    """A disk on which something goes wrong."""

    def __init__(self, directory: Path, *errors: Exception) -> None:
        super().__init__(directory=str(directory))
        self.errors = list(errors)

    def _put(self, key: str, chunks: Any, **said: Any) -> None:
        if self.errors:
            raise self.errors.pop()
        super()._put(key, chunks, **said)


class Flipping(LocalStorage):
    """A disk that does not give what it was given, so many times."""

    times, is_gone = 1, False

    def _stream(self, key: str, start: int, end: int | None) -> Any:
        content = b"".join(super()._stream(key, start, end))
        if self.is_gone:
            self.is_gone = False
            raise NotFound
        if self.times:
            self.times -= 1
            return iter([content[:-1] + b"?"])
        return iter([content])


class TestAPlaceThatFails:
    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(moving, "FIRST_PAUSE_S", 0)

    def test_is_asked_again(self, opal: User, files: Files, new: LocalStorage) -> None:
        stored(opal)
        old, failing = disk(files.directory), Failing(new.directory, Throttled(retry_after_s=0.01), FullDisk())
        copier = Copier(move=switching.begin(old, failing), source=old, target=failing, told=lambda _: None)

        assert copier.run() == 1

        assert all_of(new) == files.all()

    def test_for_too_long_stops_the_move(
        self, opal: User, files: Files, new: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored(opal)
        failing = Failing(new.directory, *[FullDisk()] * 5)
        monkeypatch.setattr(move_storage, "_place", lambda _kind, **said: failing if said else disk(files.directory))

        ended = moved()

        assert ended.code == 2
        assert "run the same command again, and it goes on where it has stopped." in ended.errors
        assert moved().code == 0

    def test_for_some_is_told(
        self, opal: User, files: Files, new: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(moving, "TROUBLES_AT_MOST", 1)
        stored(opal)
        old, failing = disk(files.directory), Failing(new.directory, Denied("No."))
        copier = Copier(move=switching.begin(old, failing), source=old, target=failing, told=lambda _: None)

        assert copier.run() == 0

        assert [each.why for each in copier.progress.troubles] == ["No."]

    def test_to_give_what_it_was_given_is_noticed(self, opal: User, files: Files, new: LocalStorage) -> None:
        stored(opal)
        old, flipping = disk(files.directory), Flipping(directory=str(new.directory))
        flipping.is_gone = True
        copier = Copier(move=switching.begin(old, flipping), source=old, target=flipping, told=lambda _: None)

        assert copier.run() == 1

        assert all_of(new) == files.all()
        assert flipping.times == 0

    def test_to_keep_what_it_was_given_is_noticed(
        self, opal: User, files: Files, new: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (stored(opal).versions.get().key for _ in range(2))
        copies = moving.lost

        def robbed(which: Move, target: LocalStorage) -> Any:
            target.delete(first)
            target.put(second, [b"short"])
            return copies(which, target)

        monkeypatch.setattr(switching, "lost", robbed)
        ended = moved()
        monkeypatch.undo()
        monkeypatch.setenv("DOCUMENTS_DIRECTORY", str(files.directory))
        monkeypatch.setenv("NEW_DOCUMENTS_DIRECTORY", str(new.directory))
        monkeypatch.setenv("DOCUMENTS_FREE_MB", "0")

        assert ended.code == 2
        assert "its copy was taken away or replaced" in ended.errors
        assert moved().code == 0
        assert all_of(new) == files.all()

    def test_to_hold_what_it_has_listed_is_nothing_to_copy(
        self, opal: User, files: Files, new: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = stored(opal)
        old = disk(files.directory)
        there = list(old.listing())
        monkeypatch.setattr(old, "listing", lambda: iter(there))
        files[document.versions.get().key].unlink()
        copier = Copier(move=switching.begin(old, new), source=old, target=new, told=lambda _: None)

        assert copier.run() == 0

        assert (copier.progress.troubles, all_of(new)) == ([], {})

    def test_that_another_root_has_taken_meanwhile_gets_no_second_marker(self, files: Files, new: LocalStorage) -> None:
        files.directory.mkdir(exist_ok=True)
        old = disk(files.directory)
        old.put(MARKER, [b"abc"])
        new.put(MARKER, [b"xyz"])

        with pytest.raises(Exists):
            switching.finish(switching.begin(old, new), old, new)

        assert old.read(MARKER) == b"abc"
