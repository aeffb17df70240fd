"""Whoever asks in a thread or a process of their own, waits at a step, or is killed at it."""

import os
import signal
import warnings
from collections.abc import Callable
from threading import Event
from typing import Any

from django.db import connections


def closing(ask: Callable[..., Any]) -> Callable[..., Any]:
    """What is done by a thread, whose connection nobody uses afterwards."""

    def asked(*given: Any) -> Any:
        try:
            return ask(*given)
        finally:
            connections.close_all()

    return asked


def pausing(steps: dict[str, Callable[[], Any]], step: str) -> tuple[Event, Event]:
    """Whoever comes to that step says so, and waits."""
    begun, go_on = Event(), Event()

    def pause() -> None:
        begun.set()
        go_on.wait(30)

    steps[step] = pause
    return begun, go_on


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def in_another_process(ask: Callable[[], Any]) -> None:
    """Ask, and die on the way."""
    connections.close_all()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        child = os.fork()
    if child == 0:
        try:
            ask()
        finally:
            os._exit(0)  # it should have been killed
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
