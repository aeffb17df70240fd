"""Running many leases again: asked with the exact number, done once, left to who may."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import QuerySet
from django.test import Client
from pytest_django.fixtures import Settings

from console.machine.running import plan_for
from core.base.statement_limits import answered_in_time
from leases import runs
from leases.admin.bulk_run import FULL_DISCOVERY, calls_of, minutes_of
from leases.models import Batch, Lease
from statemachine.batches import Plan
from tests.factories import settled
from tests.leases.starting import person_takes
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
LATER = "2100-01-01T00:00Z"


@pytest.fixture
def operator(viewer: User) -> User:
    """May look at leases and run discovery, and nothing else."""
    viewer.user_permissions.add(Permission.objects.get(codename="run_discovery"))
    return viewer


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def failed() -> list[Lease]:
    return [settled(None, lease_number=str(number), state="failed", failure_code="bug") for number in range(3)]


def choose(client: Client, leases: list[Lease], *, where: str = LIST, **form: str) -> Any:
    """Press “Run” under the list."""
    chosen = [lease.pk for lease in leases]
    form = {"action": "run_chosen", "_selected_action": chosen, "index": "0", **form}  # type: ignore[dict-item]
    return question_of(client, client.post(where, form))


def confirm(client: Client, asked: Any, *, where: str = LIST, follow: bool = False) -> Any:
    """Send the form of the page that asks."""
    form = {name: asked.context[name] for name in ("action", "select_across")}
    number = asked.text.partition('name="confirmed" value="')[2].partition('"')[0]
    form |= {"_selected_action": asked.context["chosen"], "confirmed": number}
    return question_of(client, client.post(where, form, follow=follow))


def owed() -> set[str]:
    return set(Lease.objects.filter(due_at__isnull=False).values_list("lease_number", flat=True))


class TestAsking:
    def test_says_what_it_comes_to_and_starts_nothing(self, console: Client, failed: list[Lease]) -> None:
        settled(None, lease_number="busy", state="searching", due_at=LATER)

        text = choose(console, list(Lease.objects.all())).text

        assert "<strong>3 leases</strong> will be searched for and read" in text
        assert "1 of the 4 you chose is under way already and left alone" in text
        assert "about 6, by your Dropbox account" in text
        assert "Run 3 leases" in text
        assert not Batch.objects.exists()
        assert owed() == {"busy"}

    def test_offers_nothing_where_all_are_under_way(self, console: Client) -> None:
        busy = settled(None, state="searching", due_at=LATER)

        text = choose(console, [busy]).text

        assert "there is nothing to start" in text
        assert 'type="submit" class="button"' not in text

    def test_is_of_all_that_match_if_all_are_chosen(self, console: Client, failed: list[Lease]) -> None:
        settled(None, lease_number="done", state="done")

        answer = choose(console, failed[:1], where=f"{LIST}?state__exact=failed", select_across="1")

        assert answer.context["plan"].starting == 3


class TestConfirming:
    def test_starts_the_chosen_ones_as_one_batch(self, console: Client, operator: User, failed: list[Lease]) -> None:
        answer = confirm(console, choose(console, failed[:2]))

        batch = Batch.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/admin/leases/batch/{batch.pk}/change/")
        assert (batch.size, batch.created_by, batch.title) == (2, operator, "Full discovery of 2 leases")
        assert owed() == {"0", "1"}

    def test_starts_all_that_match_and_no_other(self, console: Client, failed: list[Lease]) -> None:
        settled(None, lease_number="done", state="done")
        where = f"{LIST}?state__exact=failed"

        confirm(console, choose(console, failed[:1], where=where, select_across="1"), where=where)

        assert owed() == {"0", "1", "2"}

    def test_asks_again_if_more_match_meanwhile(self, console: Client, failed: list[Lease]) -> None:
        where = f"{LIST}?state__exact=failed"
        asked = choose(console, failed, where=where, select_across="1")
        settled(None, lease_number="new", state="failed", failure_code="bug")

        answer = confirm(console, asked, where=where)

        assert "Nothing was started" in answer.text
        assert "Run 4 leases" in answer.text
        assert owed() == set()

    def test_asks_again_if_as_many_others_match_meanwhile(self, console: Client, failed: list[Lease]) -> None:
        where = f"{LIST}?state__exact=failed"
        asked = choose(console, failed, where=where, select_across="1")
        Lease.objects.filter(pk=failed[0].pk).update(state="done", failure_code="")
        settled(None, lease_number="new", state="failed", failure_code="bug")

        answer = confirm(console, asked, where=where)

        assert "Nothing was started" in answer.text
        assert owed() == set()

    def test_twice_starts_them_once(self, console: Client, failed: list[Lease]) -> None:
        asked = choose(console, failed)
        confirm(console, asked)

        answer = confirm(console, asked)

        assert "there is nothing to start" in answer.text
        assert Batch.objects.count() == 1

    @pytest.mark.parametrize("when", ["before the click", "before the lock"])
    def test_asks_again_if_somebody_was_faster(
        self, *, console: Client, olivia: User, failed: list[Lease], monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        asked = choose(console, failed)

        @contextmanager
        def overtaken() -> Iterator[None]:
            person_takes(runs.SEARCH, lease_id=failed[0].pk, user=olivia)
            with answered_in_time():
                yield

        if when == "before the lock":
            monkeypatch.setattr("statemachine.batches.starting.answered_in_time", overtaken)
        else:
            person_takes(runs.SEARCH, lease_id=failed[0].pk, user=olivia)

        answer = confirm(console, asked)

        assert "Nothing was started" in answer.text
        assert "Run 2 leases" in answer.text
        assert owed() == {"0"}
        assert not Batch.objects.exists()

    def test_asks_again_if_somebody_has_run_one_meanwhile(
        self, console: Client, olivia: User, failed: list[Lease]
    ) -> None:
        """It has settled again, in the same state: it is somebody else's by now all the same."""
        asked = choose(console, failed)
        person_takes(runs.SEARCH, lease_id=failed[0].pk, user=olivia)
        Lease.objects.filter(pk=failed[0].pk).update(state="failed", failure_code="bug", due_at=None)

        answer = confirm(console, asked)

        assert "Nothing was started" in answer.text
        assert owed() == set()

    @pytest.mark.parametrize("confirmed", ["0:0", ""])
    def test_of_nothing_is_told(self, console: Client, failed: list[Lease], confirmed: str) -> None:
        busy = settled(None, lease_number="busy", state="searching", due_at=LATER)

        answer = console.post(LIST, {"action": "run_chosen", "_selected_action": [busy.pk], "confirmed": confirmed})

        assert "there is nothing to start" in question_of(console, answer).text
        assert not Batch.objects.exists()


