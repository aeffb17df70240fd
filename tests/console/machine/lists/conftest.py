"""Kettles whose list is found by label, downloaded and boiled together, though no app has declared anything but that."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db.models import QuerySet

from console.machine.columns import FAILURE, LAST_CHANGE, STATE, TRIES
from console.machine.lists import MachineList
from console.machine.running import ManyRun
from console.records.exports import Column
from console.records.long_search import Search
from statemachine.batches import Plan
from tests.toy import admin as toy
from tests.toy.admin import KettleAdmin
from tests.toy.models import Kettle


def labels_of(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def labelled(kettles: QuerySet[Kettle], text: str) -> QuerySet[Kettle]:
    return kettles.filter(label__in=labels_of(text)) if text else kettles


def missing(kettles: QuerySet[Kettle], text: str) -> list[str]:
    there = set(kettles.filter(label__in=labels_of(text)).values_list("label", flat=True))
    return [label for label in labels_of(text) if label not in there]


def facts(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "Water", f"{plan.starting} l"


LABELS = Search(
    label="Label",
    help="Whole labels, separated by semicolons.",
    one="label",
    many="labels",
    keys_of=labels_of,
    matching=labelled,
    missing=missing,
)


class Kettles(KettleAdmin):
    """The list says only what is its own."""

    list_display = ("label", *MachineList.list_display[1:])
    search = LABELS
    identity = ("label",)
    file_columns = (Column("Label", lambda kettle: kettle.label), STATE, FAILURE, TRIES, LAST_CHANGE)
    many = ManyRun(label="Boil", become="boiled", facts=facts)


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in for the toy's own, before the console is made of it."""
    monkeypatch.setattr(toy, "KETTLES", replace(toy.KETTLES, shown=Kettles))
