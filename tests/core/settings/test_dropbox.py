"""Where Dropbox is: as the environment says, else the stand-in of a running `manage.py up`."""

import os
import subprocess
import sys

import pytest

from core import servers

TELL = """
import json, os
from core import servers
servers.running_standin = lambda: json.loads(os.environ["RUNNING"])
from core.settings import dev
print([dev.DROPBOX_BASE_URL, dev.DROPBOX_APP_KEY, dev.DROPBOX_APP_SECRET])
"""
RUNNING = '{"DROPBOX_BASE_URL": "http://127.0.0.1:9", "DROPBOX_APP_KEY": "standin", "DROPBOX_APP_SECRET": "s"}'


def settings_with(**variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DROPBOX_")}
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=servers.ROOT,
        env={**kept, "RUNNING": RUNNING, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()


class TestDropbox:
    def test_is_the_stand_in_that_runs(self) -> None:
        assert settings_with(DROPBOX_APP_KEY="mine") == "['http://127.0.0.1:9', 'standin', 's']"

    @pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:7"])
    def test_is_what_the_environment_says(self, base_url: str) -> None:
        said = settings_with(DROPBOX_BASE_URL=base_url, DROPBOX_APP_KEY="mine")

        assert said == f"['{base_url}', 'mine', '']"

    def test_is_the_real_one_where_nothing_runs(self) -> None:
        assert settings_with(RUNNING="{}") == "['', '', '']"