class TestPermission:
    def test_is_needed_for_the_offer_and_for_the_deed(self, client: Client, viewer: User, failed: list[Lease]) -> None:
        client.force_login(viewer)

        answer = choose(client, failed, confirmed="3")

        assert "run_chosen" not in client.get(LIST).text
        assert answer.status_code in (200, 302)
        assert owed() == set()


def planned(leases: QuerySet[Lease], user: User) -> Plan:
    return plan_for(leases, many=FULL_DISCOVERY, user=user)


class TestPlan:
    @pytest.mark.parametrize(("ceiling", "minutes"), [(12, 1), (1, 2), (0, None)])
    def test_counts_the_calls_and_the_minutes(
        self, settings: Settings, olivia: User, ceiling: int, minutes: int | None
    ) -> None:
        settings.DROPBOX_CALLS_PER_S = ceiling
        for number in range(40):
            settled(None, lease_number=str(number))

        plan = planned(Lease.objects.all(), olivia)

        assert (calls_of(plan), minutes_of(plan), plan.left_alone) == (80, minutes, 0)

    def test_counts_what_the_same_account_is_owed_already(self, settings: Settings, olivia: User, viewer: User) -> None:
        settings.DROPBOX_CALLS_PER_S = 1
        for number in range(40):
            settled(None, lease_number=str(number), due_at=LATER, initiated_by=viewer if number % 2 else olivia)
        new = settled(None)

        plan = planned(Lease.objects.filter(pk=new.pk), olivia)

        assert (plan.ahead, calls_of(plan), minutes_of(plan)) == (20, 2, 1)
