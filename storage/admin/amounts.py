"""Sizes and times of files in words."""

from datetime import datetime, timedelta

from storage.backends.stored import EPOCH

UNITS = ("KB", "MB", "GB", "TB", "PB")
STEP = 1024


def size_text(size: int) -> str:
    """So many bytes in words: “1.4 MB”."""
    if size < STEP:
        return f"{size} byte{'' if size == 1 else 's'}"
    amount, unit = size / STEP, UNITS[0]
    for larger in UNITS[1:]:
        if round(amount, 1) < STEP:
            break
        amount, unit = amount / STEP, larger
    return f"{amount:,.1f} {unit}"


def instant(nanoseconds: int) -> datetime | None:
    """What so many nanoseconds since 1970 mean; None if that is in no year that a calendar has."""
    try:
        return EPOCH + timedelta(microseconds=nanoseconds // 1_000)
    except OverflowError:
        return None
