"""What one account has seen, an account that cannot judge does not negate."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from cloud.services.accounts import connect_account
from leases import runs, services
from leases.models import AgencyStorageConfig, Lease
from statemachine.models import TransitionLog
from statemachine.reactions import Run
from statemachine.reconcile import reconcile
from statemachine.transitions import Step
from tests.flows.conftest import ARCHIVE, BLM, ELSEWHERE, NUMBER, REPORT, Work, history, link_of
from tests.flows.moments import before_commit
from tests.leases.starting import person_takes

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)


def assert_kept(after: Lease, before: Lease) -> None:
    """What Olivia's run has found stands as before."""
    assert (after.runsheet_report_found, after.matching_files) == (True, ["Master Documents.pdf"])
    assert after.runsheet_directory_id == before.runsheet_directory_id
    assert link_of(after) == link_of(before) != ""
    assert after.origin == before.origin


class TestAnAccountOfAnotherSpace:
    """Ivan is not of the team; at the same path lies what is his own."""

    @pytest.mark.parametrize("step", [runs.FULL_DISCOVERY, runs.SEARCH, runs.DETECTION])
    def test_does_not_negate_the_archive(
        self,
        found: Lease,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        step: Step,
    ) -> None:
        dropbox.put(f"{BLM}/", home="ivan")

        after = run(found, colleague("ivan"), step)

        assert (after.state, after.failure_code) == ("failed", "archive_out_of_sight")
        assert "Olivia Operator" in after.failure_message
        assert_kept(after, found)

    @pytest.mark.parametrize("step", [runs.FULL_DISCOVERY, runs.SEARCH, runs.DETECTION])
    def test_does_not_say_no_report_of_another_folder(
        self,
        found: Lease,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        step: Step,
    ) -> None:
        dropbox.put(f"{ARCHIVE}/scan.pdf", home="ivan")

        after = run(found, colleague("ivan"), step)

        assert (after.state, after.failure_code) == ("failed", "another_folder")
        assert_kept(after, found)

    def test_makes_no_share_link_to_what_is_another_folder(
        self, found: Lease, dropbox: "Standin", colleague: Callable[[str], User], run: Callable[..., Lease]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/scan.pdf", home="ivan")
        ivan = colleague("ivan")
        dropbox.clear_journal()

        run(found, ivan)

        assert dropbox.calls() == {"files/list_folder": 1, "files/get_metadata": 1}

    def test_goes_on_when_the_person_connects_an_account_that_sees_it(
        self,
        found: Lease,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        work_until_settled: Work,
    ) -> None:
        dropbox.put(f"{BLM}/", home="ivan")
        ivan = colleague("ivan")
        run(found, ivan)

        connect_account(user=ivan, refresh_token=dropbox.issue_tokens("paul").refresh_token)
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"

    def test_speaks_for_itself_where_nothing_was_seen_and_does_not_stand_in_the_way(
        self,
        operator: User,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        work_until_settled: Work,
    ) -> None:
        dropbox.put(f"{BLM}/", home="ivan")
        dropbox.put(REPORT)
        lease = services.create_lease(agency="BLM", lease_number=NUMBER, created_by=colleague("ivan"))
        work_until_settled()
        before = Lease.objects.get()
        assert (before.state, before.known_account) == ("not_found", dropbox.account("ivan").account_id)

        after = run(lease, operator)

        assert (after.state, after.runsheet_report_found) == ("done", True)
        assert after.known_account == dropbox.account("olivia").account_id


class TestAnAccountOfTheSameSpace:
    """Paul is of Olivia's team, and his paths begin where hers do."""

    @pytest.mark.parametrize("step", [runs.FULL_DISCOVERY, runs.SEARCH, runs.DETECTION])
    def test_says_that_a_deleted_archive_is_gone(
        self,
        found: Lease,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        step: Step,
    ) -> None:
        dropbox.delete(ARCHIVE)

        after = run(found, colleague("paul"), step)

        assert (after.state, after.runsheet_directory, after.runsheet_report_found) == ("not_found", None, False)

    def test_says_that_the_report_is_gone(
        self, found: Lease, dropbox: "Standin", colleague: Callable[[str], User], run: Callable[..., Lease]
    ) -> None:
        dropbox.delete(REPORT)
        dropbox.put(f"{ARCHIVE}/scan.pdf")

        after = run(found, colleague("paul"))

        assert (after.state, after.runsheet_report_found) == ("done", False)


class TestAnAccountThatSeesOnlyAPart:
    """Paul is of Olivia's team, but not of all its folders."""

    @pytest.mark.parametrize("step", [runs.FULL_DISCOVERY, runs.SEARCH, runs.DETECTION])
    @pytest.mark.parametrize(
        ("folder", "sight", "code"),
        [
            (BLM, "none", "base_path_out_of_sight"),
            (BLM, "traverse_only", "archive_out_of_sight"),
            (BLM, "no_access", "archive_out_of_sight"),
            (ARCHIVE, "none", "archive_out_of_sight"),
            (ARCHIVE, "no_access", "archive_out_of_sight"),
        ],
    )
    def test_does_not_negate_the_archive(
        self,
        *,
        found: Lease,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        step: Step,
        folder: str,
        sight: str,
        code: str,
    ) -> None:
        paul = colleague("paul")
        dropbox.sight("paul", folder, sight)

        after = run(found, paul, step)

        assert (after.state, after.failure_code) == ("failed", code)
        assert "Paul" in after.failure_message
        assert_kept(after, found)

    @pytest.mark.parametrize("step", [runs.FULL_DISCOVERY, runs.DETECTION])
    def test_does_not_say_no_report_of_an_archive_that_it_may_only_pass_through(
        self,
        found: Lease,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        run: Callable[..., Lease],
        step: Step,
    ) -> None:
        paul = colleague("paul")
        dropbox.sight("paul", ARCHIVE, "traverse_only")

        after = run(found, paul, step)

        assert (after.state, after.failure_code) == ("failed", "archive_out_of_sight")
        assert (after.runsheet_report_found, after.matching_files) == (True, ["Master Documents.pdf"])

    @pytest.mark.parametrize(("folder", "sight"), [(BLM, "traverse_only"), (ARCHIVE, "no_access")])
    def test_says_not_found_of_nothing(
        self,
        *,
        operator: User,
        dropbox: "Standin",
        colleague: Callable[[str], User],
        work_until_settled: Work,
        folder: str,
        sight: str,
    ) -> None:
        """Nobody has seen the archive before."""
        dropbox.put(REPORT)
        paul = colleague("paul")
        dropbox.sight("paul", folder, sight)

        services.create_lease(agency="BLM", lease_number=NUMBER, created_by=paul)
        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.failure_code) == ("failed", "archive_out_of_sight")


