"""What a button asks before it does something, and columns of a record's own that its pages follow."""

from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from console.machine.buttons import Button, Question, Unanswered
from statemachine.transitions import Actor, Step, take
from tests.console.conftest import page_of, press
from tests.toy.admin import KettleAdmin
from tests.toy.models import Kettle
from tests.toy.reactions import Work

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class Litres(forms.Form):
    litres = forms.IntegerField(label="How much?", min_value=1, error_messages={"required": "Say how much."})


def asks_unless_full(kettle: Kettle) -> Question | None:
    return None if kettle.litres else Question(words="It is <empty>.", form=Litres)


FILL = Button(name="on", label="Fill", step=Step(transition="switch_on"), question=asks_unless_full)
OFF = Button(name="off", label="Switch off", step=Step(transition="cancel"), ends=True, asks="It gets cold.")


@pytest.fixture
def kettle(kitchen: Client, monkeypatch: pytest.MonkeyPatch) -> Kettle:
    """Empty; to be filled by a button that asks how much."""
    monkeypatch.setattr(KettleAdmin, "buttons", (FILL, OFF))
    return Kettle.objects.create(label="Old copper", due_at=None)


class TestQuestion:
    def test_stands_at_its_button(self, kitchen: Client, kettle: Kettle) -> None:
        text = page_of(kitchen, kettle).text

        assert '<details class="asks" id="record-asks-on">' in text
        assert "<p>It is &lt;empty&gt;.</p>" in text
        assert '<label for="id_on_litres">How much?</label> <input type="number" name="litres" min="1"' in text

    def test_is_answered_to_the_transition(self, kitchen: Client, kettle: Kettle) -> None:
        press(kitchen, kettle, "on", litres="3")

        after = Kettle.objects.get()
        assert (after.state, after.litres) == ("heating", 3)

    def test_is_answered_to_the_service(self, kitchen: Client, kettle: Kettle, monkeypatch: pytest.MonkeyPatch) -> None:
        called: list[dict[str, Any]] = []

        def fill(**given: Any) -> Kettle:
            called.append(given)
            return kettle

        served = Button(name="on", label="Fill", step=FILL.step, question=asks_unless_full, service=fill)
        monkeypatch.setattr(KettleAdmin, "buttons", (served,))

        press(kitchen, kettle, "on", litres="3")

        [given] = called
        assert (given["record_id"], given["generation"], given["litres"]) == (kettle.pk, 0, 3)

    @pytest.mark.parametrize(
        ("said", "told"),
        [({}, "Say how much."), ({"litres": "0"}, "Ensure this value is greater than or equal to 1.")],
    )
    def test_that_is_not_answered_does_nothing(
        self, kitchen: Client, kettle: Kettle, said: dict[str, str], told: str
    ) -> None:
        assert told in press(kitchen, kettle, "on", **said).text
        assert Kettle.objects.get().state == "cold"

    def test_is_not_asked_of_a_record_that_needs_no_answer(self, kitchen: Client, kettle: Kettle) -> None:
        Kettle.objects.update(litres=2)

        assert "record-asks-on" not in page_of(kitchen, kettle).text
        press(kitchen, kettle, "on", litres="9")
        after = Kettle.objects.get()
        assert (after.state, after.litres) == ("heating", 2)

    def test_of_what_ends_something_is_its_words(self, kitchen: Client, kettle: Kettle) -> None:
        press(kitchen, kettle, "on", litres="3")

        text = page_of(kitchen, kettle).text

        assert '<details class="asks" id="record-asks">' in text
        assert "<p>It gets cold.</p>" in text

    def test_about_what_is_gone_leads_to_the_list(self, kitchen: Client, kettle: Kettle) -> None:
        url = reverse("admin:toy_kettle_action", args=[kettle.pk, "on"])
        kettle.delete()

        assert kitchen.post(url, {"generation": 0, "litres": 1})["Location"] == reverse("admin:toy_kettle_changelist")

    def test_has_a_sentence_of_its_own(self) -> None:
        assert str(Unanswered()) == "What the button asks was not answered, so nothing was done."


class TestFollows:
    @pytest.fixture
    def heating(self, kitchen: Client, kettles: Work, monkeypatch: pytest.MonkeyPatch) -> Kettle:
        monkeypatch.setattr(KettleAdmin, "follows", ("litres",))
        kettle = Kettle.objects.create(label="Old copper", due_at=None)
        cook = kitchen.get("/admin/").context["user"]
        return take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(cook))

    def test_a_column_of_its_own_on_the_page(self, kitchen: Client, heating: Kettle) -> None:
        poll = page_of(kitchen, heating).context["panel"].poll_url
        assert kitchen.get(poll).status_code == 204

        Kettle.objects.update(litres=7)

        assert kitchen.get(poll).status_code == 200

    def test_a_column_of_its_own_in_the_list(self, kitchen: Client, heating: Kettle) -> None:
        answer = kitchen.get(reverse("admin:toy_kettle_changelist"))
        poll = answer.context["cl"].poll_url(answer.context["user"])
        assert kitchen.get(poll).status_code == 204

        Kettle.objects.update(litres=7)

        assert kitchen.get(poll).status_code == 200
