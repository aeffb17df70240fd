"""Redis for requests and jobs: one attempt, and after a failure a moment of silence, so that nobody waits twice.

A request waits for it hardly, and after one failure not at all. The reconciler and the workers, for whom nobody waits, have
more patience: `patient`. Nothing that goes through here may be needed for being right: Redis is only the doorbell
(docs/decisions/0002-postgres-is-the-truth.md).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from math import inf

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    InvalidResponse,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from core.base import redis_servers, redis_tls
from core.base.redis_servers import NoPrimary, Sentinels

# Many rows may be committed at once; only the first of them waits for a Redis that does not answer.
SILENCE_S = 1.0
# Of a request, for all that it asks: so many times what one answer may take.
ANSWERS_PER_REQUEST = 3

FULL = "Redis is full and takes nothing new. Give it more memory (maxmemory), or see what fills it."
READ_ONLY = "Redis is a read-only replica and takes nothing. REDIS_URL must name the primary."
CANNOT_SAVE = "Redis cannot save to its disk and takes nothing new until it can. Make room there, and see its log."
LOADING = "Redis is loading what it has on disk and answers when that is done."
DETACHED = "Redis has lost the servers that it belongs with and takes nothing. See them and its log."
CROWDED = "Redis takes no more connections. Raise maxclients, or see who holds them."
NO_ENTRY = "Redis does not let us in. See user and password in REDIS_URL, or REDIS_PASSWORD."
NOT_ALLOWED = "Redis lets us in, but does not let us do what the work needs ({reason}). See the user's rights (ACL)."
NO_TLS_ANSWER = (
    "Redis does not answer in TLS. If it wants none, REDIS_URL must begin with redis://; else it is very slow."
)
NOT_REDIS = (
    "What answers at REDIS_URL ends the connection or does not speak as Redis does ({reason}). If it wants TLS, "
    "REDIS_URL must begin with rediss://; if it wants a certificate of whoever comes, see ssl_certfile there."
)
SILENT = "Redis does not answer in time ({reason}): it is out of reach, or very slow. See its host and the way there."
AWAY = "Redis does not answer ({reason}). See that it runs and that REDIS_URL is right."
REFUSES = "Redis refuses: {reason}"

# The first word of what Redis refuses with, where its client has no class for it.
REFUSALS = {
    "MISCONF": CANNOT_SAVE,
    "NOREPLICAS": DETACHED,
    "CLUSTERDOWN": DETACHED,
    "MASTERDOWN": DETACHED,
    "LOADING": LOADING,
    "NOAUTH": NO_ENTRY,
    "WRONGPASS": NO_ENTRY,
    "OOM": FULL,
    "READONLY": READ_ONLY,
    "UNBLOCKED": READ_ONLY,  # who waited for a message when it became a replica
    "BUSY": "Redis is busy with a script and takes nothing until that ends. See who runs it.",
}
CLASSES: tuple[tuple[type[RedisError], str], ...] = (
    (OutOfMemoryError, FULL),
    (ReadOnlyError, READ_ONLY),
    (NoPermissionError, NOT_ALLOWED),
    (AuthenticationError, NO_ENTRY),
    (AuthorizationError, NO_ENTRY),
    (BusyLoadingError, LOADING),
    (MasterDownError, DETACHED),
    (InvalidResponse, NOT_REDIS),
)

type View = Callable[[HttpRequest], HttpResponse]


class RedisSilent(RedisConnectionError):
    """Redis failed a moment ago, so it was not asked; the cause is that failure."""


@dataclass(slots=True, kw_only=True)
class Patience:
    """Of somebody who asks Redis several times.

    Attributes:
        timeout_s: for each answer.
        silence_s: how long nobody with that patience asks after a failure.
        left_s: for all answers together.
        failure: what came instead of an answer; a request asks no more then.
    """

    timeout_s: float
    silence_s: float = SILENCE_S
    left_s: float = inf
    failure: RedisError | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Until when, on the monotonic clock, nobody asks, and why."""

    until: float
    failure: RedisError


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)
_silent_until: dict[
    tuple[str, float], Silence
] = {}  # by address and time-out: who has more patience may still be answered
_lock = threading.Lock()


@contextmanager
def patient() -> Iterator[None]:
    """For the reconciler and the workers, for whom nobody waits: a slow Redis slows them, and does not stop them."""
    allowed_s = settings.REDIS_PATIENCE_S
    token = _patience.set(Patience(timeout_s=allowed_s, silence_s=allowed_s))
    try:
        yield
    finally:
        _patience.reset(token)


