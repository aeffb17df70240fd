"""Where a stored file of a watched folder is at Dropbox, and which leases have its number."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cloud.models import DropboxAccount
from discovery.admin.stored import OPEN, elsewhere, read_by_several
from discovery.models import ArchiveWatch
from leases.models import Lease
from storage.admin.elsewhere import Link
from storage.models import StoredFile
from tests import factories
from tests.factories import BLM, configured, indexed, settled, watched
from tests.roles import in_role

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

AT = "https://www.dropbox.com/home/Federal%20Workspace/%5ERunsheet%20Workspace/Runsheet%20Archive"


@pytest.fixture
def watch(olivia: User) -> ArchiveWatch:
    account = factories.account(user=olivia)
    account.save()
    configured()
    made = watched(DropboxAccount.objects.get())
    indexed(made, {"NMNM 1": ["Deed #1.pdf", "Runsheets/", "Runsheets/Deep.pdf"], "NMNM 2": []})
    return made


@pytest.fixture
def viewer() -> User:
    return in_role("Viewer")


@pytest.fixture
def lease(olivia: User) -> Lease:
    return settled(olivia, lease_number="nmnm 1")


def urls(user: User) -> dict[str, str]:
    files = list(StoredFile.objects.select_related("root"))
    found = elsewhere(files, user)
    return {file.key: found[file.pk].opened.url for file in files if found[file.pk].opened}  # type: ignore[union-attr]


def numbers(user: User, root: int | None = None) -> dict[str, list[str]]:
    files = list(StoredFile.objects.select_related("root").filter(**({"root": root} if root else {})))
    found = elsewhere(files, user)
    return {file.key: [each.label for each in found[file.pk].records] for file in files}


class TestOpened:
    def test_is_the_folder_or_the_file_shown_in_its_folder(self, watch: ArchiveWatch, viewer: User) -> None:
        assert urls(viewer) == {
            "nmnm 1/": f"{AT}/NMNM%201",
            "nmnm 1/deed #1.pdf": f"{AT}/nmnm%201?preview=Deed%20%231.pdf",
            "nmnm 1/runsheets/": f"{AT}/nmnm%201/Runsheets",
            "nmnm 1/runsheets/deep.pdf": f"{AT}/nmnm%201/runsheets?preview=Deep.pdf",
            "nmnm 2/": f"{AT}/NMNM%202",
        }

    def test_is_nothing_that_is_missing(self, watch: ArchiveWatch, viewer: User) -> None:
        StoredFile.objects.exclude(key="nmnm 2/").update(state="missing")

        assert list(urls(viewer)) == ["nmnm 2/"]

    def test_is_nothing_of_a_root_that_nobody_watches_any_more(self, watch: ArchiveWatch, viewer: User) -> None:
        ArchiveWatch.objects.all().delete()

        assert elsewhere(list(StoredFile.objects.select_related("root")), viewer) == {}


class TestRecords:
    def test_are_the_leases_of_the_number(self, watch: ArchiveWatch, viewer: User, lease: Lease) -> None:
        found = numbers(viewer)

        assert {key for key, labels in found.items() if labels == ["BLM nmnm 1"]} == {
            key for key in found if key.startswith("nmnm 1/")
        }
        assert found["nmnm 2/"] == []

    def test_are_led_to(self, watch: ArchiveWatch, viewer: User, lease: Lease) -> None:
        file = StoredFile.objects.select_related("root").get(key="nmnm 1/")

        found = elsewhere([file], viewer)[file.pk]

        assert found.records == (Link(label="BLM nmnm 1", url=f"/admin/leases/lease/{lease.pk}/change/"),)

    def test_are_those_of_each_agency_of_which_something_lies_there(
        self, watch: ArchiveWatch, viewer: User, lease: Lease, olivia: User
    ) -> None:
        settled(olivia, agency="NMSLO", lease_number="NMNM 1")
        assert numbers(viewer)["nmnm 1/"] == ["BLM nmnm 1"]

        configured("NMSLO", "/State", documents_base_path=BLM.upper())

        assert numbers(viewer)["nmnm 1/"] == ["BLM nmnm 1", "NMSLO NMNM 1"]

    def test_are_nobodys_who_may_not_look_at_leases(self, watch: ArchiveWatch, lease: Lease) -> None:
        nobody = User.objects.create_user("nobody")

        assert numbers(nobody)["nmnm 1/"] == []
        assert urls(nobody)

    def test_take_three_statements_for_many(
        self, watch: ArchiveWatch, lease: Lease, olivia: User, django_assert_num_queries: "DjangoAssertNumQueries"
    ) -> None:
        indexed(watched(DropboxAccount.objects.get(), "/Documents"), {"NMNM 1": []})
        files = list(StoredFile.objects.select_related("root"))
        superuser = User.objects.create_superuser("root")

        with django_assert_num_queries(3):
            elsewhere(files, superuser)


def test_the_console_shows_both(watch: ArchiveWatch, viewer: User, lease: Lease) -> None:
    client = Client()
    client.force_login(viewer)
    file = StoredFile.objects.get(key="nmnm 1/deed #1.pdf")

    page = client.get(f"/admin/storage/storedfile/{file.pk}/change/").text
    listed = client.get("/admin/storage/storedfile/", {"q": "deed"}).text

    for shown in (page, listed):
        assert f'href="{AT}/nmnm%201?preview=Deed%20%231.pdf"' in shown
        assert f">{OPEN}<" in shown
        assert f'href="/admin/leases/lease/{lease.pk}/change/">BLM nmnm 1</a>' in shown


class TestReadBySeveral:
    @pytest.fixture
    def again(self, watch: ArchiveWatch) -> ArchiveWatch:
        """The same folder, read with another account that sees the same place."""
        paul = factories.account(user=User.objects.create_user("paul"), account_id="dbid:2", display_name="Paul")
        paul.save()
        declaration = {
            "kind": "dropbox",
            "owned": False,
            "title": "Archives in /a, as Paul sees them",
            "short": "Archives (Paul)",
        }
        made = watched(paul, declaration=declaration)
        indexed(made, {"NMNM 1": ["Deed #1.pdf"], "NMNM 3": []})
        return made

    def found(self, client: Client, viewer: User, query: str) -> list[tuple[str, int]]:
        client.force_login(viewer)
        listed = client.get(f"{reverse('admin:storage_storedfile_changelist')}?{query}").context["cl"].result_list
        return [(file.name, file.root_id) for file in listed]

    def test_stands_once_among_what_was_searched(
        self, client: Client, viewer: User, watch: ArchiveWatch, again: ArchiveWatch
    ) -> None:
        assert self.found(client, viewer, "q=deed") == [("Deed #1.pdf", watch.root_id)]

    def test_stands_for_each_who_sees_something_else_there(
        self, client: Client, viewer: User, watch: ArchiveWatch, again: ArchiveWatch
    ) -> None:
        StoredFile.objects.filter(root=again.root, key="nmnm 1/deed #1.pdf").update(etag="another")

        assert len(self.found(client, viewer, "q=deed")) == 2
        assert self.found(client, viewer, "q=nmnm+3") == [("NMNM 3", again.root_id)]

    def test_stands_in_each_of_the_roots(self, client: Client, viewer: User, again: ArchiveWatch) -> None:
        assert self.found(client, viewer, f"q=deed&in={again.root.name}/") == [("Deed #1.pdf", again.root_id)]

    def test_are_two_where_the_accounts_see_two_places(self, again: ArchiveWatch) -> None:
        ArchiveWatch.objects.filter(pk=again.pk).update(path_root="another")

        assert read_by_several() == {}

    def test_is_named_in_short_in_a_list(self, client: Client, viewer: User, again: ArchiveWatch) -> None:
        client.force_login(viewer)

        text = client.get(f"{reverse('admin:storage_storedfile_changelist')}?q=nmnm+3").text

        assert 'title="Archives in /a, as Paul sees them/"><bdi class="exact">Archives (Paul)/</bdi></a>' in text
