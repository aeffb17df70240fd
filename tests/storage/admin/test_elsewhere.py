"""Where files of an app's root are opened and belong to: told by the app, asked by the root's kind."""

from collections.abc import Mapping, Sequence

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage.admin import elsewhere
from storage.admin.elsewhere import Elsewhere, Link, elsewhere_of, told_by
from storage.models import StorageRoot, StoredFile
from tests.storage.admin.conftest import NO_STATIC, text_of
from tests.storage.telling import KIND, root_of

pytestmark = [pytest.mark.django_db, NO_STATIC]

FILES = "/admin/storage/storedfile/"
KNOWN = Elsewhere(
    opened=Link(label="Open <there>", url="https://there.example/a?b&c"),
    records=(Link(label="Record 1", url="/admin/1/"), Link(label="Record 2", url="/admin/2/")),
)


@pytest.fixture
def file() -> StoredFile:
    return StoredFile.objects.create(root=root_of(), key="a/b.pdf", name="B.pdf")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What the app was asked for, which knows of every file but “unknown”."""
    calls: list[list[int]] = []

    def teller(files: Sequence[StoredFile], user: User) -> Mapping[int, Elsewhere]:
        calls.append([file.pk for file in files])
        return {file.pk: KNOWN for file in files if file.name != "unknown"}

    monkeypatch.setattr(elsewhere, "_tellers", {})
    told_by(KIND, teller)
    return calls


class TestElsewhereOf:
    def test_is_asked_once_for_all_files_of_a_kind(
        self, file: StoredFile, asked: list[list[int]], django_user_model: type[User]
    ) -> None:
        other = StoredFile.objects.create(root=root_of("more"), key="c", name="c")
        ours = StorageRoot.objects.create(name="documents")
        files = [file, other, StoredFile.objects.create(root=ours, key="d", name="d")]

        assert elsewhere_of(files, User()) == {file.pk: KNOWN, other.pk: KNOWN}
        assert asked == [[file.pk, other.pk]]

    def test_is_nothing_where_nobody_tells(self, file: StoredFile, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(elsewhere, "_tellers", {})

        assert elsewhere_of([file], User()) == {}


class TestPage:
    def test_leads_there(self, viewer: Client, file: StoredFile, asked: list[list[int]]) -> None:
        page = viewer.get(f"{FILES}{file.pk}/change/")

        assert (
            '<a class="button" href="https://there.example/a?b&amp;c" target="_blank" rel="noopener noreferrer">'
            in page.text
        )
        assert "Open <there>" in text_of(page)
        assert '<a href="/admin/1/">Record 1</a>, <a href="/admin/2/">Record 2</a>' in page.text
        assert asked == [[file.pk]]

    def test_says_nothing_where_nobody_knows(self, viewer: Client, file: StoredFile, asked: list[list[int]]) -> None:
        StoredFile.objects.update(name="unknown")

        assert "Belongs to" not in text_of(viewer.get(f"{FILES}{file.pk}/change/"))


class TestList:
    def test_leads_there_from_each_row_and_asks_once(
        self, viewer: Client, file: StoredFile, asked: list[list[int]]
    ) -> None:
        other = StoredFile.objects.create(root=file.root, key="a/unknown", name="unknown")

        page = viewer.get(FILES)

        assert page.text.count('href="https://there.example/a?b&amp;c"') == 1
        assert "Open &lt;there&gt;" in page.text
        assert page.text.count(">Record 2</a>") == 1
        assert "unknown" in page.text
        assert asked == [[file.pk, other.pk]]
