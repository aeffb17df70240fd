"""Put a kind of record into the console: its list and page, its batches, its signs, its place, and what is counted of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from django.contrib import admin
from django.db.models import Q, QuerySet

from console.batches.admin import BatchAdmin
from console.machine import badges
from console.machine.badges import Appearance
from console.machine.page import MachineAdmin
from console.records.links import address_of, right_to_see
from console.shell import counters, navigation
from console.shell.counters import Counter
from console.shell.navigation import Frame, Place
from statemachine.batches import batch_of
from statemachine.models import Batch, StateMachine


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Some of the records, counted on the start page.

    Attributes:
        which: those that are counted.
        narrowed: what narrows the list to them.
    """

    label: str
    which: Q
    narrowed: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of record, whose names come from its model.

    Attributes:
        shown: its list and its page.
        batch: the machine's own batches; None: none of it are run together.
        signs: of each state, what is drawn before its word.
        colours: of the states that look otherwise than what is done in them would say: the style sheet's class.
        order: of its place in the navigation, and of its tallies.
        within: the place that it belongs to, by the name of that one's address; empty: it has a place of its own.
        tallies: what the start page counts, for who may see the records.
    """

    machine: type[StateMachine]
    shown: type[MachineAdmin]
    batch: type[Batch] | None = None
    signs: Mapping[str, str]
    colours: Mapping[str, str] = field(default_factory=dict)
    order: int
    within: str = ""
    tallies: tuple[Tally, ...] = ()


def put(kind: Kind) -> None:
    """Show it; once, when the apps are there.

    Raises:
        AssertionError: what it says is of another machine.
    """
    opts, right, address = kind.machine._meta, right_to_see(kind.machine), address_of(kind.machine, "changelist")
    if kind.batch and kind.batch is not batch_of(kind.machine):
        raise AssertionError(f"{kind.batch._meta.label} has no batches of {opts.label}")
    admin.site.register(kind.machine, kind.shown)
    if kind.batch:
        admin.site.register(kind.batch, BatchAdmin)
    name, colours = str(opts.verbose_name), {**_colours(kind.machine), **kind.colours}
    badges.show(Appearance(machine=kind.machine, name=name, signs=kind.signs, colours=colours))
    navigation.put(opts.label_lower, _frame(kind))
    tallies = (
        Counter(
            order=kind.order,
            label=each.label,
            counted=partial(_tallied, kind.machine, each.which),
            address=address,
            right=right,
            narrowed=each.narrowed,
        )
        for each in kind.tallies
    )
    counters.put(opts.label_lower, *tallies)


def _frame(kind: Kind) -> Frame:
    """Its place, or what of another one's it is."""
    opts = kind.machine._meta
    its = [f"{model._meta.app_label}/{model._meta.model_name}/" for model in (kind.machine, kind.batch) if model]
    if kind.within:
        return Frame(belongs={kind.within: tuple(its)})
    label, address = str(opts.verbose_name_plural).capitalize(), address_of(kind.machine, "changelist")
    place = Place(order=kind.order, label=label, address=address, right=right_to_see(kind.machine), also=tuple(its[1:]))
    return Frame(places=(place,))


def _colours(machine: type[StateMachine]) -> dict[str, str]:
    """Where the work is done, where it has failed and where it has ended well, whatever the states are called."""
    ends = machine.run_ends - machine.failed_states()
    return {
        **dict.fromkeys(ends, "is-ended"),
        **dict.fromkeys(machine.failed_states(), "is-failed"),
        **dict.fromkeys(machine.working_states, "is-working"),
    }


def _tallied(machine: type[StateMachine], which: Q) -> QuerySet[StateMachine]:
    return machine._default_manager.filter(which)
