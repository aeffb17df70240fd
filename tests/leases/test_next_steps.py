"""What helps a failed lease, as a button for who may press it, and why a lease is where it is."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from redis import Redis

from cloud.models import DropboxAccount
from console.machine.next_steps import NextStep, next_step, step_for_all, told
from console.machine.reasons import reasons
from core.base.clock import now
from core.base.errors import ASK
from leases.admin.why import LABELS, Account, account_of, text_of
from leases.models import Lease
from statemachine.models import TransitionLog
from statemachine.transitions import Actor, Step, advance, locked
from tests.factories import settled
from tests.roles import in_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(db: None) -> User:
    return in_role("Administrator")


@pytest.fixture
def operator(db: None) -> User:
    return in_role("Operator")


def failed(code: str, **values: Any) -> Lease:
    return settled(None, state="failed", failure_code=code, failure_message="No.", **values)


def step_for(lease: Lease, user: User) -> NextStep:
    found = next_step(lease, user)
    assert found
    return found


class TestNextStep:
    def test_connects_ones_own_dropbox(self, operator: User) -> None:
        lease = failed("connect_dropbox", initiated_by=operator)

        assert step_for(lease, operator).url == f"/dropbox/?next=%2Fadmin%2Fleases%2Flease%2F{lease.pk}%2Fchange%2F"

    @pytest.mark.parametrize("is_known", [True, False])
    def test_asks_another_person_to_connect_theirs(self, operator: User, administrator: User, is_known: bool) -> None:
        lease = failed("tokens_unreadable", initiated_by=administrator if is_known else None)

        found = step_for(lease, operator)

        who = "administrator" if is_known else "the person who started it"
        assert (found.url, found.otherwise) == ("", f"Ask {who} to connect Dropbox, or run it for yourself.")
        assert told(lease, operator).startswith(f"The run uses the Dropbox of {who}, which is not connected")

    def test_tells_ones_own_failure_as_it_is(self, operator: User) -> None:
        assert told(failed("connect_dropbox", initiated_by=operator), operator) == "No."
        assert told(failed("bug", lease_number="NMNM 2"), operator) == "No."

    def test_does_not_propose_a_run_to_who_may_not_start_one(self) -> None:
        found = step_for(failed("connect_dropbox"), in_role("Viewer"))

        assert found.otherwise == "Ask the person who started it to connect Dropbox."

    @pytest.mark.parametrize("code", ["configuration_missing", "configuration_disabled", "base_path_missing"])
    def test_configures_the_agency(self, administrator: User, code: str) -> None:
        assert step_for(failed(code), administrator).url == "/admin/leases/agencystorageconfig/add/?agency=BLM"

    def test_corrects_the_number(self, operator: User) -> None:
        assert step_for(failed("unsafe_path"), operator).url.endswith("/change/#id_lease_number")

    def test_leads_to_the_system(self, administrator: User) -> None:
        assert step_for(failed("app_key_missing"), administrator).url == "/admin/system/"

    @pytest.mark.parametrize("code", ["app_refused", "configuration_missing", "base_path_missing"])
    def test_is_an_administrators(self, operator: User, code: str) -> None:
        found = step_for(failed(code), operator)

        assert (found.url, found.otherwise) == ("", ASK)

    def test_offers_another_dropbox_to_who_may_not_configure(self, operator: User) -> None:
        found = step_for(failed("base_path_missing", initiated_by=operator), operator)

        assert found.label == "Connect another Dropbox account"
        assert found.url.startswith("/dropbox/?next=")

    @pytest.mark.parametrize("code", ["base_path_out_of_sight", "archive_out_of_sight", "another_folder"])
    def test_leaves_it_to_who_sees_it(self, administrator: User, operator: User, code: str) -> None:
        """The path is right for them, so nobody is led to change it."""
        lease = settled(operator, state="searching", due_at="2100-01-01T00:00Z", initiated_by=operator)
        with locked(Lease, lease.pk) as record:
            step = Step(transition="fail", arguments={"code": code, "message": "No."}, evidence={"seen_by": "Ivan"})
            advance(record, step, Actor.worker("job"))
        lease = Lease.objects.get()

        found = step_for(lease, administrator)

        assert (found.url, found.otherwise) == (
            "",
            "Let Ivan run it, or somebody else whose Dropbox sees the archive.",
        )
        assert step_for(lease, operator).label == "Connect another Dropbox account"

    def test_names_the_configuration_beside_who_sees_the_folder(self, administrator: User, operator: User) -> None:
        """The witness may be mistaken by now, so whoever may configure is told the other way as well."""
        lease = failed("base_path_out_of_sight", initiated_by=operator)

        for step in (step_for(lease, administrator), step_for_all(lease, administrator)):
            assert step
            assert (step.url, step.otherwise) == ("", "Let somebody run it whose Dropbox sees the archive.")
            assert step.also
            assert (step.also.label, step.also.url) == (
                "Configure BLM",
                "/admin/leases/agencystorageconfig/add/?agency=BLM",
            )
        assert step_for(lease, operator).also is None

    @pytest.mark.parametrize(
        ("code", "labels"),
        [
            ("base_path_missing", ("Configure BLM", "Connect another Dropbox account")),
            ("base_path_out_of_sight", ("Connect another Dropbox account", "Configure BLM")),
        ],
    )
    def test_names_both_ways_to_who_may_take_both(
        self, administrator: User, code: str, labels: tuple[str, str]
    ) -> None:
        step = step_for(failed(code, initiated_by=administrator), administrator)

        assert step.also
        assert step.url
        assert (step.label, step.also.label) == labels

    def test_names_no_other_way_where_there_is_one(self, operator: User) -> None:
        assert step_for(failed("connect_dropbox", initiated_by=operator), operator).also is None

    def test_corrects_nothing_for_who_only_looks(self) -> None:
        assert step_for(failed("unsafe_path"), in_role("Viewer")).otherwise == ASK

    def test_leads_to_the_job_of_a_bug(self, administrator: User, operator: User, redis: Redis) -> None:
        lease = settled(operator, state="searching", due_at="2100-01-01T00:00Z")
        with locked(Lease, lease.pk) as record:
            step = Step(transition="fail", arguments={"code": "bug", "message": "Bug."})
            advance(record, step, Actor.worker(f"leases_lease-{lease.pk}-searching-0"))
        lease = Lease.objects.get()

        assert step_for(lease, administrator).url.endswith(f"/leases_lease-{lease.pk}-searching-0/")
        assert step_for(lease, operator).otherwise == "Report it; then run it again."

    def test_knows_of_no_job_where_there_was_none(self, administrator: User) -> None:
        assert not TransitionLog.objects.exists()
        assert step_for(failed("bug"), administrator).url == ""

    def test_is_none_where_running_it_again_is_all(self, operator: User) -> None:
        assert next_step(failed("dropbox_unavailable"), operator) is None


def told_of(evidence: dict[str, Any], account: Account | None = None) -> list[tuple[str, str]]:
    return list(reasons(evidence, labels=LABELS, text=lambda name, value: text_of(name, value, account)))


class TestReasons:
    def test_are_named_in_one_order(self) -> None:
        found = told_of({"zebra": 1, "answer": "listed", "path": "/a", "matching": ["x.pdf", "y.pdf"]})

        assert found == [
            ("Path asked for", "/a"),
            ("Answer", "listed"),
            ("Names that match", "“x.pdf”, “y.pdf”"),
            ("Zebra", "1"),
        ]

    @pytest.mark.parametrize(
        ("evidence", "value"),
        [
            ({"path_root": ""}, "the account's own home"),
            ({"error": ""}, "–"),  # noqa: RUF001 - a dash
            ({"matching": []}, "none"),
            ({"account": "dbid:1"}, "dbid:1"),
            ({"path_root": "7"}, "7"),
            ({"pattern": "Master.*"}, "Master.* (a regular expression, the setting RUNSHEET_PREVIOUS_REPORT_PATTERN)"),
            ({"link_answer": {"status": 409}}, '{"status": 409}'),
        ],
    )
    def test_are_texts(self, evidence: dict[str, Any], value: str) -> None:
        assert [text for _, text in told_of(evidence)] == [value]

    @pytest.mark.parametrize(
        ("evidence", "value"),
        [
            ({"account": "dbid:1"}, "Olivia Ortiz, olivia@example.com (dbid:1)"),
            ({"account": "dbid:1", "path_root": "7"}, "the account's own home (7)"),
            ({"account": "dbid:1", "path_root": "8"}, "the team space (8)"),
            ({"account": "dbid:2", "path_root": "8"}, "8"),
        ],
    )
    def test_name_the_account_and_where_its_paths_begin(
        self, operator: User, evidence: dict[str, Any], value: str
    ) -> None:
        DropboxAccount.objects.create(
            user=operator, account_id="dbid:1", display_name="Olivia Ortiz", email="olivia@example.com",
            refresh_token="r", root_namespace_id="8", home_namespace_id="7", connected_at=now(),
        )  # fmt: skip

        assert told_of(evidence, account_of(evidence))[-1][1] == value