class TestTheSameAccount:
    def test_says_that_its_archive_is_gone(
        self, found: Lease, operator: User, dropbox: "Standin", run: Callable[..., Lease]
    ) -> None:
        dropbox.delete(ARCHIVE)

        assert run(found, operator).state == "not_found"

    def test_says_so_after_its_team_moved_to_another_root(
        self, found: Lease, operator: User, dropbox: "Standin", run: Callable[..., Lease]
    ) -> None:
        dropbox.migrate_root()
        dropbox.put(f"{BLM}/")
        dropbox.delete(ARCHIVE)

        assert run(found, operator).state == "not_found"


class TestALinkOfAnotherSpace:
    def test_is_looked_at_by_one_of_many_too(
        self, found: Lease, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        """A link belongs to a path, and so may be what a run in another space has left there."""
        Lease.objects.update(known_root="1", known_account="dbid:of another space")
        dropbox.clear_journal()

        person_takes(replace(runs.FULL_DISCOVERY, background=True), lease_id=found.pk, user=operator)
        work_until_settled()

        assert "sharing/get_shared_link_metadata" in dropbox.calls()


class TestAFolderMadeAnew:
    """The path is the same, the folder is not."""

    @pytest.fixture
    def anew(self, found: Lease, dropbox: "Standin") -> Lease:
        dropbox.delete(ARCHIVE)
        dropbox.put(f"{ARCHIVE}/scan.pdf")
        return found

    def test_has_no_report_that_lay_in_the_old_one(
        self, anew: Lease, operator: User, run: Callable[..., Lease]
    ) -> None:
        after = run(anew, operator, runs.SEARCH)

        assert (after.state, after.runsheet_report_found, after.matching_files) == ("found", False, [])
        assert after.known_folder_id != anew.known_folder_id != ""

    def test_nor_does_one_of_many_believe_in_the_old_link(
        self, anew: Lease, operator: User, work_until_settled: Work
    ) -> None:
        person_takes(replace(runs.SEARCH, background=True), lease_id=anew.pk, user=operator)
        work_until_settled()

        assert not Lease.objects.get().runsheet_report_found

    def test_while_the_same_folder_keeps_it(self, found: Lease, operator: User, run: Callable[..., Lease]) -> None:
        after = run(found, operator, runs.SEARCH)

        assert (after.state, after.runsheet_report_found) == ("found", True)


class TestAChangedBasePath:
    def change(self, base_path: str) -> None:
        configuration = AgencyStorageConfig.objects.get()
        configuration.runsheet_archive_base_path = base_path
        with transaction.atomic():
            configuration.save()
            services.configuration_saved(configuration)
        reconcile()

    def test_makes_a_wrong_not_found_right(self, operator: User, dropbox: "Standin", work_until_settled: Work) -> None:
        dropbox.put(f"{ELSEWHERE}/", REPORT)
        AgencyStorageConfig.objects.update(runsheet_archive_base_path=ELSEWHERE)
        services.create_lease(agency="BLM", lease_number=NUMBER, created_by=operator)
        work_until_settled()
        assert Lease.objects.get().state == "not_found"

        self.change(BLM)
        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.runsheet_report_found) == ("done", True)
        assert history(lease)[2] == ("start_search", "searching")
        assert "changed" in TransitionLog.objects.of(lease)[2].reason

    def test_asks_again_what_was_found_and_keeps_it_meanwhile(
        self, found: Lease, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(f"{ELSEWHERE}/{NUMBER}/scan.pdf")

        self.change(ELSEWHERE)

        meanwhile = Lease.objects.get()
        assert (meanwhile.state, meanwhile.background, meanwhile.runsheet_report_found) == ("searching", True, True)
        work_until_settled()
        after = Lease.objects.get()
        assert (after.state, after.runsheet_report_found, after.known_base_path) == ("done", False, ELSEWHERE)

    def test_that_is_saved_unchanged_asks_nothing_again(self, found: Lease) -> None:
        self.change(BLM)

        assert Lease.objects.get().state == "done"

    @pytest.mark.parametrize("state", ["searching", "detecting"])
    def test_during_a_run_is_asked_again(
        self,
        *,
        found: Lease,
        operator: User,
        dropbox: "Standin",
        run: Callable[..., Lease],
        monkeypatch: pytest.MonkeyPatch,
        state: str,
    ) -> None:
        """The answer comes from the old folder after the new one was configured."""
        dropbox.put(f"{ELSEWHERE}/{NUMBER}/Master Documents new.pdf")
        late: list[object] = []

        def change(this: Run[Lease], _said: object) -> None:
            if this.record.state == state and not late:
                late.append(this)
                AgencyStorageConfig.objects.update(runsheet_archive_base_path=ELSEWHERE)

        before_commit(monkeypatch, change)

        after = run(found, operator)

        assert late
        assert after.known_base_path == ELSEWHERE
        assert (after.state, after.matching_files) == ("done", ["Master Documents new.pdf"])

    def test_has_the_report_looked_for_where_the_archives_lie_now(
        self, found: Lease, operator: User, dropbox: "Standin", run: Callable[..., Lease]
    ) -> None:
        """Nobody has told that it was changed, as in plain SQL."""
        dropbox.put(f"{ELSEWHERE}/{NUMBER}/scan.pdf")
        AgencyStorageConfig.objects.update(runsheet_archive_base_path=ELSEWHERE)
        dropbox.clear_journal()

        after = run(found, operator, runs.DETECTION)

        assert (
            TransitionLog.objects.of(found).filter(transition="fail").get().reason.startswith("The known directory is")
        )
        assert (after.state, after.runsheet_report_found, after.known_base_path) == ("done", False, ELSEWHERE)
        assert not dropbox.journal(path=ARCHIVE)


class TestAnAgencyThatIsSwitchedOff:
    @pytest.mark.parametrize("step", [runs.SEARCH, runs.DETECTION])
    def test_fails_both_workflows_alike(
        self, found: Lease, operator: User, run: Callable[..., Lease], step: Step
    ) -> None:
        AgencyStorageConfig.objects.update(enabled=False)

        after = run(found, operator, step)

        assert (after.state, after.failure_code) == ("failed", "configuration_disabled")
        assert_kept(after, found)
