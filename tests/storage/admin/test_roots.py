"""The list of roots, and the page of each."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from console.records.sent import Sent, told
from storage import schedule
from storage.errors import IndexBraked, RootNotThere
from storage.models import IndexRun, RunState, StorageRoot
from tests.roles import in_role
from tests.storage.admin.conftest import Put
from tests.storage.conftest import Index
from tests.storage.trees import Tree

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/storage/storageroot/"
FILES = "/admin/storage/storedfile/"


def page(console: Client, name: str = "documents") -> str:
    answer = console.get(f"{LIST}{StorageRoot.objects.get(name=name).pk}/change/")
    assert answer.status_code == 200
    return str(answer.text)


class TestList:
    def test_tells_what_the_last_runs_have_seen(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a", "7/b", "8/c")
        index()
        tree.remove("7/b")
        index(incremental=True)

        text = console.get(LIST).text

        assert f'<a href="{FILES}?in=documents%2F">3</a>' in text
        assert f'<a href="{FILES}?in=documents%2F&amp;state__exact=missing">1</a>' in text
        assert ">There</span>" in text
        assert "A directory" in text
        assert "2 differences" in text  # a file that is missing, and so a folder that has changed

    def test_says_which_is_not_there(self, console: Client, index: Index, tree: Tree) -> None:
        index()
        tree.remove(".runsheet-root")
        index()

        text = console.get(LIST).text

        assert '<span class="problem">Not there</span>' in text
        assert "its marker “.runsheet-root” is missing" in text

    def test_names_those_that_no_run_has_met(self, console: Client, tree: Tree) -> None:
        text = console.get(LIST).text

        assert "No run has looked at these yet" in text
        assert '<input type="hidden" name="root" value="documents">' in text
        assert not StorageRoot.objects.exists()

    def test_costs_the_same_for_many_as_for_one(self, console: Client, root: StorageRoot) -> None:
        def cost() -> int:
            with CaptureQueriesContext(connection) as asked:
                assert console.get(LIST).status_code == 200
            return len(asked)

        IndexRun.objects.create(root=root, state=RunState.DONE)
        one = cost()
        for number in range(20):
            more = StorageRoot.objects.create(name=f"root-{number}")
            IndexRun.objects.create(root=more, state=RunState.DONE, plan_is_whole=True)

        assert cost() == one <= 15

    def test_becomes_a_file(self, console: Client, root: StorageRoot) -> None:
        lines = console.get(f"{LIST}download/csv/").getvalue().decode("utf-8-sig").splitlines()

        assert lines[0] == "Root,First met"
        assert lines[1].startswith("documents,")


class TestPage:
    def test_tells_what_the_root_is_and_holds(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a", "7/b/c")
        run = index()

        text = page(console)

        assert f'<code class="exact">{tree.path}</code>' in text
        assert "<dt>Directories</dt><dd>2</dd>" in text
        assert "<dt>Size</dt><dd>8 bytes</dd>" in text
        assert f'<a href="/admin/storage/indexrun/{run.pk}/change/">Index run {run.pk}</a>, sync' in text
        assert StorageRoot.objects.get().marker in text
        assert "Here none can be added or deleted." in text
        assert 'action="/admin/storage/indexrun/look/"' in text

    def test_tells_anomalies_in_a_line_each(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a", "loose.txt")
        (tree.path / "7" / "li\nnk").symlink_to("/nowhere")
        index(occasion="schedule")

        told = "There are 2 anomalies in the root “documents”."
        in_lines = (
            f"{told}<br>7/li\\nnk: It is a link to “/nowhere”, where nothing is. Links are not followed.<br>loose.txt: "
        )

        assert in_lines in page(console)
        assert f">{told}</td>" in console.get(LIST).text

    def test_knows_what_stands_in_the_settings_and_keeps_secrets(
        self, console: Client, root: StorageRoot, settings: Any
    ) -> None:
        options = {"bucket": "deeds", "endpoint_url": "https://s3.example", "secret_access_key": "very secret"}
        place = {"BACKEND": "storage.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"documents": place}

        text = page(console)

        assert "A bucket that speaks S3" in text
        assert '<code class="exact">deeds</code>, <code class="exact">https://s3.example</code>' in text
        assert "very secret" not in text

    @pytest.mark.parametrize(
        ("said", "kind"),
        [({"kind": "files"}, "A directory"), ({"kind": "dropbox"}, "dropbox"), (None, "Not in the settings")],
    )
    def test_knows_roots_of_any_kind(
        self, console: Client, root: StorageRoot, settings: Any, said: dict[str, str] | None, kind: str
    ) -> None:
        settings.STORAGE_ROOTS = {} if said is None else {"documents": said}

        text = page(console)

        assert kind in text
        assert ("look-now" in text) == (said is not None)

    @pytest.mark.parametrize(
        ("run", "looked"),
        [
            ({"state": "planning"}, "Being looked at"),
            ({"state": "failed", "failure_message": "No way"}, "Not known"),
            ({"state": "refused", "refusal": "No way"}, "Not there"),
            ({"state": "refused", "refusal": "No way", "plan_is_whole": True}, "There"),
            ({"state": "done", "plan_is_whole": True}, "There"),
            ({"state": "aborted"}, "Not known"),
        ],
    )
    def test_says_how_it_was_when_last_looked_at(
        self, console: Client, root: StorageRoot, run: dict[str, Any], looked: str
    ) -> None:
        IndexRun.objects.create(root=root, **run)

        text = page(console)

        assert f'<h2 id="root-looked">{looked} <span' in text
        assert ("<p>No way</p>" in text) == ("refusal" in run or "failure_message" in run)

    def test_says_that_nobody_has_looked_yet(self, console: Client, root: StorageRoot) -> None:
        assert '<h2 id="root-looked">Nobody has looked yet</h2>' in page(console)


class TestNextRun:
    @pytest.mark.parametrize(
        ("every", "said"),
        [((24, 7), "by the schedule: <time"), ((0, 0), "None begins by the schedule."), ((0, 7), "is due")],
    )
    def test_is_told_as_the_settings_have_it(
        self, console: Client, root: StorageRoot, settings: Any, every: tuple[int, int], said: str
    ) -> None:
        settings.STORAGE_INCREMENTAL_EVERY_HOURS, settings.STORAGE_WHOLE_EVERY_DAYS = every
        IndexRun.objects.create(root=root, mode="sync", state=RunState.DONE, incremental=every == (0, 7))

        assert said in page(console)

    @pytest.mark.parametrize(
        ("run", "waits"),
        [
            ({"state": RunState.DONE, "plan_is_whole": True}, False),
            ({"state": RunState.REFUSED}, False),
            ({"state": RunState.REFUSED, "plan_is_whole": True}, True),
            ({"state": RunState.ABORTED}, True),
        ],
        ids=["done", "away", "braked", "stopped"],
    )
    def test_is_begun_by_no_change_while_somebody_has_to_see_to_the_last(
        self, console: Client, root: StorageRoot, settings: Any, run: dict[str, Any], waits: bool
    ) -> None:
        settings.STORAGE_INCREMENTAL_EVERY_HOURS = 24
        IndexRun.objects.create(root=root, mode="sync", **run)

        text = page(console)

        assert ("What changes begins none" in text) == waits
        assert ("if nothing begins one before" in text) != waits

    def test_is_the_sooner_one(self, root: StorageRoot, settings: Any) -> None:
        settings.STORAGE_INCREMENTAL_EVERY_HOURS, settings.STORAGE_WHOLE_EVERY_DAYS = 24, 7
        IndexRun.objects.create(root=root, mode="sync", state=RunState.DONE)
        whole = IndexRun.objects.get()

        assert schedule.next_at(root) == whole.created_at + timedelta(hours=24)
        settings.STORAGE_INCREMENTAL_EVERY_HOURS = 24 * 30
        assert schedule.next_at(root) == whole.created_at + timedelta(days=7)


class TestMarker:
    def give_up(self, client: Client, root: StorageRoot, marker: str = "the marker") -> Any:
        return client.post(f"{LIST}{root.pk}/marker/", {"marker": marker}, follow=True)

    def test_is_given_up_for_the_one_that_lies_there(self, console: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a")
        index()
        root = StorageRoot.objects.get()
        (tree.path / ".runsheet-root").write_text("another one\n")
        assert index().state == RunState.REFUSED

        text = self.give_up(console, root, marker=root.marker).text
        index()

        assert "The next run takes the marker that lies there" in text
        assert StorageRoot.objects.get().marker == "another one"
        assert LogEntry.objects.get().change_message == f"Forgot the marker “{root.marker}”."

    def test_stays_where_somebody_was_faster(self, console: Client, root: StorageRoot) -> None:
        for other in ("an older one", ""):
            assert "known by another marker by now" in self.give_up(console, root, marker=other).text
        assert StorageRoot.objects.get().marker == "the marker"

    def test_stays_while_a_run_is_under_way(self, console: Client, root: StorageRoot) -> None:
        IndexRun.objects.create(root=root, state=RunState.PLANNING)

        assert "Another run of this root is under way." in self.give_up(console, root).text
        assert StorageRoot.objects.get().marker == "the marker"

    def test_is_the_business_of_who_may_change_the_index(self, client: Client, root: StorageRoot) -> None:
        button = "Take the marker that lies there"
        for role, may in (("Viewer", False), ("Operator", False), ("Administrator", True)):
            client.force_login(in_role(role))
            assert (button in page(client)) == may
            assert (self.give_up(client, root).status_code == 403) != may
        client.force_login(User.objects.create_user("staff", is_staff=True))
        assert self.give_up(client, root).status_code == 403
        assert client.get(f"{LIST}{root.pk}/marker/").status_code == 405


class TestStartPage:
    def test_counts_what_is_missing_and_what_the_brake_holds(
        self, console: Client, put: Put, root: StorageRoot
    ) -> None:
        put("7/a", state="missing")
        IndexRun.objects.create(root=root, state=RunState.REFUSED, failure_code=IndexBraked.code)

        text = console.get("/admin/").text

        assert (
            f'<a href="{FILES}?state__exact=missing&amp;after=schedule"><span>Missing files</span> <strong>1</strong></a>'
            in text
        )
        assert f'<a href="{LIST}"><span>Roots held by the brake</span> <strong>1</strong></a>' in text

    @pytest.mark.parametrize("then", [RunState.DONE, RunState.REFUSED])
    def test_counts_no_root_that_was_looked_through_since(self, console: Client, root: StorageRoot, then: str) -> None:
        IndexRun.objects.create(root=root, state=RunState.REFUSED, failure_code=IndexBraked.code)
        IndexRun.objects.create(
            root=root, state=then, failure_code=RootNotThere.code if then == RunState.REFUSED else ""
        )

        assert "<span>Roots held by the brake</span> <strong>0</strong>" in console.get("/admin/").text


class TestSentBeforeALogin:
    def test_is_told_in_words_to_who_may_see_what_it_is_about(
        self, olivia: User, put: Put, root: StorageRoot, django_user_model: type[User]
    ) -> None:
        file, staff = put("7/a\nb"), django_user_model.objects.create_user("staff", is_staff=True)

        def said(user: User, address: str) -> Sent:
            request = RequestFactory().get(address)
            request.user, request.resolver_match = user, resolve(address)
            return told(request, QueryDict(), admin.site._registry)

        look, marker = f"{FILES}{file.pk}/look/", f"{LIST}{root.pk}/marker/"
        assert said(olivia, look) == Sent(what="Look at it now", facts=(("File", "7/a\\nb"),))
        assert said(staff, look) == Sent(what="Look at it now")
        assert said(olivia, marker) == Sent(what="Take the marker that lies there", facts=(("Root", "documents"),))
        assert said(staff, marker) == Sent(what="Take the marker that lies there")
