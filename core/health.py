"""GET /health/live and /health/ready, for whoever decides whether this process is to be restarted or sent requests.

They need no login and tell no secrets. A middleware before all others answers them, so that neither the redirect to https
nor ALLOWED_HOSTS is in a probe's way, and no session or database is touched for it.
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from django.db import DatabaseError, InterfaceError, ProgrammingError
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

from core.database import NOT_MIGRATED
from core.probes import PATIENCE_S, Probe, ask_database, ask_redis
from statemachine import heartbeat

OK = "ok"
NO_DATABASE = (
    "PostgreSQL does not answer: nothing can be shown or saved. See that it runs and that DATABASE_URL is right."
)
NO_REDIS = (
    "Redis does not answer: saving works and no work is lost, but none is done until it is back. "
    "See that it runs and that REDIS_URL is right."
)
NO_RECONCILER = "No reconciler has ever run. Start one: python manage.py reconcile"
LATE_RECONCILER = (
    "No reconciler has made a pass for {age_s:.0f} s: lost messages and imported leases wait. "
    "See that it runs: python manage.py reconcile"
)

type View = Callable[[HttpRequest], HttpResponse]

reconciler_age = Probe(lambda: ask_database(lambda: heartbeat.age_s(heartbeat.RECONCILER)))
redis_ping = Probe(lambda: ask_redis(lambda redis: redis.ping()))


def answer_probes(get_response: View) -> View:
    """Django middleware."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return VIEWS.get(request.path, get_response)(request)

    return middleware


def live(_request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked."""
    return _answer({"status": OK})


def ready(_request: HttpRequest) -> HttpResponse:
    """Whether requests can be served and what is saved is worked on; within 2 s, whatever hangs.

    Redis alone does not make it unready: the console shows and saves without it, and taking every console away would
    only add to the outage.
    """
    age, ping = reconciler_age.start(), redis_ping.start()
    answers: list[Future[Any]] = [age, ping]
    wait(answers, timeout=PATIENCE_S)
    found = {"database": database_words(age), "redis": redis_words(ping), "reconciler": reconciler_words(age)}
    unwell = {part for part, words in found.items() if words != OK}
    status = "unavailable" if unwell - {"redis"} else "degraded" if unwell else OK
    return _answer({"status": status, **found}, 503 if status == "unavailable" else 200)


def database_words(age: Future[float | None]) -> str:
    try:
        age.result(timeout=0)
    except ProgrammingError:
        return NOT_MIGRATED
    except (DatabaseError, InterfaceError, TimeoutError):
        return NO_DATABASE
    return OK


def redis_words(ping: Future[bool]) -> str:
    try:
        ping.result(timeout=0)
    except (RedisError, TimeoutError):
        return NO_REDIS
    return OK


def reconciler_words(age: Future[float | None]) -> str:
    try:
        age_s = age.result(timeout=0)
    except (DatabaseError, InterfaceError, TimeoutError):
        return "unknown, since the database cannot be asked"
    if age_s is None:
        return NO_RECONCILER
    return OK if age_s <= heartbeat.LATE_S else LATE_RECONCILER.format(age_s=age_s)


def _answer(found: dict[str, str], status: int = 200) -> HttpResponse:
    response = JsonResponse(found, status=status, headers={"Cache-Control": "no-store"})
    # Else Django logs an error, and reports it, each time that somebody asks.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - what Django's own log_response looks at
    return response


VIEWS: dict[str, View] = {"/health/live": live, "/health/ready": ready}
