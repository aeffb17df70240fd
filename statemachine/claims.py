"""Holding a row: compare-and-set on state and generation, by the database's clock, so that hosts need not agree on time."""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import reduce
from operator import or_
from time import monotonic
from typing import Self

from django.apps import apps
from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest, Now

from core.base.database import fetch_one, in_words
from statemachine.doorbell import Message
from statemachine.errors import ClaimLost
from statemachine.models import StateMachine

logger = logging.getLogger(__name__)

_ONE_LESS = Greatest(F("tries") - 1, 0)
# Changed and read in one statement, which every job begins with.
CLAIM = """
UPDATE {table}
SET tries = tries + 1, claimed_until = statement_timestamp() + %(held)s, due_at = statement_timestamp() + %(held)s,
    rung_at = NULL
WHERE {pk} = %(pk)s AND {fence} RETURNING {columns}
"""
FENCE = """
state = %(state)s AND generation = %(generation)s AND (claimed_until IS NULL OR claimed_until <= statement_timestamp())
"""
# A run renews its claims at most this often; well inside settings.CLAIM_S.
RENEWAL_S = 3.0


@dataclass(slots=True, kw_only=True)
class Hold:
    """The rows that a job holds: one, or several that it works on together.

    Attributes:
        messages: what each was claimed for; never empty.
        held_s: for how long, from each renewal.
        renewed_every_s: how often a thread renews it while the work is slow.
        renewed_at: when the work itself did, by the monotonic clock.
    """

    messages: list[Message]
    held_s: float = field(default_factory=lambda: settings.CLAIM_S)
    renewed_every_s: float = field(default_factory=lambda: settings.CLAIM_RENEWAL_S)
    renewed_at: float = field(default_factory=monotonic)

    def with_all(self, messages: Iterable[Message]) -> "Hold":
        """The same for these rows."""
        return replace(self, messages=list(messages))

    def keep(self) -> None:
        """Hold the rows a little longer, unless that was done a moment ago.

        Raises:
            ClaimLost: none of them is held any more.
        """
        if monotonic() - self.renewed_at >= RENEWAL_S:
            renew(self)
            self.renewed_at = monotonic()


def claim(message: Message, *, held_s: float | None = None) -> StateMachine | None:
    """Take hold of the row, counting a try; None if it has moved on or somebody else holds it.

    Args:
        held_s: for how long; default: `settings.CLAIM_S`.
    """
    model: type[StateMachine] = apps.get_model(message.label)
    held = timedelta(seconds=held_s or settings.CLAIM_S)
    values = {"held": held, "pk": message.pk, "state": message.state, "generation": message.generation}
    return fetch_one(model, CLAIM, values, fence=FENCE)


def renew(hold: Hold) -> None:
    """Hold the rows for longer, without those that have moved on.

    Raises:
        ClaimLost: none is left.
    """
    held = Now() + timedelta(seconds=hold.held_s)
    mine = unmoved(*hold.messages).filter(claimed_until__isnull=False)
    if len(hold.messages) == 1:
        if not mine.update(claimed_until=held, due_at=held):
            raise ClaimLost
        return
    # Who takes hold of several rows must wait for nobody; the next renewal comes in time for those.
    with transaction.atomic():
        unlocked = mine.select_for_update(skip_locked=True, no_key=True).order_by("pk").values("pk")
        renewed = mine.model._default_manager.filter(pk__in=unlocked).update(claimed_until=held, due_at=held)
    if not (renewed or mine.exists()):
        raise ClaimLost


def put_back(message: Message, *, delay_s: float, counted: bool, code: str, explanation: str) -> bool:
    """Let go of the row until it is tried again; false if it has moved on, and nothing was written.

    Args:
        counted: whether the try that is ending counts against the budget.
    """
    return bool(
        unmoved(message)
        .filter(claimed_until__isnull=False)
        .update(
            tries=F("tries") - (0 if counted else 1),
            claimed_until=None,
            due_at=Now() + timedelta(seconds=delay_s),
            failure_code=code,
            failure_message=explanation,
        )
    )


def give_back_try(record: StateMachine) -> None:
    """Take back the try that an outage has cost.

    That is so if the claim ran out meanwhile, and the same work was dispatched anew.
    """
    work = type(record)._default_manager.filter(pk=record.pk, state=record.state, entered_at=record.entered_at)
    work.filter(generation__gt=record.generation).update(tries=_ONE_LESS)


def forgive(model: type[StateMachine], *, ago_s: float) -> int:
    """Owe again, at no cost, the rows whose claims ran out while the database was away or took nothing; how many.

    Args:
        ago_s: since when that was so.
    """
    began = Now() - timedelta(seconds=ago_s)
    ran_out = model._default_manager.filter(claimed_until__gte=began, claimed_until__lte=Now())
    return ran_out.update(tries=_ONE_LESS, claimed_until=None, due_at=Now())


class ClaimKeeper:
    """Renews the claims from a thread of its own while the body runs. So no single slow step loses the row.

    The thread ends with its process, and stands still with it. A worker that hangs in C code and keeps the interpreter's
    lock loses its claim; so does one that a signal has stopped.

    Attributes:
        hold: which claims to renew; the worker sets it anew when it goes on with the rows' next state.
    """

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self._ended = threading.Event()
        # In the job's own context, so that its lines say whose work it is.
        self._thread = threading.Thread(target=copy_context().run, args=(self._keep,), name="claim-keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        # Long enough for a renewal that is under way; one that hangs must not keep the worker.
        self._thread.join(timeout=1)

    def _keep(self) -> None:
        try:
            while not self._ended.wait(self.hold.renewed_every_s):
                self._renew()
        finally:
            connection.close()  # the thread's own, which most jobs are too short to open

    def _renew(self) -> None:
        try:
            renew(self.hold)
        except ClaimLost:
            # The worker finds out by itself, or is just going on with the next state.
            logger.info("job: %s is no longer held", self.hold.messages[0].job_id)
        except Error as error:
            logger.warning("job: %s could not be held for longer. %s", self.hold.messages[0].job_id, in_words(error))
            connection.close()


def message_of(record: StateMachine) -> Message:
    """What says "this row, as it is now"."""
    return Message(label=record._meta.label_lower, pk=record.pk, state=record.state, generation=record.generation)


def is_unmoved(message: Message, record: StateMachine) -> bool:
    """Whether the row, as it was read under its lock, is still where the message says."""
    return message == message_of(record)


def unmoved(*messages: Message) -> QuerySet[StateMachine]:
    """The rows, of one machine, that are still where their messages say."""
    model: type[StateMachine] = apps.get_model(messages[0].label)
    places: dict[tuple[str, int], list[int]] = defaultdict(list)
    for each in messages:
        places[each.state, each.generation].append(each.pk)
    where = (Q(state=state, generation=number, pk__in=pks) for (state, number), pks in places.items())
    return model._default_manager.filter(reduce(or_, where))
