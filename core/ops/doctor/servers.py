"""The programs that a running Runsheet is made of, and those that it needs."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError
from requests import RequestException
from requests.exceptions import SSLError

from cloud.dropbox.connection import session
from core.base.database import RESTORING
from core.base.database import in_words as database_in_words
from core.base.redis_client import in_words
from core.base.statement_limits import IDLE, LOCKS
from core.ops.doctor.finding import PATIENCE_S, Finding, Mark, answer, from_database, unseen
from core.ops.doctor.sentinels import sentinels
from core.ops.probes import MEANWHILE, NO_REDIS, SLOW_S, ask_database, ask_redis, exercise
from statemachine import heartbeat
from statemachine.listeners import Listener, listening
from statemachine.reactions import queues
from statemachine.unserved import unserved

OLDEST_POSTGRESQL = 15
# Twice of that is less than the doctor's patience with one part.
REDIS_TIMEOUT_S = 1.9
UNRESTORED = (
    "Rows and files may not fit each other. Stop web, workers and reconciler, and run the same command “restore” once more, without "
    "“--replace” if what was done since is to stay."
)
# Programs come up one after another; on a busy machine that takes a minute.
BEING_STARTED = "If all is being started just now, look again in a minute."
DROPBOX = "https://api.dropboxapi.com/"


def database() -> Iterator[Finding]:
    """Whether PostgreSQL answers, is new enough, has every table, and takes what is written."""
    try:
        version, pending, unlimited, is_restoring = answer(
            lambda: ask_database(lambda: (_version(), _pending_migrations(), _unlimited(), _is_restoring()))
        )
    except (Error, TimeoutError) as error:
        told = database_in_words(error) if isinstance(error, Error) else heartbeat.NO_DATABASE
        yield Finding(Mark.WRONG, "does not answer" if "does not answer" in told else "cannot be used", told)
        return
    if int(version.partition(".")[0]) < OLDEST_POSTGRESQL:
        yield Finding(Mark.WRONG, f"version {version}", f"It is too old: use PostgreSQL {OLDEST_POSTGRESQL} or later.")
    else:
        yield Finding(Mark.OK, f"answers, version {version}")
    if pending:
        count = f"{len(pending)} migrations are" if len(pending) > 1 else "1 migration is"
        named = ", ".join(pending[:3]) + (" …" if len(pending) > 3 else "")  # noqa: PLR2004 - enough to see which
        advice = f"{count} missing ({named}). Run: python manage.py migrate"
        yield Finding(Mark.WRONG, "lacks tables or columns", advice)
    else:
        yield Finding(Mark.OK, "every migration is applied")
    if is_restoring:
        yield Finding(Mark.WRONG, "a restore is not through", UNRESTORED)
    if unlimited:
        advice = f"Nothing ends {' or '.join(unlimited)}: set it in the pooler, as deploy/pgbouncer/pgbouncer.ini does."
        yield Finding(Mark.WRONG, "waits without end", advice)
    yield _writing()


def redis() -> Iterator[Finding]:
    """Whether Redis does what the work needs, keeps what it holds, throws nothing away, and holds nothing that runs code."""
    yield _enqueuing()
    yield from sentinels()
    with suppress(RedisError, TimeoutError):  # the line before says so
        info: dict[str, Any] = answer(lambda: ask_redis(lambda redis: redis.info(), timeout_s=REDIS_TIMEOUT_S))
        yield Finding(Mark.OK, f"answers, version {info.get('valkey_version') or info.get('redis_version')}")
        yield _persistence(info)
        yield _eviction(info)
    pickled = sorted(name for name, queue in settings.RQ_QUEUES.items() if queue.get("SERIALIZER") != "json")
    if pickled:
        advice = f"Set SERIALIZER to json for {', '.join(pickled)} in RQ_QUEUES: pickle runs code for whoever can write to Redis."
        yield Finding(Mark.WRONG, "messages are pickled", advice)
    else:
        yield Finding(Mark.OK, "messages are JSON")


def workers() -> Iterator[Finding]:
    """Whether somebody listens to each queue."""
    try:
        found = listening()
    except RedisError:
        yield unseen("Redis")
        return
    waiting = from_database(lambda: unserved(found)) or {}
    for queue in queues():
        yield _listening_to(queue, found, waiting=waiting.get(queue, 0))


def reconciler() -> Iterator[Finding]:
    """Whether one runs."""
    # None is "never" here, and "unanswered" from a database that is away.
    found = from_database(lambda: (heartbeat.age_s(heartbeat.RECONCILER),))
    if found is None:
        yield unseen("PostgreSQL")
        return
    (age_s,) = found
    if age_s is None:
        yield Finding(Mark.WRONG, "has never run", f"{BEING_STARTED} {heartbeat.NO_RECONCILER}")
    elif age_s > heartbeat.LATE_S:
        advice = heartbeat.LATE_RECONCILER.format(age_s=age_s)
        yield Finding(Mark.WRONG, f"last pass {age_s:.0f} s ago", f"{BEING_STARTED} {advice}")
    else:
        yield Finding(Mark.OK, f"last pass {age_s:.0f} s ago")


def dropbox() -> Iterator[Finding]:
    """Whether Dropbox can be reached from here, and is Dropbox."""
    where = settings.DROPBOX_BASE_URL or "dropbox.com"
    if not settings.DROPBOX_BASE_URL and not settings.DROPBOX_APP_KEY:
        mark = Mark.NOTE if settings.DEBUG else Mark.WRONG
        advice = (
            "Set DROPBOX_APP_KEY and DROPBOX_APP_SECRET; “make up” brings a stand-in of its own, for its programs only."
        )
        yield Finding(mark, "no app is set", advice)
        return
    try:
        session().get(DROPBOX, timeout=(3, 5), allow_redirects=False).close()
    except ImproperlyConfigured as error:
        yield Finding(Mark.WRONG, "cannot be asked", str(error))
    except SSLError:
        advice = (
            "Its certificate is not valid for that name, or something in between reads along; see the network's proxy."
        )
        yield Finding(Mark.WRONG, f"{where} cannot prove who it is", advice)
    except RequestException as error:
        advice = "See the network and firewall of this host; every host with workers needs the way out."
        yield Finding(Mark.WRONG, f"{where} does not answer ({type(error).__name__})", advice)
    else:
        yield Finding(Mark.OK, f"{where} answers")


def _writing() -> Finding:
    try:
        refusal: Error | None = answer(lambda: ask_database(heartbeat.look)).refusal
    except Error as error:
        refusal = error
    except TimeoutError:
        return Finding(
            Mark.WRONG, "takes nothing", f"Writing takes longer than {PATIENCE_S:.0f} s. See its load and disk."
        )
    if refusal:
        return Finding(Mark.WRONG, "takes nothing", database_in_words(refusal))
    return Finding(Mark.OK, "takes what is written")


def _enqueuing() -> Finding:
    try:
        took_s = answer(lambda: ask_redis(exercise, timeout_s=REDIS_TIMEOUT_S))
    except (RedisError, TimeoutError) as error:
        told = in_words(error) if isinstance(error, RedisError) else NO_REDIS
        seen = "does not answer" if "does not answer" in told else "does not do what the work needs"
        # True only where PostgreSQL takes what is written.
        return Finding(Mark.WRONG, seen, f"{told} {MEANWHILE}" if _writing().mark is Mark.OK else told)
    if took_s > SLOW_S:
        advice = "Work goes on, more slowly. See its load, its host, and the way there."
        return Finding(Mark.NOTE, f"is slow: {took_s:.1f} s to take a message and give it back", advice)
    return Finding(Mark.OK, "takes messages and gives them back")


def _version() -> str:
    connection.ensure_connection()
    major, minor = divmod(connection.pg_version, 10_000)  # type: ignore[attr-defined]  # PostgreSQL's
    return f"{major}.{minor}"


def _is_restoring() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [RESTORING])
        return bool(cursor.fetchone()[0])


def _unlimited() -> list[str]:
    """What a pooler should say, since programs cannot, and does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = '0'", [[LOCKS, IDLE]])
        return sorted(name for (name,) in cursor.fetchall())


