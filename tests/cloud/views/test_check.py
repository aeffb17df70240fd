"""Right after connecting, and at a button, one is told which agencies' folders one's Dropbox sees."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from cloud.models import DropboxAccount
from discovery import dependants
from discovery.dependants import Leases
from leases.models import AgencyStorageConfig
from tests.cloud.dropbox.conftest import METADATA
from tests.cloud.views.conftest import HERE, LEASES, connect
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

CHECK = f"{HERE}check/"
SEEN = f"BLM: The folder “{BLM}” is there (Olivia Operator, team space) and holds 1 archive."
BUTTON = "Check which folders it sees"


@pytest.fixture(autouse=True)
def _configured(browser: Client, dropbox: "Standin") -> None:
    dropbox.put(f"{ARCHIVE}/")
    AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BLM, documents_base_path=BLM, misc_index_base_path=BLM
    )


def told(page: Any) -> list[tuple[str, str]]:
    return [(each.level_tag, str(each)) for each in page.context["messages"]]


class TestAfterConnecting:
    def test_is_told_what_is_seen(self, browser: Client) -> None:
        page = browser.get(connect(browser, next_path=LEASES)["Location"])

        assert told(page) == [("success", "Dropbox is connected as Olivia Operator."), ("success", SEEN)]

    def test_is_told_at_once_that_it_is_the_wrong_account(self, browser: Client) -> None:
        connected, wrong = told(browser.get(connect(browser, account="ivan")["Location"]))

        assert connected == ("success", "Dropbox is connected as Ivan Individual.")
        assert wrong[0] == "warning"
        assert wrong[1].startswith("None of the agencies' folders (BLM) is seen with this account")

    def test_stays_connected_when_dropbox_cannot_be_asked(self, browser: Client, dropbox: "Standin") -> None:
        dropbox.fault(METADATA, status=503)

        page = browser.get(connect(browser)["Location"])

        assert "could not be looked at to the end" in told(page)[1][1]
        assert DropboxAccount.objects.get().needs_reconnect_reason == ""

    def test_stays_connected_whatever_fails(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else what was granted would be given back, though it is stored."""
        monkeypatch.setattr(dependants, "check_account", lambda **_: 1 / 0)

        page = browser.get(connect(browser)["Location"])

        assert told(page) == [("success", "Dropbox is connected as Olivia Operator."), ("warning", Leases.sight.failed)]
        monkeypatch.undo()
        assert told(browser.post(CHECK, follow=True)) == [("success", SEEN)]

    def test_is_told_nothing_where_no_agency_is_configured(self, browser: Client) -> None:
        AgencyStorageConfig.objects.all().delete()

        assert len(told(browser.get(connect(browser)["Location"]))) == 1


class TestButton:
    def test_looks_again(self, browser: Client, dropbox: "Standin") -> None:
        browser.get(connect(browser)["Location"])
        dropbox.sight("olivia", BLM, "no_access")

        page = browser.post(CHECK, follow=True)

        assert page.redirect_chain == [(HERE, 302)]
        assert "is there, but may not be opened with your Dropbox" in told(page)[0][1]
        assert BUTTON in page.text

    def test_says_when_there_is_nothing_to_look_for(self, browser: Client) -> None:
        AgencyStorageConfig.objects.all().delete()

        assert told(browser.post(CHECK, follow=True)) == [("info", Leases.sight.nothing)]

    def test_is_there_for_who_has_one(self, browser: Client) -> None:
        assert BUTTON not in browser.get(HERE).text

    def test_is_for_who_may_run_leases(self, browser: Client, olivia: User) -> None:
        connect(browser)
        User.objects.update(is_superuser=False)
        olivia.user_permissions.set(Permission.objects.filter(codename="view_lease"))

        assert browser.post(CHECK).status_code == 403
        assert BUTTON not in browser.get(HERE).text
