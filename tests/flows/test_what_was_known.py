"""What was known of an archive stands, by whatever way somebody comes to see less of it."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction

from cloud.dropbox import Gateway
from cloud.models import DropboxAccount
from leases import runs, services
from leases.models import AgencyStorageConfig, Lease
from leases.queries import configuration_of
from statemachine.errors import TransitionForbidden
from statemachine.reconcile import reconcile
from statemachine.transitions import locked
from tests.dropbox_standin.clients import raw_call
from tests.flows.conftest import ARCHIVE, BLM, ELSEWHERE, NUMBER, REPORT, Work, link_of

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

type Colleague = Callable[[str], User]
type RunIt = Callable[..., Lease]


def change(base_path: str) -> None:
    configuration = AgencyStorageConfig.objects.get(agency="BLM")
    configuration.runsheet_archive_base_path = base_path
    with transaction.atomic():
        configuration.save()
        services.configuration_saved(configuration)
    reconcile()


def second_agency(base_path: str) -> None:
    AgencyStorageConfig.objects.create(
        agency="NMSLO", runsheet_archive_base_path=base_path, documents_base_path="/d", misc_index_base_path="/m"
    )


class TestWhoWasKeptOut:
    def test_negates_nothing_though_the_account_once_saw_it(
        self, found: Lease, operator: User, dropbox: "Standin", run: RunIt
    ) -> None:
        dropbox.sight("olivia", ARCHIVE, "none")

        after = run(found, operator)

        assert (after.state, after.failure_code, after.runsheet_report_found) == (
            "failed",
            "archive_out_of_sight",
            True,
        )

    def test_is_no_witness_after_having_seen_a_part(
        self, found: Lease, dropbox: "Standin", colleague: Colleague, run: RunIt
    ) -> None:
        paul = colleague("paul")
        dropbox.sight("paul", ARCHIVE, "traverse_only")
        seen_in_part = run(found, paul)
        assert seen_in_part.origin == found.origin
        dropbox.sight("paul", ARCHIVE, "none")

        after = run(found, paul)

        assert (after.failure_code, after.runsheet_report_found) == ("archive_out_of_sight", True)

    def test_is_none_either_after_the_archives_lay_elsewhere_for_a_while(
        self, found: Lease, dropbox: "Standin", colleague: Colleague, run: RunIt, work_until_settled: Work
    ) -> None:
        dropbox.put(f"{ELSEWHERE}/")
        dropbox.sight("paul", ARCHIVE, "traverse_only")
        run(found, colleague("paul"))
        change(ELSEWHERE)
        work_until_settled()

        change(BLM)
        work_until_settled()

        after = Lease.objects.get()
        assert (after.failure_code, after.origin) == ("archive_out_of_sight", found.origin)


class TestWhoComesBack:
    """Paul may not see the archive; what Olivia saw was asked elsewhere in between."""

    @pytest.fixture
    def paul(self, found: Lease, dropbox: "Standin", colleague: Colleague) -> User:
        dropbox.put(f"{ELSEWHERE}/")
        dropbox.sight("paul", ARCHIVE, "none")
        return colleague("paul")

    def test_over_another_base_path_negates_nothing(
        self, found: Lease, paul: User, run: RunIt, work_until_settled: Work
    ) -> None:
        run(found, paul)
        change(ELSEWHERE)
        work_until_settled()
        assert Lease.objects.get().state == "not_found"

        change(BLM)
        work_until_settled()

        assert Lease.objects.get().failure_code == "archive_out_of_sight"

    def test_over_another_number_negates_nothing(self, found: Lease, paul: User, work_until_settled: Work) -> None:
        for number in ("NMNM 77", NUMBER):
            services.change_lease(lease_id=found.pk, agency="BLM", lease_number=number, changed_by=paul)
            work_until_settled()

        assert Lease.objects.get().failure_code == "archive_out_of_sight"


class TestAResultOfAnOlderVersion:
    def test_is_known_from_its_history(
        self, found: Lease, dropbox: "Standin", colleague: Colleague, run: RunIt
    ) -> None:
        Lease.objects.update(
            known_base_path="", known_account="", known_root="", known_namespace="", known_folder_id=""
        )
        dropbox.put(f"{BLM}/", home="ivan")

        after = run(found, colleague("ivan"))

        assert (after.failure_code, after.runsheet_report_found) == ("archive_out_of_sight", True)


class TestAnotherLeaseAtTheSamePath:
    """Two agencies have one base path, and the other one's lease is run in another space."""

    @pytest.mark.parametrize("there", [f"{BLM}/", f"{ARCHIVE}/scan.pdf"])
    def test_takes_nothing_away(
        self, found: Lease, dropbox: "Standin", colleague: Colleague, work_until_settled: Work, there: str
    ) -> None:
        second_agency(BLM)
        dropbox.put(there, home="ivan")
        link = link_of(found)

        other = services.create_lease(agency="NMSLO", lease_number=NUMBER, created_by=colleague("ivan"))
        work_until_settled()

        assert Lease.objects.get(pk=other.pk).failure_code in {"archive_out_of_sight", "another_folder"}
        assert link_of(Lease.objects.get(pk=found.pk)) == link != ""

    def test_finds_its_way_in_another_spelling(
        self, found: Lease, operator: User, run: RunIt, work_until_settled: Work
    ) -> None:
        second_agency(BLM.upper())
        other = services.create_lease(agency="NMSLO", lease_number=NUMBER, created_by=operator)
        work_until_settled()

        after = run(other, operator, runs.DETECTION)

        assert (after.state, after.runsheet_report_found, after.tries) == ("done", True, 0)

    def test_that_is_gone_leaves_no_link_to_be_believed(
        self, found: Lease, dropbox: "Standin", colleague: Colleague, work_until_settled: Work
    ) -> None:
        link = link_of(found)
        found.delete()
        dropbox.put(f"{ARCHIVE}/scan.pdf", home="ivan")

        services.create_lease(agency="BLM", lease_number=NUMBER, created_by=colleague("ivan"), background=True)
        work_until_settled()

        after = Lease.objects.get()
        assert (after.state, after.runsheet_report_found) == ("done", False)
        assert link_of(after) != link


