"""Long lines of leases, and what is done with them. Imported once Django is ready."""

import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import connection
from redis import Redis

from leases.models import Lease
from statemachine.line import next_in_line, turn_now
from statemachine.pump import top_up

# As orders would stand: one of nine tenths, one of a tenth, and among them the first hundred.
FILL = """
INSERT INTO leases_lease (agency, lease_number, state, generation, background, turn, due_at)
SELECT 'BLM', 'NMNM ' || n, state, 1, n > 100, CASE WHEN n % 10 = 0 THEN n / 10 ELSE n END,
    now() + CASE WHEN state = 'searching' THEN later ELSE interval '0 s' END - interval '1 s'
FROM (
    SELECT n, CASE WHEN n <= %(begun)s THEN 'searching' ELSE 'pending' END AS state, %(later)s::interval AS later
    FROM generate_series(1, %(leases)s) n
) line
""".replace(" % 10", " %% 10")


def fill(leases: int, *, begun: float, later: str) -> None:
    """Make so many owed leases anew.

    Args:
        begun: which part of them has been begun.
        later: in how long those may be tried again.
    """
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE leases_lease CASCADE")
        cursor.execute(FILL, {"leases": leases, "begun": int(leases * begun), "later": later})
        cursor.execute("VACUUM ANALYZE leases_lease")


LINES: dict[str, Callable[[int], None]] = {
    "none begun": partial(fill, begun=0.0, later="0 s"),
    "half in back-off": partial(fill, begun=0.5, later="1 hour"),
    "all begun and due": partial(fill, begun=1.0, later="0 s"),
}


def next_ones() -> float:
    began = time.perf_counter()
    next_in_line(settings.DISCOVERY_QUEUE, limit=settings.QUEUE_TARGET)
    return time.perf_counter() - began


def topping_up() -> float:
    """With an empty queue."""
    began = time.perf_counter()
    top_up(settings.DISCOVERY_QUEUE)
    took_s = time.perf_counter() - began
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.flushdb()
    return took_s


def ordering() -> float:
    began = time.perf_counter()
    turn_now(Lease)
    return time.perf_counter() - began


WORK: dict[str, Callable[[], float]] = {"next ones": next_ones, "topping up": topping_up, "a new order": ordering}
