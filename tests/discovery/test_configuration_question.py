"""Another place for an agency's archives is asked about before it counts, and the history shows it."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils.html import escape

from cloud.models import DropboxAccount
from discovery.admin import configurations, drafts
from discovery.services import configuration_check
from leases.models import AgencyStorageConfig, Lease
from tests.configuring import confirm, save
from tests.discovery.test_configuration_admin import ADD, FORM, PATHS, values
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropbox_standin.client import Standin

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

NEW = "/Federal Workspace/New Archive"


@pytest.fixture
def configuration(db: None) -> AgencyStorageConfig:
    return AgencyStorageConfig.objects.create(agency="BLM", **dict.fromkeys(PATHS, BLM))


@pytest.fixture
def url(configuration: AgencyStorageConfig) -> str:
    return f"/admin/leases/agencystorageconfig/{configuration.pk}/change/"


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def pressed(console: Client, url: str, **typed: str) -> Any:
    """The question that “Save” leads to."""
    answer = console.post(url, {**FORM, **typed}, follow=True)
    assert "question=" in answer.redirect_chain[-1][0]
    return answer


def is_safe_first(answer: Any) -> bool:
    """Whether the button that stands out saves nothing."""
    safe, risky = ">Go back and change it</a>", '<button type="submit" class="button is-second">Save it all the same<'
    return f'<a class="button" href="{escape(answer.context["back"])}"{safe}' in answer.text and risky in answer.text


def saved() -> tuple[str, ...]:
    return tuple(AgencyStorageConfig.objects.values_list(*PATHS).get())


class TestQuestion:
    @pytest.mark.parametrize("field", PATHS)
    def test_is_asked_before_another_path_counts(self, console: Client, url: str, field: str) -> None:
        answer = pressed(console, url, **{field: NEW})

        assert f"<del>{BLM}</del><br>" in answer.text
        assert f"<ins>{NEW}</ins>" in answer.text
        assert saved() == (BLM, BLM, BLM)

    def test_is_asked_before_it_becomes_another_agencys(self, console: Client, url: str) -> None:
        answer = pressed(console, url, agency="NMSLO")

        assert "<del>BLM</del>" in answer.text
        assert AgencyStorageConfig.objects.get().agency == "BLM"

    def test_is_asked_before_there_is_one(self, console: Client) -> None:
        answer = pressed(console, ADD)

        assert f"<ins>{BLM}</ins>" in answer.text
        assert "<del>" not in answer.text
        assert not AgencyStorageConfig.objects.exists()

    @pytest.mark.parametrize(
        "same",
        [
            f"{BLM}/",
            f" /{BLM} ",
            "https://www.dropbox.com/home/Federal%20Workspace/%5ERunsheet%20Workspace/Runsheet%20Archive",
        ],
    )
    def test_is_not_asked_about_another_way_to_write_the_same(self, console: Client, url: str, same: str) -> None:
        answer = console.post(url, {**FORM, "runsheet_archive_base_path": same})

        assert answer["Location"] == "/admin/leases/agencystorageconfig/"
        assert saved() == (BLM, BLM, BLM)

    def test_is_not_asked_about_a_switch(self, console: Client, url: str, dropbox: "Standin") -> None:
        console.post(url, dict.fromkeys(PATHS, BLM) | {"agency": "BLM", "watched": "on", "poll_minutes": "5"})

        assert not AgencyStorageConfig.objects.get().enabled
        assert dropbox.calls() == {}

    def test_says_what_is_there(self, console: Client, url: str, dropbox: "Standin") -> None:
        answer = pressed(console, url, runsheet_archive_base_path=NEW)

        assert f"The folder “{NEW}” is not in your Dropbox" in answer.text
        assert drafts.NOT_RIGHT in answer.text
        assert is_safe_first(answer)

    def test_says_when_all_is_well(self, console: Client, url: str, dropbox: "Standin") -> None:
        dropbox.put(f"{NEW}/NMNM 1/", f"{BLM}/")

        answer = pressed(console, url, runsheet_archive_base_path=NEW)

        assert "and holds 1 archive." in answer.text
        assert '<button type="submit" class="button">Save it</button>' in answer.text
        assert drafts.NOT_RIGHT not in answer.text

    def test_colours_nothing_for_want_of_what_discovery_does_not_need(
        self, console: Client, url: str, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{NEW}/NMNM 1/")

        answer = pressed(console, url, runsheet_archive_base_path=NEW, documents_base_path="/Nowhere")

        assert "The folder of the documents" in answer.text
        assert any(each.is_note for each in answer.context["draft"].findings)
        assert "dropbox-problem" not in answer.text
        assert drafts.NOT_RIGHT not in answer.text
        assert '<button type="submit" class="button">Save it</button>' in answer.text

    def test_says_that_nobody_could_look(self, console: Client, url: str) -> None:
        DropboxAccount.objects.all().delete()

        answer = pressed(console, url, runsheet_archive_base_path=NEW)

        assert drafts.NOBODY_LOOKED in answer.text
        assert "No Dropbox account is connected." in answer.text
        assert is_safe_first(answer)

    def test_says_nothing_against_the_folders_of_one_that_is_off(
        self, console: Client, url: str, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{NEW}/NMNM 1/", f"{BLM}/")
        off = {name: value for name, value in FORM.items() if name != "enabled"}

        answer = console.post(url, {**off, "runsheet_archive_base_path": NEW}, follow=True)

        assert "This configuration is switched off." in answer.text
        assert "no lease is searched again before it is switched on" in answer.text
        assert drafts.NOT_RIGHT not in answer.text
        assert drafts.NOBODY_LOOKED not in answer.text

    def test_says_how_many_leases_are_asked_again(self, console: Client, url: str) -> None:
        for number in range(2):
            Lease.objects.create(
                agency="BLM", lease_number=str(number), state="failed", failure_code="base_path_missing", due_at=None
            )

        assert "2 leases are searched again by themselves" in pressed(console, url, runsheet_archive_base_path=NEW).text
        assert "so no lease is searched again." in pressed(console, url, documents_base_path=NEW).text

    def test_says_when_none_is_asked_again(self, console: Client, url: str) -> None:
        assert (
            "No lease is waiting for it, and none was searched elsewhere."
            in pressed(console, url, runsheet_archive_base_path=NEW).text
        )

    def test_holds_no_lock_while_dropbox_is_asked(
        self, console: Client, url: str, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else everybody who wants to save it would wait for Dropbox, too."""
        inside = _depth_at(monkeypatch, configuration_check, "gateway_for")

        pressed(console, url, runsheet_archive_base_path=NEW)
        console.post(url, {**FORM, "_test": "1"})

        assert inside == [1, 1]  # the test's own


