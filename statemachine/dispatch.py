"""Send a message for rows that are owed work."""

import logging
import time
from collections.abc import Sequence

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from redis.exceptions import RedisError

from core.base.database import prepared
from core.base.redis_client import in_words
from core.ops import tally
from statemachine import doorbell
from statemachine.doorbell import Message
from statemachine.line import is_first, owed_as_text
from statemachine.models import StateMachine
from statemachine.reactions import reaction_for

logger = logging.getLogger(__name__)

# A Redis that is slow is sent a few messages in each pass; the rest stays owed, and the pass ends in time.
RINGING_S = 5.0
# One statement, since it is asked for every message. What somebody else holds is skipped: nobody waits for anybody.
TAKE = """
WITH found (pk, state, generation, claimed_until, tries) AS ({owed} AND {table}.{pk} = ANY(%s) FOR UPDATE SKIP LOCKED)
UPDATE {table} owing
SET generation = owing.generation + 1, due_at = statement_timestamp() + %s * interval '1 s', rung_at = statement_timestamp(),
    claimed_until = NULL
FROM found WHERE owing.{pk} = found.pk
RETURNING found.pk, found.state, found.generation, found.claimed_until, found.tries
"""


def kick(label: str, pk: int, *, queue: str, turn: int | None = None) -> None:
    """Dispatch one row at once, if work is owed and the queue has room. Else `statemachine.pump` does it in its turn.

    Args:
        turn: of a row of the background, which overtakes none that waits there.
    """
    model: type[StateMachine] = apps.get_model(label)
    try:
        has_room = room(queue) > 0
    except RedisError as error:
        logger.warning("doorbell: the reconciler will ring for %s %s. %s", label, pk, in_words(error))
        return
    if has_room and (turn is None or is_first(model, pk=pk, queue=queue, turn=turn)):
        dispatch(model, pks=[pk])


def room(queue: str) -> int:
    """How many messages may be sent while the queue stays short enough to be overtaken.

    Raises:
        RedisError: Redis does not answer.
    """
    return max(settings.QUEUE_TARGET - doorbell.waiting_count(queue), 0)


def dispatch(model: type[StateMachine], *, pks: Sequence[int], enough_at: float | None = None) -> int:
    """Ring, in this order, for those of the rows that are owed work now and that nobody else is dispatching.

    Args:
        enough_at: by the monotonic clock; what has not been rung for by then stays owed.

    Returns:
        How many messages Redis took.
    """
    messages = _take_owed(model, pks)
    enough_at = enough_at or time.monotonic() + RINGING_S
    refused = [message for message in messages if time.monotonic() > enough_at or not _ring(model, message)]
    for message in refused:
        _owe_again(model, message)
    tally.count("messages_refused", len(refused), machine=model._meta.label_lower)
    tally.count("messages_rung", len(messages) - len(refused), machine=model._meta.label_lower)
    return len(messages) - len(refused)


def _take_owed(model: type[StateMachine], pks: Sequence[int]) -> list[Message]:
    label = model._meta.label_lower
    place = {pk: number for number, pk in enumerate(pks)}
    listed = owed_as_text(model, "pk", "state", "generation", "claimed_until", "tries").replace("%", "%%")
    table, pk = connection.ops.quote_name(model._meta.db_table), model._meta.pk.column
    with prepared() as cursor:
        statement = TAKE.format(owed=listed, table=table, pk=pk)
        cursor.execute(statement, [list(pks), settings.DOORBELL_PATIENCE_S])
        found = cursor.fetchall()
    messages = []
    for pk, state, generation, claimed_until, tries in sorted(found, key=lambda row: place[row[0]]):
        messages.append(Message(label=label, pk=pk, state=state, generation=generation + 1))
        if claimed_until is not None:
            logger.warning("dispatch: the worker of %s was lost on try %s", messages[-1].job_id, tries)
            tally.count("tries_lost", machine=label, state=state)
    return messages


def _ring(model: type[StateMachine], message: Message) -> bool:
    found = reaction_for(model, message.state)
    return doorbell.ring(message, queue=found.queue, soft_s=found.limits.soft_s)


def _owe_again(model: type[StateMachine], message: Message) -> None:
    model._default_manager.filter(pk=message.pk, generation=message.generation).update(due_at=Now(), rung_at=None)
