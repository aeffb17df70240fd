"""A run is started from the console, and what is refused is said where it can be put right."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils.timezone import now

from core.base.errors import DatabaseTooBusy
from storage.models import IndexRun, RunState, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.storage.admin.conftest import NO_STATIC, browser_of, made, text_of
from tests.storage.conftest import Index
from tests.storage.trees import Tree

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tree", "redis"), NO_STATIC]

ADD = "/admin/storage/indexrun/add/"
NO_GRACE_TOLD = (
    "4 rows of “documents” are marked as missing for longer than 0 days; they would go, and so would those of what this run "
    "finds missing."
)
SAID = {"root": "documents", "mode": "audit", "grace_days": "30"}


def errors(answer: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = answer.context["form"].errors
    return found


class TestPage:
    def test_offers_what_there_is_to_say(self, administrator: Client) -> None:
        form = administrator.get(ADD).context["form"]

        assert list(form.fields) == [
            "root", "mode", "part", "dry_run", "incremental", "checksums", "include_protected", "grace_days",
            "allow_missing", "force",
        ]  # fmt: skip
        assert form.fields["root"].choices == [("documents", "documents")]

    def test_is_filled_in_as_the_address_says(self, administrator: Client) -> None:
        text = administrator.get(f"{ADD}?root=documents&mode=full&part=7&checksums=on").text

        assert '<input type="radio" name="mode" value="full" required id="id_mode_3" checked>' in text
        assert 'name="part" value="7"' in text
        assert re.search(r'name="checksums"[^>]* checked', text)

    def test_is_for_who_may_look(self, viewer: Client) -> None:
        assert viewer.get(ADD).status_code == viewer.post(ADD, SAID).status_code == 403
        assert not IndexRun.objects.exists()


class TestStart:
    def test_starts_the_run_that_is_said_and_leads_to_it(self, administrator: Client) -> None:
        said = {
            "root": "documents", "mode": "full", "part": "7", "dry_run": "on", "incremental": "on", "checksums": "on",
            "include_protected": "on", "grace_days": "0", "allow_missing": "12",
        }  # fmt: skip

        answer = administrator.post(ADD, said)

        run = IndexRun.objects.get()
        assert answer["Location"] == f"/admin/storage/indexrun/{run.pk}/change/"
        assert (run.mode, run.user_id, run.prefix, run.grace, run.allow_missing) == ("full", 7, "7/", timedelta(), 12)
        assert all((run.dry_run, run.incremental, run.checksums, run.include_protected))
        assert (run.state, run.initiated_by) == ("planning", User.objects.get(username="administrator"))

    def test_knows_a_person_by_name(self, administrator: Client) -> None:
        administrator.post(ADD, SAID | {"part": " user 8 "})

        assert IndexRun.objects.get().prefix == "8/"

    @pytest.mark.parametrize("mode", ["sync", "clean", "full"])
    def test_lets_an_operator_change_nothing(self, operator: Client, mode: str) -> None:
        answer = operator.post(ADD, SAID | {"mode": mode, "force": "on"})

        assert "You do not have the permission to start a run that changes rows" in errors(answer)["mode"][0]
        assert not IndexRun.objects.exists()

    def test_lets_an_operator_look_at_what_would_be_done(self, operator: Client) -> None:
        operator.post(ADD, SAID | {"mode": "full", "dry_run": "on"})

        assert IndexRun.objects.get().mode == "full"

    def test_offers_nobody_to_go_past_the_brake_who_may_not(self, operator: Client) -> None:
        operator.post(ADD, SAID | {"allow_missing": "99"})

        assert "allow_missing" not in operator.get(ADD).context["form"].fields
        assert IndexRun.objects.get().allow_missing is None

    def test_lets_nobody_change_rows_who_may_only_go_past_the_brake(self) -> None:
        client = browser_of("Viewer")
        may = Permission.objects.filter(codename__in=["run_index", "override_brake"])
        User.objects.get(username="viewer").user_permissions.set(may)

        assert errors(client.post(ADD, SAID | {"mode": "sync"})).keys() == {"mode"}


class TestRefusal:
    @pytest.mark.parametrize(
        ("said", "field", "sentence"),
        [
            ({"root": "attic"}, "root", "Select a valid choice. attic is not one of the available choices."),
            ({"mode": "scrub"}, "mode", "Select a valid choice. scrub is not one of the available choices."),
            ({"part": "4711"}, "part", "There is no user 4711."),
            ({"part": "9" * 150}, "part", f"There is no user {'9' * 150}."),
            ({"part": "<b>nobody</b>"}, "part", "There is no user “<b>nobody</b>”."),
            ({"grace_days": ""}, "grace_days", "This field is required."),
            ({"grace_days": "-1"}, "grace_days", "Ensure this value is greater than or equal to 0."),
            ({"grace_days": "9" * 30}, "grace_days", "Ensure this value is less than or equal to 36500."),
            ({"allow_missing": "9" * 30}, "allow_missing", "Ensure this value is less than or equal to 2147483647."),
            ({"allow_missing": "many"}, "allow_missing", "Enter a whole number."),
        ],
    )
    def test_stands_beside_its_field_and_nothing_typed_is_lost(
        self, administrator: Client, said: dict[str, str], field: str, sentence: str
    ) -> None:
        answer = administrator.post(ADD, SAID | {"part": "7", "checksums": "on"} | said)

        assert errors(answer) == {field: [sentence]}
        assert sentence in text_of(answer)
        assert re.search(r'name="checksums"[^>]* checked', answer.text)
        assert not IndexRun.objects.exists()

    def test_names_the_run_that_is_in_the_way(self, administrator: Client) -> None:
        busy = made(RunState.PLANNING)

        answer = administrator.post(ADD, SAID)

        assert errors(answer)["root"][0].startswith(f"Run {busy.pk} of the root “documents” is under way.")

    def test_that_is_about_no_field_stands_above_them(
        self, administrator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> IndexRun:
            raise DatabaseTooBusy

        monkeypatch.setattr(IndexSyncService, "start", refuse)

        assert errors(administrator.post(ADD, SAID))["__all__"] == [str(DatabaseTooBusy())]


class TestForce:
    @pytest.fixture
    def missing(self) -> None:
        """Two rows of user 7 and one of user 8 are missing for 40 days, one for a day."""
        root = StorageRoot.objects.create(name="documents")
        for key, days in (("7/a", 40), ("7/b", 40), ("8/c", 40), ("7/d", 1)):
            since = now() - timedelta(days=days)
            StoredFile.objects.create(root=root, key=key, name=key, state="missing", missing_since=since)

    @pytest.mark.usefixtures("missing")
    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            ({}, "3 rows of “documents” are marked as missing for longer than 30 days; they would go."),
            ({"part": "8"}, "1 row of “documents” is marked as missing for longer than 30 days; they would go."),
            (
                {"grace_days": "0"},
                NO_GRACE_TOLD,
            ),
        ],
    )
    def test_is_wanted_with_the_number_that_is_known(
        self, administrator: Client, said: dict[str, str], sentence: str
    ) -> None:
        answer = administrator.post(ADD, SAID | {"mode": "full"} | said)

        assert errors(answer)["force"] == [
            "“full” deletes rows. Say that you mean it, by “force”; or look first, by a dry run.",
            sentence,
        ]
        assert not IndexRun.objects.exists()

    @pytest.mark.usefixtures("missing")
    def test_is_told_of_very_many_without_counting_them(
        self, administrator: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.admin.starting.COUNTED_AT_MOST", 2)

        answer = administrator.post(ADD, SAID | {"mode": "clean"})

        assert errors(answer)["force"][1].startswith("More than 2 rows of “documents” are")

    def test_given_starts_it(self, administrator: Client) -> None:
        administrator.post(ADD, SAID | {"mode": "clean", "force": "on"})

        assert IndexRun.objects.get().mode == "clean"


class TestLookNow:
    URL = "/admin/storage/indexrun/look/"

    def test_brings_the_rows_up_to_date(self, administrator: Client, tree: Tree) -> None:
        tree.put("7/deed.pdf")

        answer = administrator.post(self.URL, {"root": "documents"})
        run = IndexRun.objects.get()
        IndexSyncService().work(run_id=run.pk)

        assert answer["Location"] == f"/admin/storage/indexrun/{run.pk}/change/"
        assert (run.mode, run.incremental) == ("sync", False)
        assert StoredFile.objects.filter(key="7/deed.pdf").exists()

    def test_is_an_audit_for_who_may_change_nothing(self, operator: Client) -> None:
        operator.post(self.URL, {"root": "documents"})

        assert IndexRun.objects.get().mode == "audit"

    def test_is_not_for_who_may_only_see(self, viewer: Client) -> None:
        assert viewer.post(self.URL, {"root": "documents"}).status_code == 403
        assert not StorageRoot.objects.exists()

    def test_reads_what_has_changed_only_where_the_whole_would_take_long(
        self, administrator: Client, index: Index, tree: Tree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        monkeypatch.setattr("storage.services.WHOLE_UP_TO", 2)

        administrator.post(self.URL, {"root": "documents"})

        assert IndexRun.objects.latest("pk").incremental

    def test_leads_to_the_run_that_is_under_way(self, administrator: Client) -> None:
        busy = made(RunState.APPLYING)

        answer = administrator.post(self.URL, {"root": "documents"}, follow=True)

        assert answer.redirect_chain == [(f"/admin/storage/indexrun/{busy.pk}/change/", 302)]
        assert f"Run {busy.pk} of the root “documents” is under way." in text_of(answer)

    @pytest.mark.parametrize("root", ["", "attic", "<i>"])
    def test_says_which_roots_there_are(self, administrator: Client, root: str) -> None:
        answer = administrator.post(self.URL, {"root": root}, follow=True)

        assert answer.redirect_chain == [("/admin/storage/indexrun/", 302)]
        assert f"There is no root “{root}”. Known are “documents”." in text_of(answer)
