"""RQ, as the engine uses it: "look at this row" messages. Losing or repeating them is harmless.

With `core.worker`, the only code that sees rq.
"""

import logging
import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as RedisRetry
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.serializers import JSONSerializer

logger = logging.getLogger(__name__)

FAILED_JOB_KEPT_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Look at this row, which is owed the work of this state, if it is still at this generation."""

    label: str
    pk: int
    state: str
    generation: int

    @property
    def job_id(self) -> str:
        # RQ allows letters, digits, dash and underscore only.
        return f"{self.label.replace('.', '_')}-{self.pk}-{self.state}-{self.generation}"


def ring(message: Message, *, queue: str) -> bool:
    """Send a message; false if Redis did not take it (logged; the reconciler rings again)."""
    try:
        _queue(queue).enqueue(
            "statemachine.jobs.run",
            message.label,
            message.pk,
            message.state,
            message.generation,
            job_id=message.job_id,
            unique=True,
            job_timeout=settings.DISCOVERY_SOFT_TIME_LIMIT_S,
            result_ttl=0,
            failure_ttl=FAILED_JOB_KEPT_S,
        )
    except DuplicateJobError:
        logger.info("doorbell: %s is already queued", message.job_id)
    except RedisError as error:
        logger.warning("doorbell: Redis did not take %s (%s); the reconciler will ring again", message.job_id, error)
        return False
    return True


def waiting_count(queue: str) -> int:
    """How many messages wait to be looked at.

    Raises:
        RedisError: Redis does not answer.
    """
    return int(_queue(queue).count)


def unknown(messages: Collection[Message], *, queue: str) -> list[Message]:
    """Those of the messages that Redis has lost.

    Raises:
        RedisError: Redis does not answer.
    """
    with _queue(queue).connection.pipeline(transaction=False) as pipeline:
        for message in messages:
            pipeline.exists(Job.key_for(message.job_id))
        known = pipeline.execute()
    return [message for message, found in zip(messages, known, strict=True) if not found]


def again_in(delay_s: float) -> Retry:
    """What a job returns to be run again; the budget is the record's, so RQ's own maximum is out of reach."""
    return Retry(max=10_000, interval=[math.ceil(delay_s)])


def _queue(name: str) -> Queue:
    return Queue(name, connection=_connection(settings.REDIS_URL), serializer=JSONSerializer)


@cache
def _connection(url: str) -> Redis:
    # A request must never wait for Redis: one quick attempt, the reconciler does the rest.
    return Redis.from_url(
        url,
        socket_connect_timeout=settings.DOORBELL_TIMEOUT_S,
        socket_timeout=settings.DOORBELL_TIMEOUT_S,
        retry=RedisRetry(NoBackoff(), 0),
    )
