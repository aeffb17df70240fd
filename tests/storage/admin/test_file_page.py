"""The page of one file, and what can be asked of its storage there."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from core.base.clock import now
from storage.backends import documents
from storage.backends.errors import Unavailable
from storage.models import IndexChange, IndexRun, StorageRoot, StoredFile
from tests.roles import in_role
from tests.storage.admin.conftest import Put
from tests.storage.conftest import Index
from tests.storage.trees import Tree

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/storage/storedfile/"


@pytest.fixture
def place(tmp_path: Path, settings: Any) -> Path:
    """A disk for documents, as the gateway opens it."""
    options = {"directory": str(tmp_path / "documents"), "is_made": True}
    documents_ = {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"documents": documents_}
    return tmp_path / "documents"


def page(console: Client, file: StoredFile) -> str:
    answer = console.get(f"{LIST}{file.pk}/change/")
    assert answer.status_code == 200
    return str(answer.text)


class TestFacts:
    def test_are_what_the_row_says(self, console: Client, put: Put) -> None:
        nina = User.objects.create_user("nina")
        said = {"etag": "abc", "sha256": "f" * 64, "owner": nina, "content_type": "application/pdf", "size": 2_048}
        file = put("7/a/Deed.pdf", **said)

        text = page(console, file)

        assert "<title>Deed.pdf | Runsheet</title>" in text
        assert '<dd>PDF <span class="quiet">application/pdf</span></dd>' in text
        assert '<dd>2.0 KB <span class="quiet">(2,048 bytes)</span></dd>' in text
        assert f'<code class="exact">{"f" * 64}</code>' in text
        assert '<code class="exact">abc</code>' in text
        assert f'<a href="/admin/auth/user/{nina.pk}/change/">nina</a>' in text
        assert f'<a href="{LIST}?in=documents%2F7%2Fa%2F"><bdi>a</bdi></a>' in text

    def test_that_nobody_knows_are_said_not_to_be_known(self, console: Client, put: Put) -> None:
        text = page(console, put("x"))

        assert "Not computed; a run with checksums does" in text
        assert "None: a disk has none" in text
        assert "<dd>Nobody</dd>" in text

    def test_of_what_is_missing_are_since_when_and_how_long_its_row_stays(
        self, console: Client, put: Put, settings: Any
    ) -> None:
        settings.STORAGE_MISSING_GRACE_DAYS = 30
        text = page(console, put("x", state="missing", missing_since=now() - timedelta(days=3, seconds=9)))

        assert ">3 days ago</time></h2>" in text
        assert "<dt>Row may be deleted from</dt><dd><time" in text
        assert ">in 27 days</time></dd>" in text

    def test_of_a_folder_lead_into_it(self, console: Client, put: Put) -> None:
        text = page(console, put("7/a/"))

        assert f'<a class="button" href="{LIST}?in=documents%2F7%2Fa%2F">See what lies in it</a>' in text
        assert "SHA-256" not in text
        assert "Download" not in text

    def test_in_quarantine_are_left_alone(self, console: Client, put: Put) -> None:
        assert "Runs leave it alone" in page(console, put("x", state="quarantined"))

    def test_of_a_root_that_nobody_knows_any_more_are_shown(self, console: Client, put: Put) -> None:
        old = StorageRoot.objects.create(name="old")

        text = page(console, put("x", root=old))

        assert "<dd>old</dd>" in text
        assert "Download" not in text


class TestHistory:
    def test_is_what_runs_did_with_the_row(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a.pdf")
        index()
        tree.move("7/a.pdf", "7/sub/a.pdf")
        renamed = index()
        file = StoredFile.objects.get(key="7/sub/a.pdf")

        text = page(console, file)

        assert (
            f'Rename, <bdi class="exact">7/a.pdf</bdi> <span class="quiet">(<a href="/admin/storage/indexrun/{renamed.pk}/'
            in text
        )
        assert f'by <a href="/admin/storage/indexrun/{renamed.pk}/change/">Index run {renamed.pk}</a>' in text

    def test_tells_what_was_only_planned(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a.pdf")
        index()
        tree.put("7/a.pdf", text="longer than before")
        index("sync", dry_run=True)

        assert "Update, not applied" in page(console, StoredFile.objects.get(key="7/a.pdf"))

    def test_has_its_end(self, console: Client, put: Put, root: StorageRoot) -> None:
        file, run = put("x"), IndexRun.objects.create(root=root, applied_up_to=99)
        IndexChange.objects.bulk_create(
            IndexChange(run=run, number=number, action="update", key="x", file_id=file.pk) for number in range(1, 30)
        )

        assert page(console, file).count(": Update ") == 20

    def test_is_for_who_may_see_it(self, client: Client, put: Put, root: StorageRoot) -> None:
        file, run = put("x"), IndexRun.objects.create(root=root, applied_up_to=9)
        IndexChange.objects.create(run=run, number=1, action="update", key="x", file_id=file.pk)
        viewer = in_role("Viewer")
        group = viewer.groups.get()
        client.force_login(viewer)
        assert ": Update " in page(client, file)

        group.permissions.remove(*group.permissions.filter(codename="view_indexchange"))

        assert ": Update " not in page(client, file)


class TestDownload:
    def test_leads_to_the_file_for_a_moment(self, console: Client, put: Put, place: Path) -> None:
        documents().put("7/Deed.pdf", [b"<script>"])
        file = put("7/Deed.pdf")

        led = console.get(f"{LIST}{file.pk}/fetch/")
        answer = console.get(led["Location"].removeprefix(django_settings.CONSOLE_URL))

        assert answer.getvalue() == b"<script>"
        assert answer["Content-Disposition"] == 'attachment; filename="Deed.pdf"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert f'href="{LIST}{file.pk}/fetch/">Download</a>' in page(console, file)

    def test_of_what_is_not_there_says_so(self, console: Client, put: Put, place: Path) -> None:
        documents().put("7/other", [b""])
        file = put("7/Deed.pdf")

        answer = console.get(f"{LIST}{file.pk}/fetch/", follow=True)

        assert "This file is not there at the moment." in answer.text

    @pytest.mark.parametrize("key", ["7/a\nb", "7/a\\b"])
    def test_of_a_name_that_no_back_end_takes_says_so(self, console: Client, put: Put, place: Path, key: str) -> None:
        answer = console.get(f"{LIST}{put(key).pk}/fetch/", follow=True)

        assert "Nothing can be stored under" in answer.text

    def test_from_a_storage_that_is_away_says_so(
        self, console: Client, put: Put, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_key: str) -> None:
            raise Unavailable

        monkeypatch.setattr(documents(), "_stat", fail)

        assert str(Unavailable()) in console.get(f"{LIST}{put('x').pk}/fetch/", follow=True).text

    @pytest.mark.parametrize("key", ["7/a", "7/folder/"])
    def test_is_not_there_for_directories_and_for_roots_without_a_back_end(
        self, console: Client, put: Put, tree: Tree, key: str
    ) -> None:
        file = put(key)

        assert "Download</a>" not in page(console, file)
        assert "cannot be downloaded here" in console.get(f"{LIST}{file.pk}/fetch/", follow=True).text

    def test_is_not_there_for_a_disk_that_the_console_does_not_open(
        self, console: Client, put: Put, place: Path, settings: Any
    ) -> None:
        settings.STORAGES = settings.STORAGES | {"others": settings.STORAGES["documents"]}
        settings.STORAGE_ROOTS = {"documents": {"kind": "storage", "storage": "others"}}

        assert "Download</a>" not in page(console, put("x"))

    def test_is_for_who_may_see_the_files(self, client: Client, put: Put, place: Path) -> None:
        client.force_login(User.objects.create_user("staff", is_staff=True))

        assert client.get(f"{LIST}{put('x').pk}/fetch/").status_code == 403


class TestLook:
    def look(self, console: Client, key: str) -> str:
        file = StoredFile.objects.get(key=key)
        return str(console.post(f"{LIST}{file.pk}/look/", follow=True).text)

    def test_says_what_lies_there(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/same", "7/larger", "7/touched", "7/gone", "7/back", "7/link")
        tree.put("7/was gone")
        index()
        tree.put("7/larger", text="longer than before")
        tree.put("7/touched", at_ns=1)
        tree.remove("7/gone", "7/link")
        tree.link("7/link", "same")
        StoredFile.objects.filter(key__in=["7/back"]).update(state="missing", missing_since=now())
        StoredFile.objects.filter(key="7/was gone").update(state="missing", missing_since=now())
        tree.remove("7/was gone")

        assert "It lies there as the index says, in size and time." in self.look(console, "7/same")
        assert "is not what the index says: 18 bytes." in self.look(console, "7/larger")
        assert "the same size, changed at another time" in self.look(console, "7/touched")
        assert '<li class="warning">Nothing lies there at the moment.' in self.look(console, "7/gone")
        assert '<li class="success">Nothing lies there at the moment.' in self.look(console, "7/was gone")
        assert "It lies there again: 4 bytes." in self.look(console, "7/back")
        assert "link" in self.look(console, "7/link")

    def test_says_that_the_root_is_not_there(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a")
        index()
        tree.remove(".runsheet-root")

        assert "The root is not there." in self.look(console, "7/a")

    def test_is_for_who_may_look(self, client: Client, put: Put) -> None:
        file = put("7/a")
        client.force_login(in_role("Viewer"))

        assert "Look at it now" not in page(client, file)
        assert client.post(f"{LIST}{file.pk}/look/").status_code == 403
        client.force_login(User.objects.create_user("staff", is_staff=True))
        assert client.post(f"{LIST}{file.pk}/look/").status_code == 403
