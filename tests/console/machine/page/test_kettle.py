"""The page of a record that the console knows nothing of but its declaration (tests/toy/admin.py)."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse

from console.records.sent import Sent, told
from statemachine.claims import message_of
from statemachine.jobs import run
from statemachine.models import TransitionLog
from statemachine.reactions import Outcome
from statemachine.transitions import Actor, Step, take
from tests.console.conftest import page_of, press
from tests.toy.admin import NoWater
from tests.toy.models import Kettle
from tests.toy.reactions import Work

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def kettle(db: None) -> Kettle:
    """Cold, and nothing is owed."""
    return Kettle.objects.create(label="Old copper", due_at=None)


def switched_on(kettle: Kettle, cook: User) -> Kettle:
    return take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))


def work_on(kettle: Kettle) -> Kettle:
    """Do what a worker does with the message that was sent."""
    message = message_of(kettle)
    run(message.label, message.pk, message.state, message.generation)
    return Kettle.objects.get(pk=kettle.pk)


def polled_by(answer: Any) -> str:
    found = re.search(r'data-poll="([^"]+)"', answer.text)
    return unescape(found[1]) if found else ""


class TestPage:
    def test_has_the_declared_facts_and_buttons(self, kitchen: Client, kettle: Kettle) -> None:
        text = page_of(kitchen, kettle).text

        assert '<h1 class="exact">Old copper</h1>' in text
        assert "<dt>Litres</dt><dd>0</dd>" in text
        assert "Nothing is under way." in text
        assert '<button type="submit" class="button" data-key="o">Switch on</button>' in text
        assert "<strong>Switch off</strong> is not offered. The kettle is “Cold”: nothing is under way" in text

    def test_speaks_of_its_records_as_the_model_does(self, kitchen: Client, kettle: Kettle) -> None:
        text = page_of(kitchen, kettle).text

        assert ">Kettles</a>" in text
        assert "The states a kettle can be in, and where this one is" in text
        assert "lease" not in text.partition("<main")[2].partition("</main")[0].lower()

    def test_tells_why_there_is_no_button_for_who_may_only_look(
        self, kettles: Work, client: Client, guest: User, kettle: Kettle
    ) -> None:
        client.force_login(guest)

        text = page_of(client, kettle).text

        assert text.count("You do not have the permission to boil water. Ask an administrator.") == 2
        assert 'name="generation"' not in text

    def test_shows_the_machine(self, kitchen: Client, kettle: Kettle) -> None:
        assert "<svg" in page_of(kitchen, kettle).context["panel"].diagram

    def test_shows_whose_run_it_is_and_which_job_is_at_it(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        Kettle.objects.filter(pk=kettle.pk).update(
            state="heating", due_at="2100-01-01T00:00Z", tries=2, initiated_by=cook
        )

        text = page_of(kitchen, kettle).text

        assert "<dt>Run for</dt><dd>cook</dd>" in text
        assert f"<dt>RQ job</dt><dd>toy_kettle-{kettle.pk}-heating-0</dd>" in text
        assert "Try 2 of 3." in text

    def test_of_what_is_stopped_says_so(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        switched_on(kettle, cook)
        take(model=Kettle, pk=kettle.pk, step=Step(transition="cancel"), actor=Actor.person(cook))

        text = page_of(kitchen, kettle).text

        assert "Stopped. Nothing is done until somebody starts it again." in text
        assert "<span>cook switched it off</span>" in text

    def test_is_for_nobody_who_may_not_look(self, kettles: Work, client: Client, kettle: Kettle) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert page_of(client, kettle).status_code == 403


class TestHistory:
    def test_tells_who_did_what_and_what_was_found(
        self, kitchen: Client, kettle: Kettle, kettles: Work, cook: User
    ) -> None:
        kettles["heat"] = lambda _run: Outcome(transition="boiled", evidence={"degrees": 99})
        work_on(switched_on(kettle, cook))

        page = page_of(kitchen, kettle)

        told = [(entry.by, entry.did, entry.to_state) for entry in page.context["panel"].history]
        assert told == [("A worker", "boiled the water", "Ready"), ("cook", "switched it on", "Heating")]
        assert page.context["panel"].reasons == [("Degrees Celsius", "99")]
        assert '<dt>Degrees Celsius</dt><dd class="exact">99</dd>' in page.text

    def test_begins_with_its_creation(self, kitchen: Client, kettle: Kettle) -> None:
        text = page_of(kitchen, kettle).text

        assert "<span>Created</span>" in text
        assert "Nothing has happened since." in text

    def test_stands_in_the_log_as_a_whole(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        switched_on(kettle, cook)
        cook.user_permissions.add(Permission.objects.get(codename="view_transitionlog"))

        whole = kitchen.get(page_of(kitchen, kettle).context["panel"].log_url)

        assert whole.context["cl"].result_count == 1


class TestFailure:
    @pytest.fixture
    def broken(self, kettle: Kettle, kettles: Work, cook: User) -> Kettle:
        def heat(_run: object) -> Outcome:
            raise NoWater

        kettles["heat"] = heat
        return work_on(switched_on(kettle, cook))

    def test_is_told_with_what_helps(self, kitchen: Client, broken: Kettle) -> None:
        text = page_of(kitchen, broken).text

        assert "<strong>Failed: no water.</strong>\nThe kettle is empty. Fill it, then switch it on again." in text
        url = f"{reverse('admin:toy_kettle_change', args=[broken.pk])}#id_litres"
        assert f'<a class="button" href="{url}">Fill Old copper</a>' in text

    def test_is_somebody_elses_to_mend_for_who_may_only_look(self, client: Client, guest: User, broken: Kettle) -> None:
        client.force_login(guest)

        text = page_of(client, broken).text

        assert "Ask an administrator to do that." in text
        assert ">Fill Old copper</a>" not in text


class TestButtons:
    def test_start_it(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        answer = press(kitchen, kettle, "on")

        assert "Old copper: “Switch on” was started." in answer.text
        assert answer.redirect_chain == [(reverse("admin:toy_kettle_change", args=[kettle.pk]), 302)]
        log = TransitionLog.objects.get()
        assert (log.to_state, log.reason, log.actor) == ("heating", "wanted", cook)

    def test_end_it_after_a_question(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        page = page_of(kitchen, switched_on(kettle, cook)).text
        answer = press(kitchen, kettle, "off")

        assert "What has been done so far stays. Nothing more is done until somebody starts it again." in page
        assert "Old copper: stopped." in answer.text
        assert Kettle.objects.get().is_stopped

    def test_do_nothing_for_who_may_not_press_them(
        self, kettles: Work, client: Client, guest: User, kettle: Kettle
    ) -> None:
        client.force_login(guest)

        assert press(client, kettle, "on").status_code == 403
        assert not TransitionLog.objects.exists()

    @pytest.mark.parametrize("name", ["switch_on", "boiled", "fail", "steep"])
    def test_are_no_others(self, kitchen: Client, kettle: Kettle, name: str) -> None:
        assert press(kitchen, kettle, name).status_code == 404

    def test_of_what_has_moved_on_tell_who_did_it(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        switched_on(kettle, cook)

        answer = press(kitchen, kettle, "on", generation=0)

        assert (
            "“Switch on” was not done, because the kettle had moved on: cook did “switch on” just now, "
            "and now it is “Heating”." in answer.text
        )

    def test_that_are_not_possible_say_what_the_page_says(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        switched_on(kettle, cook)

        answer = press(kitchen, kettle, "on")

        assert "The kettle is “Heating”: stop that first, or wait until it is settled." in unescape(answer.text)

    def test_of_what_is_gone_lead_to_the_list(self, kitchen: Client) -> None:
        answer = kitchen.post(reverse("admin:toy_kettle_action", args=[4711, "on"]), {"generation": 0}, follow=True)

        assert answer.redirect_chain == [(reverse("admin:toy_kettle_changelist"), 302)]


class TestFollowing:
    def test_costs_two_queries_while_nothing_changes(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        address = polled_by(page_of(kitchen, switched_on(kettle, cook)))

        with CaptureQueriesContext(connection) as asked:
            answer = kitchen.get(address)

        assert (answer.status_code, len(asked)) == (204, 2)

    def test_shows_what_has_changed_and_ends_with_the_work(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        on = switched_on(kettle, cook)
        address = polled_by(page_of(kitchen, on))
        work_on(on)

        answer = kitchen.get(address)

        assert 'data-say="Old copper: Ready"' in answer.text
        assert polled_by(answer) == ""

    def test_of_what_is_gone_ends(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        address = polled_by(page_of(kitchen, switched_on(kettle, cook)))
        Kettle.objects.all().delete()

        assert kitchen.get(address).status_code == 404

    def test_is_for_nobody_who_may_not_look(self, kitchen: Client, kettle: Kettle, cook: User) -> None:
        address = polled_by(page_of(kitchen, switched_on(kettle, cook)))
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        assert kitchen.get(address).status_code == 403

    def test_tells_nobody_who_may_not_look_whether_there_is_one(self, kitchen: Client, kettle: Kettle) -> None:
        kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

        answers = [kitchen.get(reverse("admin:toy_kettle_live", args=[pk])) for pk in (kettle.pk, kettle.pk + 1)]

        assert [answer.status_code for answer in answers] == [403, 403]


class TestForm:
    def test_makes_one_that_is_owed_its_start_for_who_made_it(self, kitchen: Client, cook: User) -> None:
        page = kitchen.get(reverse("admin:toy_kettle_add"))
        answer = kitchen.post(reverse("admin:toy_kettle_add"), {"label": "New tin", "litres": 2}, follow=True)

        made = Kettle.objects.get()
        assert "<h1>Add a kettle</h1>" in page.text
        assert "Once it is saved, it starts by itself, and its page shows how that goes." in page.text
        assert answer.redirect_chain == [(reverse("admin:toy_kettle_change", args=[made.pk]), 302)]
        assert (made.initiated_by, made.is_owed, made.litres) == (cook, True, 2)

    def test_takes_nothing_back_of_what_a_worker_did_meanwhile(
        self, kitchen: Client, kettle: Kettle, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        validated = Kettle.full_clean

        def move_on(record: Kettle, *given: Any, **named: Any) -> None:
            validated(record, *given, **named)
            Kettle.objects.update(state="heating", generation=7)

        monkeypatch.setattr(Kettle, "full_clean", move_on)

        kitchen.post(reverse("admin:toy_kettle_change", args=[kettle.pk]), {"label": "Copper", "litres": 1})

        after = Kettle.objects.get()
        assert (after.label, after.litres, after.state, after.generation) == ("Copper", 1, "heating", 7)

    def test_deletes_one(self, kitchen: Client, kettle: Kettle) -> None:
        kitchen.post(reverse("admin:toy_kettle_delete", args=[kettle.pk]), {"post": "yes"})

        assert not Kettle.objects.exists()


class TestSentAgain:
    def test_is_told_by_the_buttons_name(self, kitchen: Client, kettle: Kettle, cook: User, rf: RequestFactory) -> None:
        url = reverse("admin:toy_kettle_action", args=[kettle.pk, "on"])
        request = rf.post(url)
        request.user, request.resolver_match = cook, resolve(url)

        found = told(request, QueryDict(), admin.site._registry)

        assert found == Sent(what="Switch on", facts=(("Kettle", "Old copper"),))
