"""Deleting many leases: asked with the number and the states, never with thousands of lines."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from leases.batches import import_leases
from leases.models import BatchLease, Lease
from tests.leases.test_services import settled
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


def choose(client: Client, *, where: str = LIST, follow: bool = False, **form: str) -> Any:
    chosen = list(Lease.objects.values_list("pk", flat=True))
    given = {"action": "delete_selected", "_selected_action": chosen, "index": "0", **form}
    return question_of(client, client.post(where, given, follow=follow))


class TestDeleting:
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
        import_leases(leases=[("BLM", "1"), ("BLM", "2")], user=olivia, title="a.csv")

        answer = choose(console, confirmed="2", follow=True)

        assert "Deleted: 2 leases." in answer.text
        assert not Lease.objects.exists()
        assert not BatchLease.objects.exists()

    def test_asks_again_if_it_is_another_number_by_now(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="1")

        assert "Since you were asked" in choose(console, confirmed="2").text
        assert Lease.objects.exists()

    def test_is_for_who_may_delete(self, client: Client, viewer: User) -> None:
        settled(None, lease_number="1")
        client.force_login(viewer)

        choose(client, confirmed="1")

        assert Lease.objects.exists()

    def test_is_the_last_that_is_offered(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="1")

        names = [name for name, _ in console.get(LIST).context["action_form"].fields["action"].choices if name]

        assert (names[0], names[-1]) == ("run_chosen", "delete_selected")
