"""What the console shows of kettles; docs/how-to/add-a-machine.md walks through it."""

from django.contrib import admin

from console.machine import badges
from console.machine.badges import CLOCK, TICK, WARNING, Appearance
from console.machine.buttons import Button
from console.machine.page import MachineAdmin
from console.shell import navigation
from console.shell.navigation import Frame, Place
from core.base.errors import RECORD, Permanent, Remedy
from statemachine.transitions import Step
from tests.toy.models import Kettle, State


class NoWater(Permanent):
    """The kettle is empty. Fill it, then switch it on again."""

    code = "no_water"
    words = "no water"
    advice = "Fill it, then switch it on again"
    remedies = (Remedy(label="Fill {record}", where=RECORD, fragment="id_litres", rights=("toy.change_kettle",)),)


class KettleAdmin(MachineAdmin):
    """Who may boil water switches kettles on and off."""

    fields = ("label", "litres")
    facts = ("litres",)
    buttons = (
        Button(name="on", label="Switch on", step=Step(transition="switch_on", reason="wanted"), key="o"),
        Button(name="off", label="Switch off", step=Step(transition="cancel"), ends=True),
    )
    evidence = {"degrees": "Degrees Celsius"}
    did = {"switch_on": "switched it on", "boiled": "boiled the water", "cancel": "switched it off"}


APPEARANCE = Appearance(
    machine=Kettle,
    name="kettle",
    signs={State.COLD: CLOCK, State.HEATING: "M4 13h8M8 3v7", State.READY: TICK, State.BROKEN: WARNING},
)
FRAME = Frame(
    places=(Place(order=45, label="Kettles", address="admin:toy_kettle_changelist", right="toy.view_kettle"),),
)


def declare() -> None:
    """Put it in the console."""
    admin.site.register(Kettle, KettleAdmin)
    badges.show(APPEARANCE)
    navigation.put("toy", FRAME)
