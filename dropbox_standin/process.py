"""The stand-in as a child process of a test, the demo or a benchmark."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dropbox_standin.client import Standin

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP_S = 5
ANNOUNCEMENT = "dropbox_standin listening on "


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files (PEM) with which to serve https; `ca` is what the control client trusts."""

    cert: Path
    key: Path
    ca: Path


class DidNotStart(RuntimeError):
    """The stand-in ended before it accepted; its own words are on standard error."""


@contextlib.contextmanager
def running(
    *, seed: str = "empty", latency_ms: int = 0, page_size: int = 2000, port: int = 0, tls: Tls | None = None
) -> Iterator[Standin]:
    """A stand-in that ends with the block, and with this process however that ends (on Linux).

    Raises:
        DidNotStart: it could not be started.
    """
    # The arguments are this module's own.
    with subprocess.Popen(  # noqa: S603
        _command(seed=seed, latency_ms=latency_ms, page_size=page_size, port=port, tls=tls),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        text=True,
    ) as process:
        try:
            with Standin(_address(process), ca=tls.ca if tls else None) as standin:
                yield standin
        finally:
            _stop(process)


def _command(*, seed: str, latency_ms: int, page_size: int, port: int, tls: Tls | None) -> list[str]:
    command = [sys.executable, "-m", "dropbox_standin", "--port", str(port), "--seed", _absolute(seed)]
    command += ["--latency-ms", str(latency_ms), "--page-size", str(page_size), "--parent", str(os.getpid())]
    if tls:
        command += ["--tls-cert", str(tls.cert.resolve()), "--tls-key", str(tls.key.resolve())]
    return command


def _absolute(seed: str) -> str:
    return seed if seed in {"empty", "demo"} else str(Path(seed).resolve())


def _address(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith(ANNOUNCEMENT):
        raise DidNotStart(f"the stand-in ended with exit code {process.wait(STOP_S)}; see its message above")
    return line.removeprefix(ANNOUNCEMENT).strip()


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
