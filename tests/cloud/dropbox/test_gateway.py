from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from cloud import errors
from cloud.dropbox import Gateway, gateway_for
from cloud.files import CloudFile, DirectoryListing
from cloud.models import DropboxAccount
from core.base.clock import now
from core.base.errors import SoftTimeLimit
from tests.cloud.dropbox.conftest import LINK, LINKS, LIST, METADATA, MORE, TOKEN, union
from tests.factories import ARCHIVE

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


def names(listing: DirectoryListing) -> list[str]:
    return [entry.name for entry in listing.entries]


class TestGatewayFor:
    def test_makes_no_call(self, operator: User, dropbox: "Standin") -> None:
        gateway = gateway_for(operator)

        assert gateway.account == operator.dropbox_account
        assert dropbox.calls() == {}

    def test_asks_for_somebody(self) -> None:
        with pytest.raises(errors.NoInitiatingUser):
            gateway_for(None)

    def test_uses_nobodys_who_may_no_longer_log_in(self, operator: User, dropbox: "Standin") -> None:
        User.objects.update(is_active=False)
        dropbox.clear_journal()

        with pytest.raises(errors.NoInitiatingUser, match="may no longer log in"):
            gateway_for(User.objects.get(pk=operator.pk))
        assert dropbox.calls() == {}

    def test_uses_nobodys_who_may_not_run_discovery_any_more(self, operator: User, dropbox: "Standin") -> None:
        User.objects.update(is_superuser=False)
        dropbox.clear_journal()

        with pytest.raises(errors.NoInitiatingUser, match="olivia may not run discovery"):
            gateway_for(User.objects.get(pk=operator.pk))
        assert dropbox.calls() == {}

    def test_asks_for_a_connection(self, olivia: User) -> None:
        with pytest.raises(errors.DropboxNotConnected, match="Connect yours"):
            gateway_for(olivia)

    def test_says_why_to_connect_again(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(needs_reconnect_reason="It was revoked.")

        with pytest.raises(errors.NeedsReconnect, match=r"It was revoked\."):
            gateway_for(operator)

        assert dropbox.calls() == {}

    def test_waits_while_the_account_is_paused(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(paused_until=now() + timedelta(seconds=60))

        with pytest.raises(errors.AccountPaused) as caught:
            gateway_for(operator)

        assert caught.value.retry_after_s == pytest.approx(60, abs=5)
        assert dropbox.calls() == {}

    def test_goes_on_after_the_pause(self, operator: User) -> None:
        DropboxAccount.objects.update(paused_until=now() - timedelta(seconds=1))

        assert gateway_for(operator)

    def test_renews_a_token_that_ends_soon(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(access_token_expires_at=now() + timedelta(minutes=4))

        gateway_for(operator)

        assert dropbox.calls() == {TOKEN: 1}
        assert DropboxAccount.objects.get().has_valid_token(at=now() + timedelta(hours=3))

    def test_fetches_a_token_that_is_missing(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(access_token="", access_token_expires_at=None)
        dropbox.put(f"{ARCHIVE}/")

        gateway_for(operator).list_directory(path=ARCHIVE)

        assert dropbox.calls() == {TOKEN: 1, LIST: 1}

    def test_pauses_the_account_when_the_token_endpoint_asks_for_it(self, operator: User, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(access_token="", access_token_expires_at=None)
        dropbox.fault(TOKEN, status=429, headers={"Retry-After": "30"})

        with pytest.raises(errors.RateLimited):
            gateway_for(operator)

        assert DropboxAccount.objects.get().pause_left_s(at=now()) == pytest.approx(30, abs=5)


class TestListDirectory:
    def test_gives_every_entry_in_our_own_words(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/Master Documents.pdf")

        listing = gateway.list_directory(path=ARCHIVE)
        top = gateway.list_directory(path="")

        (team_folder,) = (entry for entry in top.entries if ARCHIVE.startswith(f"{entry.path}/"))
        folder, file = sorted(listing.entries, key=lambda entry: not entry.is_directory)
        assert folder == CloudFile(
            path=f"{ARCHIVE}/Runsheets",
            path_lower=f"{ARCHIVE}/Runsheets".lower(),
            name="Runsheets",
            is_directory=True,
            file_id=folder.file_id,
            parent_shared_folder_id=team_folder.shared_folder_id,
        )
        assert (file.path, file.name, file.is_directory) == (
            f"{ARCHIVE}/Master Documents.pdf",
            "Master Documents.pdf",
            False,
        )
        assert file.size_bytes
        assert file.modified_at
        assert file.modified_at.tzinfo is UTC
        assert folder.file_id.startswith("id:")

    def test_takes_one_call(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")

        listing = gateway.list_directory(path=ARCHIVE)

        assert listing.entries == ()
        assert dropbox.calls() == {LIST: 1}
        assert listing.request_ids == (dropbox.journal()[0].request_id,)

    def test_reads_every_page(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.page_size(20)
        dropbox.put(*[f"{ARCHIVE}/{number:04}.pdf" for number in range(41)])

        listing = gateway.list_directory(path=ARCHIVE)

        assert names(listing) == [f"{number:04}.pdf" for number in range(41)]
        assert dropbox.calls() == {LIST: 1, MORE: 2}
        assert len(set(listing.request_ids)) == 3

    def test_goes_on_after_an_empty_page(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/a.pdf")
        dropbox.empty_pages(2)

        assert names(gateway.list_directory(path=ARCHIVE)) == ["a.pdf"]

    def test_stays_in_the_directory(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/Runsheets/deep.pdf")

        assert names(gateway.list_directory(path=ARCHIVE)) == ["Runsheets"]

    def test_lists_the_root(self, gateway: Gateway) -> None:
        assert "Federal Workspace" in names(gateway.list_directory(path=""))

    def test_says_not_found(self, gateway: Gateway, dropbox: "Standin") -> None:
        with pytest.raises(errors.NotFound) as caught:
            gateway.list_directory(path=ARCHIVE)

        account = gateway.account
        assert caught.value.evidence == {
            "account": account.account_id,
            "path_root": account.root_namespace_id,
            "path": ARCHIVE,
            "route": LIST,
            "status": 409,
            "error": "path/not_found",
            "request_id": dropbox.journal()[0].request_id,
        }
        assert dropbox.calls() == {LIST: 1}

    def test_says_when_a_file_is_in_the_way(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(ARCHIVE)

        with pytest.raises(errors.NotADirectory):
            gateway.list_directory(path=ARCHIVE)

    @pytest.mark.parametrize("tags", [("path", "not_found"), ("reset",)])
    def test_tries_again_when_it_changes_between_two_pages(
        self, gateway: Gateway, dropbox: "Standin", tags: tuple[str, ...]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/a", f"{ARCHIVE}/b")
        dropbox.page_size(1)
        dropbox.fault(MORE, status=409, body=union(*tags))

        with pytest.raises(errors.DropboxUnavailable):
            gateway.list_directory(path=ARCHIVE)

    def test_takes_a_relative_path_for_a_mistake_of_ours(self, gateway: Gateway) -> None:
        with pytest.raises(ValueError, match="a path must be absolute and below the root: 'NMNM 1'"):
            gateway.list_directory(path="NMNM 1")


class TestMetadata:
    def test_describes_a_directory(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")

        found = gateway.metadata(path=ARCHIVE)

        assert (found.path, found.is_directory) == (ARCHIVE, True)
        assert dropbox.calls() == {METADATA: 1}

    def test_says_not_found(self, gateway: Gateway) -> None:
        with pytest.raises(errors.NotFound):
            gateway.metadata(path=ARCHIVE)


class TestCreateShareLink:
    def test_makes_a_link(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")

        link = gateway.create_share_link(path=ARCHIVE)

        assert link.url.startswith("http")
        assert (link.name, link.is_public, link.expires_at) == (ARCHIVE.rpartition("/")[2], True, None)
        assert link.file_id == gateway.metadata(path=ARCHIVE).file_id
        assert dropbox.calls() == {LINK: 1, METADATA: 1}

    def test_gives_the_link_that_exists(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        first = gateway.create_share_link(path=ARCHIVE)

        assert gateway.create_share_link(path=ARCHIVE) == first

        assert dropbox.calls() == {LINK: 2}

    def test_looks_for_the_link_that_dropbox_does_not_show(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        parent = gateway.create_share_link(path=ARCHIVE.rpartition("/")[0])
        first = gateway.create_share_link(path=ARCHIVE)
        dropbox.embed_existing(on=False)

        again = gateway.create_share_link(path=ARCHIVE)

        assert again == first
        assert again.url != parent.url
        assert dropbox.calls() == {LINK: 3, LINKS: 1}

    def test_tries_again_when_the_link_is_nowhere(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.fault(LINK, status=409, body=union("shared_link_already_exists"))

        with pytest.raises(errors.DropboxUnavailable):
            gateway.create_share_link(path=ARCHIVE)

    def test_tells_that_only_the_team_may_open_it(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.policy("team_only")

        assert not gateway.create_share_link(path=ARCHIVE).is_public

    @pytest.mark.parametrize("outcome", ["access_denied", "not_authorized", "email_not_verified", "banned_member"])
    def test_says_why_it_is_refused(self, gateway: Gateway, dropbox: "Standin", outcome: str) -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.policy(outcome)

        with pytest.raises(errors.LinkRefused) as caught:
            gateway.create_share_link(path=ARCHIVE)

        assert caught.value.reason.endswith(".")
        assert outcome in caught.value.evidence["error"]

    def test_says_when_the_kind_of_account_forbids_it(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.fault(LINK, status=403, body=union("invalid_account_type", "feature"))

        with pytest.raises(errors.LinkRefused, match="kind of Dropbox account"):
            gateway.create_share_link(path=ARCHIVE)

    def test_says_not_found(self, gateway: Gateway) -> None:
        with pytest.raises(errors.NotFound):
            gateway.create_share_link(path=ARCHIVE)

    @pytest.mark.parametrize("path", ["", "/", "NMNM 1"])
    def test_never_shares_the_root(self, gateway: Gateway, dropbox: "Standin", path: str) -> None:
        with pytest.raises(ValueError, match="a path must be absolute and below the root"):
            gateway.create_share_link(path=path)

        assert dropbox.calls() == {}


class TestCallBudget:
    def test_is_two_for_a_directory_with_a_new_link(self, operator: User, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")

        gateway = gateway_for(operator)
        gateway.list_directory(path=ARCHIVE)
        gateway.create_share_link(path=ARCHIVE)

        assert dropbox.calls() == {LIST: 1, LINK: 1}


class TestBeforeCall:
    def test_precedes_every_http_call(self, operator: User, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/a", f"{ARCHIVE}/b")
        dropbox.page_size(1)
        DropboxAccount.objects.update(access_token="", access_token_expires_at=None)
        made: list[int] = []

        gateway = gateway_for(operator, before_call=lambda: made.append(len(dropbox.journal())))
        gateway.list_directory(path=ARCHIVE)

        assert made == [0, 1, 2]

    @pytest.mark.parametrize("error", [SoftTimeLimit(), KeyError("ours")])
    def test_passes_on_what_it_raises(self, operator: User, dropbox: "Standin", error: BaseException) -> None:
        def stop() -> None:
            raise error

        with pytest.raises(type(error)):
            gateway_for(operator, before_call=stop).list_directory(path=ARCHIVE)

        assert dropbox.calls() == {}
