"""What can be done with a batch, and by whom."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from core.base.clock import now
from leases.models import Lease
from leases.states import State
from statemachine.batches import Stopped
from tests.leases.batches.asking import imported, page_url, settle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestButtons:
    def test_stop_asks_first_with_the_number(self, console: Client, operator: User) -> None:
        text = console.get(page_url(imported(operator))).text

        asked = text.partition('<details class="asks"')[2].partition("</details>")[0]
        assert "Stop 3 …</summary>" in asked
        assert "These 3 leases are not run any further." in asked
        assert "/stop/" in asked
        assert text.count("/stop/") == 1

    def test_stop_stays_in_its_place_when_the_first_lease_fails(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        lease = Lease.objects.order_by("pk")[0]
        Lease.objects.filter(pk=lease.pk).update(state=State.FAILED, due_at=None, failure_code="took_too_long")

        toolbar = console.get(page_url(batch)).text.partition('<ul class="toolbar">')[2].partition("</ul>")[0]

        assert toolbar.count("<li") == 1
        assert "Stop 2 …" in toolbar

    def test_stop(self, console: Client, operator: User) -> None:
        batch = imported(operator)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/stop/", follow=True)

        assert answer.redirect_chain == [(page_url(batch), 302)]
        assert "Stopped: 3 leases." in answer.text
        assert "by viewer" in answer.text
        assert not Lease.objects.filter(due_at__isnull=False).exists()

    @pytest.mark.parametrize(("left", "words"), [(3_800, "3,800 are still under way"), (1, "1 is still under way")])
    def test_stop_more_than_one_click_can(
        self, console: Client, operator: User, monkeypatch: pytest.MonkeyPatch, left: int, words: str
    ) -> None:
        batch = imported(operator)
        monkeypatch.setattr("statemachine.batches.stop", lambda **_: Stopped(count=1_200, left=left))

        answer = console.post(f"/admin/leases/batch/{batch.pk}/stop/", follow=True)

        assert f"Stopped: 1,200 leases. {words}: press “Stop” once more." in answer.text

    def test_stop_what_is_stopped(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        settle(State.DONE)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/stop/", follow=True)

        assert "There was nothing left to stop." in answer.text

    @pytest.mark.parametrize("state", [State.FAILED, State.PENDING])
    def test_run_again(self, console: Client, operator: User, state: State) -> None:
        batch = imported(operator)
        settle(state)
        Lease.objects.filter(lease_number="NMNM 1").update(state=State.DONE)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/again/", {"state": state}, follow=True)

        assert "Started: 2 leases. They run a few at a time." in answer.text
        assert Lease.objects.filter(due_at__isnull=False).count() == 2

    def test_run_again_no_more_than_it_named(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        settle(State.FAILED)
        Lease.objects.filter(lease_number="NMNM 1").update(entered_at=now() - timedelta(hours=1))

        answer = console.post(
            f"/admin/leases/batch/{batch.pk}/again/", {"state": "failed", "expected": "1"}, follow=True
        )

        assert "Started: 1 lease. They run a few at a time." in answer.text
        assert [lease.lease_number for lease in Lease.objects.filter(due_at__isnull=False)] == ["NMNM 1"]

    def test_run_again_says_when_they_are_fewer(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        settle(State.FAILED)

        answer = console.post(
            f"/admin/leases/batch/{batch.pk}/again/", {"state": "failed", "expected": "4"}, follow=True
        )

        assert "Started: 3 leases, not 4: the others had been started since the page was drawn." in answer.text

    def test_run_again_what_runs_already(self, console: Client, operator: User) -> None:
        batch = imported(operator)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/again/", follow=True)

        assert "There is nothing to start" in answer.text

    @pytest.mark.parametrize("name", ["stop", "again"])
    def test_lead_back_to_the_list_when_the_batch_is_gone(self, console: Client, name: str) -> None:
        answer = console.post(f"/admin/leases/batch/0/{name}/", follow=True)

        assert answer.redirect_chain == [(reverse("admin:leases_batch_changelist"), 302)]
        assert "This batch no longer exists." in answer.text

    @pytest.mark.parametrize("name", ["stop", "again"])
    def test_are_for_who_may_run_discovery(self, client: Client, viewer: User, olivia: User, name: str) -> None:
        batch = imported(olivia)
        client.force_login(viewer)

        assert client.post(f"/admin/leases/batch/{batch.pk}/{name}/").status_code == 403
        assert Lease.objects.filter(due_at__isnull=False).count() == 3
