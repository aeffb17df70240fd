"""A machine that has nothing to do with leases: a kettle. It proves that the engine is generic."""

from typing import Any, ClassVar

from django.db import models
from django_fsm import transition

from statemachine.models import StateMachine, known_states, line_indexes, state_field


class State(models.TextChoices):
    COLD = "cold"
    HEATING = "heating"
    STEEPING = "steeping"
    READY = "ready"
    BROKEN = "broken"


WORKING = frozenset({State.HEATING, State.STEEPING})


def _has_water(kettle: Any) -> bool:
    return bool(kettle.litres > 0)


class Kettle(StateMachine):
    working_states: ClassVar[frozenset[str]] = WORKING
    start_transition: ClassVar[str] = "switch_on"

    label = models.CharField(max_length=50, default="", db_default="")
    litres = models.PositiveIntegerField(default=0, db_default=0)
    state = state_field(State, initial=State.COLD)

    class Meta(StateMachine.Meta):
        constraints = [known_states(State)]
        indexes = [*StateMachine.Meta.indexes, *line_indexes(WORKING)]
        permissions = [("boil", "Can boil water")]

    def __str__(self) -> str:
        return self.label or f"Kettle {self.pk}"

    @transition(
        field=state,
        source=[State.COLD, State.READY, State.BROKEN],
        target=State.HEATING,
        permission="toy.boil",
        custom={"label": "Switch on"},
    )
    def switch_on(self, *, litres: int | None = None) -> None:
        """Owe hot water."""
        self.litres = litres if litres is not None else self.litres

    @transition(field=state, source=State.HEATING, target=State.READY)
    def boiled(self, *, litres: int = 1) -> None:
        self.litres = litres

    @transition(field=state, source=State.READY, target=State.STEEPING, conditions=[_has_water])
    def steep(self) -> None:
        """Owe tea."""

    @transition(field=state, source=State.STEEPING, target=State.READY)
    def poured(self) -> None: ...

    @transition(field=state, source=[State.HEATING, State.STEEPING], target=State.BROKEN)
    def fail(self, *, code: str, message: str) -> None:
        self.failure_code = code
        self.failure_message = message

    @transition(field=state, source=[State.HEATING, State.STEEPING], target=State.COLD, permission="toy.boil")
    def cancel(self) -> None: ...


class CupState(models.TextChoices):
    EMPTY = "empty"
    FILLING = "filling"
    SIPPING = "sipping"
    DRUNK = "drunk"
    SPILT = "spilt"


CUPS_WORKING = frozenset({CupState.FILLING, CupState.SIPPING})


class Cup(StateMachine):
    """Cups of one pot are filled together, and each is drunk in sips: sets and slices, for workers of their own.

    Attributes:
        bad: its filling fails, alone.
        sips: how many there are to be.
    """

    working_states: ClassVar[frozenset[str]] = CUPS_WORKING
    start_transition: ClassVar[str] = "fill"

    pot = models.PositiveIntegerField(default=0, db_default=0)
    bad = models.BooleanField(default=False, db_default=False)
    sips = models.PositiveIntegerField(default=5, db_default=5)
    sipped = models.PositiveIntegerField(default=0, db_default=0)
    state = state_field(CupState, initial=CupState.EMPTY)

    class Meta(StateMachine.Meta):
        constraints = [known_states(CupState)]
        indexes = [*StateMachine.Meta.indexes, *line_indexes(CUPS_WORKING)]

    @transition(field=state, source=[CupState.EMPTY, CupState.SPILT], target=CupState.FILLING)
    def fill(self) -> None:
        """Owe tea."""

    @transition(field=state, source=CupState.FILLING, target=CupState.SIPPING)
    def filled(self) -> None:
        """Owe a drinker."""

    @transition(field=state, source=CupState.SIPPING, target=CupState.DRUNK)
    def drunk(self) -> None: ...

    @transition(field=state, source=[CupState.FILLING, CupState.SIPPING], target=CupState.SPILT)
    def fail(self, *, code: str, message: str) -> None:
        self.failure_code = code
        self.failure_message = message


class Sip(models.Model):
    """Written with each slice, in its transaction; plain rows, which nothing keeps from being written twice."""

    cup = models.BigIntegerField()
    number = models.PositiveIntegerField()
