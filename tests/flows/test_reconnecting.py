"""Somebody connects Dropbox while a lease of theirs is at its last try."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from cloud.dropbox import gateway_for
from cloud.errors import NeedsReconnect, TokensUnreadable
from cloud.models import DropboxAccount
from cloud.services.accounts import connect_account, disconnect_account
from console.models import FailureNotice
from core.base.errors import RunsheetError
from discovery.errors import BasePathMissing
from leases import services
from leases.models import Lease
from statemachine.reconcile import reconcile
from tests.flows.conftest import BLM, FULL_RUN, history
from tests.flows.moments import before_giving_up

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_second_try(settings: Settings) -> None:
    settings.DISCOVERY_TRIES = 1


class TestReconnecting:
    @pytest.mark.parametrize("error", [NeedsReconnect, TokensUnreadable, BasePathMissing])
    @pytest.mark.parametrize("step", [1, 2])
    def test_during_a_run_lets_it_go_on(
        self,
        *,
        operator: User,
        dropbox: "Standin",
        work_until_settled: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
        error: type[RunsheetError],
        step: int,
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")
        asked: list[User] = []

        def lost_for_once(user: User, **given: Any) -> Any:
            asked.append(user)
            if len(asked) == step:
                connect_account(user=user, refresh_token="standin-refresh-olivia")
                raise error
            return gateway_for(user, **given)

        monkeypatch.setattr("discovery.reactions.gateway_for", lost_for_once)
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        work_until_settled()

        assert history(lease) == FULL_RUN
        assert not FailureNotice.objects.exists()

    def test_at_the_moment_of_giving_up_leaves_no_lease_behind(
        self,
        operator: User,
        dropbox: "Standin",
        work_until_settled: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Connecting has looked for failed leases already, and this one is not yet written as failed."""
        dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")
        DropboxAccount.objects.all().delete()
        before_giving_up(monkeypatch, lambda: connect_account(user=operator, refresh_token="standin-refresh-olivia"))
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        work_until_settled()
        monkeypatch.undo()
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"
        assert [step for step, _ in history(lease)][:3] == ["start_search", "fail", "start_search"]

    @pytest.mark.parametrize("disconnects_first", [False, True])
    def test_with_another_account_that_sees_the_folder_leaves_no_lease_behind(
        self,
        *,
        operator: User,
        dropbox: "Standin",
        work_until_settled: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
        disconnects_first: bool,
    ) -> None:
        """The one that was connected first looks into a home where the folder is not."""
        dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")
        connect_account(user=operator, refresh_token=dropbox.issue_tokens("ivan").refresh_token)

        def connects_another() -> None:
            if disconnects_first:
                disconnect_account(user=operator)
            connect_account(user=operator, refresh_token=dropbox.issue_tokens("olivia").refresh_token)

        before_giving_up(monkeypatch, connects_another)
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        work_until_settled()
        monkeypatch.undo()
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"
        assert [step for step, _ in history(lease)][:3] == ["start_search", "fail", "start_search"]

    def test_after_disconnecting_resumes_what_the_old_account_could_not_see(
        self, operator: User, dropbox: "Standin", work_until_settled: Callable[[], None]
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")
        connect_account(user=operator, refresh_token=dropbox.issue_tokens("ivan").refresh_token)
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        work_until_settled()
        assert Lease.objects.get().failure_code == "base_path_missing"

        disconnect_account(user=operator)
        connect_account(user=operator, refresh_token=dropbox.issue_tokens("olivia").refresh_token)
        reconcile()
        work_until_settled()

        assert Lease.objects.get().state == "done"

    def test_before_a_run_changes_nothing(
        self, operator: User, dropbox: "Standin", work_until_settled: Callable[[], None]
    ) -> None:
        dropbox.revoke("olivia")
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        work_until_settled()

        assert Lease.objects.get().failure_code == "connect_dropbox"
        assert FailureNotice.objects.count() == 1
