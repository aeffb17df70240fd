"""What the console shows of kettles; docs/how-to/add-a-machine.md walks through it."""

from django.db.models import Q

from console import kinds
from console.batches.filters import BatchFilter
from console.kinds import Kind, Tally
from console.machine.badges import CLOCK, TICK, WARNING
from console.machine.buttons import Button
from console.machine.page import MachineAdmin
from console.machine.running import ManyRun
from console.records.exports import Column
from console.records.filters import by_condition
from core.base.errors import RECORD, Permanent, Remedy
from statemachine.transitions import Step
from tests.toy.models import Batch, Kettle, State


class NoWater(Permanent):
    """The kettle is empty. Fill it, then switch it on again."""

    code = "no_water"
    words = "no water"
    advice = "Fill it, then switch it on again"
    remedies = (Remedy(label="Fill {record}", where=RECORD, fragment="id_litres", rights=("toy.change_kettle",)),)


WATER = by_condition("water", {"Filled": Q(litres__gt=0), "Empty": Q(litres=0)})


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
    list_filter = (*MachineAdmin.list_filter, BatchFilter, WATER)
    beside = (("Runs", "admin:toy_batch_changelist", "toy.view_kettle"),)
    file_columns = (*MachineAdmin.file_columns, Column("Litres", lambda kettle: kettle.litres))
    many = ManyRun(label="Switch on", become="switched on")


KETTLES = Kind(
    machine=Kettle,
    shown=KettleAdmin,
    batch=Batch,
    signs={State.COLD: CLOCK, State.HEATING: "M4 13h8M8 3v7", State.READY: TICK, State.BROKEN: WARNING},
    order=45,
    tallies=(Tally(label="Empty kettles", which=Q(litres=0), narrowed={"water": "empty"}),),
)


def declare() -> None:
    """Put it in the console."""
    kinds.put(KETTLES)