def share_patience(get_response: View) -> View:
    """Django middleware: all that one request asks of Redis shares its patience, and ends with the first failure."""

    def middleware(request: HttpRequest) -> HttpResponse:
        timeout_s = settings.DOORBELL_TIMEOUT_S
        token = _patience.set(Patience(timeout_s=timeout_s, left_s=ANSWERS_PER_REQUEST * timeout_s))
        try:
            return get_response(request)
        finally:
            _patience.reset(token)

    return middleware


def ask[T](question: Callable[[Redis], T]) -> T:
    """Put a question to Redis, unless it has just failed to answer one.

    Raises:
        RedisError: it does not answer, or did not a moment ago (`RedisSilent`).
    """
    patience = _patience.get() or Patience(timeout_s=settings.DOORBELL_TIMEOUT_S)
    url = settings.REDIS_URL
    _refuse_in_silence(url, patience)
    began = time.monotonic()
    try:
        return question(connection(url, patience.timeout_s))
    except RedisError as error:
        if patience.left_s < inf:
            patience.failure = error
        # The others may lead to a server that is gone, too.
        connection(url, patience.timeout_s).connection_pool.disconnect(inuse_connections=False)
        with _lock:
            _silent_until[url, patience.timeout_s] = Silence(time.monotonic() + patience.silence_s, error)
        raise
    finally:
        patience.left_s -= time.monotonic() - began


def _refuse_in_silence(url: str, patience: Patience) -> None:
    silence = _silent_until.get((url, patience.timeout_s))
    failure = patience.failure
    if silence and time.monotonic() < silence.until:
        failure = silence.failure
    if failure or patience.left_s <= 0:
        raise RedisSilent("Redis was slow, or failed, a moment ago") from failure


def connection(url: str, timeout_s: float) -> Redis:
    """The process's connections to one Redis, with a time-out and no attempt but the first."""
    return _connection(url, timeout_s, settings.REDIS_SENTINELS)


@cache
def _connection(url: str, timeout_s: float, _sentinels: Sentinels | None) -> Redis:
    return redis_servers.client(url, timeout_s=timeout_s)


def is_outage(error: BaseException) -> bool:
    """Redis is away, or takes nothing (full, a replica, a disk). It is waited out, and is nobody's bug."""
    return isinstance(error, RedisError) and _words(error) is not None


def in_words(error: RedisError) -> str:
    """What is wrong and, where somebody can do something, what."""
    failure = _failure(error)
    reason = " ".join(_said(failure).partition("\n")[0].split()).rstrip(".")
    return (_words(failure) or REFUSES).format(reason=reason)


def for_everybody(error: RedisError) -> str:
    """The same without what the server said, which may name hosts and users."""
    words = _words(_failure(error)) or REFUSES
    return words.replace(" ({reason})", "").replace(": {reason}", " what it is asked.")


def _failure(error: RedisError) -> BaseException:
    """What stands behind a silence."""
    if not isinstance(error, RedisSilent):
        return error
    return error.__cause__ or RedisTimeoutError(str(error))


def _said(error: BaseException) -> str:
    """What Redis has said, without which command of a pipeline it was said of."""
    return str(error).rpartition(" of pipeline caused error: ")[2]


def _words(error: BaseException) -> str | None:
    """The sentence for what ails Redis; None if it answers, and what it was asked was wrong."""
    if isinstance(error, NoPrimary):
        return error.words
    found = next((words for kind, words in CLASSES if isinstance(error, kind)), None)
    if found is None and isinstance(error, ResponseError):
        found = REFUSALS.get(_said(error).partition(" ")[0])
    if found is None and isinstance(error, (RedisConnectionError, RedisTimeoutError)):
        found = _words_of_connection(error)
    return found


def _words_of_connection(error: BaseException) -> str:
    reason = str(error)
    shown = redis_tls.REDIS if settings.REDIS_SENTINELS is None else redis_tls.CHOSEN_REDIS
    if about_tls := redis_tls.words_of(error, shown):
        return about_tls
    if "max number of clients" in reason:
        return CROWDED
    if isinstance(error, RedisTimeoutError):
        return NO_TLS_ANSWER if "handshake" in str(error.__context__) else SILENT
    is_cut = isinstance(error.__context__, ConnectionResetError) or "closed by server" in reason
    return NOT_REDIS if is_cut else f"{AWAY} {settings.START_SERVERS}".rstrip()