def _pending_migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def _persistence(info: dict[str, Any]) -> Finding:
    if info.get("aof_enabled"):
        return Finding(Mark.OK, "keeps messages on disk")
    advice = "A restart of Redis forgets every message; no work is lost, but all of it is late. Set: appendonly yes"
    return Finding(Mark.WRONG, "keeps nothing on disk", advice)


def _eviction(info: dict[str, Any]) -> Finding:
    policy = info.get("maxmemory_policy")
    if policy == "noeviction":
        return Finding(Mark.OK, "throws nothing away when it is full")
    advice = "Redis may throw messages away when it is full. Set: maxmemory-policy noeviction"
    return Finding(Mark.WRONG, f"maxmemory-policy is {policy}", advice)


def _listening_to(queue: str, found: list[Listener], *, waiting: int) -> Finding:
    ours = [worker for worker in found if queue in worker.queues]
    start = f"Start some: python manage.py rqworker-pool {queue} --num-workers 4 --serializer json --worker-class statemachine.worker.RunsheetWorker"
    if ours and all(worker.state == "suspended" for worker in ours):
        return Finding(
            Mark.WRONG, f"{len(ours)} on “{queue}”, suspended", "Nothing is done. Run: python manage.py rqresume"
        )
    if ours:
        hosts = len({worker.host for worker in ours})
        return Finding(Mark.OK, f"{len(ours)} on “{queue}”, {hosts} host{'s' * (hosts > 1)}")
    if waiting:
        start = f"{waiting:,} record{'s wait' if waiting > 1 else ' waits'} for it. {start}"
    if found:
        others = ", ".join(sorted({name for worker in found for name in worker.queues}))
        return Finding(
            Mark.WRONG,
            f"none on “{queue}”, {len(found)} on {others}",
            f"Those listen to the wrong queue, so nothing is done. {start}",
        )
    return Finding(Mark.WRONG, f"none on “{queue}”", f"Nothing is done. {BEING_STARTED} {start}")
