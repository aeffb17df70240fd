"""The button “Test this configuration”: what is typed is looked at, and nothing of it is lost."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from cloud import addresses
from discovery.admin import configurations, drafts
from leases.models import AgencyStorageConfig
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

BUTTON = "Test this configuration"
ADD = "/admin/leases/agencystorageconfig/add/"
PATHS = ("runsheet_archive_base_path", "documents_base_path", "misc_index_base_path")
FORM = {"agency": "BLM", "enabled": "on", "watched": "on", "poll_minutes": "5", **dict.fromkeys(PATHS, BLM)}


@pytest.fixture
def configuration(db: None) -> AgencyStorageConfig:
    return AgencyStorageConfig.objects.create(agency="BLM", **dict.fromkeys(PATHS, BLM))


@pytest.fixture
def url(configuration: AgencyStorageConfig) -> str:
    return reverse("admin:leases_agencystorageconfig_change", args=[configuration.pk])


@pytest.fixture
def page(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def looked_at(page: Client, url: str, **typed: str) -> Any:
    """The page that the button leads to."""
    return page.post(url, {**FORM, **typed, "_test": "1"}, follow=True)


def found(answer: Any) -> list[str]:
    return [each.text for each in answer.context["draft"].findings]


def values(answer: Any) -> dict[str, Any]:
    """What stands in the boxes."""
    form = answer.context["adminform"].form
    return {name: form[name].value() for name in form.fields}


class TestButton:
    def test_says_what_was_seen(self, page: Client, url: str, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")

        answer = looked_at(page, url)

        assert [(each.text, each.is_good) for each in answer.context["draft"].findings] == [
            (f"The folder “{BLM}” is there (Olivia Operator, team space) and holds 1 archive.", True),
            ("The archive “NMNM 0501759” can be read.", True),
            (
                "As far as Dropbox tells without making one, share links may be made; they open for anybody who has it.",
                True,
            ),
        ]
        assert all(text in answer.text for text in found(answer))

    def test_looks_at_what_is_typed_and_not_at_what_is_saved(self, page: Client, url: str) -> None:
        answer = looked_at(page, url, runsheet_archive_base_path="/Typed")

        assert found(answer)[0].startswith("The folder “/Typed” is not in your Dropbox")

    def test_saves_nothing(self, page: Client, url: str) -> None:
        before = AgencyStorageConfig.objects.values().get()

        looked_at(page, url, runsheet_archive_base_path="/Typed", agency="NMSLO")

        assert AgencyStorageConfig.objects.values().get() == before

    def test_loses_nothing_that_is_typed(self, page: Client, url: str) -> None:
        typed = {**dict(zip(PATHS, ["/Typed", "/Documents", "no path"], strict=True)), "agency": "NMSLO"}

        answer = page.post(url, {**typed, "_test": "1"}, follow=True)

        shown = {**typed, "enabled": False, "watched": False, "poll_minutes": None, "makes_archives": False}
        assert values(answer) == shown
        assert values(page.get(answer.redirect_chain[-1][0])) == shown

    def test_says_beside_it_what_is_wrong_in_the_form(self, page: Client, url: str) -> None:
        answer = looked_at(page, url, runsheet_archive_base_path="no path", documents_base_path="/Documents")

        assert "A path begins with a slash: write “/no path”." in answer.text
        assert [text[:40] for text in found(answer)] == [
            "The folder of the documents, “/Documents",
            f"The folder of the miscellaneous index, “{BLM}"[:40],
        ]

    def test_says_so_where_there_is_nothing_to_look_at(self, page: Client, url: str, dropbox: "Standin") -> None:
        answer = looked_at(page, url, **dict.fromkeys(PATHS, ""))

        assert "Nobody has looked, since no folder is written as one." in answer.text
        assert "This field is required." in answer.text
        assert dropbox.calls() == {}

    def test_is_there_before_anything_is_saved(self, page: Client, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        assert BUTTON in page.get(ADD).text

        answer = looked_at(page, f"{ADD}?agency=BLM")

        assert found(answer)[0].endswith("and holds 1 archive.")
        assert values(answer) == {**FORM, "enabled": True, "watched": True, "makes_archives": False}
        assert answer.redirect_chain[-1][0].startswith(f"{ADD}?agency=BLM&typed=")
        assert not AgencyStorageConfig.objects.exists()

    def test_shows_a_pasted_address_as_the_path_that_it_is(self, page: Client, url: str, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        pasted = "https://www.dropbox.com/home/Federal%20Workspace/%5ERunsheet%20Workspace/Runsheet%20Archive?preview=a"

        answer = looked_at(page, url, runsheet_archive_base_path=pasted)

        assert values(answer)["runsheet_archive_base_path"] == BLM
        assert found(answer)[0].endswith("and holds 1 archive.")

    def test_takes_an_address_that_is_longer_than_a_path(self, page: Client, url: str) -> None:
        answer = looked_at(page, url, documents_base_path="https://www.dropbox.com/home/" + "%C3%91" * 400)

        assert values(answer)["documents_base_path"] == "/" + "Ñ" * 400

    def test_never_shortens_what_is_too_long_to_something_else(self, page: Client, url: str) -> None:
        pasted = "https://www.dropbox.com/home/" + "%C3%91" * addresses.ADDRESS_LENGTH

        answer = looked_at(page, url, documents_base_path=pasted)

        assert "documents_base_path" in answer.context["adminform"].form.errors

    def test_says_that_somebody_else_has_saved_meanwhile(self, page: Client, url: str) -> None:
        opened = {f"initial-{name}": value for name, value in {**FORM, "enabled": "True"}.items()}
        AgencyStorageConfig.objects.update(documents_base_path="/Theirs")

        answer = looked_at(page, url, misc_index_base_path="/Mine", **opened)

        assert "It is now: Folder of the documents “/Theirs”." in answer.text
        assert values(answer)["misc_index_base_path"] == "/Mine"

    def test_shows_names_of_dropbox_as_text(self, page: Client, url: str, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/<script>alert(1)</script>/")

        answer = looked_at(page, url)

        assert "<script>alert(1)" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text

    def test_stands_behind_the_one_that_saves(self, page: Client, url: str) -> None:
        """Who presses Enter presses the first."""
        text = page.get(url).text

        assert text.index('name="_save"') < text.index('name="_test"')

    def test_asks_nobody_by_get(self, page: Client, url: str, dropbox: "Standin") -> None:
        page.get(url, {"_test": "1"})

        assert dropbox.calls() == {}

    def test_of_a_configuration_that_is_gone_leads_to_the_list(
        self, page: Client, url: str, configuration: AgencyStorageConfig
    ) -> None:
        configuration.delete()

        assert "Perhaps it was deleted?" in page.post(url, {**FORM, "_test": "1"}, follow=True).text

    def test_is_for_who_may_change_it(self, client: Client, url: str, dropbox: "Standin") -> None:
        victor = User.objects.create_user("victor", is_staff=True)
        victor.user_permissions.set(Permission.objects.filter(codename="view_agencystorageconfig"))
        client.force_login(victor)

        assert client.post(url, {**FORM, "_test": "1"}).status_code == 403
        assert client.post(ADD, {**FORM, "_test": "1"}).status_code == 403
        assert BUTTON not in client.get(url).text
        assert dropbox.calls() == {}

    def test_leads_nobody_past_the_login(self, client: Client, url: str) -> None:
        assert "/login/" in client.post(url, {**FORM, "_test": "1"})["Location"]


class TestWhatWasTyped:
    def test_can_be_gone_on_with_from_the_page_as_it_is_saved(self, page: Client, url: str) -> None:
        typed_at = looked_at(page, url, runsheet_archive_base_path="/Typed").redirect_chain[-1][0]

        saved = page.get(url)

        assert values(saved)["runsheet_archive_base_path"] == BLM
        assert f'href="{typed_at}">Go on with it</a>' in saved.text

    def test_is_not_spoken_of_where_it_is_what_is_saved(self, page: Client, url: str) -> None:
        looked_at(page, url)

        assert "Go on with it" not in page.get(url).text

    def test_is_of_its_page_only(self, page: Client, url: str) -> None:
        name = looked_at(page, url, runsheet_archive_base_path="/Typed").context["draft"].name

        answer = page.get(ADD, {"typed": name}, follow=True)

        assert "/Typed" not in answer.text
        assert configurations.GONE in answer.text

    def test_is_of_its_session_only(self, page: Client, url: str, operator: User) -> None:
        address = looked_at(page, url, runsheet_archive_base_path="/Typed").redirect_chain[-1][0]
        another = Client()
        another.force_login(operator)

        answer = another.get(address, follow=True)

        assert "/Typed" not in answer.text
        assert configurations.GONE in answer.text

    def test_is_kept_for_the_newest_only(self, page: Client, url: str) -> None:
        for number in range(5):
            looked_at(page, url, runsheet_archive_base_path=f"/Typed {number}")

        assert len(page.session[drafts.KEPT]) == drafts.KEPT_AT_MOST
        assert "/Typed 4" in str(page.session[drafts.KEPT][0]["typed"])

    def test_is_kept_for_an_hour(self, page: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        address = looked_at(page, url, runsheet_archive_base_path="/Typed").redirect_chain[-1][0]
        monkeypatch.setattr(drafts, "LASTS_S", -1)

        assert configurations.GONE in page.get(address, follow=True).text
