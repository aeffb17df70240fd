"""Share links that die, each way, when somebody opens one and when its lease is run again."""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from cloud.admin.links import dropbox_link
from cloud.dependants import Opening
from cloud.dropbox import gateway_for
from cloud.models import CloudLocation, DropboxAccount
from core.base.clock import now
from discovery.services import archive_opening
from discovery.services.archive_opening import NO_LINK, open_archive
from leases.models import Lease
from tests.cloud.dropbox.conftest import LINK, LIST, METADATA, TOKEN, union
from tests.discovery.services.asking import look_for_directory
from tests.discovery.services.conftest import search_directory
from tests.factories import ARCHIVE, BLM, give_dropbox
from tests.held import held_by_another_session
from tests.links import ask, move, revoke_link

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


class TestWhoSeesOtherFolders:
    @pytest.fixture
    def ivan(self, location: CloudLocation, dropbox: "Standin", django_user_model: type[User]) -> User:
        """May start runs, and has a Dropbox of his own."""
        ivan = django_user_model.objects.create_superuser("ivan")
        give_dropbox(ivan, dropbox, "ivan")
        dropbox.clear_journal()
        return ivan

    def test_changes_nothing_for_the_others(
        self, location: CloudLocation, ivan: User, operator: User, dropbox: "Standin"
    ) -> None:
        """In his Dropbox the folder is not there, or is another one."""
        assert open_archive(location=location, user=ivan) == Opening(url=location.share_url)
        assert dropbox.calls() == {}
        assert stored() == location
        assert stored().share_url == location.share_url

        open_archive(location=stored(), user=operator)
        assert dropbox.calls() == {LINK_METADATA: 1}, "it is still due for who can judge"


