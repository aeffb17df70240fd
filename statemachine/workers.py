"""Who listens to which queue, as RQ's workers say of themselves in Redis. Looking changes nothing there."""

from dataclasses import dataclass

from redis import Redis
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from core.redis_client import ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A worker that was alive within the last 90 s, which is how long RQ remembers one that was killed.

    Attributes:
        state: what it is at: "idle", "busy", "suspended" or "started".
    """

    name: str
    state: str
    host: str


def listening_to(queue: str) -> list[Listener]:
    """The workers of a queue.

    Raises:
        RedisError: Redis does not answer.
    """

    def look(redis: Redis) -> list[tuple[str, list[bytes | None]]]:
        keys = sorted(key.decode() for key in redis.smembers(WORKERS_BY_QUEUE_KEY % queue))  # type: ignore[union-attr]  # redis types its answers for both of its clients
        with redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hmget(key, "birth", "state", "hostname")
            return list(zip(keys, pipeline.execute(), strict=True))

    return [
        Listener(name=key.rpartition(":")[2], state=(state or b"idle").decode(), host=(host or b"").decode())
        for key, (birth, state, host) in ask(look)
        if birth  # else its hash has expired: it was killed
    ]
