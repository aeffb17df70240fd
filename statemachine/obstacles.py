"""What keeps work from being done at this moment, in one sentence: for whoever would else promise that it begins soon."""

from concurrent.futures import Future, wait
from typing import Any

from redis.exceptions import RedisError

from core import probes
from core.redis_client import for_everybody
from statemachine import heartbeat
from statemachine.workers import listening

# So long a page is kept waiting to find out whether the servers work.
WITHIN_S = 0.5


def obstacle() -> str:
    """The first that is found; empty if there is none. One query at most, and that only while the servers hang."""
    looked, exercised = heartbeat.database_works.start(), probes.redis_works.start()
    answers: list[Future[Any]] = [looked, exercised]
    wait(answers, timeout=WITHIN_S)
    if looked.done():
        if database := heartbeat.database_words(looked):
            return f"{database} What is shown is true, but nothing is saved, and no work is done."
        age_s = looked.result().reconciler_age_s
    else:
        age_s = heartbeat.age_s(heartbeat.RECONCILER)
    if redis := probes.redis_words(exercised) if exercised.done() else "":
        return f"{redis} What you save is kept, and is worked on as Redis takes it."
    try:
        workers = listening()
    except RedisError as error:
        return f"{for_everybody(error)} What you save is kept, and is worked on when Redis is back."
    if not workers:
        return "No worker runs: what you save is kept, and is worked on when one does."
    if age_s is None or age_s > heartbeat.LATE_S:
        return "No reconciler runs: what was lost on the way waits until one does."
    return ""
