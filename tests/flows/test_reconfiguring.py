"""Somebody corrects an agency's configuration while a lease fails for want of it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from pytest_django.fixtures import Settings
from redis import Redis

from bench.outages import redis_read_only
from console.models import FailureNotice
from core.base import redis_client
from discovery.services.lease_directory_search import look_for_directory
from leases import services
from leases.models import AgencyStorageConfig, Lease
from leases.services import configuration_saved
from statemachine.reconcile import reconcile
from tests.flows.conftest import BLM, FULL_RUN, history
from tests.flows.moments import before_giving_up
from tests.held import until_somebody_waits

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

WRONG: dict[str, dict[str, Any]] = {
    "configuration_missing": {},
    "configuration_disabled": {"enabled": False, "runsheet_archive_base_path": BLM},
    "base_path_missing": {"enabled": True, "runsheet_archive_base_path": "/Nowhere"},
}


@pytest.fixture
def archive(operator: User, dropbox: "Standin") -> User:
    """Where it is not looked for yet."""
    dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")
    return operator


def configure(*, enabled: bool = True, runsheet_archive_base_path: str = BLM) -> AgencyStorageConfig:
    """As the form saves it: in one transaction with what goes on."""
    with transaction.atomic():
        saved, _ = AgencyStorageConfig.objects.update_or_create(
            agency="BLM",
            defaults={
                "enabled": enabled,
                "runsheet_archive_base_path": runsheet_archive_base_path,
                "documents_base_path": "/d",
                "misc_index_base_path": "/m",
            },
        )
        configuration_saved(saved)
    return saved


def configure_wrongly(how: dict[str, Any]) -> None:
    AgencyStorageConfig.objects.all().delete()
    if how:
        configure(**how)


class TestWhatRedisRemembers:
    """Of the configuration that was saved last; it may have missed one."""

    def test_keeps_no_change_from_being_one(self, own_redis: str, settings: Settings) -> None:
        settings.REDIS_URL = own_redis
        configure()
        with redis_read_only(own_redis):
            configure(runsheet_archive_base_path="/Elsewhere")
        redis_client._silent_until.clear()  # as if it took some time until the next
        Lease.objects.create(
            agency="BLM", lease_number="NMNM 1", state="not_found", known_base_path="/Elsewhere", due_at=None
        )
        Lease.objects.create(
            agency="BLM", lease_number="NMNM 2", state="failed", failure_code="base_path_missing", due_at=None
        )

        configure()

        assert not Lease.objects.filter(due_at__isnull=True).exists()

    def test_keeps_the_same_once_more_from_starting_what_failed(self, redis: Redis) -> None:
        saved = configure()
        Lease.objects.create(
            agency="BLM", lease_number="NMNM 1", state="failed", failure_code="base_path_missing", due_at=None
        )

        assert configuration_saved(saved, changed=False) == 0


class TestAChangeWhileItIsOff:
    @pytest.mark.parametrize("state", ["found", "not_found", "done", "failed"])
    def test_asks_again_what_was_answered_elsewhere_once_it_is_on(self, db: None, state: str) -> None:
        configure()
        code = "dropbox_unavailable" if state == "failed" else ""
        Lease.objects.create(
            agency="BLM", lease_number="NMNM 1", state=state, failure_code=code, known_base_path=BLM, due_at=None
        )
        configure(enabled=False)

        configure(enabled=False, runsheet_archive_base_path="/Elsewhere")
        assert not Lease.objects.filter(due_at__isnull=False).exists()

        configure(runsheet_archive_base_path="/Elsewhere")
        assert Lease.objects.filter(due_at__isnull=False).exists()


class TestCorrectingTheConfiguration:
    @pytest.mark.parametrize("how", WRONG.values(), ids=WRONG)
    def test_during_a_run_lets_it_go_on(
        self,
        *,
        archive: User,
        work_until_settled: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
        how: dict[str, Any],
    ) -> None:
        configure_wrongly(how)

        def corrected_after_the_look(**given: Any) -> Any:
            try:
                return look_for_directory(**given)
            finally:
                configure()

        monkeypatch.setattr("discovery.reactions.look_for_directory", corrected_after_the_look)
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=archive)
        work_until_settled()

        assert history(lease) == FULL_RUN
        assert not FailureNotice.objects.exists()

    @pytest.mark.parametrize("how", WRONG.values(), ids=WRONG)
    @pytest.mark.parametrize("times", [1, 2])
    def test_at_the_moment_of_giving_up_leaves_no_lease_behind(
        self,
        *,
        archive: User,
        work_until_settled: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
        how: dict[str, Any],
        times: int,
    ) -> None:
        """Saving has looked for failed leases already, and this one is not yet written as failed."""
        configure_wrongly(how)
        before_giving_up(monkeypatch, lambda: [configure() for _ in range(times)])
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=archive)
        work_until_settled()
        monkeypatch.undo()
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"
        assert [step for step, _ in history(lease)][:3] == ["start_search", "fail", "start_search"]

    def test_that_commits_while_the_failure_is_written_leaves_no_lease_behind(
        self, archive: User, work_until_settled: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither sees the other's transaction, so one of them has to wait."""
        AgencyStorageConfig.objects.all().delete()
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=archive)
        corrected, resume = threading.Event(), services.resume_if_reconfigured

        def correct() -> None:
            with transaction.atomic():
                configure()
                corrected.set()
                until_somebody_waits()
            connection.close()

        def while_it_is_written(*args: Any, **given: Any) -> int:
            assert corrected.wait(10)
            return resume(*args, **given)

        monkeypatch.setattr("discovery.reactions.resume_if_reconfigured", while_it_is_written)
        with ThreadPoolExecutor(1) as pool:
            correcting = pool.submit(correct)
            work_until_settled()
            correcting.result(10)
        monkeypatch.undo()
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"
        assert [step for step, _ in history(lease)][:3] == ["start_search", "fail", "start_search"]

    def test_that_is_rolled_back_in_between_still_resumes(
        self, archive: User, work_until_settled: Callable[[], None]
    ) -> None:
        configure_wrongly(WRONG["configuration_disabled"])
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=archive)
        work_until_settled()
        with transaction.atomic():
            configure()
            transaction.set_rollback(True)

        configure()
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"

    def test_by_making_it_anew_as_it_was_resumes(self, archive: User, work_until_settled: Callable[[], None]) -> None:
        configure()
        AgencyStorageConfig.objects.all().delete()
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=archive)
        work_until_settled()
        assert Lease.objects.get().failure_code == "configuration_missing"

        configure()
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"

    def test_does_not_run_again_what_it_cannot_mend(
        self, archive: User, work_until_settled: Callable[[], None]
    ) -> None:
        configure_wrongly(WRONG["base_path_missing"])
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=archive)
        work_until_settled()

        assert [step for step, _ in history(lease)] == ["start_search", "fail"]
        assert Lease.objects.get().failure_code == "base_path_missing"
