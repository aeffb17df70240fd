"""Let PostgreSQL and Redis do what the work needs, and wait for neither: a black hole is told from an answer within seconds."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from uuid import uuid4

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from redis import Redis
from redis.exceptions import RedisError

from core.base import redis_servers
from core.base.redis_client import for_everybody
from core.base.redis_keys import redis_key
from core.base.statement_limits import in_one_transaction

# A probe is to be answered within 2 s.
PATIENCE_S = 1.5
# What takes longer than that is slow; it is a matter of milliseconds.
SLOW_S = 0.25
# Nothing of a probe stays for longer, whatever came between.
KEPT_S = 60

MEANWHILE = "Saving works and no work is lost; what is owed goes on by itself as soon as Redis takes it."
NO_REDIS = "Redis does not answer: it is out of reach, or very slow. See that it runs and that REDIS_URL is right."
SLOW_REDIS = "Redis is slow: it took {took_s:.1f} s. See its load, its host, and the way there."


class Probe[T]:
    """Asks one question in a thread of its own, one at a time: what hangs does not pile up, whoever asks meanwhile.

    Args:
        lasts_s: how long an answer stands, for who asks again; a failure does not.
    """

    def __init__(self, ask: Callable[[], T], *, lasts_s: float = 0) -> None:
        self._ask = ask
        self._lasts_s = lasts_s
        self._answered_at = 0.0
        self._lock = Lock()
        self._running: Future[T] | None = None

    def start(self) -> Future[T]:
        """The answer that is on its way; its `result` raises what asking has raised."""
        with self._lock:
            if self._running is None or (self._running.done() and not self._stands(self._running)):
                self._running = Future()
                Thread(target=self._run, args=(self._running,), daemon=True).start()
            return self._running

    def _stands(self, answer: Future[T]) -> bool:
        return answer.exception() is None and time.monotonic() < self._answered_at + self._lasts_s

    def _run(self, running: Future[T]) -> None:
        try:
            answer = self._ask()
            self._answered_at = time.monotonic()
            running.set_result(answer)
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is read
            running.set_exception(error)


def ask_database[T](question: Callable[[], T], alias: str = DEFAULT_DB_ALIAS) -> T:
    """Put a question with Django's models to PostgreSQL, on a connection of its own; to be called in a probe's thread.

    Raises:
        OperationalError, InterfaceError: it does not answer.
    """
    brief = connections[alias].copy()
    brief.settings_dict["OPTIONS"] |= {"connect_timeout": 2}
    connections[alias] = brief
    try:
        with in_one_transaction(1, alias):
            return question()
    finally:
        brief.close()


def ask_redis[T](question: Callable[[Redis], T], *, timeout_s: float = 1.0) -> T:
    """Put a question to Redis, on a connection of its own.

    Raises:
        RedisError: it does not answer.
    """
    with redis_servers.client(settings.REDIS_URL, timeout_s=timeout_s) as redis:
        return question(redis)


def exercise(redis: Redis) -> float:
    """Write, enqueue and dequeue, as the work does and apart from it; how many seconds that took.

    Raises:
        RedisError: it does not answer, or does not do one of these.
    """
    redis.ping()  # the connection and what it begins with, which the work does once for many messages
    number = uuid4().hex
    job, queue, taken = (redis_key("probe", number, part) for part in ("job", "queue", "taken"))
    began = time.monotonic()
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.hset(job, "status", "queued")
        pipeline.rpush(queue, job)
        pipeline.lmove(queue, taken)
        for key in (job, queue, taken):
            pipeline.expire(key, KEPT_S)
        pipeline.delete(job, queue, taken)
        pipeline.execute()
    return time.monotonic() - began


def redis_words(exercised: Future[float]) -> str:
    """What is wrong with Redis, for everybody's eyes; empty if nothing is."""
    try:
        took_s = exercised.result(timeout=0)
    except RedisError as error:
        return for_everybody(error)
    except TimeoutError:
        return NO_REDIS
    return SLOW_REDIS.format(took_s=took_s) if took_s > SLOW_S else ""


redis_works = Probe(lambda: ask_redis(exercise), lasts_s=2)
