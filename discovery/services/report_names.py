"""Which names are those of previous reports."""

from collections.abc import Iterable

from django.conf import settings

from core.base.patterns import compiled_as_it_looks
from discovery.services.program_remains import is_remains


def has_report_name(name: str) -> bool:
    """Whether a file's name matches `RUNSHEET_PREVIOUS_REPORT_PATTERN`, be it a program's remains or not."""
    return bool(compiled_as_it_looks(settings.RUNSHEET_PREVIOUS_REPORT_PATTERN)(name))


def names_a_report(names: Iterable[str]) -> bool:
    """Whether one of the files is a report, and no remains of a program."""
    return any(has_report_name(name) and not is_remains(name) for name in names)
