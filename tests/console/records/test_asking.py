"""The pages that only ask can be reloaded and come back to, and do nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.records.asking import ASK, LONGEST_ADDRESS
from console.records.lists import CHANGED
from leases.models import Batch, Lease
from tests.factories import settled
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"


@pytest.fixture
def console(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    return client


def choose(client: Client, action: str, *chosen: Any, where: str = LIST, **form: str) -> Any:
    return client.post(where, {"action": action, "_selected_action": chosen, "index": "0", **form})


class TestAQuestion:
    @pytest.mark.parametrize("action", ["run_chosen", "delete_selected"])
    def test_of_leases_has_an_address_that_asks_each_time(self, console: Client, olivia: User, action: str) -> None:
        lease = settled(olivia, lease_number="NMNM 1", state="failed", failure_code="bug")
        where = f"{LIST}?state__exact=failed"

        address = choose(console, action, lease.pk, where=where)["Location"]

        assert address == f"{where}&{ASK}={action}&_chosen={lease.pk}"
        for _ in range(2):
            page = console.get(address)
            assert (page.status_code, page.context["back"]) == (200, where)
            assert f'name="_selected_action" value="{lease.pk}"' in page.text
        assert Lease.objects.get().due_at is None
        assert not Batch.objects.exists()

    def test_comes_again_when_what_it_was_about_has_changed(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, lease_number="NMNM 1")

        answer = choose(console, "delete_selected", lease.pk, confirmed="no longer")

        assert answer.status_code == 302
        page = console.get(answer["Location"])
        assert CHANGED in page.text
        assert Lease.objects.exists()

    def test_is_of_all_that_match(self, console: Client, olivia: User) -> None:
        for number in range(3):
            settled(olivia, lease_number=f"NMNM {number}")

        answer = choose(console, "delete_selected", Lease.objects.latest("pk").pk, select_across="1")

        assert console.get(answer["Location"]).context["count"] == 3

    def test_of_people_is_asked_by_the_admin_and_answered_at_its_address(self, console: Client) -> None:
        paul = User.objects.create_user("paul")
        address = choose(console, "delete_selected", paul.pk, where="/admin/auth/user/")["Location"]

        assert "paul" in console.get(address).text
        assert User.objects.filter(pk=paul.pk).exists()
        done = console.post(address, {"action": "delete_selected", "_selected_action": [paul.pk], "post": "yes"})
        assert done["Location"] == "/admin/auth/user/"
        assert not User.objects.filter(pk=paul.pk).exists()

    def test_that_is_too_long_for_an_address_is_answered_at_once(self, console: Client, olivia: User) -> None:
        pks = [settled(olivia, lease_number="NMNM 1").pk, *range(1_000_000, 1_000_000 + LONGEST_ADDRESS // 8)]

        assert choose(console, "delete_selected", *pks).status_code == 200

    @pytest.mark.parametrize(
        "asked",
        ["_ask=download_csv&_chosen=1", "_ask=nothing", "_ask=run_chosen", "_ask=run_chosen&_chosen=x.", "_chosen=1"],
    )
    def test_of_nothing_leads_to_the_list(self, console: Client, olivia: User, asked: str) -> None:
        settled(olivia, lease_number="NMNM 1")

        answer = console.get(f"{LIST}?{asked}", follow=True)

        assert (answer.status_code, answer.context["cl"].result_count) == (200, 1)

    @pytest.mark.parametrize(("role", "action"), [("Viewer", "run_chosen"), ("Operator", "delete_selected")])
    def test_is_for_who_may_do_it(self, client: Client, olivia: User, role: str, action: str) -> None:
        lease = settled(olivia, lease_number="NMNM 1")
        client.force_login(in_role(role))

        answer = client.get(f"{LIST}?{ASK}={action}&_chosen={lease.pk}")

        assert (answer.status_code, answer["Location"]) == (302, LIST)
