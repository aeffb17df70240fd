"""Leases one by one, for programs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from core.base.clock import now
from leases import services
from leases.api.routes import RUNS
from leases.api.shapes import Shown
from leases.buttons import BUTTONS, STOP
from leases.models import Batch, BatchLease, Lease
from statemachine.models import TransitionLog
from statemachine.transitions import RECONCILER, Step, take
from tests.factories import location, settled
from tests.leases.api.conftest import As, Program
from tests.storage.test_api import problem_of

pytestmark = pytest.mark.django_db

HUGE = 10**30


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, problem_of(answer)["code"]


@pytest.fixture
def lease(operator: Program) -> Lease:
    """Found, with its report."""
    return settled(
        operator.user,
        state="done",
        runsheet_directory=location(),
        runsheet_report_found=True,
        matching_files=["Master Documents.pdf"],
        matching_count=1,
    )


def at(lease: Lease, what: str = "") -> str:
    return f"leases/{lease.pk}/{what}"


class TestRead:
    def test_tells_what_its_page_tells(self, operator: Program, lease: Lease) -> None:
        said = operator.get(at(lease)).json()

        assert {name: said[name] for name in ("agency", "number", "state", "is_owed", "failure", "report_found")} == {
            "agency": "BLM",
            "number": "NMNM 1",
            "state": "done",
            "is_owed": False,
            "failure": None,
            "report_found": True,
        }
        assert (said["report_is_old"], said["matching_files"], said["matching_count"]) == (
            False,
            ["Master Documents.pdf"],
            1,
        )
        assert said["directory"]["path"] == "/a/NMNM 1"
        assert said["directory"]["share_url"].startswith("https://www.dropbox.com/")
        assert said["documents"] == {"state": "unknown", "directory": None}
        assert said["created_by"] == {"id": operator.user.pk, "name": "operator"}
        assert (said["started_by"], said["doubts"], said["nearest"], said["not_made"]) == (None, [], None, "")
        assert operator.client.get(said["page"]).status_code == 200

    def test_says_why_it_failed(self, operator: Program) -> None:
        lease = settled(operator.user, state="failed", failure_code="crashed", failure_message="It broke.")

        assert operator.get(at(lease)).json()["failure"] == {
            "code": "crashed",
            "words": "worker crashed",
            "detail": "It broke.",
            "advice": "Run it again; if that fails too, report it",
        }

    def test_names_what_comes_near_a_missing_archive(self, operator: Program) -> None:
        lease = settled(operator.user, state="searching", due_at=now())
        evidence = {
            "nearest": ["NMNM 2"],
            "nearest_reports": {"NMNM 2": True},
            "not_made": "another one lies beside it",
        }
        take(model=Lease, pk=lease.pk, step=Step(transition="record_not_found", evidence=evidence), actor=RECONCILER)

        said = operator.get(at(lease)).json()

        assert said["nearest"] == [{"name": "NMNM 2", "has_report": True}]
        assert said["not_made"] == "another one lies beside it"

    def test_is_not_sent_again_to_who_has_it(self, operator: Program, lease: Lease) -> None:
        has = operator.version_of(at(lease))

        assert operator.get(at(lease), headers={"If-None-Match": has}).status_code == 304

    @pytest.mark.parametrize(
        "change",
        [
            lambda lease: Lease.objects.filter(pk=lease.pk).update(due_at=now()),
            lambda lease: type(lease.runsheet_directory).objects.update(share_url="https://www.dropbox.com/2"),
            lambda _lease: User.objects.update(username="olga"),
        ],
        ids=["owed a run", "another link", "another name"],
    )
    def test_has_another_version_whatever_of_it_changes(self, operator: Program, lease: Lease, change: Any) -> None:
        had = operator.version_of(at(lease))

        change(lease)

        assert operator.get(at(lease), headers={"If-None-Match": had}).status_code == 200

    @pytest.mark.parametrize("what", ["", "history/", "contents/"])
    @pytest.mark.parametrize("pk", [0, 12_345, HUGE])
    def test_that_is_not_there_is_told_so(self, operator: Program, pk: int, what: str) -> None:
        assert refused(operator.get(f"leases/{pk}/{what}")) == (404, "record_gone")


class TestList:
    def names(self, program: Program, **asked: Any) -> list[str]:
        answer = program.get("leases/", **asked)
        assert answer.status_code == 200, answer.text
        return [each["number"] for each in answer.json()["items"]]

    @pytest.fixture
    def some(self, operator: Program) -> dict[str, Lease]:
        nina = User.objects.create_user("nina")
        made = {
            "done": settled(operator.user, lease_number="NMNM 1", state="done", runsheet_report_found=True),
            "failed": settled(nina, lease_number="NMNM 12", state="failed", failure_code="bug", initiated_by=nina),
            "state": settled(nina, agency="NMSLO", lease_number="B0-1234-5", generation=3),
            "new": settled(nina, lease_number="NMNM 7", due_at=now()),
        }
        Lease.objects.filter(pk=made["done"].pk).update(entered_at=now() - timedelta(days=3))
        batch = Batch.objects.create(kind=Batch.Kind.RUN, title="Two", created_by=nina)
        for each in ("done", "new"):
            BatchLease.objects.create(batch=batch, record=made[each])
        return made

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({}, ["NMNM 7", "B0-1234-5", "NMNM 12", "NMNM 1"]),
            ({"agency": "NMSLO"}, ["B0-1234-5"]),
            ({"state": "stopped"}, ["B0-1234-5"]),
            ({"state": "pending"}, ["NMNM 7"]),
            ({"state": "done"}, ["NMNM 1"]),
            ({"number": "nmnm1"}, ["NMNM 1"]),
            ({"number": "nmnm 7; NMNM12"}, ["NMNM 7", "NMNM 12"]),
            ({"number": ""}, []),
            ({"search": "nmnm 1"}, ["NMNM 12", "NMNM 1"]),
            ({"report": "true"}, ["NMNM 1"]),
            ({"failure": "bug"}, ["NMNM 12"]),
            ({"changed_since": "0001-01-01T00:00:00+23:59"}, ["NMNM 7", "B0-1234-5", "NMNM 12", "NMNM 1"]),
            ({"changed_since": "9999-12-31T23:59:59-23:59"}, []),
            ({"order": "number"}, ["B0-1234-5", "NMNM 1", "NMNM 12", "NMNM 7"]),
            ({"order": "changed_at", "agency": "BLM", "limit": 1}, ["NMNM 1"]),
        ],
    )
    def test_is_narrowed_and_ordered(
        self, operator: Program, some: dict[str, Lease], asked: dict[str, Any], found: list[str]
    ) -> None:
        assert self.names(operator, **asked) == found

    def test_is_narrowed_by_people_times_and_batches(self, operator: Program, some: dict[str, Lease]) -> None:
        nina, batch = some["new"].created_by_id, Batch.objects.get().pk

        assert self.names(operator, created_by=operator.user.pk) == ["NMNM 1"]
        assert self.names(operator, started_by=nina) == ["NMNM 12"]
        assert self.names(operator, batch=batch) == ["NMNM 7", "NMNM 1"]
        assert self.names(operator, batch=batch, standing="waiting") == ["NMNM 7"]
        assert self.names(operator, batch=batch, standing="settled") == ["NMNM 1"]
        since = (now() - timedelta(hours=1)).isoformat()
        assert self.names(operator, changed_since=since) == ["NMNM 7", "B0-1234-5", "NMNM 12"]

    def test_one_page_after_the_other_has_each_once(self, operator: Program, some: dict[str, Lease]) -> None:
        first = operator.get("leases/", limit=3, total="true", order="number")
        assert first.json()["total"] == 4
        some["state"].delete()  # what goes from the first page moves nothing in the second

        assert 'rel="next"' in first["Link"]
        assert self.names(operator, limit=3, order="number", cursor=first.json()["next"]) == ["NMNM 7"]

    def test_takes_one_statement_however_many_there_are(self, operator: Program, lease: Lease) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as asked:
                assert operator.get("leases/").status_code == 200
            return len(asked)

        one = statements()
        for number in range(30):
            settled(operator.user, lease_number=f"MANY {number}", runsheet_directory=lease.runsheet_directory)

        assert statements() == one
        with CaptureQueriesContext(connection) as asked:
            operator.get("leases/")
        assert len([each for each in asked if "leases_lease" in each["sql"]]) == 1

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"state": "lost"}, "invalid"),
            ({"agency": "NASA"}, "invalid"),
            ({"order": "runsheet_report_found"}, "invalid"),
            ({"limit": 0}, "invalid"),
            ({"limit": 1_001}, "invalid"),
            ({"batch": HUGE}, "invalid"),
            ({"changed_since": "yesterday"}, "invalid"),
            ({"changed_since": "2026-11-02T08:15:00"}, "invalid"),
            ({"cursor": "elsewhere"}, "cursor_unknown"),
            ({"search": ",".join(map(str, range(1_001)))}, "too_many_searched"),
            ({"number": ",".join(map(str, range(1_001)))}, "too_many_searched"),
        ],
    )
    def test_says_what_makes_no_sense(self, operator: Program, asked: dict[str, Any], code: str) -> None:
        assert refused(operator.get("leases/", **asked)) == (422, code)

    def test_knows_every_state(self) -> None:
        assert list(Shown.__value__.__args__) == Lease.shown_states()


class TestAdd:
    def test_makes_a_lease_that_starts(self, operator: Program) -> None:
        answer = operator.post("leases/", {"agency": "BLM", "number": " nmnm 0501759 "})

        lease = Lease.objects.get()
        assert (answer.status_code, answer["Location"]) == (201, f"/api/v1/leases/{lease.pk}/")
        assert answer["ETag"] == operator.version_of(at(lease))
        assert (answer.json()["number"], answer.json()["state"]) == ("nmnm 0501759", "searching")
        assert (lease.created_by, lease.initiated_by) == (operator.user, operator.user)

    def test_says_what_may_be_wrong_with_the_number(self, operator: Program) -> None:
        settled(None, lease_number="NMNM 0501759")

        doubts = operator.post("leases/", {"agency": "BLM", "number": "NMNM 501759"}).json()["doubts"]

        assert any("BLM already has NMNM 0501759, which differs only in zeros" in each for each in doubts)

    def test_refuses_a_duplicate(self, operator: Program, lease: Lease) -> None:
        answer = operator.post("leases/", {"agency": "BLM", "number": "nmnm 1"})

        assert refused(answer) == (409, "duplicate_lease")
        assert Lease.objects.count() == 1

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ({"agency": "BLM", "number": "a/b"}, "invalid_lease", "number"),
            ({"agency": "BLM", "number": ""}, "invalid_lease", "number"),
            ({"agency": "BLM", "number": "a\0b"}, "invalid_lease", "number"),
            ({"agency": "BLM", "number": "N" * 300}, "invalid_lease", "number"),
            ({"agency": "BLM", "number": "\ud800"}, "invalid_lease", "number"),
            ({"agency": "BLM", "number": 7}, "invalid", "number"),
            ({"agency": "NASA", "number": "1"}, "invalid", "agency"),
            ({"number": "1"}, "invalid", "agency"),
            ({"agency": "BLM", "number": "1", "state": "done"}, "invalid", "state"),
        ],
    )
    def test_refuses_what_no_lease_is(self, operator: Program, body: Any, code: str, field: str) -> None:
        answer = operator.post("leases/", body)

        assert refused(answer) == (422, code)
        assert [each["field"] for each in answer.json()["errors"]] == [field]
        assert not Lease.objects.exists()


class TestChange:
    def test_gives_another_number_and_searches_again(self, operator: Program, lease: Lease) -> None:
        answer = operator.send("PATCH", at(lease), {"number": "NMNM 2"}, If_Match=operator.version_of(at(lease)))

        assert answer.status_code == 200
        assert answer["ETag"] == operator.version_of(at(lease))
        said = answer.json()
        assert (said["agency"], said["number"], said["state"], said["directory"]) == (
            "BLM",
            "NMNM 2",
            "searching",
            None,
        )
        assert Lease.objects.get().updated_by == operator.user

    def test_gives_another_agency(self, operator: Program, lease: Lease) -> None:
        sent = operator.send("PATCH", at(lease), {"agency": "NMSLO"}, If_Match=operator.version_of(at(lease)))

        assert (sent.json()["agency"], sent.json()["number"]) == ("NMSLO", "NMNM 1")

    def test_changes_nothing_where_nothing_differs(self, operator: Program, lease: Lease) -> None:
        had = operator.version_of(at(lease))

        assert operator.send("PATCH", at(lease), {}, If_Match=had)["ETag"] == had

    def test_needs_to_know_what_it_changes(self, operator: Program, lease: Lease) -> None:
        assert refused(operator.send("PATCH", at(lease), {"number": "2"})) == (428, "precondition_missing")
        had = operator.version_of(at(lease))
        Lease.objects.update(due_at=now())
        assert refused(operator.send("PATCH", at(lease), {"number": "2"}, If_Match=had)) == (412, "precondition_failed")
        assert Lease.objects.get().lease_number == "NMNM 1"

    def test_refuses_the_number_of_another(self, operator: Program, lease: Lease) -> None:
        settled(operator.user, lease_number="NMNM 2")
        sent = operator.send("PATCH", at(lease), {"number": "NMNM 2"}, If_Match=operator.version_of(at(lease)))

        assert refused(sent) == (409, "duplicate_lease")

    def test_of_another_person_is_as_good_as_ones_own(self, operator: Program) -> None:
        theirs = settled(User.objects.create_user("nina"))
        sent = operator.send("PATCH", at(theirs), {"number": "NMNM 2"}, If_Match="*")

        assert sent.json()["started_by"]["name"] == "operator"


class TestDelete:
    def test_is_for_administrators_and_notes_who(self, asked_by: As, lease: Lease) -> None:
        administrator = asked_by("Administrator")
        had = administrator.version_of(at(lease))

        assert refused(asked_by("Operator").send("DELETE", at(lease), If_Match=had)) == (403, "transition_forbidden")
        assert refused(administrator.send("DELETE", at(lease))) == (428, "precondition_missing")
        assert administrator.send("DELETE", at(lease), If_Match=had).status_code == 204
        assert refused(administrator.send("DELETE", at(lease), If_Match=had)) == (404, "record_gone")
        entry = LogEntry.objects.get()
        assert (entry.user, entry.object_repr, entry.object_id) == (administrator.user, "BLM NMNM 1", str(lease.pk))

    def test_keeps_what_has_moved_on(self, asked_by: As, lease: Lease) -> None:
        administrator = asked_by("Administrator")
        had = administrator.version_of(at(lease))
        asked_by("Operator").post(at(lease, "run/"))

        answer = administrator.send("DELETE", at(lease), If_Match=had)

        assert refused(answer) == (412, "precondition_failed")
        assert "It was last changed by operator" in answer.json()["detail"]
        assert Lease.objects.exists()


class TestRunAndStop:
    @pytest.mark.parametrize(
        ("what", "state", "follows"),
        [
            (None, "searching", True),
            ("full", "searching", True),
            ("search", "searching", False),
            ("detection", "detecting", True),
        ],
    )
    def test_starts_what_the_button_starts(
        self, operator: Program, lease: Lease, what: str | None, state: str, follows: bool
    ) -> None:
        answer = operator.post(at(lease, "run/"), None if what is None else {"what": what})

        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/leases/{lease.pk}/")
        assert answer["ETag"] == operator.version_of(at(lease))
        assert (answer.json()["state"], answer.json()["started_by"]["name"]) == (state, "operator")
        assert Lease.objects.get().follow_through is follows

    def test_has_every_button(self) -> None:
        assert {each.name for each in (*RUNS.values(), STOP)} == {each.name for each in BUTTONS}

    def test_stops_and_says_so(self, operator: Program, lease: Lease) -> None:
        operator.post(at(lease, "run/"))

        answer = operator.post(at(lease, "stop/"))

        assert (answer.status_code, answer.json()["state"], answer.json()["is_owed"]) == (200, "stopped", False)
        assert refused(operator.post(at(lease, "stop/"))) == (409, "transition_refused")

    def test_says_what_is_missing(self, operator: Program) -> None:
        lease = settled(operator.user)

        answer = operator.post(at(lease, "run/"), {"what": "detection"})

        assert refused(answer) == (409, "transition_refused")
        assert answer.json()["detail"] == "No archive directory is known for this lease. Search for it first."

    def test_does_nothing_to_what_has_moved_on(self, operator: Program, lease: Lease) -> None:
        had = operator.version_of(at(lease))
        operator.post(at(lease, "run/"))

        assert refused(operator.post(at(lease, "stop/"), If_Match=had)) == (412, "precondition_failed")
        assert Lease.objects.get().state == "searching"

    def test_makes_an_archive_for_who_has_seen_what_lies_beside(self, operator: Program, settings: Settings) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = True
        lease = settled(operator.user, state="searching", due_at=now())
        step = Step(transition="record_not_found", evidence={"nearest": ["NMNM 2"]})
        take(model=Lease, pk=lease.pk, step=step, actor=RECONCILER)

        blindly = operator.post(at(lease, "run/"), {"what": "archive"})
        seeing = operator.post(at(lease, "run/"), {"what": "archive"}, If_Match=operator.version_of(at(lease)))

        assert refused(blindly) == (428, "precondition_missing")
        assert seeing.status_code == 202
        assert (Lease.objects.get().makes_archive, Lease.objects.get().seen_beside) == (True, ["NMNM 2"])

    def test_makes_none_where_none_may_be_made(self, operator: Program, settings: Settings, lease: Lease) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = False

        assert refused(operator.post(at(lease, "run/"), {"what": "archive"}, If_Match="*")) == (
            403,
            "archives_are_not_made",
        )

    def test_says_that_there_is_an_archive(self, operator: Program, settings: Settings, lease: Lease) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = True

        answer = operator.post(at(lease, "run/"), {"what": "archive"}, If_Match="*")

        assert (refused(answer), answer.json()["detail"]) == ((409, "transition_refused"), "It has an archive already.")


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    def test_one_of_several_that_run_and_stop_wins_each_time(self, olivia: User) -> None:
        """Each answer is one that somebody can act by, and the history is whole."""
        lease = settled(olivia, state="done", runsheet_directory=location())
        programs = [Program(olivia) for _ in range(6)]
        barrier = Barrier(len(programs))

        def ask(at_place: tuple[int, Program]) -> int:
            place, program = at_place
            barrier.wait()
            try:
                return int(program.post(f"leases/{lease.pk}/{'stop' if place % 2 else 'run'}/").status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(len(programs)) as pool:
            came = list(pool.map(ask, enumerate(programs)))

        assert set(came) <= {200, 202, 409}
        ran, stopped = came.count(202), came.count(200)
        assert ran - stopped in {0, 1}
        generations = list(TransitionLog.objects.of(lease).values_list("generation", flat=True))
        assert len(generations) == ran + stopped == Lease.objects.get().generation

    def test_of_two_who_change_the_same_version_one_is_told(self, olivia: User) -> None:
        lease = settled(olivia)
        programs = [Program(olivia) for _ in range(2)]
        had = programs[0].version_of(at(lease))
        barrier = Barrier(2)

        def change(at_place: tuple[int, Program]) -> int:
            place, program = at_place
            barrier.wait()
            try:
                return int(program.send("PATCH", at(lease), {"number": f"NEW {place}"}, If_Match=had).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(change, enumerate(programs))) == [200, 412]


class TestHistory:
    def test_has_the_newest_first_with_the_evidence(self, operator: Program) -> None:
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator.user)
        step = Step(transition="record_not_found", evidence={"path": "/a/NMNM 1", "nearest": []})
        take(model=Lease, pk=lease.pk, step=step, actor=RECONCILER)
        operator.post(at(lease, "run/"))

        run, missing, made = operator.get(at(lease, "history/")).json()["items"]

        assert (run["transition"], run["by"]) == (
            "start_search",
            {"kind": "user", "person": {"id": operator.user.pk, "name": "operator"}},
        )
        assert (missing["from_state"], missing["to_state"]) == ("searching", "not_found")
        assert missing["evidence"] == {"path": "/a/NMNM 1", "nearest": []}
        assert (made["reason"], made["by"]["kind"], made["generation"]) == ("created", "reconciler", 1)

    def test_takes_one_statement_however_much_has_happened(self, operator: Program, lease: Lease) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as asked:
                assert operator.get(at(lease, "history/")).status_code == 200
            return len(asked)

        operator.post(at(lease, "run/"))
        one = statements()
        for what in ("stop/", "run/", "stop/"):
            operator.post(at(lease, what))

        assert statements() == one

    def test_comes_some_at_a_time_for_one_lease_only(self, operator: Program, lease: Lease) -> None:
        for what in ("run/", "stop/", "run/"):
            assert operator.post(at(lease, what)).status_code < 300
        first = operator.get(at(lease, "history/"), limit=2, total="true").json()

        rest = operator.get(at(lease, "history/"), limit=2, cursor=first["next"]).json()

        assert first["total"] == 3
        assert [each["generation"] for each in (*first["items"], *rest["items"])] == [3, 2, 1]
        other = settled(operator.user, lease_number="NMNM 2")
        assert refused(operator.get(at(other, "history/"), cursor=first["next"])) == (422, "cursor_unknown")


class TestRights:
    @pytest.mark.parametrize(
        ("method", "what", "body"),
        [
            ("POST", "", {"agency": "BLM", "number": "2"}),
            ("PATCH", "{}/", {"number": "2"}),
            ("DELETE", "{}/", None),
            ("POST", "{}/run/", {"what": "full"}),
            ("POST", "{}/run/", {"what": "archive"}),
            ("POST", "{}/stop/", None),
            ("POST", "run/", {"filter": {}}),
            ("POST", "run/", {"filter": {}, "dry_run": True}),
            ("POST", "bulk/", {"items": [{"agency": "BLM", "number": "2"}]}),
        ],
    )
    def test_viewers_change_nothing_and_learn_nothing_of_versions(
        self, asked_by: As, lease: Lease, method: str, what: str, body: Any
    ) -> None:
        viewer = asked_by("Viewer")

        answer = viewer.send(method, f"leases/{what.format(lease.pk)}", body)

        assert refused(answer) == (403, "transition_forbidden")
        assert viewer.get(at(lease)).status_code == 200
        assert Lease.objects.get().generation == 0

    @pytest.mark.parametrize("what", ["leases/", "leases/{}/", "leases/{}/history/", "leases/{}/contents/", "batches/"])
    def test_who_may_see_no_leases_sees_none(self, lease: Lease, what: str) -> None:
        nobody = Program(User.objects.create_user("nina", is_staff=True))

        answer = nobody.get(what.format(lease.pk))

        assert refused(answer) == (403, "transition_forbidden")
        assert "see leases" in answer.json()["detail"]
