"""Ask PostgreSQL and Redis whether they answer, and wait for neither: a black hole is told from an answer within seconds."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# A probe is to be answered within 2 s.
PATIENCE_S = 1.5


class Probe[T]:
    """Asks one question in a thread of its own, one at a time: what hangs does not pile up, whoever asks meanwhile."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._running: Future[T] | None = None

    def start(self) -> Future[T]:
        """The answer that is on its way; its `result` raises what asking has raised."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                Thread(target=self._run, args=(self._running,), daemon=True).start()
            return self._running

    def _run(self, running: Future[T]) -> None:
        try:
            running.set_result(self._ask())
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is read
            running.set_exception(error)


def ask_database[T](question: Callable[[], T]) -> T:
    """Put a question with Django's models to PostgreSQL, on a connection of its own; to be called in a probe's thread.

    Raises:
        OperationalError, InterfaceError: it does not answer.
    """
    brief = connections[DEFAULT_DB_ALIAS].copy()
    brief.settings_dict["OPTIONS"] |= {"connect_timeout": 2, "options": "-c statement_timeout=1000"}
    connections[DEFAULT_DB_ALIAS] = brief
    try:
        return question()
    finally:
        brief.close()


def ask_redis[T](question: Callable[[Redis], T]) -> T:
    """Put a question to Redis, on a connection of its own.

    Raises:
        RedisError: it does not answer.
    """
    with Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0)
    ) as redis:
        return question(redis)
