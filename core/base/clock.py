"""The clock is read here and nowhere else, so that tests can set it."""

from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """The present instant, aware, UTC."""
    return timezone.now()


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC, for PostgreSQL takes no zone that is 16 hours and more away.

    What lies in no year of the calendar there is the first or the last instant that does.

    Args:
        moment: aware.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return first if moment.year == first.year else last


def shared_now() -> datetime:
    """The present instant by the database's clock, aware: for what one host writes and another compares with the time.

    A host's own clock may be wrong by hours, and then its pauses would be over before they begin.

    Raises:
        django.db.Error: the database does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        instant: datetime = cursor.fetchone()[0]
    return instant
