"""Each import and each run is one entry of a list."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from leases.batches import import_leases
from leases.models import Lease
from leases.states import State
from statemachine.batches import run_many, stop
from tests.leases.batches.asking import IMPORT, imported, settle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class TestHistory:
    def test_shows_each_import_and_run_as_one_entry(self, console: Client, operator: User) -> None:
        import_leases(leases=[("BLM", "1")], user=operator, title="a.csv", left_out=2)
        settle(State.DONE)
        run_many(Lease.objects.all(), operator, title="Run of one")

        text = console.get(reverse("admin:leases_batch_changelist")).text

        assert "a.csv" in text
        assert "1 (2 left out)" in text
        assert "Run of one" in text
        assert "under way" in text

    def test_says_who_stopped_one(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        console.post(f"/admin/leases/batch/{batch.pk}/stop/")

        assert "stopped by viewer" in console.get(reverse("admin:leases_batch_changelist")).text

    def test_a_stopped_one_is_not_under_way_because_another_run_took_its_leases(
        self, console: Client, operator: User
    ) -> None:
        batch = imported(operator)
        stop(batch_id=batch.pk, user=operator)
        run_many(Lease.objects.all(), operator, title="Run of May")

        text = console.get(reverse("admin:leases_batch_changelist")).text

        assert text.count("under way") == 1
        assert "stopped by viewer" in text

    def test_needs_the_same_queries_for_many(
        self, console: Client, operator: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(30):
            import_leases(leases=[("BLM", str(number))], user=operator, title=f"{number}.csv")

        with django_assert_max_num_queries(12):
            console.get(reverse("admin:leases_batch_changelist"))

    def test_says_what_to_do_while_it_is_empty(self, console: Client) -> None:
        text = console.get(reverse("admin:leases_batch_changelist")).text

        assert "Nothing has been imported or run in bulk yet" in text
        assert f'href="{IMPORT}"' in text

    def test_offers_no_import_to_who_may_not(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)

        assert IMPORT not in client.get(reverse("admin:leases_batch_changelist")).text
