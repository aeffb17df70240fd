"""Archives of many documents: what is in them, under which names, and what is told of the rest."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from zipstream import ZipStream

from documents import bundles, places
from documents.bundles import LEFT_OUT, NothingToDownload, TooManyDocuments, answer, bundle, unique
from documents.errors import Infected
from documents.models import Document
from documents.places import TooManyTransfers
from documents.serving import FileAway, FileCutShort
from storage.backends import Storage, documents
from tests.documents.making import PDF, Files, stored, verified

pytestmark = pytest.mark.django_db


def unpacked(response: Any) -> dict[str, bytes]:
    content = response.getvalue()
    assert len(content) == int(response["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {each: archive.read(each) for each in archive.namelist()}


class TestUnique:
    @pytest.mark.parametrize(
        ("names", "become"),
        [
            (["Deed.pdf", "deed.PDF", "Deed.pdf"], ["Deed.pdf", "deed (2).PDF", "Deed (3).pdf"]),
            (["../../etc/passwd", "C:\\x.pdf"], ["_._etc_passwd", "C__x.pdf"]),
            (["CON.pdf", "nul", "Lpt1.txt.pdf"], ["_CON.pdf", "_nul", "_Lpt1.txt.pdf"]),
            (["left out.TXT", LEFT_OUT], ["left out (2).TXT", "Left out (3).txt"]),
            (["Ma\u0308p.pdf", "M\u00e4p.pdf"], ["M\u00e4p.pdf", "M\u00e4p (2).pdf"]),
            (["\uff21.pdf", "A.pdf", "…", ". ."], ["\uff21.pdf", "A (2).pdf", "…", "file"]),
            (["a\r\nb.pdf", "a\u202efdp.exe", "noending", "NOENDING"], ["a__b.pdf", "a_fdp.exe", "noending", "NOENDING (2)"]),
        ],
    )  # fmt: skip
    def test_names_lie_side_by_side_on_any_system(self, names: list[str], become: list[str]) -> None:
        assert unique(names) == become

    def test_names_are_short_enough_for_any_system(self) -> None:
        names = ["\u4e00" * 200 + ".pdf"] * 3 + ["x." + "y" * 200, "\u4e00" * 200]

        found = unique(names)

        assert len(set(found)) == 5
        assert all(len(each.encode()) <= 255 for each in found)
        assert found[1].endswith(" (2).pdf")


class TestABundle:
    def test_has_the_current_versions_whole(self, opal: User) -> None:
        first, second = verified(opal, name="Deed.pdf"), verified(opal, b"", name="deed.pdf")

        response = answer(bundle(by=opal, document_ids=[second.pk, first.pk, second.pk]))

        assert unpacked(response) == {"deed.pdf": b"", "Deed (2).pdf": PDF}
        assert (response["Content-Type"], response["Documents-Left-Out"]) == ("application/zip", "0")
        assert response["Content-Disposition"] == 'attachment; filename="documents.zip"'

    def test_tells_inside_what_is_not_in_it(self, opal: User, role: Callable[[str], User], files: Files) -> None:
        fine, unverified, held, gone, short = (
            verified(opal),
            stored(opal),
            verified(opal),
            verified(opal),
            verified(opal),
        )
        held.versions.update(finding=Infected.code)
        files[gone.versions.get().key].unlink()
        files[short.versions.get().key].write_bytes(b"x")
        ids = [each.pk for each in (fine, unverified, held, gone, short)]

        response = answer(bundle(by=opal, document_ids=[*ids, 999_999]))

        found = unpacked(response)
        assert found.keys() == {fine.name, LEFT_OUT}
        lines = found[LEFT_OUT].decode("utf-8-sig").splitlines()
        assert (lines[0], response["Documents-Left-Out"]) == ("Not in this archive:", "5")
        assert [line.partition(": ")[0] for line in lines[1:]] == [
            *(f"“Deed of 1907.pdf”, document {pk}" for pk in (ids[1], ids[2])),
            "Document 999999",
            *(f"“Deed of 1907.pdf”, document {pk}" for pk in (ids[3], ids[4])),
        ]
        assert "has not been verified yet" in lines[1]
        assert "held back" in lines[2]
        assert "no longer exists" in lines[3]
        assert "not in storage" in lines[4]

    def test_has_nothing_that_the_person_may_not_see(self, opal: User, ada: User) -> None:
        secret = verified(ada, b"secret", name="Secret.txt")
        opal.groups.clear()
        opal.user_permissions.add(Permission.objects.get(codename="add_document"))
        opal = User.objects.get(pk=opal.pk)
        own = verified(opal)

        found = unpacked(answer(bundle(by=opal, document_ids=[own.pk, secret.pk])))

        assert b"Secret" not in found[LEFT_OUT]
        assert b"secret" not in b"".join(found.values())
        with pytest.raises(NothingToDownload, match="no longer exists"):
            bundle(by=opal, document_ids=[secret.pk])

    def test_has_a_bound(self, opal: User) -> None:
        with pytest.raises(TooManyDocuments):
            bundle(by=opal, document_ids=range(1, bundles.AT_MOST + 2))
        with pytest.raises(NothingToDownload):
            bundle(by=opal, document_ids=[])

    def test_is_found_in_a_few_statements(self, opal: User, django_assert_num_queries: Any) -> None:
        ids = [verified(opal).pk for _ in range(5)]
        opal.has_perm("documents.view_document")

        with django_assert_num_queries(2):
            bundle(by=opal, document_ids=ids)


class TestOnItsWay:
    @pytest.fixture
    def two(self, opal: User) -> list[Document]:
        return [verified(opal), verified(opal, b"Other.", name="b.txt")]

    @pytest.mark.parametrize(
        ("spoil", "error"),
        [(lambda path: path.unlink(), FileAway), (lambda path: path.write_bytes(b"x"), FileCutShort)],
        ids=["taken away", "cut short"],
    )
    def test_breaks_off_where_a_file_is_no_longer_what_it_was(
        self, opal: User, files: Files, two: list[Document], spoil: Any, error: Any
    ) -> None:
        response = answer(bundle(by=opal, document_ids=[each.pk for each in two]))
        spoil(files[two[1].versions.get().key])

        with pytest.raises(error):
            response.getvalue()

    def test_takes_a_place_among_the_transfers(
        self, opal: User, two: list[Document], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(places, "LARGE_BYTES", 1)
        found = bundle(by=opal, document_ids=[each.pk for each in two])
        going = [answer(found) for _ in range(3)]

        with pytest.raises(TooManyTransfers):
            answer(found)

        for each in going:  # one came to its end, the others were broken off
            each.close()
        assert set(unpacked(answer(found))) == {"Deed of 1907.pdf", "b.txt"}

    def test_opens_each_file_only_when_its_turn_comes_and_keeps_none(
        self, opal: User, two: list[Document], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[str] = []
        stream = type(documents()).stream

        def noted(storage: Storage, key: str, **said: Any) -> Any:
            opened.append(key)
            return stream(storage, key, **said)

        monkeypatch.setattr(type(documents()), "stream", noted)
        response = answer(bundle(by=opal, document_ids=[each.pk for each in two]))
        assert opened == []

        next(iter(response))
        pieces = iter(response)
        while not opened:
            next(pieces)

        assert opened == [two[0].versions.get().key]
        response.close()

    @pytest.mark.long
    def test_may_be_larger_than_the_old_format_has_numbers_for(self) -> None:
        size = 5_000_000_000
        archive = ZipStream(sized=True)
        archive.add((b"\0" * 10_000_000 for _ in range(size // 10_000_000)), "a", size=size)
        expected = len(archive)
        tail, length = b"", 0
        for piece in archive:
            length += len(piece)
            tail = (tail + piece)[-1_000:]

        assert length == expected
        assert b"PK\x06\x06" in tail, "the record that larger archives end with"