class TestGoodLink:
    def test_is_followed(self, location: CloudLocation, operator: User, dropbox: "Standin") -> None:
        assert open_archive(location=location, user=operator) == Opening(url=location.share_url)
        assert dropbox.calls() == {LINK_METADATA: 1}

    def test_is_looked_at_once_a_day(self, location: CloudLocation, operator: User, dropbox: "Standin") -> None:
        open_archive(location=location, user=operator)
        open_archive(location=stored(), user=operator)
        assert dropbox.calls() == {LINK_METADATA: 1}

        open_archive(location=of_yesterday(dropbox), user=operator)
        assert dropbox.calls() == {LINK_METADATA: 1}

    def test_that_was_just_made_is_not_looked_at(self, dropbox: "Standin", operator: User, lease: Lease) -> None:
        dropbox.put(f"{ARCHIVE}/")
        search_directory(lease=lease, gateway=gateway_for(operator))
        dropbox.clear_journal()

        assert open_archive(location=stored(), user=operator).url
        assert dropbox.calls() == {}

    def test_of_whom_nobody_knows_when_it_was_looked_at_is_looked_at(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        CloudLocation.objects.update(share_checked_at=None)

        open_archive(location=stored(), user=operator)

        assert dropbox.calls() == {LINK_METADATA: 1}

    def test_that_dropbox_sees_elsewhere_is_told_by_the_folders_id(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        answer = ask(dropbox, LINK_METADATA, url=location.share_url) | {"path_lower": "/olivia operator/elsewhere"}
        dropbox.clear_journal()
        dropbox.fault(LINK_METADATA, status=200, body=answer)

        assert open_archive(location=location, user=operator).url == location.share_url
        assert dropbox.calls() == {LINK_METADATA: 1, METADATA: 1}


class TestDeadLink:
    def test_that_was_revoked_is_replaced(self, location: CloudLocation, operator: User, dropbox: "Standin") -> None:
        revoke_link(dropbox, location.share_url)

        opening = open_archive(location=location, user=operator)

        assert opening.url == stored().share_url != location.share_url
        assert is_alive(dropbox, opening.url)

    def test_that_has_expired_is_replaced(self, location: CloudLocation, operator: User, dropbox: "Standin") -> None:
        self._let_expire(dropbox, location)

        opening = open_archive(location=stored(), user=operator)

        assert opening.url == stored().share_url != location.share_url
        assert stored().share_expires_at is None

    def test_that_has_expired_is_replaced_although_somebody_looked_today(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        self._let_expire(dropbox, location)
        CloudLocation.objects.update(share_checked_at=now(), share_expires_at=now())

        assert open_archive(location=stored(), user=operator).url != location.share_url

    @pytest.mark.parametrize("tag", ["shared_link_access_denied", "unsupported_link_type"])
    def test_that_is_forbidden_is_replaced_by_ones_own(
        self, location: CloudLocation, dropbox: "Standin", tag: str
    ) -> None:
        paul = User.objects.create_superuser("paul")
        give_dropbox(paul, dropbox, "paul")
        dropbox.fault(LINK_METADATA, status=409, body=union(tag))

        opening = open_archive(location=location, user=paul)

        assert opening.url == stored().share_url != location.share_url

    def test_that_a_policy_forbids_to_make_again_is_explained(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        revoke_link(dropbox, location.share_url)
        dropbox.policy("not_authorized", account="olivia")

        opening = open_archive(location=location, user=operator)

        assert "leads nowhere any more, and there is no new one. The Dropbox team's policy" in opening.why_not
        assert (stored().share_url, stored().share_refusal) == ("", TEAM_FORBIDS)
        assert open_archive(location=stored(), user=operator).why_not == stored().share_refusal

    def test_to_a_folder_that_was_deleted_is_explained_and_forgotten(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        dropbox.delete(ARCHIVE)

        opening = open_archive(location=location, user=operator)

        assert f"The folder “{ARCHIVE}” is no longer there" in opening.why_not
        assert (stored().share_url, stored().share_refusal) == ("", "")
        assert open_archive(location=stored(), user=operator).why_not == opening.why_not
        assert dropbox_link(stored()) == "No longer in Dropbox: moved, renamed or deleted."

    def test_that_was_never_made_is_explained(self, operator: User) -> None:
        place = CloudLocation.objects.create(path=ARCHIVE, name="NMNM 1")

        assert open_archive(location=place, user=operator).why_not == NO_LINK

    def test_to_a_folder_that_was_moved_is_explained_and_forgotten(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        move(dropbox, ARCHIVE, f"{BLM}/somewhere else")

        opening = open_archive(location=location, user=operator)

        assert "it was moved, renamed or deleted in Dropbox" in opening.why_not
        assert stored().share_url == ""

    def test_to_a_folder_that_was_moved_is_replaced_by_one_to_what_stands_there_now(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        move(dropbox, ARCHIVE, f"{BLM}/somewhere else")
        dropbox.put(f"{ARCHIVE}/")

        opening = open_archive(location=location, user=operator)

        assert opening.url == stored().share_url != location.share_url
        assert ask(dropbox, LINK_METADATA, url=opening.url)["path_lower"] == ARCHIVE.lower()

    def test_is_left_to_others_by_who_does_not_see_the_archives(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        """Of the same team, but no member of the shared folder any more."""
        revoke_link(dropbox, location.share_url)
        dropbox.delete(BLM)

        opening = open_archive(location=location, user=operator)

        assert f"your Dropbox does not see the folder “{ARCHIVE}”" in opening.why_not
        assert stored().share_url == location.share_url
        assert open_archive(location=stored(), user=operator).why_not == opening.why_not

    @staticmethod
    def _let_expire(dropbox: "Standin", location: CloudLocation) -> None:
        """As somebody at Dropbox can arrange it."""
        revoke_link(dropbox, location.share_url)
        expires = datetime.now(UTC) + timedelta(hours=1)
        made: Any = ask(
            dropbox, LINK, path=ARCHIVE, settings={"expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}", "audience": "public"}
        )
        CloudLocation.objects.update(share_url=made["url"], share_expires_at=expires)
        dropbox.advance_clock(7_200)
        DropboxAccount.objects.update(access_token_expires_at=None)


class TestWhoCannotLook:
    """Gets the link as it is: Dropbox itself will say what is wrong with it."""

    def test_for_want_of_a_dropbox(self, location: CloudLocation, dropbox: "Standin") -> None:
        ada = User.objects.create_superuser("ada")

        assert open_archive(location=location, user=ada).url == location.share_url
        assert dropbox.calls() == {}

    def test_for_want_of_the_permission(self, location: CloudLocation, dropbox: "Standin") -> None:
        victor = User.objects.create_user("victor", is_staff=True)
        give_dropbox(victor, dropbox, "paul")
        dropbox.clear_journal()

        assert open_archive(location=location, user=victor).url == location.share_url
        assert dropbox.calls() == {}

    def test_while_dropbox_is_away_and_the_next_looks_ten_minutes_later(
        self, location: CloudLocation, operator: User, dropbox: "Standin"
    ) -> None:
        dropbox.fault(LINK_METADATA, status=503)
        assert open_archive(location=location, user=operator).url == location.share_url

        open_archive(location=stored(), user=operator)
        assert dropbox.calls() == {LINK_METADATA: 1}

        CloudLocation.objects.update(share_checked_at=stored().share_checked_at - timedelta(minutes=11))  # type: ignore[operator]
        open_archive(location=stored(), user=operator)
        assert dropbox.calls() == {LINK_METADATA: 2}

    def test_while_dropbox_is_slow(
        self, location: CloudLocation, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_opening, "LONGEST_S", 0.4)
        dropbox.fault(LINK_METADATA, kind="delay", delay_s=3)
        began = time.monotonic()

        assert open_archive(location=location, user=operator).url == location.share_url

        assert time.monotonic() - began < 2
        assert dropbox.faults() == []

    def test_while_dropbox_is_slow_to_renew_a_token(
        self, location: CloudLocation, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_opening, "LONGEST_S", 0.4)
        DropboxAccount.objects.update(access_token_expires_at=None)
        dropbox.fault(TOKEN, kind="delay", delay_s=3)
        began = time.monotonic()

        assert open_archive(location=location, user=operator).url == location.share_url

        assert time.monotonic() - began < 2
        assert dropbox.faults() == []

    def test_when_a_call_more_would_take_too_long(
        self, location: CloudLocation, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_opening, "LONGEST_S", 0.6)
        revoke_link(dropbox, location.share_url)
        dropbox.clear_journal()
        monkeypatch.setattr(archive_opening, "link_that_leads_there", lambda **_: time.sleep(0.7))

        assert open_archive(location=location, user=operator).url == location.share_url

        assert dropbox.calls() == {}

    def test_where_there_is_no_link(self, location: CloudLocation, operator: User, dropbox: "Standin") -> None:
        CloudLocation.objects.update(share_url="", share_refusal="The team forbids it.")

        assert open_archive(location=stored(), user=operator) == Opening(why_not="The team forbids it.")
        assert dropbox.calls() == {}


@pytest.mark.django_db(transaction=True)
class TestWhileAccountIsHeld:
    """Somebody renews its token and Dropbox is slow."""

    def test_is_not_waited_for_long(
        self, location: CloudLocation, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_opening, "LOCKS_AT_MOST_S", 0.2)
        dropbox.suspend("olivia")
        began = time.monotonic()

        with held_by_another_session(DropboxAccount, DropboxAccount.objects.get().pk):
            assert open_archive(location=location, user=operator).url == location.share_url

        assert time.monotonic() - began < 2


class TestRunAgain:
    def test_replaces_a_link_that_was_revoked(
        self, location: CloudLocation, operator: User, lease: Lease, dropbox: "Standin"
    ) -> None:
        revoke_link(dropbox, location.share_url)
        dropbox.clear_journal()

        result = search_directory(lease=lease, gateway=gateway_for(operator))

        assert result is not None
        assert result.share_url == stored().share_url != location.share_url
        assert dropbox.calls() == {LIST: 1, LINK_METADATA: 1, LINK: 1}

    def test_replaces_a_link_that_is_forbidden(
        self, location: CloudLocation, operator: User, lease: Lease, dropbox: "Standin"
    ) -> None:
        dropbox.fault(LINK_METADATA, status=409, body=union("shared_link_access_denied"))

        look = look_for_directory(lease=lease, gateway=gateway_for(operator))

        assert look.evidence["link"] == "created"

    def test_replaces_a_link_whose_folder_was_moved(
        self, location: CloudLocation, operator: User, lease: Lease, dropbox: "Standin"
    ) -> None:
        move(dropbox, ARCHIVE, f"{BLM}/somewhere else")
        dropbox.put(f"{ARCHIVE}/")

        search_directory(lease=lease, gateway=gateway_for(operator))

        assert stored().share_url != location.share_url

    def test_says_why_there_is_no_new_one(
        self, location: CloudLocation, operator: User, lease: Lease, dropbox: "Standin"
    ) -> None:
        revoke_link(dropbox, location.share_url)
        dropbox.policy("not_authorized", account="olivia")

        search_directory(lease=lease, gateway=gateway_for(operator))

        assert (stored().share_url, stored().share_refusal) == ("", TEAM_FORBIDS)

    def test_remembers_when_it_looked(
        self, location: CloudLocation, operator: User, lease: Lease, dropbox: "Standin"
    ) -> None:
        search_directory(lease=lease, gateway=gateway_for(operator))

        assert now() - stored().share_checked_at < timedelta(minutes=1)  # type: ignore[operator]
        assert dropbox.calls() == {LIST: 1, LINK_METADATA: 1}

    @pytest.mark.parametrize(("age", "looks"), [(timedelta(hours=23), False), (YESTERDAY, True)])
    @pytest.mark.usefixtures("operator")
    def test_with_many_others_looks_once_a_day(
        self, location: CloudLocation, lease: Lease, dropbox: "Standin", age: timedelta, looks: bool
    ) -> None:
        CloudLocation.objects.update(share_checked_at=now() - age)
        lease = Lease.objects.get(pk=lease.pk)
        lease.background = True

        search_directory(lease=lease, gateway=gateway_for(lease.created_by))

        assert (LINK_METADATA in dropbox.calls()) is looks
        assert stored().share_url == location.share_url
