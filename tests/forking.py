"""Programs out of a process that has imported what they need: a fork instead of seconds of imports.

`python -m tests.forking project` has set Django up, for programs that share its environment; `… libraries` knows nothing
of this project, so that a program in an environment of its own reads its settings as a new process does. Both answer
each line on their standard input: with a number for a program that is to start, with how it ended for one that is to end,
or with null if that took too long, so that it was killed.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from core.local.child import end_with_parent
from core.local.programs import Program
from core.local.servers import ROOT

# What takes long to import and reads no settings when it is.
LIBRARIES = (
    "cryptography.fernet", "dj_database_url", "django.core.management", "django.db.models", "django.http", "django.urls",
    "django.test", "dropbox", "openpyxl", "prometheus_client", "psycopg", "re2", "redis.asyncio", "requests",
    "rich.console", "rq", "sentry_sdk", "structlog",
)  # fmt: skip
ANSWERS_WITHIN_S = 60  # on a machine that has much to do; what a program takes comes on top
PROJECT = ("core.urls", "statemachine.worker", "cloud.dropbox", "statemachine.management.commands.reconcile")


class Forks:
    """The programs that run, seen from the test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @contextmanager
    def running(self, *programs: Program, logs: Path) -> Iterator[None]:
        """Run the programs until the body ends; then they are killed, in the middle of whatever they do."""
        with ExitStack() as started:
            for program in programs:
                log = str(logs / f"{program.name}.log")
                number = self._start(command=program.command, files=[os.devnull, log, log])
                started.callback(self._end, number, within_s=30, signal=signal.SIGKILL)
            yield

    def run(
        self, *command: str, environment: Mapping[str, str], typed: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the project to its end, as `subprocess.run` does; `python` is this interpreter.

        Raises:
            TimeoutError: it did not end in time; it was killed, and the next one can be run.
        """
        with tempfile.TemporaryDirectory() as directory:
            files = [Path(directory) / name for name in ("typed", "said", "complained")]
            files[0].write_text(typed)
            number = self._start(command=command, files=list(map(str, files)), environment=dict(environment))
            code = self._end(number, within_s=timeout_s)
            return subprocess.CompletedProcess(command, code, files[1].read_text(), files[2].read_text())

    @contextmanager
    def serving(self, *command: str, environment: Mapping[str, str], log: Path) -> Iterator[None]:
        """Run a command of the project until the body ends, and let it end in order; whatever it says goes to the log.

        Raises:
            TimeoutError: it did not end in time, and was killed.
        """
        files = [os.devnull, str(log), str(log)]
        number = self._start(command=command, files=files, environment=dict(environment))
        try:
            yield
        finally:
            os.kill(number, signal.SIGTERM)
            self._end(number, within_s=90)  # a pool may take 25 s, and more on a machine that has much to do

    def _start(self, **question: Any) -> int:
        return int(self._ask(within_s=0, **question))

    def _end(self, number: int, *, within_s: float, **question: Any) -> int:
        if (code := self._ask(within_s=within_s, end=number, **question)) is None:
            raise TimeoutError(f"Program {number} did not end within {within_s} s, and was killed.")
        return int(code)

    def _ask(self, *, within_s: float, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"within_s": within_s, **question}) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], within_s + ANSWERS_WITHIN_S)[0]:
            self._process.kill()
            raise TimeoutError(question)
        return json.loads(self._process.stdout.readline())


@contextmanager
def forks(
    what: str, *, environment: Mapping[str, str], log: Path | None = None, inherits: tuple[int, ...] = ()
) -> Iterator[Forks]:
    """Import once, for all programs that are started in the body.

    Args:
        what: "project" or "libraries".
        log: where it complains; the terminal if not given.
    """
    with (log or Path(os.devnull)).open("ab") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", what],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints if log else None,
            pass_fds=inherits,
            text=True,
        )
    with process:
        yield Forks(process)
        process.communicate()


def _serve(what: str) -> None:
    """Until standard input ends."""
    end_with_parent()
    if what == "project":
        import_module("django").setup()
    for name in PROJECT if what == "project" else LIBRARIES:
        import_module(name)
    gc.freeze()  # else each program looks again and again for garbage among what is here already, and copies it by that
    for line in sys.stdin:
        question = json.loads(line)
        answer = _end(question) if "end" in question else _start(question)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


def _start(question: dict[str, Any]) -> int:
    number = os.fork()
    if number == 0:
        if "environment" in question:
            os.environ.clear()
            os.environ.update(question["environment"])
        _become(question["command"], question["files"])
    return number


def _end(question: dict[str, Any]) -> int | None:
    """Wait for it, if not kill it; how it ended, or nothing if it had to be killed because it did not.

    Who waited for ever would answer nobody any more, and all tests that come after would fail with the one.
    """
    number, is_late = question["end"], False

    def give_up(*_: object) -> None:
        nonlocal is_late
        is_late = True
        _kill(number, signal.SIGKILL)

    if "signal" in question:
        _kill(number, question["signal"])
    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, question["within_s"])
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return None if is_late else code


def _kill(number: int, how: int) -> None:
    """Itself and what it has started, but for who has not come to have a session of its own yet."""
    with suppress(ProcessLookupError):
        os.kill(number, how)
        os.killpg(number, how)


def _become(command: Sequence[str], files: list[str]) -> NoReturn:
    """Run the command as its own process would: a session and three files."""
    os.setsid()
    end_with_parent()
    os.dup2(os.open(files[0], os.O_RDONLY), 0)
    for number, file in enumerate(files[1:], start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    with _leaving_at_once():
        _run(command)
    sys.exit()


@contextmanager
def _leaving_at_once() -> Iterator[None]:
    """What the program asked for at its end is done; but what this process had imported is not taken down piece by piece.

    That takes longer than most programs, since each piece that is shared with others has to be copied first.
    """
    code = 0

    def leave() -> NoReturn:
        for file in (sys.stdout, sys.stderr):
            file.flush()
        os._exit(code)

    atexit.register(leave)  # what is registered first is called last
    try:
        yield
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    except BaseException:
        code = 1
        raise


def _run(command: Sequence[str]) -> None:
    _python, first, *rest = command
    if first == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    elif first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [first, *rest]
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    _serve(sys.argv[1])