def _depth_at(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """In how many transactions something was called."""
    from django.db import connection

    found: list[int] = []
    real: Callable[..., Any] = getattr(module, name)

    def counting(*args: Any) -> Any:
        found.append(len(connection.savepoint_ids) + 1)
        return real(*args)

    monkeypatch.setattr(module, name, counting)
    return found


class TestYes:
    def test_saves_it(self, console: Client, url: str) -> None:
        answer = confirm(console, url, pressed(console, url, runsheet_archive_base_path=NEW))

        assert saved() == (NEW, BLM, BLM)
        assert answer.redirect_chain[-1][0] == "/admin/leases/agencystorageconfig/"

    def test_saves_a_new_one(self, console: Client) -> None:
        confirm(console, ADD, pressed(console, ADD))

        assert saved() == (BLM, BLM, BLM)

    def test_saves_a_pasted_address_as_the_path_that_was_shown(self, console: Client, url: str) -> None:
        question = pressed(console, url, documents_base_path="dropbox.com/work/Federal%20Workspace/New%20Archive")
        assert f"<ins>{NEW}</ins>" in question.text

        confirm(console, url, question)

        assert saved() == (BLM, NEW, BLM)

    def test_goes_on_where_the_button_leads(self, console: Client, url: str) -> None:
        question = console.post(url, {**FORM, "documents_base_path": NEW, "_continue": "1"}, follow=True)

        assert confirm(console, url, question).redirect_chain[-1][0] == url

    def test_leaves_nothing_to_go_on_with(self, console: Client, url: str) -> None:
        question = pressed(console, url, runsheet_archive_base_path=NEW)
        confirm(console, url, question)

        assert "Go on with it" not in console.get(url).text
        assert configurations.GONE in console.get(question.redirect_chain[-1][0], follow=True).text

    def test_starts_what_waits(self, console: Client, url: str) -> None:
        lease = Lease.objects.create(
            agency="BLM", lease_number="1", state="failed", failure_code="base_path_missing", due_at=None
        )
        question = pressed(console, url, runsheet_archive_base_path=NEW)
        assert Lease.objects.get(pk=lease.pk).due_at is None

        confirm(console, url, question)

        assert Lease.objects.get(pk=lease.pk).due_at is not None


class TestNoQuestionAsked:
    """Whatever is sent without the question saves nothing."""

    @pytest.mark.parametrize("word", ["", "yes", "1", "ñ"])
    def test_by_a_post_made_by_hand(self, console: Client, url: str, word: str) -> None:
        answer = console.post(url, {**FORM, "runsheet_archive_base_path": NEW, "confirmed": word, "_save": "1"})

        assert "question=" in answer["Location"]
        assert saved() == (BLM, BLM, BLM)

    def test_by_what_was_only_tested(self, console: Client, url: str) -> None:
        tested = console.post(url, {**FORM, "runsheet_archive_base_path": NEW, "_test": "1"}, follow=True)

        confirm(console, url, tested)

        assert saved() == (BLM, BLM, BLM)
        address = tested.redirect_chain[-1][0].replace("typed=", "question=")
        assert configurations.GONE in console.get(address, follow=True).text

    def test_by_a_yes_to_another_path(self, console: Client, url: str) -> None:
        draft = pressed(console, url, runsheet_archive_base_path=NEW).context["draft"]

        answer = console.post(
            url, {**draft.typed, "runsheet_archive_base_path": "/Other", "confirmed": draft.name}, follow=True
        )

        assert configurations.OVERTAKEN in answer.text
        assert "<ins>/Other</ins>" in answer.text
        assert saved() == (BLM, BLM, BLM)

    def test_by_anothers_yes(self, console: Client, url: str, operator: User) -> None:
        draft = pressed(console, url, runsheet_archive_base_path=NEW).context["draft"]
        another = Client()
        another.force_login(operator)

        another.post(url, {**draft.typed, "confirmed": draft.name})

        assert saved() == (BLM, BLM, BLM)

    def test_by_who_may_not(self, console: Client, url: str, operator: User) -> None:
        address = pressed(console, url, runsheet_archive_base_path=NEW).redirect_chain[-1][0]
        User.objects.update(is_superuser=False)
        operator.user_permissions.set(Permission.objects.filter(codename="view_agencystorageconfig"))

        assert console.get(address).status_code == 403


class TestBack:
    def test_loses_nothing_that_was_typed(self, console: Client, url: str) -> None:
        question = pressed(console, url, runsheet_archive_base_path=NEW, misc_index_base_path="/Misc")

        back = console.get(question.context["back"])

        assert values(back) == {
            **FORM,
            "enabled": True,
            "watched": True,
            "makes_archives": False,
            "runsheet_archive_base_path": NEW,
            "misc_index_base_path": "/Misc",
        }
        assert f"The folder “{NEW}” is not in your Dropbox" in back.text

    def test_by_the_browser_offers_what_was_typed(self, console: Client, url: str) -> None:
        question = pressed(console, url, runsheet_archive_base_path=NEW)

        assert question.context["back"] in console.get(url).text

    def test_and_forth_asks_the_same(self, console: Client, url: str, dropbox: "Standin") -> None:
        question = pressed(console, url, runsheet_archive_base_path=NEW)
        dropbox.clear_journal()

        again = console.get(question.redirect_chain[-1][0])

        assert again.context["draft"] == question.context["draft"]
        assert dropbox.calls() == {}

    def test_can_be_changed_and_saved(self, console: Client, url: str) -> None:
        question = pressed(console, url, runsheet_archive_base_path=NEW)
        back = question.context["back"]
        form = values(console.get(back)) | {"runsheet_archive_base_path": "/Third", "enabled": "on"}

        confirm(console, url, console.post(back, form, follow=True))

        assert saved()[0] == "/Third"


class TestTwoAdministrators:
    def test_none_undoes_what_the_other_has_saved_meanwhile(self, console: Client, url: str, operator: User) -> None:
        opened = {f"initial-{name}": value for name, value in {**FORM, "enabled": "True"}.items()}
        mine = pressed(console, url, runsheet_archive_base_path=NEW, **opened)
        theirs = Client()
        theirs.force_login(operator)
        save(theirs, url, {**FORM, "documents_base_path": "/Theirs"})

        answer = confirm(console, url, mine)

        assert "It is now: Folder of the documents “/Theirs”." in answer.text
        assert values(answer)["runsheet_archive_base_path"] == NEW
        assert saved() == (BLM, "/Theirs", BLM)

    def test_is_asked_again_if_the_same_path_was_changed(self, console: Client, url: str) -> None:
        mine = pressed(console, url, runsheet_archive_base_path=NEW)
        AgencyStorageConfig.objects.update(runsheet_archive_base_path="/Theirs")

        answer = confirm(console, url, mine)

        assert configurations.OVERTAKEN in answer.text
        assert "<del>/Theirs</del>" in answer.text
        assert saved()[0] == "/Theirs"


class TestHistory:
    def history(self, console: Client, url: str) -> str:
        return console.get(url.replace("change", "history")).text

    def test_shows_what_each_field_was_and_is(self, console: Client, url: str) -> None:
        save(console, url, {**FORM, "runsheet_archive_base_path": NEW, "documents_base_path": "/D"})

        assert (
            f"Folder of the runsheet archives: “{BLM}” → “{NEW}”. Folder of the documents: “{BLM}” → “/D”."
            in self.history(console, url)
        )

    def test_shows_when_it_was_switched(self, console: Client, url: str) -> None:
        console.post(url, {name: value for name, value in FORM.items() if name != "enabled"})
        console.post(url, FORM)

        history = self.history(console, url)
        assert "Discovery runs for this agency: on → off." in history
        assert "Discovery runs for this agency: off → on." in history

    def test_shows_what_was_there_first(self, console: Client) -> None:
        save(console, ADD, FORM)

        url = f"/admin/leases/agencystorageconfig/{AgencyStorageConfig.objects.get().pk}/change/"
        assert (
            "Added. Agency: “BLM”. Discovery runs for this agency: on. Missing archives are made by themselves: off. "
            f"Folder of the runsheet archives: “{BLM}”." in (self.history(console, url))
        )

    def test_says_that_nothing_was_changed(self, console: Client, url: str) -> None:
        console.post(url, {**FORM, "documents_base_path": f"{BLM}/"})

        assert "No fields changed." in self.history(console, url)

    def test_shows_paths_as_text(self, console: Client, url: str) -> None:
        save(console, url, {**FORM, "documents_base_path": "/<b>D"})

        assert "“/&lt;b&gt;D”" in self.history(console, url)
        assert ARCHIVE not in self.history(console, url)
