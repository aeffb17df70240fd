"""What the buttons of a record do, and why one is absent. Whether a click does anything is the door's word."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import User
from django.forms import Form
from django.http import QueryDict

from core.base.errors import Refused
from statemachine.errors import TransitionForbidden, TransitionRefused, UnknownTransition
from statemachine.models import StateMachine
from statemachine.transitions import Actor, Step, authorise, take

# What happens on a click that is more than one transition: given `record_id`, `user`, `generation` and what was answered.
type Service = Callable[..., StateMachine]


class Unanswered(Refused):
    """What the button asks was not answered, so nothing was done."""

    code = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a button asks before it does something.

    Attributes:
        words: what somebody should know before.
        form: its fields are what has to be answered; what each holds goes to the service, or to the transition.
        is_grave: the answer may be regretted, which its colour says.
    """

    words: str
    form: type[Form] = Form
    is_grave: bool = True


def _nothing(_record: Any) -> str:
    return ""


def _unhindered(_record: Any, _user: User) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button of a record's page. It is there for who has the transition's permission, where the transition is possible.

    Attributes:
        name: its part of the address.
        step: what it takes at the door; None: it takes the record nowhere, and its `service` says whether it may be.
        service: what is called instead, where a click does more; it takes the transition, or refuses.
        permission: that of a button without a step.
        ends: whether it ends what is under way. Such a button asks first, and stands last.
        asks: what it says before.
        question: of a record: what has to be answered before; None: nothing. Without it, only what `ends` something asks.
        first_in: the states in which it is wanted most.
        key: what to press on the keyboard.
        missing: what the record lacks, and what to do about it, where the transition is not possible; empty: nothing. It alone says
            so of a button without a step.
        hindered: what keeps the person from it although it is possible, and what to do; empty: nothing. Its service
            refuses for the same reason.
    """

    name: str
    label: str
    step: Step | None
    service: Service | None = None
    permission: str = ""
    ends: bool = False
    asks: str = "What has been done so far stays. Nothing more is done until somebody starts it again."
    question: Callable[[Any], Question | None] | None = None
    first_in: Collection[str] = ()
    key: str = ""
    missing: Callable[[Any], str] = _nothing
    hindered: Callable[[Any, User], str] = _unhindered

    def right(self, model: type[StateMachine]) -> str:
        """The permission that a person needs to press it.

        Raises:
            UnknownTransition: the machine has none of that name.
        """
        if self.step is None:
            return self.permission
        if not hasattr(getattr(model, self.step.transition, None), "_django_fsm"):
            raise UnknownTransition
        return model.right_to(self.step.transition)

    def asked(self, record: StateMachine) -> Question | None:
        """What it asks of this record."""
        if self.question:
            return self.question(record)
        return Question(words=self.asks) if self.ends else None

    def answers(self, record: StateMachine, sent: QueryDict) -> Mapping[str, Any]:
        """What was answered, by the names of the question's fields.

        Raises:
            Unanswered: something was not, or not so that it makes sense.
        """
        question = self.asked(record)
        form = question.form(sent) if question else Form(sent)
        if not form.is_valid():
            raise Unanswered(" ".join(str(each) for errors in form.errors.values() for each in errors))
        return form.cleaned_data


def in_order(buttons: Collection[Button], state: str) -> list[Button]:
    """As they are most likely wanted in a state; what ends something comes last."""
    return sorted(buttons, key=lambda button: (button.ends, state not in button.first_in))


def lacking(model: type[StateMachine], right: str) -> str:
    """What who lacks a permission is told."""
    codename = right.rpartition(".")[2]
    meaning = dict(model._meta.permissions).get(codename, codename.replace("_", " ")).removeprefix("Can ") or "do that"
    return f"You do not have the permission to {meaning}. Ask an administrator."


def why_absent(button: Button, *, record: StateMachine, user: User, buttons: Collection[Button] = ()) -> str:
    """Why the person is not offered the button; empty when it is there.

    Args:
        buttons: all that the record has.
    """
    model = type(record)
    if button.step is None:
        if not user.has_perm(button.permission):
            return lacking(model, button.permission)
        return button.missing(record) or button.hindered(record, user)
    try:
        authorise(record, button.step.transition, Actor.person(user))
    except TransitionForbidden:
        return lacking(model, button.right(model))
    except Refused:
        # Who may not press it at all should not be sent to wait for another state.
        is_theirs = user.has_perm(button.right(model))
        return _wrong_state(button, record, buttons) if is_theirs else lacking(model, button.right(model))
    return button.hindered(record, user)


def press(
    button: Button,
    *,
    model: type[StateMachine],
    record_id: int,
    user: User,
    generation: int | None = None,
    answers: Mapping[str, Any] = MappingProxyType({}),
) -> StateMachine:
    """Do what the button says.

    Args:
        generation: what the person saw; None: whatever the present state allows.
        answers: to the button's question.

    Returns:
        The record as it is afterwards.

    Raises:
        RecordGone, TransitionRefused, TransitionForbidden, Stale: nothing was changed.
        Refused: by the button's service.
    """
    try:
        if button.service:
            return button.service(record_id=record_id, user=user, generation=generation, **answers)
        assert button.step, "see console.machine.checks"
        step = replace(button.step, arguments={**button.step.arguments, **answers})
        return take(model=model, pk=record_id, step=step, actor=Actor.person(user), generation=generation)
    except TransitionRefused as refusal:
        # In the words of the page, which knows what is missing; the door knows the state only.
        record = model._default_manager.filter(pk=record_id).first()
        why = why_absent(button, record=record, user=user) if record else ""
        raise TransitionRefused(why or str(refusal)) from refusal


def _wrong_state(button: Button, record: StateMachine, buttons: Collection[Button]) -> str:
    name, state = record._meta.verbose_name, record.state_label
    if button.ends:
        return f"The {name} is “{state}”: nothing is under way that could be stopped."
    if record.is_working:
        first = "stop that first, or wait" if any(each.ends for each in buttons) else "wait"
        return f"The {name} is “{state}”: {first} until it is settled."
    return button.missing(record) or f"Not possible while the {name} is “{state}”."
