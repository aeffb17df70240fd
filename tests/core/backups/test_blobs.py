"""What lies there already is used again only where it is still what it was."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pyrage
import pytest

from core.backups.blobs import Blobs, blob_key
from core.backups.errors import BackupDamaged
from core.backups.lists import KeptBlob
from core.backups.place import Place
from storage.backends.local import LocalStorage

CONTENT = b"A deed of 1907"
SHA256 = sha256(CONTENT).hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(LocalStorage(directory=str(tmp_path)))


@pytest.fixture(params=["as it is", "encrypted"])
def recipients(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return () if request.param == "as it is" else (str(pyrage.x25519.Identity.generate().to_public()),)


def kept(place: Place, recipients: tuple[str, ...]) -> KeptBlob:
    """By the first backup."""
    blobs = Blobs(place, recipients=recipients)
    name = blobs.name_of(SHA256)
    blobs.keep(name, SHA256, lambda: [CONTENT])
    return blobs.of(name)


def cut(place: Place, blob: KeptBlob) -> None:
    """What a disk may do to it."""
    lies = b"".join(place.stream(blob_key(blob.name)))
    place.put(blob_key(blob.name), [lies[:-1]])


def rot(place: Place, blob: KeptBlob) -> None:
    """The same, and nobody sees it by its size."""
    lies = b"".join(place.stream(blob_key(blob.name)))
    place.put(blob_key(blob.name), [lies[:-1], bytes([lies[-1] ^ 1])])


def again(place: Place, blob: KeptBlob, blobs: Blobs) -> bool:
    """Whether the next backup has written it anew; in either case it says of it what lies there."""
    blobs.keep(blob.name, SHA256, lambda: [CONTENT])
    lies = b"".join(place.stream(blob_key(blob.name)))
    assert blobs.of(blob.name) == KeptBlob(name=blob.name, size=len(lies), sha256=sha256(lies).hexdigest())
    return bool(blobs.added)


class TestBlobs:
    def test_are_not_written_again(self, place: Place, recipients: tuple[str, ...]) -> None:
        blob = kept(place, recipients)

        assert not again(place, blob, Blobs(place, recipients=recipients, lists=[[blob]]))
        assert not again(place, blob, Blobs(place, recipients=recipients, lists=[[blob]], rereads=True))
        assert not again(place, blob, Blobs(place, recipients=recipients))  # of a backup that came to no end

    def test_that_are_cut_short_are_written_anew(self, place: Place, recipients: tuple[str, ...]) -> None:
        blob = kept(place, recipients)
        cut(place, blob)

        assert again(place, blob, Blobs(place, recipients=recipients, lists=[[], [blob]]))

    def test_that_are_of_the_same_size_are_found_out_where_that_is_wished(
        self, place: Place, recipients: tuple[str, ...]
    ) -> None:
        blob = kept(place, recipients)
        rot(place, blob)

        assert again(place, blob, Blobs(place, recipients=recipients, lists=[[blob]], rereads=True))

    def test_of_which_nobody_can_say_any_more_what_they_were_are_judged_by_themselves(
        self, place: Place, recipients: tuple[str, ...]
    ) -> None:
        blob = kept(place, recipients)
        rot(place, blob)

        assert again(place, blob, Blobs(place, recipients=recipients, lists=[_unreadable(blob)]))

    def test_that_have_gone_since_are_written_anew(self, place: Place, recipients: tuple[str, ...]) -> None:
        blob = kept(place, recipients)
        blobs = Blobs(place, recipients=recipients, lists=[[blob]], rereads=True)
        place.delete(blob_key(blob.name))

        assert again(place, blob, blobs)


def _unreadable(blob: KeptBlob) -> Iterable[KeptBlob]:
    yield blob
    raise BackupDamaged
