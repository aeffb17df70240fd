"""The page of a batch: how far it is, what it leads to, and how it follows the work."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from console.batches.page import BatchPage
from leases import services
from leases.models import Lease
from leases.states import State
from statemachine.batches import Progress, run_many, stop
from tests.leases.batches.asking import buttons, imported, page_url, settle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestBatchPage:
    def test_shows_how_far_it_is_and_leads_to_the_leases(self, console: Client, operator: User) -> None:
        batch = imported(operator, 4)
        first, second, third, _ = Lease.objects.order_by("pk")
        Lease.objects.filter(pk=first.pk).update(state=State.DONE, due_at=None)
        Lease.objects.filter(pk=second.pk).update(state=State.FAILED, due_at=None, failure_code="no_folder")
        Lease.objects.filter(pk=third.pk).update(state=State.DETECTING)

        answer = console.get(page_url(batch))

        page = answer.context["page"]
        assert '<progress class="progress" max="4" value="2"' in answer.text
        assert "2 of 4 leases settled, 1 under way, 1 waiting." in answer.text
        assert [(count.label, count.count) for count in page.counts] == [
            ("Waiting", 1),
            ("Under way", 1),
            ("Done", 1),
            ("Failed", 1),
        ]
        assert [(count.label, count.count) for count in page.failures] == [("no folder", 1)]

    def test_tells_what_was_not_run_apart_from_what_is_settled(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        Lease.objects.filter(lease_number="NMNM 1").update(state=State.DONE, due_at=None)
        stop(batch_id=batch.pk, user=operator)

        text = console.get(page_url(batch)).text

        assert '<progress class="progress" max="3" value="1"' in text
        assert "Stopped</h2>" in text
        assert "<p>Stopped: 1 of 3 leases settled, 2 did not run.</p>" in text
        assert 'data-say="Stopped: 1 of 3 leases settled, 2 did not run."' in text

    def test_tells_what_another_run_has_taken_from_it(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        stop(batch_id=batch.pk, user=operator)
        run_many(Lease.objects.all(), operator)

        text = console.get(page_url(batch)).text

        assert "Stopped</h2>" in text
        assert "0 of 3 leases settled, 3 waiting." in text
        assert "3 of those under way or waiting: they have been started by hand or by another run since." in text

    def test_is_called_what_it_is(self, console: Client, operator: User) -> None:
        batch = imported(operator)

        assert "Import: leases.csv</h1>" in console.get(page_url(batch)).text

    def test_leads_to_lists_of_exactly_those_leases(self, console: Client, operator: User) -> None:
        services.create_lease(agency="NMSLO", lease_number="another", created_by=operator)
        batch = imported(operator, 4)
        first, second, third, _ = Lease.objects.filter(agency="BLM").order_by("pk")
        Lease.objects.filter(pk=first.pk).update(state=State.DONE, due_at=None)
        Lease.objects.filter(pk=second.pk).update(state=State.FAILED, due_at=None, failure_code="no_folder")
        Lease.objects.filter(pk=third.pk).update(state=State.DETECTING)

        page = console.get(page_url(batch)).context["page"]

        for count in [*page.counts[1:], *page.failures]:
            assert console.get(count.url).context["cl"].result_count == count.count, count
        assert console.get(page.list_url).context["cl"].result_count == 4

    @pytest.mark.long
    def test_groups_the_digits_of_large_numbers(self, console: Client, operator: User) -> None:
        batch = imported(operator, 1_200)

        answer = console.get(page_url(batch))

        assert "0 of 1,200 leases settled" in answer.text
        assert 'max="1200"' in answer.text
        assert "Stop 1,200" in answer.text

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (State.DONE, []),
            (State.FAILED, ["Run 3 failed again"]),
            (State.PENDING, ["Run the 3 that were not run"]),
        ],
    )
    def test_offers_what_can_be_done(self, console: Client, operator: User, state: State, expected: list[str]) -> None:
        batch = imported(operator)
        assert buttons(console, batch) == ["Stop 3"]

        settle(state)

        assert buttons(console, batch) == expected

    @pytest.mark.parametrize(("total", "pause_ms"), [(3, 0), (20_000, 2_000), (200_000, 15_000)])
    def test_asks_less_often_about_very_many(self, operator: User, total: int, pause_ms: int) -> None:
        page = BatchPage(batch=imported(operator), user=operator, progress=Progress(waiting=total))

        assert page.pause_ms == pause_ms

    def test_offers_nothing_to_who_may_not(self, client: Client, operator: User) -> None:
        batch = imported(operator)
        looker = User.objects.create_user("looker", is_staff=True)
        looker.user_permissions.add(Permission.objects.get(codename="view_lease"))
        client.force_login(looker)

        assert buttons(client, batch) == []

    def test_is_that_of_an_empty_batch_once_its_leases_are_deleted(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        Lease.objects.all().delete()

        answer = console.get(page_url(batch))

        assert "0 of 0 leases settled." in answer.text
        assert '<progress class="progress" max="1" value="1"' in answer.text


class TestLease:
    def test_leads_to_the_batches_it_was_in_the_newest_first(self, console: Client, operator: User) -> None:
        first = imported(operator, 1)
        lease = Lease.objects.get()
        settle(State.DONE)
        second = run_many(Lease.objects.all(), operator)

        text = console.get(f"/admin/leases/lease/{lease.pk}/change/").text

        assert (
            f'<a href="{page_url(second)}">Full discovery of 1 lease</a>, <a href="{page_url(first)}">leases.csv</a>'
            in text
        )


class TestLive:
    def test_follows_the_work_until_nothing_is_owed(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        page = console.get(page_url(batch)).context["page"]
        assert console.get(page.poll_url).status_code == 204

        Lease.objects.filter(lease_number="NMNM 1").update(state=State.DONE, due_at=None)
        changed = console.get(page.poll_url)
        assert "1 of 3 leases settled" in changed.text
        assert 'id="batch" data-poll="' in changed.text
        assert "30 % settled" in changed.text

        settle(State.DONE)
        settled = console.get(changed.context["page"].poll_url)
        assert "data-poll" not in settled.text
        assert "All leases of this batch are settled" in settled.text

    def test_costs_two_queries_as_long_as_nothing_changes(
        self, console: Client, operator: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        url = console.get(page_url(imported(operator))).context["page"].poll_url

        with django_assert_num_queries(2):
            console.get(url)

    def test_is_for_who_may_see_leases(self, console: Client, operator: User) -> None:
        url = console.get(page_url(imported(operator))).context["page"].poll_url
        console.force_login(User.objects.create_user("nobody", is_staff=True))

        assert console.get(url).status_code == 403

    def test_is_of_a_batch_that_exists(self, console: Client) -> None:
        assert console.get("/admin/leases/batch/0/live/").status_code == 404
