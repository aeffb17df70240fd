"""What the files of any machine's records may hold, beside the columns of their own."""

from typing import Any

from console.records.exports import Column


def tries_of(record: Any) -> int | None:
    """How often the work that is under way was begun, else the last that was; asked of records with `last_tries`."""
    tries: int | None = record.tries if record.is_working else record.last_tries
    return tries


def _person(record: Any) -> str:
    return str(record.initiated_by or "")


STATE = Column("State", lambda record: record.state_label)
FAILURE = Column("Failure", lambda record: record.failure_code)
WHY = Column("Why", lambda record: record.failure_message, width=60)
TRIES = Column("Tries", tries_of)
RUN_FOR = Column("Run for", _person)
LAST_CHANGE = Column("Last change", lambda record: record.entered_at, is_time=True)
