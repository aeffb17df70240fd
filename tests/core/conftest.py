"""Commands of the project in an environment of their own."""

import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from tests.forking import Forks


class Manage(Protocol):
    """`manage.py WORDS`, which reads its settings from this environment alone."""

    def __call__(self, *words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def manage(prepared: "Forks") -> Manage:
    return lambda *words, environment: prepared.run("python", "manage.py", *words, environment=environment)
