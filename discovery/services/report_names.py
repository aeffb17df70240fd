"""Which files are previous reports, by their names; a folder of such a name is none."""

from django.conf import settings

from core.base.patterns import compiled_as_it_looks
from discovery.services.program_remains import is_remains


def is_report_name(name: str) -> bool:
    """Whether a file of that name is a previous report."""
    return looks_like_report(name) and not is_remains(name)


def looks_like_report(name: str) -> bool:
    """Whether the name matches `RUNSHEET_PREVIOUS_REPORT_PATTERN`, though it may be what a program has left behind."""
    return bool(compiled_as_it_looks(settings.RUNSHEET_PREVIOUS_REPORT_PATTERN)(name))
