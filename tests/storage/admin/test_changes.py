"""The differences of a run, row by row, however many there are and whatever they are called."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from storage.admin import changes
from storage.models import Action, IndexRun, RunState, StoredFile
from tests.storage.admin.conftest import NO_STATIC, changed, changes_of, made, many, text_of
from tests.storage.conftest import Index
from tests.storage.trees import Tree

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tree", "redis"), NO_STATIC]

AT = datetime(2026, 11, 27, tzinfo=UTC)
AT_NS = 1_700_000_000_123_456_789
NASTY = "7/<script>alert(1)</script>\x1b[31m\n\u202egpj.exe"


def numbers(client: Client, url: str) -> list[int]:
    return [line.change.number for line in client.get(url).context["page"].lines]


class TestPages:
    @pytest.fixture
    def run(self) -> IndexRun:
        run = made()
        many(run, 120)
        return run

    def test_are_turned_there_and_back(self, viewer: Client, run: IndexRun) -> None:
        first = viewer.get(changes_of(run)).context["page"]
        second = viewer.get(changes_of(run) + first.next_url).context["page"]
        third = viewer.get(changes_of(run) + second.next_url).context["page"]
        back = viewer.get(changes_of(run) + third.previous_url).context["page"]
        begin = viewer.get(changes_of(run) + back.previous_url).context["page"]

        assert [line.change.number for line in first.lines] == list(range(1, 51))
        assert [line.change.number for line in third.lines] == list(range(101, 121))
        assert [line.change.number for line in back.lines] == [line.change.number for line in second.lines]
        assert [line.change.number for line in begin.lines] == list(range(1, 51))
        assert (first.previous_url, third.next_url, begin.previous_url) == ("", "", "")
        assert viewer.get(changes_of(run) + back.next_url).context["page"].lines[0].change.number == 101

    @pytest.mark.parametrize("query", ["after=x", "after=-1", "before=", "action=steal", f"after={'9' * 40}"])
    def test_begin_at_the_beginning_for_an_address_that_makes_no_sense(
        self, viewer: Client, run: IndexRun, query: str
    ) -> None:
        assert numbers(viewer, f"{changes_of(run)}?{query}")[0] == 1

    @pytest.mark.parametrize(("query", "count"), [(f"after={'9' * 18}", 0), (f"before={'9' * 18}", 50)])
    def test_beyond_all_rows_are_no_error(self, viewer: Client, run: IndexRun, query: str, count: int) -> None:
        assert len(numbers(viewer, f"{changes_of(run)}?{query}")) == count

    @pytest.mark.parametrize("query", ["", "?action=update", "?q=00007", "?before=90", "?action=create&q=9&after=50"])
    def test_cost_as_much_for_many_rows(self, viewer: Client, run: IndexRun, query: str) -> None:
        viewer.get(changes_of(run))

        with CaptureQueriesContext(connection) as asked:
            viewer.get(changes_of(run) + query)

        assert len(asked) < 15
        of_changes = [each["sql"] for each in asked if "storage_indexchange" in each["sql"]]
        assert len(of_changes) == 1
        assert "COUNT" not in of_changes[0]
        assert "LIMIT 51" in of_changes[0]


class TestNarrowing:
    @pytest.fixture
    def run(self) -> IndexRun:
        run = made(counts={"records_created": 3, "records_updated": 1, "anomalies": 0})
        changed(run, Action.CREATE, Action.CREATE, Action.UPDATE)
        changed(run, Action.CREATE, key="8/Deeds/1902.pdf", name="1902.pdf")
        changed(run, Action.RENAME, key="8/new.pdf", name="new.pdf", detail="8/old.pdf")
        return run

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("action=create", [1, 2, 4]),
            ("action=update", [3]),
            ("action=anomaly", []),
            ("q=8/D", [4]),
            ("q=02.PDF", [4]),
            ("q=8/ol", [5]),
            ("q=7/&action=update", [3]),
            ("q=%25", []),
            ("q=" + "x" * 5_000, []),
        ],
    )
    def test_is_by_action_by_path_and_by_name(
        self, viewer: Client, run: IndexRun, query: str, found: list[int]
    ) -> None:
        assert numbers(viewer, f"{changes_of(run)}?{query}") == found

    def test_tells_how_many_there_are_of_each_where_the_run_has_counted_them(
        self, viewer: Client, run: IndexRun
    ) -> None:
        choices = viewer.get(f"{changes_of(run)}?q=7&action=update").context["page"].choices

        assert [(each.label, each.count, each.url) for each in choices if each.count or each.count is None] == [
            ("All", 5, "?q=7"),
            ("Create", 3, "?action=create&q=7"),
            ("Update", 1, "?action=update&q=7"),
            ("Skipped", None, "?action=skip&q=7"),
        ]

    def test_says_that_nothing_matches(self, viewer: Client, run: IndexRun) -> None:
        assert "No difference matches." in text_of(viewer.get(f"{changes_of(run)}?q=nothing"))

    def test_reads_only_so_much_for_a_page_and_goes_on_from_there(
        self, viewer: Client, run: IndexRun, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changes, "READ_AT_MOST", 2)

        first = viewer.get(f"{changes_of(run)}?q=8/D")
        page = first.context["page"]
        assert page.lines == []
        assert "Of 5 differences, 2 were looked through. Look through more" in text_of(first)

        second = viewer.get(changes_of(run) + page.further_url).context["page"]
        assert [line.change.number for line in second.lines] == [4]
        third = viewer.get(changes_of(run) + second.further_url).context["page"]
        assert (third.lines, third.further_url) == ([], "")
        back = viewer.get(changes_of(run) + third.previous_url).context["page"]
        assert [line.change.number for line in back.lines] == [4]
        before = viewer.get(changes_of(run) + back.further_url).context["page"]
        assert (before.lines, before.further_url) == ([], "")


class TestWhatIsShown:
    def test_of_a_real_plan(self, viewer: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a", "7/gone", at_ns=AT_NS)
        tree.put("7/old name.pdf", at_ns=AT_NS + 2)
        index("sync")
        tree.put("7/a", text="longer than before", at_ns=AT_NS + 1)
        tree.remove("7/gone")
        tree.move("7/old name.pdf", "7/new name.pdf")
        tree.put("7/new", at_ns=AT_NS + 5)
        tree.link("7/link", "nowhere")
        run = index("full", dry_run=True)

        text = text_of(viewer.get(changes_of(run)))

        assert (
            "Update 7/a Size 4 bytes → 18 bytes Changed 2023-11-14 22:13:20.123456789 UTC → "
            "2023-11-14 22:13:20.12345679 UTC not applied"
        ) in text
        assert "Delete 7/gone Size 4 bytes → – Changed 2023-11-14 22:13:20.123456789 UTC → –" in text  # noqa: RUF001
        assert "Rename 7/new name.pdf Path 7/old name.pdf → 7/new name.pdf" in text
        assert "Create 7/new Size – → 4 bytes" in text  # noqa: RUF001
        assert "Anomaly 7/link" in text

    def test_leads_to_the_file(self, viewer: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a")
        index("sync")
        tree.put("7/a", text="longer than before")
        run = index("sync", dry_run=True)

        url = f"/admin/storage/storedfile/{StoredFile.objects.get(key='7/a').pk}/change/"
        assert f'<a href="{url}"><bdi class="exact">7/a</bdi></a>' in viewer.get(changes_of(run)).text

    def test_says_what_became_of_each(self, viewer: Client) -> None:
        run = made(RunState.ABORTED, applied_up_to=2)
        changed(run, Action.MISS)
        changed(run, Action.DELETE, passed_over=True)
        changed(run, Action.DELETE, Action.SKIP, detail="It has not been missing for long enough to be deleted.")

        page = viewer.get(changes_of(run)).context["page"]

        assert [line.became for line in page.lines] == ["applied", "left", "not applied", ""]
        assert page.lines[3].why == "It has not been missing for long enough to be deleted."

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({}, "There are no differences."),
            ({"plan_is_whole": False}, "The plan is not finished."),
            ({"forgotten_at": AT, "planned_up_to": 9}, "Its differences were deleted, since it is old."),
        ],
    )
    def test_says_so_if_there_is_nothing(self, viewer: Client, said: dict[str, Any], words: str) -> None:
        assert words in text_of(viewer.get(changes_of(made(**said))))

    def test_is_escaped_and_printable_whatever_a_file_is_called(self, viewer: Client) -> None:
        run = made()
        changed(run, Action.RENAME, key=NASTY, name=NASTY[2:], detail="<i>", before={"key": "7/<img src=x>\x07"})
        changed(run, Action.ANOMALY, key=NASTY, name=NASTY[2:], detail="It is called <b>so</b>.")

        answer = viewer.get(changes_of(run), {"q": "7/<script>"})

        nasty = ("<script>alert", "<img src=x", "<b>so", "\x1b", "\x07", "\u202e")
        assert [each for each in nasty if each in answer.text] == []
        assert r"7/<script>alert(1)</script>\x1b[31m\n\u202egpj.exe" in text_of(answer)
        assert r"7/<img src=x>\x07 → " in text_of(answer)

    def test_is_no_error_for_times_that_no_calendar_has(self, viewer: Client) -> None:
        run = made()
        changed(run, Action.CREATE, modified_ns=2**63 - 1)
        changed(run, Action.CREATE, modified_ns=-(2**63))
        changed(run, Action.CREATE, is_directory=True, key="7/d/", modified_ns=1)

        text = text_of(viewer.get(changes_of(run)))

        assert "Changed – → 2262-04-11 23:47:16.854775807 UTC" in text  # noqa: RUF001
        assert "Changed – → 1677-09-21 00:12:43.145224192 UTC" in text  # noqa: RUF001
        assert "Create 7/d/ Changed – → 1970-01-01 00:00:00.000000001 UTC not applied" in text  # noqa: RUF001


class TestFile:
    @pytest.fixture
    def run(self) -> IndexRun:
        run = made(applied_up_to=1)
        changed(run, Action.UPDATE, key="=cmd|' /C calc'!A0", size=3, before={"size": 2, "modified_ns": 0})
        changed(run, Action.SKIP, key="7/a", detail="A share link leads to it.")
        return run

    def test_as_csv_holds_nothing_that_is_calculated(self, viewer: Client, run: IndexRun) -> None:
        answer = viewer.get(f"{changes_of(run)}csv/")

        lines = answer.getvalue().decode("utf-8-sig").splitlines()
        assert answer["Content-Disposition"] == (
            f'attachment; filename="differences-of-index-run-{run.pk}-{localdate():%Y-%m-%d}.csv"'
        )
        assert lines[0] == "Number,Action,Path,Was,Is,Why,Became"
        assert lines[1] == "1,update,'=cmd|' /C calc'!A0,Size: 2 bytes,Size: 3 bytes,,applied"

    def test_as_ndjson_has_a_line_for_each_that_matches(self, viewer: Client, run: IndexRun) -> None:
        answer = viewer.get(f"{changes_of(run)}ndjson/?action=skip")

        assert answer["Content-Type"] == "application/x-ndjson"
        [line] = answer.getvalue().decode().splitlines()
        assert json.loads(line) | {"Was": "", "Is": ""} == {
            "Number": 2, "Action": "skip", "Path": "7/a", "Was": "", "Is": "", "Why": "A share link leads to it.",
            "Became": "",
        }  # fmt: skip

    def test_is_streamed(self, viewer: Client, run: IndexRun) -> None:
        assert viewer.get(f"{changes_of(run)}csv/").streaming

    @pytest.mark.parametrize("url", ["xlsx/", "exe/"])
    def test_is_of_no_other_kind(self, viewer: Client, run: IndexRun, url: str) -> None:
        assert viewer.get(changes_of(run) + url).status_code == 404

    def test_is_of_no_run_that_is_gone(self, viewer: Client) -> None:
        assert viewer.get("/admin/storage/indexrun/4711/changes/").status_code == 404
