"""GET /health/live and /health/ready, for whoever decides whether this process is to be restarted or sent requests.

They need no login and tell no secrets. A middleware before all others answers them, so that neither the redirect to https
nor ALLOWED_HOSTS is in a probe's way, and no session or database is touched for it.
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse

from core.ops import probes
from core.ops.probes import PATIENCE_S
from statemachine import heartbeat
from statemachine.heartbeat import Seen

OK = "ok"

type View = Callable[[HttpRequest], HttpResponse]


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
    looked, exercised = heartbeat.database_works.start(), probes.redis_works.start()
    answers: list[Future[Any]] = [looked, exercised]
    wait(answers, timeout=PATIENCE_S)
    redis, database = probes.redis_words(exercised), heartbeat.database_words(looked)
    found = {
        "database": database or OK,
        "redis": (redis if database else f"{redis} {probes.MEANWHILE}") if redis else OK,
        "reconciler": reconciler_words(looked),
    }
    unwell = {part for part, words in found.items() if words != OK}
    status = "unavailable" if unwell - {"redis"} else "degraded" if unwell else OK
    return _answer({"status": status, **found}, 503 if status == "unavailable" else 200)


def reconciler_words(looked: Future[Seen]) -> str:
    try:
        age_s = looked.result(timeout=0).reconciler_age_s
    except (Error, TimeoutError):
        return "unknown, since the database cannot be asked"
    if age_s is None:
        return heartbeat.NO_RECONCILER
    return OK if age_s <= heartbeat.LATE_S else heartbeat.LATE_RECONCILER.format(age_s=age_s)


def _answer(found: dict[str, str], status: int = 200) -> HttpResponse:
    response = JsonResponse(found, status=status, headers={"Cache-Control": "no-store"})
    # Else Django logs an error, and reports it, each time that somebody asks.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - what Django's own log_response looks at
    return response


VIEWS: dict[str, View] = {"/health/live": live, "/health/ready": ready}
