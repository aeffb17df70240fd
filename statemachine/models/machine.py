"""The record that every machine derives from.

Knows no kind of record and no cloud (docs/decisions/0002-postgres-is-the-truth.md).
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import classproperty
from django_fsm import FSMField

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# The sequence that gives whatever is ordered one by one its place in the line, whichever machine it belongs to.
TURNS = "statemachine_turn"
NEXT_TURN = models.Func(models.Value(TURNS), function="nextval", output_field=models.BigIntegerField())


CLASS = "%(app_label)s_%(class)s"
# No state, but a word for one: where a record starts, because somebody has stopped it and nobody has started it since.
STOPPED, STOPPED_LABEL = "stopped", "Stopped"


class StateField(FSMField):
    """django-fsm's field, which can have a database default.

    Django asks the database for such a field's value after every insert and sets it, which a protected field refuses.
    """

    db_returning = False


def state_field(states: type[models.TextChoices], *, initial: str) -> StateField:
    """The state of a concrete machine; nothing but a transition can change it.

    Args:
        states: every state the machine knows.
        initial: where a new record starts, also one that plain SQL inserts.
    """
    return StateField(
        choices=states.choices,
        default=initial,
        db_default=initial,
        protected=True,
        editable=False,
        db_index=True,
        max_length=20,
    )


def known_states(states: type[models.TextChoices]) -> models.CheckConstraint:
    """No row may be in a state that the code does not know."""
    return models.CheckConstraint(condition=models.Q(state__in=states.values), name=f"{CLASS}_known_state")


def line_indexes(working: Iterable[str]) -> list[models.Index]:
    """The indexes that find the next in line among hundreds of thousands: one of what has begun, one of what has not.

    Args:
        working: the machine's working states.
    """
    owed, begun = models.Q(due_at__isnull=False), models.Q(state__in=sorted(working))
    return [
        # With due_at, since thousands of those that come first may wait for their next try.
        models.Index(fields=["background", "turn", "id", "due_at"], condition=owed & begun, name=f"{CLASS}_begun"),
        models.Index(fields=["background", "turn", "id"], condition=owed & ~begun, name=f"{CLASS}_start"),
    ]


class StateMachine(models.Model):
    """A record whose state says what is owed. Work is dispatched for it until it leaves that state.

    A concrete model adds `state = state_field(…)`, `known_states(…)` among its constraints, `line_indexes(…)` among its
    indexes, its transitions (among them `fail(*, code, message)` from every working state) and:

    Attributes:
        working_states: in these, work is owed until the row leaves them.
        start_transition: taken on every row in any other state whose `due_at` has come. So a new row starts by itself,
            in whatever way it was made.
        edits: what a person may do to a record without taking it anywhere, that is logged as well (`transitions.log_edit`).
        kept_evidence: what is asked of old evidence. Of old entries of the log that say the same of it, the last is kept.

    One of which many can be run together says too, beside a `cancel()` from every working state and its `BatchItem`:

    Attributes:
        run_name: what one run is called.
        run_values: what is set in the rows of which a run is owed, so that it is a whole one.
        idle_values: what is set in the rows of which no run is owed any more, since their batch was stopped.
        run_ends: the states that a whole run ends in.
    """

    as_read: dict[str, Any] | None = None
    working_states: ClassVar[frozenset[str]]
    start_transition: ClassVar[str]
    edits: ClassVar[frozenset[str]] = frozenset()
    kept_evidence: ClassVar[tuple[str, ...]] = ()
    run_name: ClassVar[str] = "Run"
    run_values: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    idle_values: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    run_ends: ClassVar[frozenset[str]] = frozenset()

    # Each machine declares its own over this one, with the states it knows.
    state = StateField(max_length=20, protected=True, editable=False)
    generation = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Fencing token: one more at every transition and dispatch."
    )
    tries = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often the present state's work was begun."
    )
    due_at = models.DateTimeField(
        null=True, db_default=Now(), editable=False, help_text="Not before this is work dispatched; empty: none owed."
    )
    turn = models.BigIntegerField(
        db_default=NEXT_TURN, editable=False, help_text="Its place in the line, which only a new order sets."
    )
    rung_at = models.DateTimeField(
        null=True, editable=False, help_text="When a message was sent that no worker has answered yet."
    )
    claimed_until = models.DateTimeField(null=True, editable=False, help_text="A worker holds the row until then.")
    due_reason = models.CharField(
        max_length=300,
        default="",
        db_default="",
        editable=False,
        help_text="Why a start is owed, for the log of whoever takes it.",
    )
    background = models.BooleanField(
        default=True, db_default=True, editable=False, help_text="What somebody has started by hand goes first."
    )
    entered_at = models.DateTimeField(db_default=Now(), editable=False, help_text="Since when it is in this state.")
    initiated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="The user whose authorisation the run uses.",
    )
    owed_by = models.ForeignKey(
        "statemachine.Batch",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,  # see below
        related_name="+",
        help_text="The batch that last owed it a start, and so may stop it.",
    )
    initiated_before = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,  # nothing is looked for by it
        related_name="+",
        help_text="Whose the last run was, in case the one that is owed never begins.",
    )
    failure_code = models.CharField(max_length=50, default="", db_default="", editable=False)
    failure_message = models.TextField(
        default="", db_default="", editable=False, help_text="Why it failed, or why the last try did not work."
    )

    if TYPE_CHECKING:
        owed_by_id: int | None
        initiated_before_id: int | None

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["background", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name=f"{CLASS}_due",
            ),
            # What is still owed for a batch, without a guess at how many records it has.
            models.Index(fields=["owed_by"], condition=models.Q(due_at__isnull=False), name=f"{CLASS}_owed_by"),
        ]

    @property
    def is_owed(self) -> bool:
        """Whether work will be done on it without anybody's help."""
        return self.due_at is not None

    @property
    def is_working(self) -> bool:
        return self.state in self.working_states

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped it: nothing will be done until somebody starts it again."""
        return self.state == self.initial_state() and self.due_at is None and self.generation > 0

    @property
    def shown_state(self) -> str:
        """The state, or the word for one that stands for it on every page."""
        return STOPPED if self.is_stopped else str(self.state)

    @property
    def state_label(self) -> str:
        """What that is called, so that what was stopped does not look as if it were to start."""
        return self.label_of(self.shown_state)

    def note_as_read(self) -> None:
        """Remember the fields as they are, so that only what a transition changes has to be written."""
        values = self.__dict__  # past the descriptors, since this is done for each record of each set
        names = [each.attname for each in self._meta.concrete_fields]
        fields = {name: values[name] if name in values else getattr(self, name) for name in names}
        # What JSON holds may be changed in place.
        self.as_read = {name: deepcopy(it) if type(it) in {dict, list} else it for name, it in fields.items()}

    @property
    def changed_fields(self) -> set[str]:
        """The attributes that are not as they were noted."""
        values, before = self.__dict__, self.as_read or {}
        return {name for name, it in before.items() if values[name] != it}

    def entering(self) -> None:
        """Called in every transition's transaction once the new state is set, before the record is saved.

        For what belongs together with the state; no I/O but the database's.
        """

    def log_context(self) -> dict[str, object]:
        """What else every log line of a job about this record should carry."""
        return {}

    @classmethod
    def initial_state(cls) -> str:
        field = cls._meta.get_field("state")
        assert isinstance(field, StateField)
        return str(field.get_default())

    @classmethod
    def states(cls) -> list[str]:
        """Each state that the machine knows, in the order of the work."""
        return list(cls._labels())

    @classmethod
    def counted(cls, count: int) -> str:
        """So many records, in words: "1 kettle", "4,987 kettles"."""
        return f"{count:,} {cls._meta.verbose_name if count == 1 else cls._meta.verbose_name_plural}"

    @classmethod
    def failed_state(cls) -> str:
        """Where a record is of which nothing more is tried; there is one, whatever it failed in."""
        (found,) = cls.failed_states()
        return found

    @classmethod
    def failed_states(cls) -> frozenset[str]:
        """Where `fail` leads."""
        return frozenset(str(each.target) for each in cls._transitions("fail"))

    @classmethod
    def right_to(cls, transition: str) -> str:
        """The permission that a person needs for a transition; empty: it is for no person."""
        return next((str(each.permission) for each in cls._transitions(transition) if each.permission), "")

    @classproperty
    def run_right(cls) -> str:  # noqa: N805 - of the class
        """The permission that a person needs to start a record."""
        return cls.right_to(cls.start_transition)

    @classmethod
    def run_by(cls, user: "User") -> models.Q:  # noqa: ARG003 - of who says otherwise
        """The condition for the records that a person with that right may start: all, unless the machine says otherwise."""
        return models.Q()

    @classmethod
    def stopped(cls) -> models.Q:
        """The condition for `is_stopped`."""
        return models.Q(state=cls.initial_state(), due_at__isnull=True, generation__gt=0)

    @classmethod
    def shown_as(cls, shown: str) -> models.Q:
        """The condition for a value of `shown_state`."""
        if shown == STOPPED:
            return cls.stopped()
        return models.Q(state=shown) & ~cls.stopped() if shown == cls.initial_state() else models.Q(state=shown)

    @classmethod
    def shown_states(cls) -> list[str]:
        """What `shown_state` can say, in the order of the work."""
        return [
            shown
            for state in cls._labels()
            for shown in ([state, STOPPED] if state == cls.initial_state() else [state])
        ]

    @classmethod
    def label_of(cls, shown: str) -> str:
        """What a state is called; of one that the code does not know any more, its own name."""
        return STOPPED_LABEL if shown == STOPPED else cls._labels().get(shown, shown)

    @classmethod
    def _transitions(cls, name: str) -> Iterable[Any]:
        """What django-fsm knows of the transition, from each state that it leaves."""
        transitions: dict[str, Any] = getattr(cls, name)._django_fsm.transitions
        return transitions.values()

    @classmethod
    def _labels(cls) -> dict[str, str]:
        field: Any = cls._meta.get_field("state")
        return {str(state): str(label) for state, label in field.choices}
