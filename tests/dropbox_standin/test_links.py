from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.sharing import (
    FileLinkMetadata,
    FolderLinkMetadata,
    LinkAudience,
    RequestedLinkAccessLevel,
    RequestedVisibility,
    SharedLinkSettings,
)

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import at_root, raw_call, sdk

OUTCOMES = ("access_denied", "email_not_verified", "banned_member", "too_many_shared_folders")


@pytest.fixture
def archive(standin: Standin) -> str:
    standin.put("/Archive/NMNM 1/report.pdf")
    return "/Archive/NMNM 1"


@pytest.fixture
def ivan(standin: Standin) -> Dropbox:
    standin.put("/Taxes/", home="ivan")
    return sdk(standin, "ivan")


class TestCreateSharedLink:
    def test_makes_a_link_for_a_folder(self, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(archive.upper())

        assert isinstance(link, FolderLinkMetadata)
        assert (link.name, link.path_lower) == ("NMNM 1", "/archive/nmnm 1")
        assert link.link_permissions.effective_audience.is_public()

    def test_makes_a_link_for_a_file(self, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(f"{archive}/report.pdf")

        assert isinstance(link, FileLinkMetadata)

    def test_brings_the_existing_link_along(self, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(archive)

        error = refusal(team, archive)

        assert error.get_shared_link_already_exists().get_metadata().url == link.url

    def test_leaves_the_existing_link_out_when_settings_were_asked_for(self, team: Dropbox, archive: str) -> None:
        team.sharing_create_shared_link_with_settings(archive)

        error = refusal(team, archive, SharedLinkSettings(audience=LinkAudience.public))

        assert error.is_shared_link_already_exists()
        assert error.get_shared_link_already_exists() is None

    def test_leaves_the_existing_link_out_when_so_ordered(self, standin: Standin, team: Dropbox, archive: str) -> None:
        team.sharing_create_shared_link_with_settings(archive)
        standin.embed_existing(on=False)

        assert refusal(team, archive).get_shared_link_already_exists() is None

    def test_gives_each_person_a_link_of_their_own(self, standin: Standin, team: Dropbox, archive: str) -> None:
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        urls = {client.sharing_create_shared_link_with_settings(archive).url for client in (team, paul)}

        assert len(urls) == 2

    def test_says_what_is_not_there(self, team: Dropbox) -> None:
        assert refusal(team, "/missing").get_path().is_not_found()

    def test_leads_to_a_page_that_shows_the_folder(self, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(archive)

        page = requests.get(link.url, timeout=10)
        file = requests.get(team.sharing_create_shared_link_with_settings(f"{archive}/report.pdf").url, timeout=10)

        assert (page.status_code, file.status_code) == (200, 200)
        assert "report.pdf" in page.text
        assert "A file of" in file.text


class TestPolicy:
    def test_of_the_team_forbids_nora_every_link(self, standin: Standin, archive: str) -> None:
        nora = at_root(sdk(standin, "nora"), standin.account("nora"))

        assert refusal(nora, archive).is_access_denied()

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_may_refuse_for_each_reason(self, standin: Standin, team: Dropbox, archive: str, outcome: str) -> None:
        standin.policy(outcome)

        assert refusal(team, archive)._tag == outcome

    @pytest.mark.parametrize("outcome", ["not_authorized", "invalid_settings"])
    def test_may_refuse_the_settings(self, standin: Standin, team: Dropbox, archive: str, outcome: str) -> None:
        standin.policy(outcome, account="olivia")

        assert refusal(team, archive).get_settings_error()._tag == outcome

    def test_of_a_path_covers_what_is_beneath_and_nothing_else(
        self, standin: Standin, team: Dropbox, archive: str
    ) -> None:
        standin.put("/Archive/NMNM 11/")
        standin.policy("access_denied", path="/archive/nmnm 1")

        assert refusal(team, f"{archive}/report.pdf").is_access_denied()
        assert team.sharing_create_shared_link_with_settings("/Archive/NMNM 11").url

    def test_may_narrow_the_link_to_the_team(self, standin: Standin, team: Dropbox, archive: str) -> None:
        standin.policy("team_only")

        link = team.sharing_create_shared_link_with_settings(archive)

        assert link.link_permissions.resolved_visibility.is_team_only()
        assert not lookup(sdk(standin, "ivan"), link.url)
        assert lookup(sdk(standin, "paul"), link.url)

    def test_makes_an_exception_when_it_comes_later(self, standin: Standin, team: Dropbox, archive: str) -> None:
        standin.policy("access_denied")
        standin.policy("allow", path=archive)

        assert team.sharing_create_shared_link_with_settings(archive).url

    def test_asks_for_a_verified_address(self, standin: Standin) -> None:
        standin.create_account("mia", email_verified=False)
        standin.put("/A/", home="mia")

        assert refusal(sdk(standin, "mia"), "/A").is_email_not_verified()


class TestSettings:
    def test_are_refused_to_a_basic_account(self, standin: Standin, ivan: Dropbox) -> None:
        tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)

        error = refusal(ivan, "/Taxes", SharedLinkSettings(expires=tomorrow))

        assert error.get_settings_error().is_not_authorized()

    def test_may_let_the_link_expire(self, standin: Standin, team: Dropbox, archive: str) -> None:
        tomorrow = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(days=1)
        link = team.sharing_create_shared_link_with_settings(archive, SharedLinkSettings(expires=tomorrow))
        assert link.expires == tomorrow
        standin.advance_clock(2 * 86_400)

        assert not lookup(sdk(standin), link.url)

    def test_refuse_an_expiry_in_the_past(self, team: Dropbox, archive: str) -> None:
        error = refusal(team, archive, SharedLinkSettings(expires=datetime(2020, 1, 1)))  # noqa: DTZ001 - as the SDK wants it

        assert error.get_settings_error().is_invalid_settings()

    def test_may_keep_the_link_in_the_team(self, team: Dropbox, archive: str) -> None:
        settings = SharedLinkSettings(requested_visibility=RequestedVisibility.team_only)

        link = team.sharing_create_shared_link_with_settings(archive, settings)

        assert link.link_permissions.effective_audience.is_team()

    @pytest.mark.parametrize(
        "settings",
        [SharedLinkSettings(audience=LinkAudience.team), SharedLinkSettings(require_password=True)],
        ids=["team", "password"],
    )
    def test_must_fit_the_account_and_each_other(self, standin: Standin, settings: SharedLinkSettings) -> None:
        standin.create_account("mia")
        standin.put("/A/", home="mia")

        error = refusal(sdk(standin, "mia"), "/A", settings)

        assert error.get_settings_error().is_invalid_settings()

    @pytest.mark.parametrize(
        "settings",
        [{}, {"require_password": None}, {"requested_visibility": "password"}, {"audience": "password"}],
    )
    def test_that_say_nothing_or_not_enough_are_invalid(self, standin: Standin, settings: dict[str, object]) -> None:
        standin.put("/A/", home="olivia")

        response = raw_call(
            standin, "sharing/create_shared_link_with_settings", json={"path": "/A", "settings": settings}
        )

        assert response.status_code == 409
        assert response.json()["error_summary"].startswith("settings_error/invalid_settings")

    @pytest.mark.parametrize(
        "settings",
        [
            SharedLinkSettings(requested_visibility=RequestedVisibility.password, link_password="open"),
            SharedLinkSettings(audience=LinkAudience.password, link_password="open"),
            SharedLinkSettings(require_password=True, link_password="open"),
            SharedLinkSettings(link_password="open"),
        ],
        ids=["visibility", "audience", "required", "given"],
    )
    def test_may_ask_for_a_password(self, team: Dropbox, archive: str, settings: SharedLinkSettings) -> None:
        permissions = team.sharing_create_shared_link_with_settings(archive, settings).link_permissions

        assert permissions.resolved_visibility.is_password()
        assert permissions.requested_visibility.is_password()
        assert permissions.require_password

    def test_may_ask_for_the_team_and_a_password(self, team: Dropbox, archive: str) -> None:
        settings = SharedLinkSettings(audience=LinkAudience.team, link_password="open")

        permissions = team.sharing_create_shared_link_with_settings(archive, settings).link_permissions

        assert permissions.resolved_visibility.is_team_and_password()

    @pytest.mark.parametrize(
        "settings",
        [
            SharedLinkSettings(requested_visibility=RequestedVisibility.team_only),
            SharedLinkSettings(require_password=True, link_password="open"),
        ],
        ids=["team_only", "password"],
    )
    def test_of_a_basic_account_are_few(self, ivan: Dropbox, settings: SharedLinkSettings) -> None:
        assert refusal(ivan, "/Taxes", settings).get_settings_error().is_not_authorized()

    def test_of_a_basic_account_may_say_that_it_wants_no_password(self, ivan: Dropbox) -> None:
        link = ivan.sharing_create_shared_link_with_settings("/Taxes", SharedLinkSettings(require_password=False))

        assert not link.link_permissions.require_password

    @pytest.mark.parametrize(
        ("access", "level"),
        [
            (RequestedLinkAccessLevel.viewer, "viewer"),
            (RequestedLinkAccessLevel.editor, "editor"),
            (RequestedLinkAccessLevel.max, "editor"),
            (RequestedLinkAccessLevel.default, "viewer"),
        ],
    )
    def test_may_let_a_folder_be_edited(
        self, team: Dropbox, archive: str, access: RequestedLinkAccessLevel, level: str
    ) -> None:
        link = team.sharing_create_shared_link_with_settings(archive, SharedLinkSettings(access=access))

        assert link.link_permissions.link_access_level._tag == level

    def test_do_not_let_a_file_be_edited(self, team: Dropbox, archive: str) -> None:
        settings = SharedLinkSettings(access=RequestedLinkAccessLevel.editor)

        assert refusal(team, f"{archive}/report.pdf", settings).get_settings_error().is_invalid_settings()


class TestListSharedLinks:
    def test_finds_the_direct_link_only(self, team: Dropbox, archive: str) -> None:
        team.sharing_create_shared_link_with_settings("/Archive")
        direct = team.sharing_create_shared_link_with_settings(archive)

        assert [link.url for link in team.sharing_list_shared_links(archive, direct_only=True).links] == [direct.url]
        assert len(team.sharing_list_shared_links(archive).links) == 2

    def test_shows_nobody_elses_links(self, standin: Standin, team: Dropbox, archive: str) -> None:
        team.sharing_create_shared_link_with_settings(archive)
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        assert paul.sharing_list_shared_links(archive, direct_only=True).links == []

    @pytest.mark.long
    def test_without_a_path_pages_through_all_of_the_namespace(
        self, standin: Standin, home: Dropbox, team: Dropbox
    ) -> None:
        standin.put(*(f"/A/{number}/" for number in range(202)))
        links = [team.sharing_create_shared_link_with_settings(f"/A/{number}") for number in range(202)]
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        first = team.sharing_list_shared_links()
        team.sharing_revoke_shared_link(links[0].url)
        second = team.sharing_list_shared_links(cursor=first.cursor)

        assert (len(first.links), first.has_more, second.has_more) == (200, True, False)
        assert [link.url for link in second.links] == [links[200].url, links[201].url], "it keeps its place"
        assert home.sharing_list_shared_links().links == []
        for other in (paul, home):
            with pytest.raises(ApiError) as caught:
                other.sharing_list_shared_links(cursor=first.cursor)
            assert caught.value.error.is_reset()

    def test_says_what_is_not_there(self, team: Dropbox) -> None:
        with pytest.raises(ApiError) as caught:
            team.sharing_list_shared_links("/missing", direct_only=True)

        assert caught.value.error.get_path().is_not_found()

    def test_answers_reset_for_a_strange_cursor(self, team: Dropbox) -> None:
        with pytest.raises(ApiError) as caught:
            team.sharing_list_shared_links(cursor="strange")

        assert caught.value.error.is_reset()


class TestRevokeSharedLink:
    def test_ends_the_link_and_makes_room_for_another(self, team: Dropbox, archive: str) -> None:
        old = team.sharing_create_shared_link_with_settings(archive)

        team.sharing_revoke_shared_link(old.url)

        assert not lookup(team, old.url)
        assert team.sharing_create_shared_link_with_settings(archive).url != old.url

    def test_is_refused_to_others(self, standin: Standin, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(archive)

        with pytest.raises(ApiError) as caught:
            sdk(standin, "paul").sharing_revoke_shared_link(link.url)

        assert caught.value.error.is_shared_link_access_denied()


class TestGetSharedLinkMetadata:
    def test_tells_where_a_link_leads(self, standin: Standin, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(archive)

        paul = at_root(sdk(standin, "paul"), standin.account("paul"))
        for other in (sdk(standin, "ivan"), paul):
            seen = other.sharing_get_shared_link_metadata(link.url)
            assert (seen.name, seen.path_lower) == ("NMNM 1", None), "only who made it learns a path"
        assert team.sharing_get_shared_link_metadata(link.url).path_lower == archive.lower()

    def test_finds_nothing_once_the_folder_is_gone(self, standin: Standin, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(archive)
        standin.delete(archive)

        assert not lookup(team, link.url)
        assert requests.get(link.url, timeout=10).status_code == 404

    def test_follows_a_path_within_the_link(self, standin: Standin, team: Dropbox, archive: str) -> None:
        link = team.sharing_create_shared_link_with_settings(archive)

        inside = team.sharing_get_shared_link_metadata(link.url, path="/REPORT.pdf")

        assert (inside.name, inside.url) == ("report.pdf", link.url)
        with pytest.raises(ApiError):
            team.sharing_get_shared_link_metadata(link.url, path="/missing")

    def test_asks_for_the_password(self, team: Dropbox, archive: str) -> None:
        settings = SharedLinkSettings(require_password=True, link_password="open")
        link = team.sharing_create_shared_link_with_settings(archive, settings)

        assert not lookup(team, link.url)
        assert team.sharing_get_shared_link_metadata(link.url, link_password="open").url == link.url


def refusal(client: Dropbox, path: str, settings: SharedLinkSettings | None = None) -> Any:
    with pytest.raises(ApiError) as caught:
        client.sharing_create_shared_link_with_settings(path, settings)
    return caught.value.error


def lookup(client: Dropbox, url: str) -> bool:
    """Whether the link can be followed."""
    try:
        client.sharing_get_shared_link_metadata(url)
    except ApiError as caught:
        if caught.error.is_shared_link_not_found() or caught.error.is_shared_link_access_denied():
            return False
        raise
    return True
