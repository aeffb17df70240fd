"""Of many leases whose archives are missing: what is known before anybody tries, and why they were not made."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from leases.admin import not_made
from leases.models import Batch, Lease
from statemachine.batches import items_of
from tests.factories import location, settled
from tests.leases.test_bulk_run import choose
from tests.leases.test_making import _made, absent, console, maker

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

__all__ = ["_made", "console", "maker"]


class TestMany:
    def test_are_asked_about_with_what_is_known_to_lie_beside(self, console: Client) -> None:
        given: list[dict[str, Any]] = [{"nearest": ["NMNM 01"]}, {"nearest": []}, {}]
        leases = [absent(number=f"NMNM {number}", **evidence) for number, evidence in enumerate(given)]

        assert "beside it (by what is known now, 1 of them; of 1 nobody knows yet)" in self.ask(console, leases)
        assert "beside it (by what is known now, none of them)" in self.ask(console, leases[1:2])

    def test_are_asked_about_without_the_archives_of_other_leases(self, console: Client) -> None:
        """Numbers come in rows; but the same number written otherwise is the same lease, whoever has it."""
        for number in ("NMNM 2", "NMNM 03"):
            place = location(path=f"/a/{number}", name=number)
            settled(None, lease_number=number, state="done", runsheet_directory=place)
        given = {"NMNM 1": ["NMNM 2"], "NMNM 3": ["NMNM 2", "NMNM 03"], "NMNM 4": ["NMNM 5", "NMNM 2"]}
        leases = [absent(number=number, nearest=near) for number, near in given.items()]

        assert "beside it (by what is known now, 2 of them)" in self.ask(console, leases)

    def ask(self, console: Client, leases: list[Lease]) -> str:
        return str(choose(console, leases, action="make_archives").text)

    @pytest.mark.parametrize("count", [2, not_made.SHOWN + 1])
    def test_are_told_of_that_were_not_made(self, console: Client, maker: User, count: int) -> None:
        batch = Batch.objects.create(kind=Batch.Kind.RUN, title="Missing archives", size=count + 2, created_by=maker)
        why = "“NMNM 01” lies right beside, which nobody has been asked about."
        leases = [absent(number=f"NMNM {number}", not_made=why) for number in range(count)]
        others = [absent(number="NMNM A"), settled(None, lease_number="NMNM B", state="done")]
        for lease in [*leases, *others]:
            items_of(Lease)._default_manager.create(batch_id=batch.pk, record=lease)

        text = console.get(f"/admin/leases/batch/{batch.pk}/change/").text

        shown = leases[: not_made.SHOWN]
        assert "Why archives were not made" in text
        assert [lease.pk for lease in Lease.objects.order_by("pk") if f'/lease/{lease.pk}/change/">' in text] == [
            lease.pk for lease in shown
        ]
        assert text.count(why) == len(shown)
        assert ("There are more: The page of each lease says why." in text) is (count > len(shown))

    def test_say_nothing_of_it_where_none_was_wanted(self, console: Client, maker: User) -> None:
        batch = Batch.objects.create(kind=Batch.Kind.RUN, title="Full discovery", size=1, created_by=maker)
        items_of(Lease)._default_manager.create(batch_id=batch.pk, record=absent())

        assert "Why archives were not made" not in console.get(f"/admin/leases/batch/{batch.pk}/change/").text
