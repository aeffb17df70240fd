"""The pool of workers; what it does with them is django-rq's."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command, get_commands

from core.local.servers import ROOT

COMMAND = "rqworker-pool"
# Instead of doing its work, which needs a module of commands, a program tells what it has loaded for it.
TELLS = """
import sys
from importlib import import_module

import django

django.setup()
import_module({module!r}).Command.handle = lambda *_, **__: print(*sys.modules)
sys.argv = ["manage.py", *{command!r}]
import manage

manage.main()
"""
LOADED = {"discovery.reactions", "console.reactions", "cloud.dropbox.gateway"}
# What only pages, files and other commands need, or nobody; each takes megabytes.
NOT_NEEDED = ("console.machine", "leases.admin", "core.urls", "openpyxl", "prometheus_client",
    "rich", "sentry_sdk")  # fmt: skip


@pytest.fixture(autouse=True)
def _looked_at() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.freeze()


class TestPool:
    def test_is_ours(self) -> None:
        assert get_commands()[COMMAND] == "statemachine"

    def test_forks_when_what_is_loaded_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        frozen: list[Any] = []

        def start(_command: Any, *queues: str, **_options: Any) -> None:
            frozen.append((queues, gc.get_freeze_count() > 10_000))

        # Not of this process, which goes on for long.
        monkeypatch.setattr(
            import_module(f"statemachine.management.commands.{COMMAND}"),
            "leave_uncounted",
            lambda: frozen.append("uncounted"),
        )
        monkeypatch.setattr(import_module(f"django_rq.management.commands.{COMMAND}").Command, "handle", start)

        call_command(COMMAND, "discovery")

        assert frozen == ["uncounted", (("discovery",), True)]

    @pytest.mark.process
    def test_loads_the_work_and_not_what_only_pages_need(self) -> None:
        loaded = loaded_by(f"django_rq.management.commands.{COMMAND}", COMMAND, "discovery")

        assert {*LOADED, "statemachine.worker"} <= loaded
        assert loaded & set(NOT_NEEDED) == set()


class TestReconciler:
    @pytest.mark.process
    def test_loads_no_more(self) -> None:
        loaded = loaded_by("statemachine.management.commands.reconcile", "reconcile")

        assert loaded >= LOADED
        assert loaded & set(NOT_NEEDED) == set()


def loaded_by(module: str, *command: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", TELLS.format(module=module, command=command)],
        env={**os.environ, "SENTRY_DSN": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(told.stdout.split())
