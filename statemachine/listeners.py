"""Who listens to which queue, as RQ's workers say of themselves in Redis. Looking changes nothing there."""

from dataclasses import dataclass

from redis import Redis
from rq.worker_registration import REDIS_WORKER_KEYS

from core.base.redis_client import ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A worker that was alive within the last 90 s, which is how long RQ remembers one that was killed.

    Attributes:
        state: what it is at: "idle", "busy", "suspended" or "started".
    """

    name: str
    queues: tuple[str, ...]
    state: str
    host: str


def listening() -> list[Listener]:
    """Every worker.

    Raises:
        RedisError: Redis does not answer.
    """

    def look(redis: Redis) -> list[tuple[str, list[bytes | None]]]:
        keys = sorted(key.decode() for key in redis.smembers(REDIS_WORKER_KEYS))  # type: ignore[union-attr]  # redis types its answers for both of its clients
        with redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hmget(key, "queues", "state", "hostname")
            return list(zip(keys, pipeline.execute(), strict=True))

    return [
        Listener(
            name=key.rpartition(":")[2],
            queues=tuple(queues.decode().split(",")),
            state=(state or b"idle").decode(),
            host=(host or b"").decode(),
        )
        for key, (queues, state, host) in ask(look)
        if queues  # else what is known of it has expired: it was killed
    ]
