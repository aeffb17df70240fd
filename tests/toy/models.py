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
