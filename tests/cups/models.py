"""A machine for workers of their own: it is broken by tests/chaos, and no other test knows it."""

from typing import ClassVar

from django.db import models
from django_fsm import transition

from statemachine.models import StateMachine, known_states, line_indexes, state_field


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
