"""How it stands with the replica: whether it is one of this primary's, how far it is behind, and whether this process asks it.

Positions are bytes of the write-ahead log, of what was inserted: a commit need not have waited until that lies on disk. A replica that has replayed what the primary had written is behind by nothing, however
long ago that was; else by the age of the last commit that it has replayed, by the primary's clock.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Literal

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connections
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.base.database import in_words, is_conflict
from core.base.replica import ALIAS, is_configured
from core.ops.probes import PATIENCE_S, Probe, ask_database

logger = logging.getLogger(__name__)

# A process that has met trouble asks for lists there again once somebody has looked; at most so often.
LOOK_EVERY_S = 10
# The same trouble is told no sooner again.
TELL_EVERY_S = 60

AT_PRIMARY = """
SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, clock_timestamp(),
    (SELECT position FROM core_lastwrite WHERE user_id = %s)
"""
AT_REPLICA = """
SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint, pg_last_xact_replay_timestamp()
"""
IDENTITY = """
SELECT (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid FROM pg_database WHERE datname = current_database())
"""

type Trouble = Literal["", "behind", "conflict", "failed", "none of ours"]

NO_REPLICA = (
    "DATABASE_REPLICA_URL names a server that is no replica but takes what is written. Name a streaming replica of the primary, or "
    "leave it empty."
)
ANOTHERS = (
    "DATABASE_REPLICA_URL names a replica of another server, or another database, than DATABASE_URL does. Name a replica of this "
    "one, or leave it empty."
)
READ_AT_PRIMARY = "Lists and exports are read at the primary meanwhile."


class NotOurs(Exception):
    """What answers at DATABASE_REPLICA_URL is no replica of the primary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the replica is.

    Attributes:
        lag_s: infinite: it has replayed nothing yet.
        has_own: whether it has what the person has last written.
    """

    lag_s: float
    has_own: bool

    @property
    def is_fresh(self) -> bool:
        """Whether it may be asked for lists."""
        return self.lag_s <= settings.DATABASE_REPLICA_LAG_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Primary:
    """Where the primary is.

    Attributes:
        written: its position.
        at: by its clock.
        own: the position when the person had last written something; None: that is not known.
    """

    written: int
    at: datetime
    own: int | None


def ask_primary(user_id: int | None = None) -> Primary:
    """On the connection of this thread.

    Raises:
        Error: it does not answer.
    """
    written, at, own = _row("default", AT_PRIMARY, user_id)
    return Primary(written=written, at=at, own=own)


def standing(primary: Primary) -> Standing:
    """How far the replica has come by now, on the connection of this thread.

    Raises:
        NotOurs: it is no replica, or not any longer.
        Error: it does not answer.
    """
    is_replica, replayed, last_at = _row(ALIAS, AT_REPLICA)
    if not is_replica:
        raise NotOurs(NO_REPLICA)
    lag_s = (primary.at - last_at).total_seconds() if last_at else math.inf
    return Standing(
        lag_s=0 if replayed >= primary.written else max(0.0, lag_s),
        has_own=primary.own is None or replayed >= primary.own,
    )


def examine() -> Standing:
    """Ask both on connections of their own, and whether they belong together; to be called in a probe's thread.

    Raises:
        NotOurs: they do not; in a sentence.
        Error: one of them does not answer.
    """
    primary, ours = ask_database(lambda: (ask_primary(), _row("default", IDENTITY)))
    found, its = ask_database(lambda: (standing(primary), _row(ALIAS, IDENTITY)), ALIAS)
    if its != ours:
        raise NotOurs(ANOTHERS)
    return found


def _row(alias: str, statement: str, *values: int | None) -> tuple[Any, ...]:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, values or None)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


class Watch:
    """Whether this process asks the replica. After trouble it looks whether that is over, and nobody waits for the answer."""

    def __init__(self, look: Callable[[], Standing] = examine) -> None:
        self._probe = Probe(self._looking(look))
        self._lock = Lock()
        self._is_well = False
        self._look_at = -math.inf
        self._trouble: Trouble = ""
        self._told_at: dict[Trouble, float] = {}

    def is_well(self) -> bool:
        """Whether it may be asked. The first time, and after trouble, a look is on its way."""
        if not self._is_well and time.monotonic() >= self._look_at:
            self.look()
        return self._is_well

    def look(self) -> None:
        """See to it in a thread of its own."""
        self._look_at = time.monotonic() + LOOK_EVERY_S
        self._probe.start()

    def stands(self, found: Standing) -> None:
        """It has answered."""
        if found.is_fresh:
            self._tell("", "Lists and exports are read at the replica.")
        else:
            self._tell("behind", f"The replica is behind by {_seconds(found.lag_s)}.")

    def failed(self, error: Exception) -> None:
        """It has not, or not with what was asked; it is asked no more until somebody has looked, unless that is a matter of one list."""
        if isinstance(error, NotOurs):
            self._leave("none of ours", str(error))
        elif is_conflict(error):
            self._tell("conflict", f"The replica had to break off a list to go on replaying ({_first_line(error)}).")
        elif isinstance(error, OperationalError | InterfaceError):
            self._leave(
                "failed", f"The replica fails: {in_words(error).replace('DATABASE_URL', 'DATABASE_REPLICA_URL')}"
            )
        elif isinstance(error, Error):
            self._tell("failed", f"The replica fails: {_first_line(error)}")

    def _looking(self, look: Callable[[], Standing]) -> Callable[[], Standing]:
        def looked() -> Standing:
            try:
                found = look()
            except (NotOurs, Error) as error:
                self.failed(error)
                raise
            self._is_well = True
            self.stands(found)
            return found

        return looked

    def _leave(self, trouble: Trouble, words: str) -> None:
        self._is_well, self._look_at = False, time.monotonic() + LOOK_EVERY_S
        self._tell(trouble, words)

    def _tell(self, trouble: Trouble, words: str) -> None:
        """Once, however many lists meet it."""
        with self._lock:
            if trouble == self._trouble:
                return
            self._trouble = trouble
            if time.monotonic() < self._told_at.get(trouble, -math.inf) + TELL_EVERY_S:
                return
            self._told_at[trouble] = time.monotonic()
        if trouble:
            logger.warning("replica: %s %s", words, READ_AT_PRIMARY)
        else:
            logger.info("replica: %s", words)


watch = Watch()


class ReplicaCollector(Collector):
    """For prometheus_client: whether there is a replica of this primary's, and how far it is behind. Without one it tells nothing."""

    def __init__(self, look: Probe[Standing]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        if not is_configured():
            return
        looked = self._look.start()
        wait([looked], timeout=PATIENCE_S)
        is_there = looked.done() and looked.exception() is None
        yield _gauge("up", "1: the replica answers, and is one of this primary's.", is_there)
        lag_s = looked.result().lag_s if is_there else math.inf
        yield _gauge("lag_seconds", "How far it is behind; infinite: nobody knows.", lag_s)
        most = settings.DATABASE_REPLICA_LAG_S
        yield _gauge("lag_at_most_seconds", "Behind by more it is not asked for lists.", most)


_scraped = Probe(examine, lasts_s=2)


def collector() -> ReplicaCollector:
    """One for a scrape; several at once share the look."""
    return ReplicaCollector(_scraped)


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"runsheet_replica_{name}", documentation, value=float(value))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _seconds(lag_s: float) -> str:
    return f"{lag_s:,.1f} s" if math.isfinite(lag_s) else "more than is known"
