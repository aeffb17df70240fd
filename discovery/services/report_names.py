"""Which files are previous reports, by their names; a folder of such a name is none."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from core.base.patterns import compiled_as_it_looks
from discovery.services.program_remains import is_remains, told_of_remains


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Which files have the name of a previous report.

    Attributes:
        names: in the order in which they were given.
        passed_over: they would match, too, and are what a program has left behind.
    """

    names: tuple[str, ...]
    passed_over: tuple[str, ...]

    @property
    def evidence(self) -> dict[str, Any]:
        """What they were told by, and what was passed over."""
        told = {"pattern": settings.RUNSHEET_PREVIOUS_REPORT_PATTERN, "matching": list(self.names)}
        return told | told_of_remains(self.passed_over)


def reports_among(names: Iterable[str]) -> Reports:
    """The previous reports among the files of a directory.

    Args:
        names: of files only; a folder of such a name is no report.
    """
    is_report = compiled_as_it_looks(settings.RUNSHEET_PREVIOUS_REPORT_PATTERN)
    matching = [name for name in names if is_report(name)]
    remains = tuple(name for name in matching if is_remains(name))
    return Reports(names=tuple(name for name in matching if name not in remains), passed_over=remains)


def is_report_name(name: str) -> bool:
    """Whether a file of that name is a previous report."""
    return bool(reports_among([name]).names)
