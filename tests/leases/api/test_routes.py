"""Leases one by one, for programs."""

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
from leases.buttons import BUTTONS, STOP
from leases.models import Lease
from statemachine.transitions import RECONCILER, Step, take
from tests.factories import settled
from tests.leases.api.conftest import HUGE, As, Program, at, refused

pytestmark = pytest.mark.django_db


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

    @pytest.mark.parametrize("pk", [0, 12_345, HUGE])
    def test_that_is_not_there_cannot_be_changed(self, asked_by: As, pk: int) -> None:
        administrator = asked_by("Administrator")
        came = [
            administrator.post(f"leases/{pk}/run/"),
            administrator.post(f"leases/{pk}/stop/"),
            administrator.send("PATCH", f"leases/{pk}/", {"number": "1"}, If_Match="*"),
            administrator.send("DELETE", f"leases/{pk}/", If_Match="*"),
        ]

        assert set(map(refused, came)) == {(404, "record_gone")}


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
