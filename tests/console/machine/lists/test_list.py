"""The list of a kind of record that the console knows nothing of but its declaration."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.machine import lists
from statemachine.transitions import RECONCILER, Step, take
from tests.toy.models import Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/toy/kettle/"
LATER = "2100-01-01T00:00Z"


def made(label: str, **values: Any) -> Kettle:
    """A kettle that nothing is owed for, unless it is said."""
    return Kettle.objects.create(**{"label": label, "due_at": None, **values})


def listed(client: Client, **wanted: Any) -> list[str]:
    answer = client.get(LIST, wanted)
    assert answer.status_code == 200
    return [kettle.label for kettle in answer.context["cl"].result_list]


def followed(answer: Any) -> str:
    """Where the list would look for what has changed; empty if it would not."""
    found = re.search(r'data-poll="([^"]+)"', answer.text)
    return unescape(found[1]) if found else ""


class TestRows:
    def test_tell_state_failure_tries_and_whose_it_is(self, kitchen: Client, cook: User) -> None:
        kettle = made("Copper", state="heating", generation=1, due_at=LATER, tries=2, initiated_by=cook)
        Kettle.objects.filter(pk=kettle.pk).update(failure_code="no_water")

        text = kitchen.get(LIST).text

        assert f'<tr id="kettle-{kettle.pk}">' in text
        assert 'class="state is-working"' in text
        assert '<span class="failure-code">no water</span>' in text
        assert '<td data-label="Tries" class="field-tries_taken">2</td>' in text
        assert ">cook</td>" in text

    def test_tell_how_often_the_last_work_was_begun(self, kitchen: Client) -> None:
        kettle = made("Copper", state="heating", generation=1, tries=3)
        take(model=Kettle, pk=kettle.pk, step=Step(transition="boiled"), actor=RECONCILER)

        assert 'class="field-tries_taken">3</td>' in kitchen.get(LIST).text

    def test_call_everything_as_the_model_is_called(self, kitchen: Client) -> None:
        text = kitchen.get(LIST).text

        assert "There is no kettle yet." in text
        assert '<a class="button" href="/admin/toy/kettle/add/">Add a kettle</a>' in text
        assert "Add the first one." in text
        assert 'aria-label="Kettles by state"' in text
        assert 'aria-label="Search kettles"' in text
        assert "None of the kettles in this list is under way." in text

    def test_tell_who_may_only_look_who_can_add_one(self, kitchen: Client, guest: User) -> None:
        kitchen.force_login(guest)

        assert "Whoever may add kettles can add the first one." in kitchen.get(LIST).text

    def test_are_for_who_may_look(self, kitchen: Client) -> None:
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        assert kitchen.get(LIST).status_code == 403

    def test_cost_the_same_for_many_as_for_few(self, kitchen: Client, cook: User) -> None:
        made("0")
        kitchen.get(LIST)
        with CaptureQueriesContext(connection) as few:
            kitchen.get(LIST)
        for number in range(1, 60):
            made(str(number), initiated_by=cook)

        with CaptureQueriesContext(connection) as many:
            kitchen.get(LIST, {"p": "2", "o": "1"})

        assert len(many) == len(few) <= 14


class TestStates:
    def test_are_counted_and_narrow_the_list(self, kitchen: Client) -> None:
        made("1")
        made("2", generation=1)
        made("3", state="ready")

        counts = kitchen.get(LIST, {"state__exact": "ready"}).context["cl"].state_counts

        assert {each.label: each.count for each in counts if each.count} == {
            "All": 3,
            "Cold": 1,
            "Stopped": 1,
            "Ready": 1,
        }
        assert [each.label for each in counts if each.is_chosen] == ["Ready"]
        assert listed(kitchen, state__exact="ready") == ["3"]
        assert listed(kitchen, state__exact="cold") == ["1"]
        assert listed(kitchen, state__exact="stopped") == ["2"]

    def test_of_several_are_told_and_can_be_left(self, kitchen: Client) -> None:
        made("1", state="heating")
        made("2", state="ready")

        answer = kitchen.get(LIST, {"state__in": "heating,steeping,nothing"})

        [used] = answer.context["cl"].chosen
        assert (used.title, used.choice, used.url) == ("state", "Heating or Steeping", "?")
        assert [kettle.label for kettle in answer.context["cl"].result_list] == ["1"]


class TestFilters:
    def test_narrow_the_list(self, kitchen: Client, cook: User) -> None:
        made("other", state="ready")
        wanted = made("wanted", state="broken", failure_code="no_water", initiated_by=cook)
        Kettle.objects.filter(pk=wanted.pk).update(entered_at="2026-01-03T12:00Z")
        days = {"entered_at__gte": "2026-01-03 00:00:00+00:00", "entered_at__lt": "2026-01-04 00:00:00+00:00"}

        assert listed(kitchen, failure_code="no_water") == ["wanted"]
        assert listed(kitchen, initiated_by__id__exact=cook.pk) == ["wanted"]
        assert listed(kitchen, **days) == ["wanted"]

    def test_are_called_as_the_columns_are(self, kitchen: Client, cook: User) -> None:
        made("1", state="broken", failure_code="no_water")

        text = kitchen.get(LIST, {"failure_code": "no_water"}).text

        assert "By last change" in text
        assert "failure <strong>no water</strong>" in text
        assert f'<a href="?failure_code=no_water&amp;initiated_by__id__exact={cook.pk}">cook</a>' in text

    def test_by_what_is_gone_show_nothing_and_say_so(self, kitchen: Client) -> None:
        made("1")

        text = kitchen.get(LIST, {"failure_code": "no_water"}).text

        assert "No kettle matches." in text
        assert '<a href="?">Show all kettles</a>' in text


class TestSearch:
    def test_names_what_is_missing(self, kitchen: Client) -> None:
        made("1")
        made("2")

        assert listed(kitchen, q="1") == ["1"]
        assert "No kettle has this label: 3" in kitchen.get(LIST, {"q": "1; 3"}).text
        assert "No kettle has these labels: 3, 4" in kitchen.get(LIST, {"q": "1; 3; 4"}).text

    def test_that_finds_nothing_says_how_to_go_on(self, kitchen: Client) -> None:
        text = kitchen.get(LIST, {"q": "x"}).text

        assert "Try a shorter part of the label, put commas between several labels, or" in text

    def test_for_very_many_gets_a_short_address(self, kitchen: Client) -> None:
        made("007")
        text = "; ".join(f"{number:03}" for number in range(200))

        answer = kitchen.post(f"{LIST}search/", {"q": text, "state__exact": "cold"})

        assert answer["Location"].startswith(f"{LIST}?state__exact=cold&q=~")
        assert len(answer["Location"]) < 60
        assert [kettle.label for kettle in kitchen.get(answer["Location"]).context["cl"].result_list] == ["007"]
        assert kitchen.get(LIST, {"q": text})["Location"].startswith(f"{LIST}?q=")

    def test_for_too_many_is_refused_in_the_words_of_the_list(self, kitchen: Client) -> None:
        text = "; ".join(map(str, range(1_001)))

        assert (
            "At most 1,000 labels can be searched for at once."
            in kitchen.post(f"{LIST}search/", {"q": text}, follow=True).text
        )

    def test_is_for_who_may_look(self, kitchen: Client) -> None:
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        assert kitchen.post(f"{LIST}search/", {"q": "1"}).status_code == 403


class TestFollowing:
    def test_ends_when_nothing_shown_is_owed(self, kitchen: Client) -> None:
        made("1", state="ready")

        assert followed(kitchen.get(LIST)) == ""

    def test_costs_two_queries_as_long_as_nothing_has_changed(self, kitchen: Client) -> None:
        made("1", state="heating", due_at=LATER)
        url = followed(kitchen.get(LIST))

        with CaptureQueriesContext(connection) as asked:
            answer = kitchen.get(url)

        assert (answer.status_code, len(asked)) == (204, 2)

    def test_shows_the_same_rows_as_they_are_now(self, kitchen: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "COUNTS_LAST_S", 10**12)
        moving = made("moving", state="heating", generation=1, due_at=LATER)
        made("other", state="ready")
        url = followed(kitchen.get(LIST))
        made("new")
        take(model=Kettle, pk=moving.pk, step=Step(transition="boiled"), actor=RECONCILER)

        answer = kitchen.get(url)

        assert [kettle.label for kettle in answer.context["cl"].result_list] == ["other", "moving"]
        assert "None of the kettles in this list is under way." in answer.text
        assert followed(answer) == ""

    def test_leaves_out_what_was_deleted(self, kitchen: Client) -> None:
        gone = made("1", state="heating", due_at=LATER)
        made("2", state="heating", due_at=LATER)
        url = followed(kitchen.get(LIST))
        gone.delete()

        assert kitchen.get(url).text.count("<tr id=") == 1

    def test_is_refused_to_who_may_not_look(self, kitchen: Client) -> None:
        made("1", state="heating", due_at=LATER)
        url = followed(kitchen.get(LIST))
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        assert kitchen.get(url).status_code == 403

    def test_of_a_list_that_makes_no_sense_leads_to_the_whole_list(self, kitchen: Client) -> None:
        answer = kitchen.get(f"{LIST}rows/", {"nothing": "1"})

        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")
