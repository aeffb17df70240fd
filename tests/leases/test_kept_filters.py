"""What the list is narrowed to is kept: over a lease and back, over its buttons, a bulk run and a download."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.machine import following, lists
from leases.batches import import_leases
from leases.models import Batch, Lease
from statemachine.batches import run_many
from tests.factories import settled
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
WANTED = "?agency__exact=BLM&o=1&q=NMNM"
LATER = "2100-01-01T00:00Z"


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


@pytest.fixture
def lease(olivia: User) -> Lease:
    return settled(olivia, lease_number="NMNM 1", state="searching", due_at=LATER)


def link(answer: Any, pattern: str) -> str:
    """The first address that looks so."""
    found = re.search(f'(?:href|action|data-poll)="({pattern})"', answer.text)
    assert found, pattern
    return unescape(found[1])


def back(answer: Any) -> str:
    """Where the page says one came from."""
    return str(re.findall(r'<li><a href="([^"]+)">Leases</a></li>', unescape(answer.text))[0])


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


class TestALease:
    def test_leads_back_to_the_list_that_one_came_from(self, console: Client, lease: Lease) -> None:
        opened = console.get(link(console.get(LIST + WANTED), rf"{LIST}{lease.pk}/change/[^\"]+"))

        assert urlsplit(back(opened)).path == LIST
        assert query(back(opened)) == query(WANTED)

    def test_leads_back_also_when_its_row_has_been_renewed(
        self, console: Client, lease: Lease, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "COUNTS_LAST_S", -1)
        monkeypatch.setattr(following, "LASTS_S", -1)
        for number in range(60):
            settled(olivia, lease_number=f"NMNM 0{number}", state="searching", due_at=LATER)
        page = console.get(f"{LIST}{WANTED}&p=2")
        rows = console.get(link(page, rf"{LIST}rows/[^\"]+"))

        opened = console.get(link(rows, rf"{LIST}\d+/change/[^\"]+"))

        assert query(back(opened)) == query(f"{WANTED}&p=2")

    def test_leads_to_the_whole_list_where_one_came_from_elsewhere(self, console: Client, lease: Lease) -> None:
        assert back(console.get(f"{LIST}{lease.pk}/change/")) == LIST

    def test_leads_back_after_one_of_its_buttons(self, console: Client, lease: Lease) -> None:
        opened = console.get(link(console.get(LIST + WANTED), rf"{LIST}{lease.pk}/change/[^\"]+"))
        stop = link(opened, rf"{LIST}{lease.pk}/stop/[^\"]+")

        stopped = console.post(stop, {"generation": lease.generation}, follow=True)

        assert query(back(stopped)) == query(WANTED)
        assert Lease.objects.get().state == "pending"

    def test_leads_back_after_a_button_of_what_has_moved_on(self, console: Client, lease: Lease) -> None:
        opened = console.get(link(console.get(LIST + WANTED), rf"{LIST}{lease.pk}/change/[^\"]+"))
        fragment = console.get(link(opened, rf"{LIST}{lease.pk}/live/[^\"]+").replace("seen=", "seen=x"))

        stale = console.post(link(fragment, rf"{LIST}{lease.pk}/stop/[^\"]+"), {"generation": "99"}, follow=True)

        assert query(back(stale)) == query(WANTED)

    def test_that_is_gone_leads_to_the_list_one_came_from(self, console: Client, lease: Lease) -> None:
        opened = console.get(link(console.get(LIST + WANTED), rf"{LIST}{lease.pk}/change/[^\"]+"))
        stop = link(opened, rf"{LIST}{lease.pk}/stop/[^\"]+")
        Lease.objects.all().delete()

        answer = console.post(stop, {"generation": "0"})

        assert query(answer["Location"]) == query(WANTED)

    def test_leads_back_after_it_was_corrected(self, console: Client, lease: Lease) -> None:
        url = link(console.get(LIST + WANTED), rf"{LIST}{lease.pk}/change/[^\"]+")

        saved = console.post(url, {"agency": "BLM", "lease_number": "NMNM 2", "_save": "Save"}, follow=True)

        assert str(Lease.objects.get()) == "BLM NMNM 2"
        assert query(back(saved)) == query(WANTED)


class TestABulkRun:
    def test_leads_back_to_the_list(self, console: Client, olivia: User) -> None:
        lease = settled(olivia, lease_number="NMNM 1", state="done")

        form = {"action": "run_chosen", "_selected_action": [lease.pk], "index": "0"}
        asked = question_of(console, console.post(LIST + WANTED, form))

        assert query(back(asked)) == query(WANTED)
        assert query(asked.context["back"]) == query(WANTED)

    def test_of_nothing_that_was_ticked_shows_the_same_list(self, console: Client, lease: Lease) -> None:
        answer = console.post(LIST + WANTED, {"action": "run_chosen", "index": "0"})

        assert query(answer["Location"]) == query(WANTED)


class TestADownload:
    def test_is_of_the_same_list(self, console: Client, lease: Lease) -> None:
        url = link(console.get(LIST + WANTED), rf"{LIST}download/csv/[^\"]+")

        assert query(url) == query(WANTED)


class TestABatch:
    """The list of its leases is narrowed like any other."""

    @pytest.fixture
    def batch(self, olivia: User) -> Batch:
        settled(olivia, lease_number="other", state="done")
        return import_leases(leases=[("BLM", "NMNM 1"), ("NMSLO", "B0-1")], user=olivia, title="leases.csv")

    def test_is_a_filter_by_its_name_that_can_be_removed(self, console: Client, batch: Batch) -> None:
        answer = console.get(f"{LIST}?agency__exact=BLM&batches={batch.pk}")

        chosen = answer.context["cl"].chosen
        assert [(each.title, each.choice) for each in chosen] == [
            ("agency", "BLM (Bureau of Land Management)"),
            ("import or run", f"leases.csv (no. {batch.pk})"),
        ]
        assert answer.context["cl"].result_count == 1
        without = console.get(LIST + chosen[1].url)
        assert without.context["cl"].result_count == 2
        assert [each.title for each in without.context["cl"].chosen] == ["agency"]

    def test_is_named_also_if_it_is_not_among_the_newest(self, console: Client, batch: Batch, olivia: User) -> None:
        for number in range(12):
            import_leases(leases=[("BLM", str(number))], user=olivia, title=f"{number}.csv")

        answer = console.get(f"{LIST}?batches={batch.pk}")

        assert [each.choice for each in answer.context["cl"].chosen] == [f"leases.csv (no. {batch.pk})"]
        assert answer.context["cl"].result_count == 2

    @pytest.mark.parametrize("gone", ["0", "99999999999999999999"])
    def test_that_is_gone_has_no_leases(self, console: Client, batch: Batch, gone: str) -> None:
        answer = console.get(f"{LIST}?batches={gone}")

        assert answer.context["cl"].result_count == 0
        assert "No lease matches." in answer.text

    def test_that_is_none_leads_to_the_whole_list(self, console: Client, batch: Batch) -> None:
        assert console.get(f"{LIST}?batches=x")["Location"] == f"{LIST}?e=1"

    def test_says_also_which_states_are_shown(self, console: Client, batch: Batch) -> None:
        answer = console.get(f"{LIST}?batches={batch.pk}&state__in=searching,detecting")

        assert [each.choice for each in answer.context["cl"].chosen][-1] == "Searching or Detecting report"
        assert query(answer.context["cl"].chosen[-1].url) == {"batches": [str(batch.pk)]}

    def test_shows_no_lease_twice(self, console: Client, batch: Batch, olivia: User) -> None:
        Lease.objects.update(due_at=None)
        run_many(Lease.objects.all(), olivia)

        answer = console.get(f"{LIST}?batches={batch.pk}")

        assert answer.context["cl"].result_count == len(answer.context["cl"].result_list) == 2
