"""`manage.py` without its servers says so in a sentence, whichever command it is."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from core.base import outages
from tests.core.conftest import Manage

pytestmark = pytest.mark.process

NOBODY = "127.0.0.1:1"
MAKE_UP = "On this machine, “make up” starts it."


@pytest.fixture
def alone(manage: Manage) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`manage.py WORDS` as a developer calls it while nothing runs."""
    away = {"DATABASE_URL": f"postgres://nobody@{NOBODY}/none", "REDIS_URL": f"redis://{NOBODY}/0"}
    return partial(manage, environment={**os.environ, **away, "DJANGO_SETTINGS_MODULE": "core.settings.dev"})


class TestWithoutServers:
    @pytest.mark.parametrize(
        ("command", "who"),
        [
            (("migrate",), "The database"),
            (("discover", "BLM", "1", "--user", "nobody"), "The database"),
            (
                ("shell", "--no-imports", "--command", "from django_rq import get_queue as q; q('discovery').count"),
                "Redis",
            ),
        ],
    )
    def test_is_said_in_one_sentence_with_what_starts_them(
        self, alone: Callable[..., subprocess.CompletedProcess[str]], command: tuple[str, ...], who: str
    ) -> None:
        done = alone(*command)

        assert done.returncode == 1
        assert f"{who} does not answer" in done.stderr
        assert MAKE_UP in done.stderr
        assert "Traceback" not in done.stderr

    def test_hides_no_bug(self, alone: Callable[..., subprocess.CompletedProcess[str]]) -> None:
        done = alone("shell", "--no-imports", "--command", "1 / 0")

        assert "ZeroDivisionError" in done.stderr


class TestInWords:
    @pytest.mark.parametrize("error", [OperationalError("refused"), RedisConnectionError("refused")])
    def test_names_what_starts_it_here(self, error: Exception, settings: Any) -> None:
        assert "make up" not in outages.in_words(error)

        settings.START_SERVERS = MAKE_UP

        assert outages.in_words(error).endswith(f"is right. {MAKE_UP}")
