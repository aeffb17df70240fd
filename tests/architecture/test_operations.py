"""docs/operations.md names every variable that the settings read, and what is passed over by default."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = [ROOT / ".env.example", *(ROOT / "deploy/kubernetes/overlays").glob("*/configuration.env")]
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


class TestSamples:
    """Addresses that somebody copies."""

    def test_name_the_authority_without_which_nothing_connects(self) -> None:
        """By a file: libpq as its package brings it looks for the system's authorities in a folder of its own."""
        texts = [*SAMPLES, *(ROOT / "docs").glob("*.md")]
        told = [each for path in texts for each in re.findall(r"\?sslmode=verify-[^\s`]*", path.read_text())]

        assert len(told) > 5
        assert [each for each in told if "&sslrootcert=" not in each or "sslrootcert=system" in each] == []

    def test_come_to_redis_as_a_user_that_it_lets_in(self) -> None:
        users = (ROOT / "deploy/redis/users.acl").read_text()
        told = [each for path in SAMPLES for each in re.findall(r"rediss?://([^\s]*)", path.read_text())]

        assert "user default off" in users
        assert len(told) > 2
        assert [each for each in told if not each.startswith("runsheet@")] == []
