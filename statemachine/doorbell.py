"""RQ, as the engine uses it: "look at this row" messages. Losing or repeating them is harmless.

With `statemachine.worker`, `statemachine.rq_worker`, and what mends RQ's dashboard (`console.machine.rq_pages`), the only code that sees rq.
"""

import logging
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import str_to_date

from core.base.clock import now
from core.base.job_ids import JobId, job_label
from core.base.redis_client import ask, in_words

logger = logging.getLogger(__name__)

FAILED_JOB_KEPT_S = 86_400
# Between taking a message and claiming its row a worker needs milliseconds; hosts may differ by some seconds.
ANSWERED_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Look at this row, which is owed the work of this state, if it is still at this generation."""

    label: str
    pk: int
    state: str
    generation: int

    @property
    def job_id(self) -> str:
        """The same message has the same id, so that a queue holds it once."""
        return str(JobId(label=job_label(self.label), pk=self.pk, state=self.state, generation=self.generation))


def ring(message: Message, *, queue: str, soft_s: int) -> bool:
    """Send a message; false if Redis did not take it (logged; the reconciler rings again).

    Args:
        soft_s: how long the work may take.
    """
    try:
        ask(lambda redis: _send(redis, message, queue, soft_s))
    except DuplicateJobError:
        logger.info("doorbell: %s is already queued", message.job_id)
    except RedisError as error:
        logger.warning("doorbell: the reconciler will ring again for %s. %s", message.job_id, in_words(error))
        return False
    return True


def ring_for_duty(name: str, *, queue: str, soft_s: int) -> bool:
    """Send word of a duty, unless the last word of it still waits or is attended to; false if Redis did not take it (logged).

    Args:
        soft_s: how long it may take.
    """
    try:
        ask(lambda redis: _send_duty(redis, name, queue, soft_s))
    except RedisError as error:
        logger.warning("doorbell: the duty “%s” is rung for again. %s", name, in_words(error))
        return False
    return True


def waiting_count(queue: str) -> int:
    """How many messages wait to be looked at.

    Raises:
        RedisError: Redis does not answer.
    """
    return ask(lambda redis: int(_queue(redis, queue).count))


def unanswered(messages: Collection[Message]) -> list[Message]:
    """Those of the messages that no worker will answer: Redis has lost them, or their worker ended before the claim.

    Raises:
        RedisError: Redis does not answer.
    """

    def states(redis: Redis) -> list[list[bytes | None]]:
        with redis.pipeline(transaction=False) as pipeline:
            for message in messages:
                pipeline.hmget(Job.key_for(message.job_id), "status", "started_at")
            return list(pipeline.execute())

    return [message for message, state in zip(messages, ask(states), strict=True) if not _is_on_its_way(*state)]


def again_in(delay_s: float) -> Retry:
    """What a job returns to be run again; the budget is the record's, so RQ's own maximum is out of reach."""
    return Retry(max=10_000, interval=[math.ceil(delay_s)])


def _is_on_its_way(status: bytes | None, started_at: bytes | None) -> bool:
    if status == JobStatus.STARTED.encode() and started_at:
        begun = str_to_date(started_at)
        return begun is not None and abs(now() - begun) < ANSWERED_WITHIN
    return status == JobStatus.QUEUED.encode()


def _send(redis: Redis, message: Message, queue: str, soft_s: int) -> None:
    _queue(redis, queue).enqueue(
        "statemachine.jobs.run",
        message.label,
        message.pk,
        message.state,
        message.generation,
        job_id=message.job_id,
        unique=True,
        job_timeout=soft_s,
        result_ttl=0,
        failure_ttl=FAILED_JOB_KEPT_S,
    )


def _send_duty(redis: Redis, name: str, queue: str, soft_s: int) -> None:
    job_id = f"duty-{name}"
    status = redis.hget(Job.key_for(job_id), "status")
    if status in {JobStatus.QUEUED.encode(), JobStatus.STARTED.encode()}:
        return  # a duty that nobody attends to must not fill the queue
    _queue(redis, queue).enqueue(
        "statemachine.jobs.attend",
        name,
        job_id=job_id,
        job_timeout=soft_s,
        result_ttl=0,
        failure_ttl=FAILED_JOB_KEPT_S,
    )


def _queue(redis: Redis, name: str) -> Queue:
    return Queue(name, connection=redis, serializer=JSONSerializer)
