"""Which leases are owed a run for what the index says of their archives, without Dropbox or a run of the index."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from cloud.errors import NotADirectory
from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.errors import ArchiveOutOfSight, BasePathMissing
from discovery.models import ArchiveWatch
from discovery.services import archive_news
from discovery.services.archive_news import (
    ADDED,
    ANEW,
    APPEARED,
    GONE,
    RENAMED,
    SEEN_AGAIN,
    TAKEN,
    UP_TO,
    tell,
)
from leases.models import Lease
from leases.states import State
from statemachine.evidence import LISTED_AT_MOST
from storage.models import IndexChange, IndexRun, RunState, StoredFile
from tests.discovery.watching import absent, done, owed
from tests.factories import BLM, configured, indexed, watched

pytestmark = pytest.mark.django_db

REPORT = "Master Documents.pdf"
SECOND = "Master Documents 2.pdf"
NEVER = {"is_time_up": lambda: False}


@pytest.fixture
def watch(operator: User) -> ArchiveWatch:
    configured()
    return watched(DropboxAccount.objects.get())


def ended(watch: ArchiveWatch, **values: Any) -> IndexRun:
    """A run that was applied, of which nothing is told yet."""
    return IndexRun.objects.create(
        **{"root": watch.root, "mode": "sync", "state": RunState.DONE, "due_at": None, "incremental": True, **values}
    )


def whole(watch: ArchiveWatch) -> None:
    """All leases are to be compared."""
    ended(watch, incremental=False)
    tell(watch, **NEVER)


def changed(run: IndexRun, action: str, key: str, detail: str = "", **values: Any) -> None:
    number = run.changes.count() + 1
    IndexChange.objects.create(run=run, number=number, action=action, key=key, detail=detail, **values)


class TestAnswers:
    """Of leases whose answer is compared with what lies there."""

    @pytest.mark.parametrize(
        ("files", "known", "reason"),
        [
            ([], [], ""),
            ([REPORT], [REPORT], ""),
            (["scan.pdf", "~$Master Documents.docx"], [], ""),
            ([REPORT], [], ADDED),
            ([REPORT, SECOND], [REPORT], ADDED),
            ([], [REPORT], TAKEN),
            ([SECOND], [REPORT, SECOND], TAKEN),
            ([SECOND], [REPORT], RENAMED),
        ],
    )
    def test_of_a_report(
        self, operator: User, watch: ArchiveWatch, files: list[str], known: list[str], reason: str
    ) -> None:
        indexed(watch, {"NMNM 1": files})
        done(operator, "NMNM 1", reports=known)

        whole(watch)

        assert owed() == ({"NMNM 1": reason} if reason else {})

    def test_of_very_many_reports_are_counted(self, operator: User, watch: ArchiveWatch) -> None:
        names = [f"Master Documents {number}.pdf" for number in range(LISTED_AT_MOST + 2)]
        indexed(watch, {"NMNM 1": names, "NMNM 2": names})
        for number, count in (("NMNM 1", len(names)), ("NMNM 2", len(names) + 1)):
            done(operator, number, reports=names[:LISTED_AT_MOST])
            Lease.objects.filter(lease_number=number).update(matching_count=count)

        whole(watch)

        assert owed() == {"NMNM 2": TAKEN}

    def test_of_a_found_archive_whose_report_nobody_looked_for(self, operator: User, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": [REPORT]})
        done(operator, "NMNM 1", state=State.FOUND)
        done(operator, "NMNM 2", state=State.FOUND)

        whole(watch)

        assert owed() == {"NMNM 2": GONE}

    def test_of_an_archive_that_was_made_anew(self, operator: User, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": [], "NMNM 2": []})
        done(operator, "NMNM 1", known_folder_id="id:NMNM_1")
        done(operator, "NMNM 2", known_folder_id="id:another")

        whole(watch)

        assert owed() == {"NMNM 2": ANEW}

    def test_of_an_archive_in_whose_place_lies_a_file(self, operator: User, watch: ArchiveWatch) -> None:
        for number in (1, 2):
            name = f"NMNM {number}"
            StoredFile.objects.create(root=watch.root, key=name.lower(), name=name, etag="id:1 rev:0123456789")
        absent(operator, "NMNM 1")
        done(operator, "NMNM 2")

        whole(watch)

        assert owed() == {"NMNM 2": GONE}

    def test_of_names_that_dropbox_may_compare_otherwise_are_left_alone(
        self, operator: User, watch: ArchiveWatch
    ) -> None:
        done(operator, "NMNM ß")

        whole(watch)

        assert owed() == {}

    @pytest.mark.parametrize(
        "values",
        [
            {"known_base_path": "/elsewhere"},
            {"state": State.PENDING, "generation": 2},
            {"initiated_by": None},
        ],
        ids=["of another folder", "stopped", "nobody's"],
    )
    def test_that_are_none_of_this_index_are_left_alone(
        self, operator: User, watch: ArchiveWatch, values: dict[str, Any]
    ) -> None:
        indexed(watch, {"NMNM 1": []})
        absent(operator, "NMNM 1", **values)

        whole(watch)

        assert owed() == {}

    def test_of_another_account_are_outdone_by_what_is_there_only(self, operator: User, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": []})
        absent(operator, "NMNM 1", known_account="dbid:another")
        done(operator, "NMNM 2", known_account="dbid:another")

        whole(watch)

        assert owed() == {"NMNM 1": APPEARED}

    def test_that_are_owed_a_run_keep_their_reason(self, operator: User, watch: ArchiveWatch) -> None:
        indexed(watch, {"NMNM 1": []})
        absent(operator, "NMNM 1", due_at=now(), due_reason="mine")

        whole(watch)

        assert owed() == {"NMNM 1": "mine"}

    @pytest.mark.parametrize(
        ("code", "partial", "reason"),
        [
            (BasePathMissing.code, True, SEEN_AGAIN),
            (NotADirectory.code, False, APPEARED),
            (ArchiveOutOfSight.code, False, APPEARED),
            (ArchiveOutOfSight.code, True, ""),
            ("dropbox_unavailable", False, ""),
        ],
    )
    def test_that_failed_go_on_where_that_is_mended(
        self, operator: User, watch: ArchiveWatch, code: str, *, partial: bool, reason: str
    ) -> None:
        indexed(watch, {"NMNM 1": []}, partial=partial)
        absent(operator, "NMNM 1", state=State.FAILED, failure_code=code, known_account="", known_base_path="")

        whole(watch)

        assert owed() == ({"NMNM 1": reason} if reason else {})

    def test_that_failed_are_not_mended_by_nothing(self, operator: User, watch: ArchiveWatch) -> None:
        absent(operator, "NMNM 1", state=State.FAILED, failure_code=ArchiveOutOfSight.code)

        whole(watch)

        assert owed() == {}


class TestWhichLeases:
    @pytest.fixture
    def leases(self, operator: User, watch: ArchiveWatch) -> User:
        """Five that each would be told another answer."""
        indexed(watch, {f"NMNM {number}": [] for number in range(5)})
        for number in range(5):
            absent(operator, f"NMNM {number}")
        return operator

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (("create", "nmnm 1/"), ["NMNM 1"]),
            (("create", "nmnm 1/a.pdf"), ["NMNM 1"]),
            (("create", "nmnm 1/runsheets/a.pdf"), []),
            (("miss", "nmnm 1"), ["NMNM 1"]),
            (("rename", "nmnm 1/", "nmnm 2/"), ["NMNM 1", "NMNM 2"]),
            (("rename", "nmnm 1/a.pdf", "nmnm 1/b/c.pdf"), ["NMNM 1"]),
            (("update", "nmnm 1/", "nmnm 2/"), ["NMNM 1"]),
            (("skip", "nmnm 1/"), []),
            (("anomaly", "nmnm 1/"), []),
        ],
    )
    def test_are_those_of_the_archives_that_were_touched(
        self, leases: User, watch: ArchiveWatch, change: tuple[str, ...], expected: list[str]
    ) -> None:
        changed(ended(watch), *change)

        tell(watch, **NEVER)

        assert sorted(owed()) == expected

    def test_are_none_of_what_was_passed_over(self, leases: User, watch: ArchiveWatch) -> None:
        changed(ended(watch), "create", "nmnm 1/", passed_over=True)

        tell(watch, **NEVER)

        assert owed() == {}

    def test_are_those_of_all_runs_since_the_last_time(self, leases: User, watch: ArchiveWatch) -> None:
        for number in (1, 2):
            changed(ended(watch), "create", f"nmnm {number}/")

        tell(watch, **NEVER)
        assert sorted(owed()) == ["NMNM 1", "NMNM 2"]
        Lease.objects.update(due_at=None, due_reason="")
        changed(ended(watch), "create", "nmnm 3/")
        tell(watch, **NEVER)

        assert sorted(owed()) == ["NMNM 3"]

    @pytest.mark.parametrize(
        ("values", "count"),
        [
            ({"incremental": False}, 5),
            ({"state": RunState.UNDONE}, 5),
            ({"state": RunState.FAILED, "applied_up_to": 1}, 5),
            ({"state": RunState.ABORTED, "applied_up_to": 1}, 5),
            ({"state": RunState.FAILED}, 0),
            ({"state": RunState.ABORTED, "incremental": False}, 0),
            ({"state": RunState.REFUSED}, 0),
            ({"state": RunState.ABORTED, "applied_up_to": 1, "dry_run": True}, 5),
            ({"state": RunState.ABORTED, "dry_run": True}, 0),
        ],
    )
    def test_are_all_where_nobody_knows_what_was_changed(
        self, leases: User, watch: ArchiveWatch, values: dict[str, Any], count: int
    ) -> None:
        ended(watch, **values)

        tell(watch, **NEVER)

        assert len(owed()) == count

    def test_are_told_of_an_old_run_that_somebody_lets_go_on(self, leases: User, watch: ArchiveWatch) -> None:
        old = ended(watch, state=RunState.REFUSED)
        changed(old, "create", "nmnm 1/")
        ended(watch)
        tell(watch, **NEVER)
        IndexRun.objects.filter(pk=old.pk).update(state=RunState.DONE, generation=9)

        tell(watch, **NEVER)

        assert sorted(owed()) == ["NMNM 1"]

    def test_of_very_many_are_compared_piece_by_piece(
        self, leases: User, watch: ArchiveWatch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_news, "AT_ONCE", 2)
        ended(watch, incremental=False)

        tell(watch, is_time_up=lambda: True)
        assert len(owed()) == 2
        assert UP_TO in watch.told
        tell(watch, **NEVER)

        assert len(owed()) == 5
        assert UP_TO not in watch.told

    def test_are_the_same_after_a_kill(self, leases: User, watch: ArchiveWatch) -> None:
        """Who is owed a run is owed no second one."""
        ended(watch, incremental=False)
        tell(watch, **NEVER)
        first = {lease.pk: lease.turn for lease in Lease.objects.all()}
        ArchiveWatch.objects.update(told={})

        tell(ArchiveWatch.objects.get(), **NEVER)

        assert {lease.pk: lease.turn for lease in Lease.objects.all()} == first

    def test_ask_nothing_where_nothing_is_new(
        self, leases: User, watch: ArchiveWatch, django_assert_num_queries: Any
    ) -> None:
        ended(watch, incremental=False)
        tell(watch, **NEVER)

        with django_assert_num_queries(3):  # the runs, the agencies, the people
            tell(watch, **NEVER)


class TestUnsettled:
    @pytest.mark.parametrize(
        "values",
        [
            {"state": State.SEARCHING, "due_at": now()},
            {"claimed_until": now() + timedelta(days=1)},
            {"known_at": now() + timedelta(days=1)},
        ],
        ids=["at work", "claimed", "asked since"],
    )
    def test_is_looked_at_again(self, operator: User, watch: ArchiveWatch, values: dict[str, Any]) -> None:
        indexed(watch, {"NMNM 1": []})
        lease = absent(operator, "NMNM 1", **values)
        changed(ended(watch), "create", "nmnm 1/")

        tell(watch, **NEVER)
        tell(ArchiveWatch.objects.get(), **NEVER)
        assert ArchiveWatch.objects.get().unsettled == ["nmnm 1"]
        assert owed().get("NMNM 1", "") == ""
        settled = {"state": State.NOT_FOUND, "due_at": None, "claimed_until": None, "known_at": watch.root.read_at}
        Lease.objects.filter(pk=lease.pk).update(**settled)
        tell(ArchiveWatch.objects.get(), **NEVER)

        assert owed() == {"NMNM 1": APPEARED}
        assert ArchiveWatch.objects.get().unsettled == []

    def test_is_what_somebody_has_moved_on_meanwhile(
        self, operator: User, watch: ArchiveWatch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        indexed(watch, {"NMNM 1": []})
        absent(operator, "NMNM 1")
        monkeypatch.setattr(archive_news, "owe_runs", lambda **_: set())

        whole(watch)

        assert ArchiveWatch.objects.get().unsettled == ["nmnm 1"]

    def test_stays_while_all_are_compared_piece_by_piece(
        self, operator: User, watch: ArchiveWatch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive_news, "AT_ONCE", 1)
        for number in (1, 2):
            absent(operator, f"NMNM {number}")
        watch.unsettled = ["nmnm 2"]
        ended(watch, incremental=False)

        tell(watch, is_time_up=lambda: True)

        assert ArchiveWatch.objects.get().unsettled == ["nmnm 2"]

    def test_is_of_the_folder_of_one_agency_only(self, operator: User, watch: ArchiveWatch) -> None:
        """The same number may be another agency's, whose archives lie elsewhere."""
        configured("NMSLO", "/State")
        indexed(watch, {"NMNM 1": []})
        absent(operator, "NMNM 1", agency="NMSLO", known_base_path=BLM)

        whole(watch)

        assert owed() == {}
