"""Holding a row: compare-and-set on state and generation, by the database's clock, so that hosts need not agree on time."""

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from statemachine.doorbell import Message
from statemachine.errors import ClaimLost
from statemachine.models import StateMachine

UNCLAIMED = Q(claimed_until__isnull=True) | Q(claimed_until__lte=Now())


def claim(message: Message) -> StateMachine | None:
    """Take hold of the row, counting a try; None if it has moved on or somebody else holds it."""
    held = Now() + timedelta(seconds=settings.CLAIM_S)
    with transaction.atomic():
        claimed = (
            fenced(message)
            .filter(UNCLAIMED)
            .update(tries=F("tries") + 1, claimed_until=held, due_at=held, rung_at=None)
        )
        return fenced(message).select_related("initiated_by").get() if claimed else None


def renew(message: Message) -> None:
    """Hold the row for longer.

    Raises:
        ClaimLost: the row has moved on.
    """
    held = Now() + timedelta(seconds=settings.CLAIM_S)
    if not fenced(message).filter(claimed_until__isnull=False).update(claimed_until=held, due_at=held):
        raise ClaimLost


def put_back(message: Message, *, delay_s: float, counted: bool, code: str, explanation: str) -> bool:
    """Let go of the row until it is tried again; false if it has moved on, and nothing was written.

    Args:
        counted: whether the try that is ending counts against the budget.
    """
    return bool(
        fenced(message).update(
            tries=F("tries") - (0 if counted else 1),
            claimed_until=None,
            due_at=Now() + timedelta(seconds=delay_s),
            failure_code=code,
            failure_message=explanation,
        )
    )


def fenced(message: Message) -> QuerySet[StateMachine]:
    """The row, if it is still where the message says."""
    model: type[StateMachine] = apps.get_model(message.label)
    return model._default_manager.filter(pk=message.pk, state=message.state, generation=message.generation)
