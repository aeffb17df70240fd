"""A kind of record that is declared wrongly is refused, before somebody meets an error page or presses the wrong thing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Q

from console import kinds
from console.batches import filters
from console.machine import badges
from console.machine.badges import Appearance
from console.machine.buttons import Button
from console.machine.page import MachineAdmin
from console.records.filters import by_condition
from leases.models import Batch as BatchOfLeases
from statemachine.transitions import Step
from tests.toy.admin import KETTLES
from tests.toy.models import Batch, Kettle
from tests.toy.reactions import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(kettles: Work) -> MachineAdmin:
    found = admin.site.get_model_admin(Kettle)
    assert isinstance(found, MachineAdmin)
    return found


@pytest.fixture
def without_batches(shown: MachineAdmin) -> Iterator[None]:
    """The batches of kettles have no page."""
    page = admin.site._registry.pop(Batch)
    yield
    admin.site._registry[Batch] = page


def button(name: str = "on", transition: str = "switch_on", key: str = "") -> Button:
    return Button(name=name, label="Press", step=Step(transition=transition), key=key)


def found(shown: MachineAdmin) -> list[str]:
    return [str(each.id) for each in shown.check()]


class TestPage:
    def test_is_right_as_it_is(self, shown: MachineAdmin) -> None:
        assert found(shown) == []

    @pytest.mark.parametrize(
        ("buttons", "number"),
        [
            ((button("delete"),), "console.E001"),
            ((button("live"),), "console.E001"),
            ((button(transition="whistle"),), "console.E002"),
            ((button(transition="label"),), "console.E002"),
            ((Button(name="on", label="Press", step=None),), "console.E002"),
            ((button(transition="boiled"),), "console.E002"),
            ((button(), button()), "console.E003"),
            ((button(key="o"), button("off", key="o")), "console.E003"),
        ],
    )
    def test_needs_buttons_that_do_what_they_say(
        self, shown: MachineAdmin, buttons: Any, number: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(type(shown), "buttons", buttons)

        assert found(shown) == [number]

    @pytest.mark.usefixtures("without_batches")
    def test_of_a_batch_is_needed_to_run_many(self, shown: MachineAdmin) -> None:
        assert found(shown) == ["console.E004"]


class TestList:
    def test_is_narrowed_to_batches_only_where_there_are_some(
        self, shown: MachineAdmin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(filters, "can_be_run_together", lambda _: False)
        monkeypatch.setattr(type(shown), "many", None)

        assert found(shown) == ["console.E005"]


class TestKind:
    def test_has_batches_of_its_own(self, kettles: Work) -> None:
        with pytest.raises(AssertionError, match=r"leases\.Batch has no batches of toy\.Kettle"):
            kinds.put(replace(KETTLES, batch=BatchOfLeases))

    def test_has_signs_for_its_own_states(self) -> None:
        with pytest.raises(AssertionError, match="has no state “searching”"):
            badges.show(Appearance(machine=Kettle, name="kettle", signs={"searching": "M0 0"}))


class TestByCondition:
    @pytest.mark.parametrize("labels", [("> 5", "< 5"), ("–",)])  # noqa: RUF001 - a dash
    def test_has_choices_that_an_address_tells_apart(self, labels: tuple[str, ...]) -> None:
        with pytest.raises(AssertionError, match="cannot be told apart"):
            by_condition("water", dict.fromkeys(labels, Q()))
