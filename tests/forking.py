"""Programs of the project out of a process that has imported all of it: a fork instead of seconds of imports.

`python -m tests.forking` answers each line on its standard input: a number for a program that is to start, nothing for
one that is to end.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from core.child import end_with_parent
from core.programs import Program
from core.servers import ROOT


class Forks:
    """The programs that run, seen from the test."""

    def __init__(self, process: "subprocess.Popen[str]", logs: Path) -> None:
        self._process = process
        self._logs = logs

    @contextmanager
    def running(self, *programs: Program) -> Iterator[None]:
        """Run the programs until the body ends; then they are killed, in the middle of whatever they do."""
        numbers = [
            self._ask({"start": list(program.command), "log": str(self._logs / f"{program.name}.log")})
            for program in programs
        ]
        try:
            yield
        finally:
            for number in numbers:
                self._ask({"end": number})

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def forks(*, environment: Mapping[str, str], logs: Path, inherits: tuple[int, ...] = ()) -> Iterator[Forks]:
    """Import the project once, for all programs with this environment."""
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / "forking.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=inherits,
            text=True,
        )
    with process:
        yield Forks(process, logs)
        process.communicate()


def _serve() -> None:
    """Until standard input ends."""
    end_with_parent()
    _import_everything()
    for line in sys.stdin:
        question = json.loads(line)
        answer = _start(question["start"], question["log"]) if "start" in question else _end(question["end"])
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _import_everything() -> None:
    import django

    django.setup()
    import statemachine.management.commands.reconcile  # noqa: F401 - for the programs


def _start(command: list[str], log: str) -> int:
    number = os.fork()
    if number == 0:
        _become(command, log)
    return number


def _end(number: int) -> int:
    os.killpg(number, signal.SIGKILL)
    return os.waitpid(number, 0)[1]


def _become(command: list[str], log: str) -> NoReturn:
    """Run the command as its own process would: a session, a log and no standard input."""
    os.setsid()
    end_with_parent()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _python, first, *rest = command
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [first, *rest]
        runpy.run_path(first, run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    _serve()
