"""What lies in an archive, by itself and on the page of its lease."""

from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from cloud.models import CloudLocation, DropboxAccount
from discovery.models import ArchiveWatch
from leases.contents import SHOWN, contents_of
from leases.models import Lease
from storage.models import StoredFile
from tests import factories
from tests.factories import BLM, indexed, settled, watched

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

HELD = ["b.pdf", "Runsheets/", "Runsheets/deep.pdf", "Master Documents.pdf", "~$Master Documents.docx"]


@pytest.fixture
def account(olivia: User) -> DropboxAccount:
    made = factories.account(user=olivia)
    made.save()
    return made


@pytest.fixture
def watch(account: DropboxAccount) -> ArchiveWatch:
    return watched(account)


@pytest.fixture
def lease(account: DropboxAccount, olivia: User) -> Lease:
    """Found by the account that watches."""
    where = CloudLocation.objects.create(path=f"{BLM}/NMNM 1", name="NMNM 1")
    return settled(
        olivia,
        state="done",
        runsheet_directory=where,
        runsheet_report_found=True,
        matching_files=["Master Documents.pdf"],
        matching_count=1,
        known_account=account.account_id,
        known_root=account.root_namespace_id,
        known_base_path=BLM,
    )


def names(lease: Lease, user: User) -> list[str]:
    found = contents_of(lease, user)
    assert found is not None
    return [each.name for each in found.lying]


def test_the_report_comes_first_then_files_then_folders(lease: Lease, watch: ArchiveWatch, olivia: User) -> None:
    indexed(watch, {"NMNM 1": HELD, "NMNM 10": ["other.pdf"]})

    assert names(lease, olivia) == ["Master Documents.pdf", "b.pdf", "~$Master Documents.docx", "Runsheets"]
    found = contents_of(lease, olivia)
    assert found is not None
    assert [each.is_report for each in found.lying] == [True, False, False, False]
    assert found.lying[0].url == (
        "https://www.dropbox.com/home/Federal%20Workspace/%5ERunsheet%20Workspace/Runsheet%20Archive/NMNM%201"
        "?preview=Master%20Documents.pdf"
    )
    assert found.lying[3].url.endswith("/NMNM%201/Runsheets")


def test_what_is_missing_is_not_shown(lease: Lease, watch: ArchiveWatch, olivia: User) -> None:
    indexed(watch, {"NMNM 1": HELD})
    StoredFile.objects.filter(key="nmnm 1/b.pdf").update(state="missing")

    assert "b.pdf" not in names(lease, olivia)


def test_a_few_are_shown_and_the_others_counted(lease: Lease, watch: ArchiveWatch, olivia: User) -> None:
    indexed(watch, {"NMNM 1": [f"{number:03}.pdf" for number in range(SHOWN + 3)]})

    found = contents_of(lease, olivia)

    assert found is not None
    assert (len(found.lying), found.more) == (SHOWN, 3)
    assert "in=dropbox-" in found.all_url


def test_nothing_is_said_from_what_another_account_has_read(lease: Lease, watch: ArchiveWatch, olivia: User) -> None:
    indexed(watch, {"NMNM 1": HELD})
    ArchiveWatch.objects.update(account_id="dbid:2")

    assert contents_of(lease, olivia) is None


def test_nothing_is_said_of_what_is_not_known(lease: Lease, watch: ArchiveWatch, olivia: User) -> None:
    assert contents_of(lease, olivia) is None
    lease.known_account = ""
    assert contents_of(lease, olivia) is None
    lease.runsheet_directory = None
    assert contents_of(lease, olivia) is None


class TestPage:
    def test_lists_them(self, lease: Lease, watch: ArchiveWatch, olivia: User, client: Client) -> None:
        indexed(watch, {"NMNM 1": [*HELD, "<b>.pdf"]})
        client.force_login(olivia)

        text = client.get(reverse("admin:leases_lease_change", args=[lease.pk])).text

        shown = text[text.index("In the archive") :]
        assert shown.index("Master Documents.pdf") < shown.index("b.pdf")
        assert "&lt;b&gt;.pdf" in shown
        assert "<b>.pdf" not in text
        assert "1.2 KB, changed" in shown
        assert "All that lies there" in shown

    def test_says_when_something_has_changed_since(
        self, lease: Lease, watch: ArchiveWatch, olivia: User, client: Client
    ) -> None:
        indexed(watch, {"NMNM 1": HELD})
        watch.root.read_at = None
        watch.root.save()
        client.force_login(olivia)

        text = unescape(client.get(reverse("admin:leases_lease_change", args=[lease.pk])).text)

        assert "As it was when it was last read; something has changed since." in text

    def test_is_for_who_may_see_what_lies_in_storage(self, lease: Lease, watch: ArchiveWatch, client: Client) -> None:
        """Of the others it names the reports only, as a lease does."""
        indexed(watch, {"NMNM 1": HELD})
        person = User.objects.create_user("nina", is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename="view_lease"))
        client.force_login(person)

        text = client.get(reverse("admin:leases_lease_change", args=[lease.pk])).text

        assert "Master Documents.pdf" in text
        assert "b.pdf" not in text
