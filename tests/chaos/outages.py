"""Redis and PostgreSQL that answer and take nothing: one outage at a time, each undone after a while."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from redis.exceptions import RedisError

from bench import outages
from bench.breakable import House
from statemachine.models import TransitionLog
from tests.chaos.agenda import AGAIN_S, Agenda
from tests.chaos.plan import Blow

# What comes of a look at a base folder and at what lies in it; the cache keeps neither meanwhile.
LOOKS_AT_BASE = ("record_not_found", "fail")


class Outages:
    """Begins and ends them.

    Attributes:
        disk_is_full: meanwhile PostgreSQL could not start.
        unremembered: calls at most for what the cache could not keep.
    """

    def __init__(self, house: House, agenda: Agenda) -> None:
        self.disk_is_full = False
        self.unremembered = 0
        self._house = house
        self._agenda = agenda
        self._is_under_way = False

    def begin(self, blow: Blow, *, lasts_s: float) -> bool:
        """Begin one; false where another is under way, whose end would end this one, too.

        Raises:
            RedisError: Redis is down; nothing was done.
        """
        if self._is_under_way:
            return False
        if blow is Blow.DISK_FULL:
            assert self._house.disk is not None
            self._until(self._house.disk.full(), lasts_s, self._has_room)
            self.disk_is_full = True
            return True
        body = outages.redis_full if blow is Blow.REDIS_FULL else outages.redis_read_only
        before = TransitionLog.objects.count()
        self._until(body(self._house.valkey.url), lasts_s, lambda: self._remembers(since=before))
        return True

    def _until(self, outage: AbstractContextManager[None], lasts_s: float, ended: Callable[[], None]) -> None:
        with ExitStack() as stack:
            stack.enter_context(outage)
            undo = stack.pop_all()
        self._is_under_way = True
        self._agenda.after(lasts_s, lambda: self._end(undo, ended))

    def _end(self, undo: ExitStack, ended: Callable[[], None]) -> None:
        try:
            undo.close()
        except RedisError:
            # It was killed meanwhile, and has begun anew, without the outage; or it is only busy, and must not be left so.
            self._agenda.after(AGAIN_S, lambda: self._mend_redis(ended))
            return
        self._is_under_way = False
        ended()

    def _mend_redis(self, ended: Callable[[], None]) -> None:
        """Raises: RedisError: it is down; this is done again."""
        self._house.valkey.work_again()
        self._is_under_way = False
        ended()

    def _has_room(self) -> None:
        self.disk_is_full = False
        self._agenda.say("the disk has room again")

    def _remembers(self, *, since: int) -> None:
        self._agenda.say("Redis takes again what it is given")
        rows = TransitionLog.objects.order_by("pk")[since:]
        self.unremembered += 2 * sum(row.transition in LOOKS_AT_BASE for row in rows)
