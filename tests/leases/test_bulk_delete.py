"""Deleting many leases: asked with the number and the states, never with thousands of lines."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.records import deleting
from core.base.errors import DatabaseTooBusy
from leases import runs
from leases.batches import import_leases
from leases.models import BatchLease, Lease
from statemachine.batches import run_many
from statemachine.pump import top_up
from tests.factories import settled
from tests.leases.starting import person_takes
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def choose(client: Client, *, where: str = LIST, follow: bool = False, **form: Any) -> Any:
    chosen = list(Lease.objects.values_list("pk", flat=True))
    given = {"action": "delete_selected", "_selected_action": chosen, "index": "0", **form}
    return question_of(client, client.post(where, given, follow=follow))


def asked(client: Client, **given: Any) -> str:
    """What the page that asks brings back with the confirmation."""
    return str(choose(client, **given).context["which"])


def search_by_hand(lease: Lease, user: User) -> None:
    person_takes(runs.SEARCH, lease_id=lease.pk, user=user)


def search_by_hand_and_settle(lease: Lease, user: User) -> None:
    search_by_hand(lease, user)
    Lease.objects.filter(pk=lease.pk).update(state="done", due_at=None, initiated_by=lease.initiated_by)


def rename(lease: Lease, user: User) -> None:
    Lease.objects.filter(pk=lease.pk).update(lease_number="another")


def run_with_others(lease: Lease, user: User) -> None:
    run_many(Lease.objects.filter(pk=lease.pk), user)


def delete_one(lease: Lease, user: User) -> None:
    Lease.objects.filter(pk=lease.pk).delete()


MEANWHILE = (search_by_hand, search_by_hand_and_settle, rename, run_with_others, delete_one)


class TestDeleting:
    def test_asks_about_one_in_the_singular(self, console: Client, olivia: User) -> None:
        import_leases(leases=[("BLM", "NMNM 01")], user=olivia, title="a.csv")

        text = choose(console).text

        assert "<strong>1 lease</strong> will be deleted, with what was found out about it." in text
        assert "<p>It is under way or waiting for a run, which ends with it.</p>" in text

    def test_asks_with_the_number_and_the_states(self, console: Client, olivia: User) -> None:
        import_leases(leases=[("BLM", f"NMNM {number:02}") for number in range(30)], user=olivia, title="a.csv")
        settled(olivia, agency="BLM", lease_number="NMNM 00 done", state="done")

        text = choose(console).text

        assert "<strong>31 leases</strong> will be deleted" in text
        assert "30 of them are under way or waiting for a run" in text
        assert "Delete 31 leases</button>" in text
        assert "BLM NMNM 18 and 11 more" in text
        assert "NMNM 19" not in text
        assert "atch lease" not in text
        assert Lease.objects.count() == 31

    def test_deletes_what_was_confirmed(self, console: Client, olivia: User) -> None:
        """Also while they are worked on, which was told."""
        import_leases(leases=[("BLM", "1"), ("BLM", "2")], user=olivia, title="a.csv")
        confirmed = asked(console)
        top_up("discovery")
        Lease.objects.filter(lease_number="1").update(state="done", due_at=None, generation=9)

        answer = choose(console, confirmed=confirmed, follow=True)

        assert "Deleted: 2 leases." in answer.text
        assert not Lease.objects.exists()
        assert not BatchLease.objects.exists()

    @pytest.mark.parametrize("meanwhile", MEANWHILE)
    def test_asks_again_if_they_are_somebody_elses_by_now(
        self, console: Client, olivia: User, django_user_model: type[User], meanwhile: Callable[[Lease, User], object]
    ) -> None:
        lease = settled(olivia, lease_number="1", state="done", initiated_by=olivia)
        settled(olivia, lease_number="2", state="done")
        confirmed = asked(console)
        meanwhile(lease, django_user_model.objects.create_superuser("ivan"))

        answer = choose(console, confirmed=confirmed)

        assert "Since you were asked" in answer.text
        assert Lease.objects.count() >= 1

    def test_asks_again_if_as_many_others_match(self, console: Client, olivia: User) -> None:
        where = f"{LIST}?state__exact=done"
        first = settled(olivia, lease_number="1", state="done")
        confirmed = asked(console, where=where, select_across="1")
        Lease.objects.filter(pk=first.pk).update(state="found")
        settled(olivia, lease_number="2", state="done")

        answer = choose(console, where=where, select_across="1", confirmed=confirmed)

        assert "Since you were asked" in answer.text
        assert Lease.objects.count() == 2

    @pytest.mark.parametrize("confirmed", ["", "1", "1:0@", "1:0@yesterday", "1:0@2026-13-01T00:00Z"])
    def test_asks_again_what_was_never_asked(self, console: Client, olivia: User, confirmed: str) -> None:
        settled(olivia, lease_number="1")

        assert "Since you were asked" in choose(console, confirmed=confirmed).text
        assert Lease.objects.exists()

    def test_of_nothing_deletes_nothing(self, console: Client) -> None:
        answer = console.post(LIST, {"action": "delete_selected", "_selected_action": ["1"], "index": "0"})

        assert "0 leases" in question_of(console, answer).text

    def test_says_so_if_the_database_is_too_busy(
        self, console: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled(olivia, lease_number="1")
        confirmed = asked(console)

        def busy(*_: object) -> int:
            raise DatabaseTooBusy

        monkeypatch.setattr(deleting, "_delete", busy)

        assert "The database was too busy" in choose(console, confirmed=confirmed, follow=True).text
        assert Lease.objects.exists()

    def test_is_for_who_may_delete(self, client: Client, viewer: User) -> None:
        settled(None, lease_number="1")
        client.force_login(viewer)

        choose(client, confirmed="1:0@2026-01-01T00:00Z")

        assert Lease.objects.exists()

    def test_is_the_last_that_is_offered(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="1")

        names = [name for name, _ in console.get(LIST).context["action_form"].fields["action"].choices if name]

        assert (names[0], names[-1]) == ("run_chosen", "delete_selected")
