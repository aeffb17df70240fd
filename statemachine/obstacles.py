"""What keeps work from being done at this moment, in one sentence: for whoever would else promise that it begins soon."""

from concurrent.futures import Future, wait
from typing import Any

from redis.exceptions import RedisError

from core.base.redis_client import for_everybody
from core.ops import probes
from statemachine import heartbeat
from statemachine.listeners import Listener, listening
from statemachine.unserved import unserved

# So long a page is kept waiting to find out whether the servers work.
WITHIN_S = 0.5


def obstacle() -> str:
    """The first that is found; empty if there is none. While each queue has workers it is one query at most."""
    looked, exercised = heartbeat.database_works.start(), probes.redis_works.start()
    answers: list[Future[Any]] = [looked, exercised]
    wait(answers, timeout=WITHIN_S)
    if looked.done():
        if database := heartbeat.database_words(looked):
            return f"{database} What is shown is true, but nothing is saved, and no work is done."
        age_s = looked.result().reconciler_age_s
    else:
        age_s = heartbeat.age_s(heartbeat.RECONCILER)
    takes_writes = looked.done()
    if redis := probes.redis_words(exercised) if exercised.done() else "":
        return _told(redis, "What you save is kept, and is worked on as Redis takes it.", holds=takes_writes)
    try:
        workers = listening()
    except RedisError as error:
        silent = for_everybody(error)
        return _told(silent, "What you save is kept, and is worked on when Redis is back.", holds=takes_writes)
    if idle := _without_workers(workers, holds=takes_writes):
        return idle
    if age_s is None or age_s > heartbeat.LATE_S:
        return "No reconciler runs: what was lost on the way waits until one does."
    return ""


def _without_workers(workers: list[Listener], *, holds: bool) -> str:
    """That nobody works, or not where something is owed."""
    if not workers:
        return _told("No worker runs.", "What you save is kept, and is worked on when one does.", holds=holds)
    if waiting := unserved(workers) if holds else {}:
        named = ", ".join(f"“{queue}” ({count})" for queue, count in waiting.items())
        return f"No worker listens to {named}. What is owed there waits until one does."
    return ""


def _told(wrong: str, meanwhile: str, *, holds: bool) -> str:
    """With what is so meanwhile, if the database has shown that it takes what is written."""
    return f"{wrong} {meanwhile}" if holds else wrong
