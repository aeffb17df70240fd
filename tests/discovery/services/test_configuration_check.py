"""What an administrator is told about a configuration; each trouble is one sentence and the next step."""

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from cloud.dropbox import pace
from cloud.models import CloudLocation, DropboxAccount
from discovery.services import configuration_check
from discovery.services.configuration_check import check_configuration
from leases.models import AgencyStorageConfig, Lease
from tests.cloud.dropbox.conftest import LINK, LIST, METADATA, TOKEN, union
from tests.discovery.services.conftest import bad, good
from tests.factories import ARCHIVE, BLM, give_dropbox

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

ACCOUNT = "users/get_current_account"
THERE = f"The folder “{BLM}” is there (Olivia Operator, team space) and holds 1 archive."
READABLE = "The archive “NMNM 0501759” can be read."
LINKS = "As far as Dropbox tells without making one, share links may be made; they open for anybody who has it."


class TestCheckConfiguration:
    def test_tells_what_is_well(self, operator: User, configuration: AgencyStorageConfig, archive: None) -> None:
        assert good(configuration, operator) == [THERE, READABLE, LINKS]
        assert bad(configuration, operator) == []

    def test_makes_no_link_and_changes_nothing(
        self, operator: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin"
    ) -> None:
        before = dropbox.tree()

        check_configuration(configuration=configuration, user=operator)

        token = dropbox.issue_tokens("olivia").access_token
        url = f"{dropbox.base_url}/2/sharing/list_shared_links"
        answer = requests.post(url, json={}, headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert answer.json()["links"] == []
        assert dropbox.tree() == before
        assert dropbox.calls() == {METADATA: 1, LIST: 2, LINK: 1, ACCOUNT: 1, "sharing/list_shared_links": 1}

    def test_counts_beyond_the_first_page(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(*[f"{BLM}/NMNM {number}/" for number in range(7)])
        dropbox.page_size(2)

        assert "holds 7 archives." in good(configuration, operator)[0]

    def test_can_be_run_twice(self, operator: User, configuration: AgencyStorageConfig, archive: None) -> None:
        assert good(configuration, operator) == good(configuration, operator)

    def test_says_that_it_is_switched_off(
        self, operator: User, configuration: AgencyStorageConfig, archive: None
    ) -> None:
        configuration.enabled = False

        assert bad(configuration, operator) == [
            "This configuration is switched off. Until it is switched on, every run for the agency fails."
        ]
        assert good(configuration, operator) == [THERE, READABLE, LINKS]


class TestBasePath:
    def test_is_not_there(self, operator: User, configuration: AgencyStorageConfig) -> None:
        configuration.runsheet_archive_base_path = "/Elsewhere"

        assert bad(configuration, operator) == [
            (
                "The folder “/Elsewhere” is not in your Dropbox (Olivia Operator, team space). Correct the path, or connect an "
                "account that can see the folder."
            )
        ]

    def test_is_not_in_a_personal_space(
        self, olivia: User, dropbox: "Standin", configuration: AgencyStorageConfig
    ) -> None:
        give_dropbox(olivia, dropbox, "ivan")

        assert "is not in your Dropbox (Ivan Individual, personal space)" in bad(configuration, olivia)[0]

    def test_is_a_file(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.delete(BLM)
        dropbox.put(BLM)

        assert bad(configuration, operator) == [f"“{BLM}” is a file. Name the folder that holds the archives."]

    def test_holds_nothing(self, operator: User, configuration: AgencyStorageConfig) -> None:
        assert bad(configuration, operator) == [
            (
                f"The folder “{BLM}” is there (Olivia Operator, team space), but holds no archive. Correct the path, unless it "
                "is new."
            )
        ]

    def test_holds_folders_that_are_none_of_leases(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        configuration.runsheet_archive_base_path = BLM.rpartition("/")[0]

        assert bad(configuration, operator) == [
            (
                "The folder “/Federal Workspace/^Runsheet Workspace” is there (Olivia Operator, team space), but no folder "
                "in it is named like a lease: “Runsheet Archive”. It may be a folder above the right one, or another one. Correct "
                "the path, unless that is as it should be."
            )
        ]

    def test_holds_none_of_the_archives_that_are_known(
        self, operator: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin"
    ) -> None:
        place = CloudLocation.objects.create(path=ARCHIVE)
        Lease.objects.create(agency="BLM", lease_number="NMNM 0501759", runsheet_directory=place)
        dropbox.put("/Other/2026/")
        configuration.runsheet_archive_base_path = "/Other"

        assert f"The archive found under “{BLM}” is not under “/Other”" in bad(configuration, operator)[0]
        assert not any("“/Other”" in text for text in good(configuration, operator))

    def test_is_withheld(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.fault(LIST, status=409, body=union("path", "restricted_content"))

        assert bad(configuration, operator) == [
            (
                "Dropbox withholds this content for legal reasons. Correct the path, or ask your Dropbox administrator; then "
                "test again."
            )
        ]

    @pytest.mark.parametrize("tag", ["not_found", "restricted_content"])
    def test_shows_archives_that_cannot_be_opened(
        self, operator: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin", tag: str
    ) -> None:
        dropbox.fault(LIST, path=ARCHIVE, status=409, body=union("path", tag))

        assert bad(configuration, operator) == [
            "The archive “NMNM 0501759” cannot be read with your Dropbox. Ask its owner to give you access, then test again."
        ]

    def test_says_where_the_way_ends(self, operator: User, configuration: AgencyStorageConfig) -> None:
        configuration.runsheet_archive_base_path = f"{BLM.rpartition('/')[0]}/Runsheets/Archive"

        assert bad(configuration, operator) == [
            (
                f"The folder “{configuration.runsheet_archive_base_path}” is not in your Dropbox (Olivia Operator, team space): "
                f"in “{BLM.rpartition('/')[0]}” there is no “Runsheets”. Correct the path, or connect an account that can see "
                "the folder."
            ),
        ]


class TestLinks:
    def test_may_not_be_made(
        self, operator: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin"
    ) -> None:
        dropbox.fault(LINK, status=409, body=union("settings_error", "not_authorized"))

        assert bad(configuration, operator) == [
            (
                "No share links: The Dropbox team's policy forbids this share link. Ask the Dropbox team's administrator; leases "
                "are found without."
            )
        ]

    def test_wait_for_the_address_to_be_verified(
        self, olivia: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin"
    ) -> None:
        self._let_account_say(dropbox, olivia, email_verified=False)

        assert bad(configuration, olivia) == [
            (
                "No share links: the e-mail address of this Dropbox account is not verified. Verify it at Dropbox, then test "
                "again."
            )
        ]

    @pytest.mark.usefixtures("archive")
    @pytest.mark.parametrize(
        ("policy", "audience"),
        [
            ("default_public", "anybody who has it"),
            ("default_team_only", "members of the team"),
            ("team_only", "members of the team"),
            ("default_no_one", "people who are invited"),
            ("something_new", "whom the team's policy says"),
        ],
    )
    def test_open_for_whom_the_team_says(
        self,
        olivia: User,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
        policy: str,
        audience: str,
    ) -> None:
        self._let_account_say(dropbox, olivia, policy=policy)

        assert (
            good(configuration, olivia)[-1]
            == f"As far as Dropbox tells without making one, share links may be made; they open for {audience}."
        )

    def test_of_a_personal_account_open_for_anybody(
        self, olivia: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        give_dropbox(olivia, dropbox, "ivan")
        dropbox.put(f"{ARCHIVE}/", home="ivan")

        assert good(configuration, olivia)[-1] == LINKS

    @staticmethod
    def _let_account_say(dropbox: "Standin", user: User, *, policy: str = "", **fields: Any) -> None:
        """Dropbox describes the account otherwise from now on."""
        give_dropbox(user, dropbox)
        token = dropbox.issue_tokens("olivia").access_token
        url = f"{dropbox.base_url}/2/{ACCOUNT}"
        account = requests.post(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).json() | fields
        if policy:
            account["team"]["sharing_policies"]["shared_link_create_policy"] = {".tag": policy}
        dropbox.fault(ACCOUNT, status=200, body=account, times=9)


class TestDropboxCannotBeAsked:
    def test_since_none_is_connected(self, olivia: User, configuration: AgencyStorageConfig) -> None:
        assert bad(configuration, olivia) == [
            "No Dropbox account is connected. The test uses yours: connect it under “Your Dropbox”, then test again."
        ]

    def test_since_it_was_revoked(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.revoke("olivia")

        assert bad(configuration, operator) == [
            "Dropbox has ended this connection. Connect Dropbox again under “Your Dropbox”, then test again."
        ]

    def test_since_it_was_lost_before(self, operator: User, configuration: AgencyStorageConfig) -> None:
        DropboxAccount.objects.update(needs_reconnect_reason="Dropbox has ended this connection. Connect again; it …")

        assert bad(configuration, operator) == [
            "Dropbox has ended this connection. Connect Dropbox again under “Your Dropbox”, then test again."
        ]

    def test_since_it_is_suspended(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.suspend("olivia")

        assert bad(configuration, operator) == [
            (
                "This Dropbox account is suspended. Ask your Dropbox administrator, or connect another account under “Your "
                "Dropbox”."
            )
        ]

    @pytest.mark.usefixtures("archive")
    @pytest.mark.parametrize(
        ("granted", "lacking"),
        [
            (["account_info.read", "sharing.write", "sharing.read"], "files.metadata.read"),
            (["account_info.read", "files.metadata.read", "sharing.read"], "sharing.write"),
        ],
    )
    def test_since_a_permission_is_lacking(
        self,
        operator: User,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
        granted: list[str],
        lacking: str,
    ) -> None:
        dropbox.scopes("olivia", granted)

        assert bad(configuration, operator) == [
            f"The connection lacks the permission {lacking}. Connect Dropbox again under “Your Dropbox”, then test again."
        ]

    def test_since_no_key_opens_the_tokens(
        self, operator: User, configuration: AgencyStorageConfig, settings: Settings
    ) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        assert (
            "Ask for that key in TOKEN_ENCRYPTION_KEYS, or connect Dropbox again; then test again."
            in bad(configuration, operator)[0]
        )

    def test_since_it_asks_to_slow_down(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.fault(METADATA, status=429, headers={"Retry-After": "30"})

        assert bad(configuration, operator) == ["Dropbox asks us to slow down. Test again in a minute."]

    def test_since_it_is_away(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.fault(LIST, status=503)

        assert bad(configuration, operator) == [
            "Dropbox could not be reached or gave no proper answer. Test again in a minute."
        ]

    @pytest.mark.usefixtures("archive")
    @pytest.mark.parametrize("slow", [LIST, METADATA, TOKEN])
    def test_since_it_takes_too_long(
        self,
        operator: User,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
        monkeypatch: pytest.MonkeyPatch,
        slow: str,
    ) -> None:
        monkeypatch.setattr(configuration_check, "LONGEST_S", 0.4)
        DropboxAccount.objects.update(access_token_expires_at=None)
        dropbox.fault(slow, kind="delay", delay_s=0.6)

        assert bad(configuration, operator) == ["Dropbox takes too long. Test again in a minute."]

    @pytest.mark.usefixtures("archive")
    @pytest.mark.parametrize("slow", [LIST, METADATA, TOKEN])
    def test_since_it_answers_byte_by_byte(
        self,
        operator: User,
        configuration: AgencyStorageConfig,
        dropbox: "Standin",
        monkeypatch: pytest.MonkeyPatch,
        slow: str,
    ) -> None:
        monkeypatch.setattr(configuration_check, "LONGEST_S", 0.4)
        DropboxAccount.objects.update(access_token_expires_at=None)
        dropbox.fault(slow, kind="dribble", interval_s=0.1)

        started = time.monotonic()
        (sentence,) = bad(configuration, operator)

        assert time.monotonic() - started < 3
        assert sentence.endswith("Test again in a minute.")

    def test_since_others_use_the_account_as_fast_as_is_allowed(
        self,
        operator: User,
        configuration: AgencyStorageConfig,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
    ) -> None:
        """Its turn would come, but later than anybody waits for."""
        monkeypatch.setattr(configuration_check, "LONGEST_S", 0.4)
        settings.DROPBOX_CALLS_PER_S = 1
        pace.wait_turn(DropboxAccount.objects.get().account_id)

        assert bad(configuration, operator) == [
            "This Dropbox account is asked as often as our ceiling allows. Test again in a minute."
        ]

    def test_since_it_does_not_know_the_app(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin", settings: Settings
    ) -> None:
        DropboxAccount.objects.update(access_token_expires_at=None)
        settings.DROPBOX_APP_SECRET = "wrong"

        assert bad(configuration, operator) == [
            "Dropbox does not know this app. Correct DROPBOX_APP_KEY and DROPBOX_APP_SECRET, then test again."
        ]
        assert dropbox.calls() == {TOKEN: 1}

    def test_since_the_settings_lead_nowhere(
        self, operator: User, configuration: AgencyStorageConfig, settings: Settings
    ) -> None:
        settings.DROPBOX_BASE_URL = "http://dropbox.example.com"

        assert "DROPBOX_BASE_URL" in bad(configuration, operator)[0]
