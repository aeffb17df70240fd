"""The pool of workers; what it does with them is django-rq's."""

import gc
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command, get_commands

COMMAND = "rqworker-pool"


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


class TestPool:
    def test_is_ours(self) -> None:
        assert get_commands()[COMMAND] == "statemachine"

    def test_forks_when_what_is_loaded_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        frozen = []

        def start(_command: Any, *queues: str, **_options: Any) -> None:
            frozen.append((queues, gc.get_freeze_count() > 10_000))

        monkeypatch.setattr(import_module(f"django_rq.management.commands.{COMMAND}").Command, "handle", start)

        call_command(COMMAND, "discovery")

        assert frozen == [(("discovery",), True)]
