"""Runs that begin by themselves: by the time, when something has changed, when the system starts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection

from statemachine.models import TransitionLog
from storage import schedule
from storage.backends.errors import Unavailable
from storage.errors import ListerUnknown, RootBusy
from storage.index import incremental
from storage.index.walking import DirectoryWalk
from storage.models import IndexRun, StorageRoot
from storage.services import IndexSyncService
from tests.storage.conftest import Index, began, later, states, worked
from tests.storage.trees import Tree

DAY, WEEK = timedelta(days=1), timedelta(days=7)

pytestmark = pytest.mark.usefixtures("by_itself")


class TestTime:
    def test_begins_with_all_that_lies_there(self, tree: Tree) -> None:
        schedule.look_after_all()

        assert began() == [("sync", False, "schedule")]
        log = TransitionLog.objects.get(transition="plan")
        assert (log.reason, log.actor_kind) == ("it is time to compare all that lies there", "reconciler")

    def test_asks_for_what_has_changed_each_day(self, indexed: Tree) -> None:
        later(DAY - timedelta(minutes=1))
        schedule.look_after_all()
        early = began()[1:]
        later(timedelta(minutes=2))
        schedule.look_after_all()

        assert (early, began()[1:]) == ([], [("sync", True, "schedule")])

    def test_asks_for_all_of_it_each_week_whatever_ran_meanwhile(self, indexed: Tree, index: Index) -> None:
        later(WEEK)
        index(incremental=True)
        schedule.look_after_all()

        assert began()[2:] == [("sync", False, "schedule")]

    @pytest.mark.parametrize("said", [{"mode": "audit"}, {"user_id": 7}, {"dry_run": True}, {"mode": "clean"}], ids=str)
    def test_does_not_take_something_else_for_it(self, indexed: Tree, index: Index, said: dict[str, Any]) -> None:
        later(WEEK)
        index(**said)
        schedule.look_after_all()

        assert began()[2:] == [("sync", False, "schedule")]

    def test_of_ten_looks_at_once_one_begins_it(self, indexed: Tree) -> None:
        later(WEEK)
        for _ in range(10):
            schedule.look_after_all()

        assert len(began()) == 2

    def test_passes_over_a_root_that_is_busy(self, indexed: Tree, service: IndexSyncService) -> None:
        later(WEEK)
        busy = service.start(mode="audit", user_id=7)
        schedule.look_after_all()
        meanwhile = began()[2:]
        service.abort(run_id=busy.pk)
        schedule.look_after_all()

        assert (meanwhile, began()[2:]) == ([], [("sync", False, "schedule")])

    @pytest.mark.parametrize("ahead", [timedelta(days=-4_000), timedelta(days=4_000)], ids=["back", "forth"])
    def test_a_clock_that_jumps_begins_one(self, indexed: Tree, ahead: timedelta) -> None:
        later(ahead)
        for _ in range(5):
            schedule.look_after_all()
            worked()

        assert began()[1:] == [("sync", False, "schedule")]

    def test_that_was_refused_is_tried_again_at_its_time(self, indexed: Tree) -> None:
        later(WEEK)
        indexed.path.rename(indexed.path.with_name("away"))
        for _ in range(3):
            schedule.look_after_all()
            worked()
        later(DAY)
        schedule.look_after_all()

        assert began()[1:] == [("sync", False, "schedule"), ("sync", True, "schedule")]

    def test_deletes_nothing(self, indexed: Tree) -> None:
        indexed.remove("7/a.pdf")
        later(timedelta(days=365))
        schedule.look_after_all()
        worked()

        assert states()["7/a.pdf"] == "missing"

    def test_is_switched_off(self, tree: Tree, settings: Any) -> None:
        settings.STORAGE_INCREMENTAL_EVERY_HOURS = settings.STORAGE_WHOLE_EVERY_DAYS = 0

        schedule.look_after_all()

        assert began() == []

    @pytest.mark.parametrize(
        ("look_s", "hours", "days", "asked_s"), [(60, 24, 7, 60), (0, 24, 0, 300), (900, 0, 7, 300), (900, 0, 0, 900), (0, 0, 0, 0)]
    )  # fmt: skip
    def test_is_asked_for_often_enough(self, settings: Any, look_s: int, hours: int, days: int, asked_s: int) -> None:
        settings.STORAGE_LOOK_EVERY_S, settings.STORAGE_INCREMENTAL_EVERY_HOURS = look_s, hours
        settings.STORAGE_WHOLE_EVERY_DAYS = days

        assert schedule.asked_every_s() == asked_s


class TestChange:
    def test_leaves_nothing_behind_where_nothing_has_changed(self, indexed: Tree) -> None:
        logged = TransitionLog.objects.count()
        for _ in range(5):
            schedule.look_after_all()

        assert (len(began()), TransitionLog.objects.count()) == (1, logged)

    @pytest.mark.parametrize("change", ["put", "remove", "move", "new directory", "directory gone"])
    def test_begins_a_run(self, indexed: Tree, change: str) -> None:
        match change:
            case "put":
                indexed.put("7/b.pdf")
            case "remove":
                indexed.remove("7/a.pdf")
            case "move":
                indexed.move("7/a.pdf", "7/c.pdf")
            case "new directory":
                indexed.put("8/new/b.pdf")
            case _:
                indexed.remove("7")

        schedule.look_after_all()
        run = worked()
        schedule.look_after_all()

        assert began()[1:] == [("sync", True, "seen")]
        assert run.state == "done"

    def test_is_no_odd_thing_that_is_known(self, indexed: Tree, index: Index) -> None:
        indexed.link("link", "/nowhere")
        indexed.link("7/link", "/nowhere")
        schedule.look_after_all()
        run = worked()
        for _ in range(3):
            schedule.look_after_all()

        assert (began()[1:], run.counts["anomalies"]) == ([("sync", True, "seen")], 2)

    def test_is_looked_for_piece_by_piece(self, indexed: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(incremental, "DIRECTORIES", 1)
        indexed.put("8/z.pdf")
        indexed.settle()
        (indexed.path / "8" / "later.pdf").touch()

        schedule.look_after_all()

        assert began()[1:] == [("sync", True, "seen")]

    def test_is_left_to_the_time_where_looking_takes_too_long(
        self, indexed: Tree, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(schedule, "LOOKS_FOR_S", -1)

        schedule.look_after_all()

        assert began()[1:] == []
        assert "too many directories" in caplog.text

    def test_is_not_looked_for_in_an_object_store(self, indexed: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(DirectoryWalk, "has_directories", False)
        indexed.put("7/b.pdf")

        schedule.look_after_all()

        assert began()[1:] == []

    def test_is_not_looked_for_before_the_first_run(self, tree: Tree, settings: Any) -> None:
        settings.STORAGE_INCREMENTAL_EVERY_HOURS = settings.STORAGE_WHOLE_EVERY_DAYS = 0
        tree.put("7/a.pdf")

        schedule.look_after_all()

        assert began() == []

    def test_is_not_looked_for_when_that_is_switched_off(self, indexed: Tree, settings: Any) -> None:
        settings.STORAGE_LOOK_EVERY_S = 0
        indexed.put("7/b.pdf")

        schedule.look_after_all()

        assert began()[1:] == []

    def test_does_not_do_again_what_somebody_has_undone(self, indexed: Tree, index: Index) -> None:
        indexed.put("7/b.pdf")
        service, run = IndexSyncService(), index("sync")
        service.work(run_id=service.undo(run_id=run.pk).pk)

        schedule.look_after_all()

        assert len(began()) == 2

    def test_does_not_begin_again_what_somebody_has_stopped(self, indexed: Tree) -> None:
        indexed.put("7/b.pdf")
        schedule.look_after_all()
        IndexSyncService().abort(run_id=IndexRun.objects.latest("pk").pk)

        schedule.look_after_all()

        assert len(began()) == 2

    def test_runs_against_the_brake_once(self, indexed: Tree, index: Index) -> None:
        indexed.fill("7/many", 150)
        index("sync")
        indexed.remove("7/many")
        for _ in range(3):
            schedule.look_after_all()
            worked()

        assert began()[2:] == [("sync", True, "seen")]
        assert IndexRun.objects.latest("pk").failure_code == "index_braked"


class TestRootThatGoesAway:
    @pytest.fixture
    def away(self, indexed: Tree) -> Path:
        return indexed.path.rename(indexed.path.with_name("away"))

    @pytest.mark.usefixtures("away")
    def test_is_told_by_one_run(self) -> None:
        for _ in range(3):
            schedule.look_after_all()
            run = worked()

        assert began()[1:] == [("sync", True, "seen")]
        assert (run.state, run.failure_code, run.failure_notice is not None) == ("refused", "root_not_there", True)

    def test_goes_on_when_it_is_back(self, indexed: Tree, away: Path) -> None:
        schedule.look_after_all()
        worked()
        away.rename(indexed.path)
        indexed.put("7/b.pdf")
        schedule.look_after_all()

        assert worked().state == "done"
        assert states()["7/b.pdf"] == "present"

    def test_is_seen_when_it_is_back_as_it_was(self, indexed: Tree, away: Path) -> None:
        schedule.look_after_all()
        worked()
        away.rename(indexed.path)
        schedule.look_after_all()

        assert worked().state == "done"
        schedule.look_after_all()
        assert began()[1:] == [("sync", True, "seen")] * 2


class TestStart:
    def test_compares_each_root(self, indexed: Tree) -> None:
        schedule.start_all()

        assert began()[1:] == [("audit", False, "start")]
        assert worked().state == "planned"

    def test_looks_through_what_is_new(self, tree: Tree) -> None:
        tree.put("7/a.pdf")

        schedule.start_all()

        assert worked().state == "done"
        assert began() == [("sync", False, "start")]
        assert states()["7/a.pdf"] == "present"

    def test_leaves_a_root_that_is_busy(self, indexed: Tree, service: IndexSyncService) -> None:
        service.start(mode="audit")

        schedule.start_all()

        assert len(began()) == 2


class TestSeveralRoots:
    @pytest.fixture
    def second(self, tree: Tree, settings: Any, tmp_path: Path) -> Path:
        settings.STORAGE_ROOTS = {
            "archive": {"kind": "unheard of"},
            **settings.STORAGE_ROOTS,
            "maps": {"kind": "files", "path": tmp_path / "maps", "owned": False},
        }
        (tmp_path / "maps").mkdir()
        return tmp_path / "maps"

    @pytest.mark.usefixtures("second")
    def test_go_side_by_side(self) -> None:
        schedule.start_all()

        roots = IndexRun.objects.values_list("root__name", flat=True)
        assert sorted(roots) == ["archive", "documents", "maps"]

    @pytest.mark.parametrize(
        ("hindrance", "said"),
        [
            (RootBusy(), "Another run of this root is under way"),
            (Unavailable(), "waits for the next look"),
            (ListerUnknown(), "cannot be looked after"),
        ],
        ids=str,
    )
    @pytest.mark.usefixtures("second")
    def test_one_that_cannot_be_looked_at_keeps_no_other_from_it(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, hindrance: Exception, said: str
    ) -> None:
        def begin(self: IndexSyncService, *, root: str, **kwargs: Any) -> IndexRun:
            if root == "archive":
                raise hindrance
            return plain(self, root=root, **kwargs)

        plain = IndexSyncService.start
        monkeypatch.setattr(IndexSyncService, "start", begin)

        with caplog.at_level("INFO"):
            schedule.look_after_all()

        assert sorted(IndexRun.objects.values_list("root__name", flat=True)) == ["documents", "maps"]
        assert said in caplog.text


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_begin_one(tree: Tree) -> None:
    StorageRoot.named("documents")
    begin = threading.Barrier(4)

    def look(_: int) -> None:
        begin.wait(timeout=20)
        try:
            schedule.look_after_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(look, range(4)))

    assert began() == [("sync", False, "schedule")]


def test_of_a_storage_that_is_a_disk_the_short_look_works(indexed: Tree, settings: Any, tmp_path: Path) -> None:
    """“documents” as it is without any setting."""
    settings.STORAGE_ROOTS = {"plain": {"kind": "storage", "storage": "documents", "owned": True}}
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": {"directory": str(tmp_path / "plain"), "is_made": True}},
    }  # fmt: skip
    vars(storages)["_storages"].clear()
    schedule.look_after_all()
    worked()
    (tmp_path / "plain" / "7").mkdir()
    (tmp_path / "plain" / "7" / "deed.pdf").write_text("deed")

    schedule.look_after_all()

    assert (worked().occasion, states()["7/deed.pdf"]) == ("seen", "present")
