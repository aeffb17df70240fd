"""Where Dropbox is: as the environment says, else the stand-in of a running `manage.py up`."""

import os
from collections.abc import Callable

import pytest

from tests.forking import Forks

pytestmark = pytest.mark.process

TELL = """
import json, os
from core.local import servers
servers.running_standin = lambda: json.loads(os.environ["RUNNING"])
from core.settings import dev
print([dev.DROPBOX_BASE_URL, dev.DROPBOX_APP_KEY, dev.DROPBOX_APP_SECRET])
"""
RUNNING = '{"DROPBOX_BASE_URL": "http://127.0.0.1:9", "DROPBOX_APP_KEY": "standin", "DROPBOX_APP_SECRET": "s"}'


@pytest.fixture
def settings_with(prepared: Forks) -> Callable[..., str]:
    def settings_with(**variables: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DROPBOX_")}
        told = prepared.run("python", "-c", TELL, environment={**kept, "RUNNING": RUNNING, **variables})
        assert told.returncode == 0, told.stderr
        return told.stdout.strip()

    return settings_with


class TestDropbox:
    def test_is_the_stand_in_that_runs(self, settings_with: Callable[..., str]) -> None:
        assert settings_with(DROPBOX_APP_KEY="mine") == "['http://127.0.0.1:9', 'standin', 's']"

    @pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:7"])
    def test_is_what_the_environment_says(self, settings_with: Callable[..., str], base_url: str) -> None:
        said = settings_with(DROPBOX_BASE_URL=base_url, DROPBOX_APP_KEY="mine")

        assert said == f"['{base_url}', 'mine', '']"

    def test_is_the_real_one_where_nothing_runs(self, settings_with: Callable[..., str]) -> None:
        assert settings_with(RUNNING="{}") == "['', '', '']"
