"""docs/operations.md names every variable that the settings read, and what is passed over by default."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = [*(ROOT / "core/settings").glob("*.py"), ROOT / "gunicorn.conf.py"]


def read() -> set[str]:
    source = "\n".join(path.read_text() for path in SETTINGS)
    return set(re.findall(r"""(?:environ\.get|environment\.\w+)\(\s*f?"(?:\{before\})?([A-Z0-9_]+)\"""", source)) - {
        "PYTEST_XDIST_WORKER"
    }


class TestOperations:
    def test_explain_every_variable_that_is_read(self) -> None:
        explained = set(re.findall(r"`([A-Z0-9_]+)`", (ROOT / "docs/operations.md").read_text()))

        assert read() - explained == set()
        assert len(read()) > 15

    def test_name_every_form_of_what_programs_leave_behind(self) -> None:
        _, _, section = (ROOT / "docs/operations.md").read_text().partition("### Remains of programs\n")
        told = re.findall(r"`([^`]+)`", section.partition("\n## ")[0].partition("| Forms |\n")[2])

        assert set(settings.RUNSHEET_PROGRAM_REMAINS) - set(told) == set()
        assert len(settings.RUNSHEET_PROGRAM_REMAINS) > 50