class TestWithoutALink:
    def test_a_search_alone_keeps_the_report(
        self, operator: User, dropbox: "Standin", run: RunIt, work_until_settled: Work
    ) -> None:
        dropbox.policy("access_denied")
        dropbox.put(REPORT)
        lease = services.create_lease(agency="BLM", lease_number=NUMBER, created_by=operator)
        work_until_settled()

        after = run(lease, operator, runs.SEARCH)

        assert (after.state, after.runsheet_report_found) == ("found", True)


class TestTheBasePath:
    def test_that_was_renamed_a_moment_ago_is_looked_at_anew(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(REPORT)
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        work_until_settled()
        dropbox.delete(BLM)

        lease = services.create_lease(agency="BLM", lease_number=NUMBER, created_by=operator)
        work_until_settled()

        assert Lease.objects.get(pk=lease.pk).failure_code == "base_path_missing"

    def test_in_another_case_is_the_same(
        self, found: Lease, operator: User, run: RunIt, work_until_settled: Work
    ) -> None:
        change(BLM.lower())
        work_until_settled()

        after = run(found, operator, runs.DETECTION)

        assert (after.state, after.runsheet_report_found) == ("done", True)

    def test_that_is_changed_asks_again_what_somebody_held(
        self, found: Lease, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(f"{ELSEWHERE}/{NUMBER}/scan.pdf")
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with locked(Lease, found.pk):
                held.set()
                done.wait(1)
            connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(10)
        change(ELSEWHERE)
        done.set()
        holder.join()
        reconcile()
        work_until_settled()

        assert Lease.objects.get().known_base_path == ELSEWHERE

    def test_that_is_changed_asks_again_what_has_failed_for_another_reason(
        self, found: Lease, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(f"{ELSEWHERE}/{NUMBER}/scan.pdf")
        Lease.objects.update(state="failed", failure_code="dropbox_unavailable", failure_message="x")

        change(ELSEWHERE)
        work_until_settled()

        assert Lease.objects.get().known_base_path == ELSEWHERE

    def test_that_was_another_one_for_a_moment_fails_no_run(
        self, operator: User, dropbox: "Standin", work_until_settled: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is as it was when the run looks back, but the run has asked of what it was in between."""
        dropbox.put(REPORT)
        describe, steps = Gateway.metadata, list[str]()

        def reading(agency: str) -> AgencyStorageConfig | None:
            if not steps:
                steps.append("changed")
                change("/Nowhere/At all")
            return configuration_of(agency)

        def describing(self: Gateway, *, path: str) -> object:
            try:
                return describe(self, path=path)
            finally:
                if steps == ["changed"]:
                    steps.append("changed back")
                    change(BLM)

        monkeypatch.setattr("discovery.services.givens.configuration_of", reading)
        monkeypatch.setattr(Gateway, "metadata", describing)

        services.create_lease(agency="BLM", lease_number=NUMBER, created_by=operator)
        work_until_settled()

        assert steps == ["changed", "changed back"]
        assert Lease.objects.get().state == "done"


class TestChangingANumber:
    def test_starts_nothing_for_who_may_not_run_discovery(self, found: Lease) -> None:
        eve = User.objects.create_user("eve", is_staff=True)
        eve.user_permissions.add(Permission.objects.get(codename="change_lease"))

        with pytest.raises(TransitionForbidden):
            services.change_lease(
                lease_id=found.pk, agency="BLM", lease_number="NMNM 99", changed_by=User.objects.get(pk=eve.pk)
            )

        assert Lease.objects.get().runsheet_report_found


class TestOneOfMany:
    """A run of many believes a link of the last day, and so has not seen which folder lies there."""

    @pytest.fixture
    def moved(self, dropbox: "Standin", operator: User) -> Callable[[str, str], None]:
        root = DropboxAccount.objects.get(user=operator).root_namespace_id
        headers = {"Dropbox-API-Path-Root": json.dumps({".tag": "root", "root": root})}

        def move(source: str, target: str) -> None:
            body = {"from_path": source, "to_path": target}
            assert raw_call(dropbox, "files/move_v2", headers=headers, json=body).status_code == HTTPStatus.OK

        return move

    def test_says_nothing_of_the_folder_that_was_there_before(
        self, found: Lease, operator: User, dropbox: "Standin", run: RunIt, moved: Callable[[str, str], None]
    ) -> None:
        moved(ARCHIVE, f"{BLM}/aside")
        dropbox.put(f"{ARCHIVE}/other.pdf")
        after = run(found, operator, replace(runs.FULL_DISCOVERY, background=True))
        assert (after.state, after.known_report) == ("done", (False, False))

        dropbox.delete(ARCHIVE)
        moved(f"{BLM}/aside", ARCHIVE)
        back = run(found, operator, runs.SEARCH)

        assert (back.state, back.known_report) == ("found", (None, True))

    def test_leaves_a_folder_that_is_still_the_same_to_be_told_by_the_next_detection(
        self, found: Lease, operator: User, run: RunIt
    ) -> None:
        run(found, operator, replace(runs.FULL_DISCOVERY, background=True))
        run(found, operator)

        after = run(found, operator, runs.SEARCH)

        assert (after.state, after.known_report) == ("found", (True, True))
