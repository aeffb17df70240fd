"""Hundreds of numbers that somebody pastes: what is found, and that everything that starts from the list follows."""

import re
from html import unescape
from runpy import run_path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.records import long_search
from leases.models import Lease
from tests.factories import settled
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
SEARCH = f"{LIST}search/"
# The longest address that the console's server takes.
LONGEST = 8190


@pytest.fixture(autouse=True)
def leases() -> list[Lease]:
    return [settled(None, lease_number=f"NMNM {number:07}") for number in range(3)]


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def numbers(count: int) -> str:
    """Pasted from a table; those of the first three are there, unless fewer are wanted."""
    return "; ".join(f"nmnm {number:07}" for number in range(1, count + 1))


def link(answer: Any, pattern: str) -> str:
    found = re.search(f'(?:href|action|data-poll)="({pattern})"', answer.text)
    assert found, pattern
    return unescape(found[1])


class TestALongSearch:
    @pytest.mark.parametrize("count", [200, 1_000])
    def test_gets_a_short_address_that_finds_all_of_it(self, console: Client, count: int) -> None:
        answer = console.post(SEARCH, {"q": numbers(count)})

        assert len(answer["Location"]) < 60
        listed = console.get(answer["Location"])
        assert listed.context["cl"].result_count == 2
        assert len(listed.context["cl"].missing) == count - 2
        assert 'value="nmnm0000001; nmnm0000002; ' in listed.text

    def test_keeps_the_other_filters(self, console: Client) -> None:
        answer = console.post(SEARCH, {"q": numbers(200), "agency__exact": "NMSLO", "o": "1"})

        query = parse_qs(urlsplit(answer["Location"]).query)
        assert (query["agency__exact"], query["o"]) == (["NMSLO"], ["1"])
        assert console.get(answer["Location"]).context["cl"].result_count == 0

    def test_of_an_old_address_gets_a_short_one(self, console: Client) -> None:
        answer = console.get(LIST, {"q": numbers(300), "agency__exact": "BLM"})

        assert len(answer["Location"]) < 80
        assert console.get(answer["Location"]).context["cl"].result_count == 2

    def test_can_be_left_for_a_lease_and_come_back_to(self, console: Client) -> None:
        listed = console.get(console.post(SEARCH, {"q": numbers(1_000)})["Location"])

        opened = console.get(link(listed, rf"{LIST}\d+/change/[^\"]+"))

        assert console.get(link(opened, rf"{LIST}\?[^\"]+")).context["cl"].result_count == 2

    def test_is_what_the_files_hold(self, console: Client) -> None:
        listed = console.get(console.post(SEARCH, {"q": numbers(200)})["Location"])

        file = console.get(link(listed, rf"{LIST}download/csv/[^\"]+"))

        assert len(file.getvalue().decode().splitlines()) == 1 + 2

    def test_is_what_a_bulk_run_is_asked_of(self, console: Client, leases: list[Lease]) -> None:
        address = console.post(SEARCH, {"q": numbers(200)})["Location"]

        asked = console.post(address, {"action": "run_chosen", "_selected_action": [leases[1].pk], "select_across": 1})

        assert question_of(console, asked).context["plan"].chosen == 2

    def test_is_followed(self, console: Client) -> None:
        Lease.objects.update(state="searching", due_at="2100-01-01T00:00Z")
        listed = console.get(console.post(SEARCH, {"q": numbers(200)})["Location"])

        rows = console.get(re.sub(r"(seen|counted)=[^&]*", r"\1=", link(listed, rf"{LIST}rows/[^\"]+")))

        assert rows.context["cl"].result_count == 2

    def test_of_too_many_numbers_is_refused_in_a_sentence(self, console: Client) -> None:
        answer = console.post(SEARCH, {"q": numbers(1_001), "agency__exact": "BLM"}, follow=True)

        assert "At most 1,000 numbers can be searched for at once." in answer.text
        assert answer.redirect_chain == [(f"{LIST}?agency__exact=BLM", 302)]

    def test_is_kept_for_the_person_who_made_it_only(self, console: Client, viewer: User) -> None:
        address = console.post(SEARCH, {"q": numbers(200)})["Location"]
        console.force_login(viewer)

        answer = console.get(address)

        assert answer.context["cl"].result_count == 0
        assert "This long search is kept no more" in answer.text
        file = console.get(address.replace(LIST, f"{LIST}download/csv/"))
        assert file["Location"] == address

    def test_is_given_up_for_twenty_newer_ones(self, console: Client) -> None:
        first, *_, last = [console.post(SEARCH, {"q": f"{number}; {numbers(40)}"})["Location"] for number in range(21)]

        assert "kept no more" in console.get(first).text
        assert console.get(last).context["cl"].result_count == 2

    def test_makes_no_session_larger_than_it_may_be(self, console: Client) -> None:
        for number in range(12):
            console.post(SEARCH, {"q": f"{number}; {numbers(990)}"})

        kept = console.session[long_search.KEPT]
        assert sum(map(len, kept.values())) <= long_search.KEPT_CHARACTERS


class TestAShortSearch:
    def test_stands_in_the_address_as_it_was_typed(self, console: Client) -> None:
        answer = console.post(SEARCH, {"q": "nmnm 0000001, x", "agency__exact": "BLM"})

        assert answer["Location"] == f"{LIST}?agency__exact=BLM&q=nmnm+0000001%2C+x"

    def test_for_nothing_leads_to_the_whole_list(self, console: Client) -> None:
        assert console.post(SEARCH, {"q": ""})["Location"] == LIST

    def test_is_what_is_left_of_one_number_many_times(self, console: Client) -> None:
        answer = console.post(SEARCH, {"q": "nmnm 1; " * 100})

        assert answer["Location"] == f"{LIST}?q=nmnm1"

    def test_is_not_for_who_may_not_look(self, client: Client) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert client.post(SEARCH, {"q": "1"}).status_code == 403


class TestTheServer:
    def test_takes_addresses_as_long_as_it_can(self) -> None:
        assert run_path("gunicorn.conf.py")["limit_request_line"] == LONGEST
