"""Opening an archive to which no share link was made yet."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from cloud.admin.links import dropbox_link
from cloud.dropbox import gateway_for
from cloud.models import CloudLocation, DropboxAccount
from core.base.clock import now
from discovery.services.archive_opening import open_archive
from leases.models import Lease
from tests.cloud.dropbox.conftest import LINK
from tests.discovery.services.conftest import search_directory
from tests.factories import ARCHIVE, give_dropbox
from tests.links import ask, revoke_link

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

LINK_METADATA = "sharing/get_shared_link_metadata"
YESTERDAY = timedelta(days=1, minutes=1)
TEAM_FORBIDS = "The Dropbox team's policy forbids this share link."


@pytest.fixture
def location(dropbox: "Standin", operator: User, lease: Lease) -> CloudLocation:
    """The archive, found, with a link that nobody has looked at for a day; the journal is empty."""
    dropbox.put(f"{ARCHIVE}/scan.pdf")
    with transaction.atomic():
        search_directory(lease=lease, gateway=gateway_for(operator))
    account = DropboxAccount.objects.get(user=operator)
    Lease.objects.update(
        runsheet_directory=CloudLocation.objects.get(),
        initiated_by=operator,
        known_account=account.account_id,
        known_root=account.root_namespace_id,
    )
    return of_yesterday(dropbox)


def of_yesterday(dropbox: "Standin") -> CloudLocation:
    CloudLocation.objects.update(share_checked_at=now() - YESTERDAY)
    dropbox.clear_journal()
    return CloudLocation.objects.get()


def stored() -> CloudLocation:
    return CloudLocation.objects.get()


def is_alive(dropbox: "Standin", url: str) -> bool:
    return bool(ask(dropbox, LINK_METADATA, url=url)["url"])


class TestNoLinkYet:
    """As the index leaves an archive that it has told of."""

    @pytest.fixture
    def unlinked(self, location: CloudLocation, dropbox: "Standin") -> CloudLocation:
        revoke_link(dropbox, location.share_url)
        CloudLocation.objects.update(share_url="", share_checked_at=None, is_public=False)
        dropbox.clear_journal()
        return stored()

    def test_is_made_by_the_first_who_opens_it(
        self, unlinked: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        assert unlinked.awaits_link
        assert not unlinked.is_gone
        assert "Open in Dropbox" in dropbox_link(unlinked)
        assert "made when it is opened" in dropbox_link(unlinked)

        opening = open_archive(location=unlinked, user=operator)

        assert is_alive(dropbox, opening.url)
        assert stored().share_url == opening.url
        assert not stored().awaits_link
        assert open_archive(location=stored(), user=operator) == opening
        assert dropbox.calls() == {LINK: 1, LINK_METADATA: 1}, "the second is this test's own"

    def test_is_the_one_that_the_account_had(self, unlinked: CloudLocation, operator: User, dropbox: "Standin") -> None:
        made: Any = ask(dropbox, LINK, path=ARCHIVE)

        assert open_archive(location=unlinked, user=operator).url == made["url"]

    def test_is_left_to_somebody_who_may(self, unlinked: CloudLocation, dropbox: "Standin") -> None:
        victor = User.objects.create_user("victor", is_staff=True)
        give_dropbox(victor, dropbox, "paul")
        dropbox.clear_journal()

        opening = open_archive(location=unlinked, user=victor)

        assert opening.why_not.startswith("Nobody has made a share link to this archive yet.")
        assert dropbox.calls() == {}
        assert stored().awaits_link

    def test_is_told_as_forbidden(self, unlinked: CloudLocation, operator: User, dropbox: "Standin") -> None:
        dropbox.policy("not_authorized", account="olivia")

        opening = open_archive(location=unlinked, user=operator)

        assert opening.why_not.startswith("There is no share link to this archive. ")
        assert stored().share_refusal
        assert open_archive(location=stored(), user=operator).why_not == stored().share_refusal
        assert dropbox_link(stored()) == stored().share_refusal

    def test_is_not_made_while_dropbox_is_away(
        self, unlinked: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        dropbox.fault(LINK, status=503)

        opening = open_archive(location=unlinked, user=operator)

        assert opening.why_not.startswith("No share link could be made just now: ")
        assert stored().awaits_link
        assert open_archive(location=stored(), user=operator).url

    def test_is_not_made_to_what_is_gone(self, unlinked: CloudLocation, operator: User, dropbox: "Standin") -> None:
        dropbox.delete(ARCHIVE)

        assert "is no longer there" in open_archive(location=unlinked, user=operator).why_not
        assert (stored().is_gone, stored().awaits_link) == (True, False)

    def test_is_not_made_by_who_is_kept_from_it(
        self, unlinked: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        dropbox.sight("olivia", ARCHIVE, "none")

        opening = open_archive(location=unlinked, user=operator)

        assert "your Dropbox does not see the folder" in opening.why_not
        assert stored().awaits_link
