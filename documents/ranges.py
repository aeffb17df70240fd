"""Which parts of a file are asked for (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from core.base.errors import Refused

# More are no reader's wish. Those that touch or overlap are one, so that nobody gets more than there is.
AT_MOST = 16
RANGE = re.compile(r"[ \t]*(\d{0,100})-(\d{0,100})[ \t]*", re.ASCII)


class RangeRefused(Refused):
    """The file has no such part.

    Attributes:
        size: of the file, in bytes.
    """

    code = "range_not_satisfiable"
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE

    def __init__(self, message: str = "", *, size: int) -> None:
        super().__init__(message or f"The file has no such part; it has {size:,} bytes.")
        self.size = size


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """Bytes of a file, from the first to before the last."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def of(self, size: int) -> str:
        """As Content-Range says it."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def wanted(header: str, *, size: int) -> tuple[Part, ...]:
    """The parts of a file of that size; none: the header is to be ignored, as what is no range has to be.

    Parts that touch or overlap are one then, in the order of the file; others stay in the order in which they are asked for.

    Raises:
        RangeRefused: none of them is in the file, or they are too many.
    """
    unit, equals, said = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return ()
    members = [each for each in said.split(",") if each.strip()]
    read = [RANGE.fullmatch(each) for each in members]
    if not read or None in read:
        return ()
    bounds = [(each[1], each[2]) for each in read if each]
    if any(not (first or last) or (first and last and int(last) < int(first)) for first, last in bounds):
        return ()
    if len(bounds) > AT_MOST:
        raise RangeRefused(f"At most {AT_MOST} parts of a file are sent at once.", size=size)
    parts = [part for first, last in bounds if (part := _part(first, last, size))]
    if not parts:
        raise RangeRefused(size=size)
    return _apart(parts)


def _part(first: str, last: str, size: int) -> Part | None:
    """What there is of it."""
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
    return Part(start, end) if start < end else None


def _apart(parts: list[Part]) -> tuple[Part, ...]:
    merged: list[Part] = []
    for part in sorted(parts):
        if merged and part.start <= merged[-1].end:
            merged[-1] = Part(merged[-1].start, max(merged[-1].end, part.end))
        else:
            merged.append(part)
    return tuple(parts) if len(merged) == len(parts) else tuple(merged)
