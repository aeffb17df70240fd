"""A supervisor for the programs that `manage.py up` and the demo start.

    with stop_signals(), servers.running() as urls:
        environment = child_environment(urls, DROPBOX_BASE_URL=…)
        with supervised([standin(port=…), worker(count=4), RECONCILER], environment=environment) as children:
            children.wait_for("http://127.0.0.1:…")
            children.keep(urls.guards)

Nothing outlives the body: each child leads a session of its own, and whoever is left in it is killed. A supervisor that
is itself killed takes its children with it (Linux); a child of a child has to see to that itself, see `core.local.child`.
Everything happens in the thread that entered the body, because Linux ties a child to the *thread* that started it.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NoReturn, TextIO
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import psutil

from core.base.errors import RunsheetError
from core.local import servers
from core.local.programs import Program
from core.local.servers import ROOT, ServerUrls

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL_S = 0.1
DAILY_ROUND = re.compile(r'(^| |\[)INFO( |\])|"level": "info"')
# A child that dies starts again after 1, 2, 4 … seconds, from 1 again when it has run for the longest of them.
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class ProgramEnded(RunsheetError):
    """A program that was to go on running has ended."""

    code = "program_ended"


class NotAnswering(RunsheetError):
    """A program does not answer in time."""

    code = "not_answering"


class Child:
    """One running program, the leader of a session of its own."""

    def __init__(self, program: Program, *, environment: Mapping[str, str], logs: Path, echo: TextIO | None) -> None:
        self.program = program
        self.pause_s = FIRST_PAUSE_S
        self.restart_at: float | None = None  # on the monotonic clock
        self._environment = environment
        self._log = logs / f"{program.name}.log"
        self._echo = echo
        if self._log.exists():  # of the run before, which may be what somebody wants to read now
            self._log.replace(self._log.with_suffix(".log.1"))
        self._log.touch()
        self.start()

    def start(self) -> None:
        """Run the program (again)."""
        self.restart_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - the table of programs
            [sys.executable, "-m", "core.local.child", str(os.getpid()), *interpreted(self.program.command)],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self.program.inherits,
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._copy, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        """Whether the program has ended by itself."""
        return self.process.poll() is not None

    def stop(self) -> None:
        """End the program: in order if it can in its time, and whatever it leaves behind."""
        if not self.ended:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.program.stop_s)
        self.clear()

    def clear(self) -> None:
        """Kill whoever is left in the program's session, also processes whose parent is gone."""
        known: set[int] = set()
        while found := _session(self.process.pid) - known:
            known |= found
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(timeout=1)

    def say(self, line: str) -> None:
        """Tell the terminal, if there is one, unless it is the daily round, which only the log file keeps."""
        if self._echo is not None and not DAILY_ROUND.search(line):
            self._echo.write(f"{self.program.name:<10} | {line}\n")
            self._echo.flush()

    def _copy(self, output: IO[bytes]) -> None:
        with output, self._log.open("ab", buffering=0) as log:
            for line in output:
                log.write(line)
                self.say(line.decode(errors="replace").rstrip())


class Children:
    """The programs that run at present, in the order of their start."""

    def __init__(self, *, environment: Mapping[str, str], logs: Path, echo: TextIO | None) -> None:
        self.running: list[Child] = []
        self._environment = environment
        self._logs = logs
        self._echo = echo

    def start(self, *programs: Program) -> None:
        """Run more programs."""
        for program in programs:
            self.running.append(Child(program, environment=self._environment, logs=self._logs, echo=self._echo))

    def check(self) -> None:
        """See that all of them run.

        Raises:
            ProgramEnded: one has ended; the message shows its last lines.
        """
        for child in self.running:
            if child.ended:
                raise ProgramEnded(self._last_words(child))

    def wait_for(self, url: str, *, timeout_s: float = 30.0) -> None:
        """Wait until a server of theirs answers, whatever it answers.

        Raises:
            ProgramEnded: one of the programs has ended meanwhile.
            NotAnswering: it took longer than the time-out.
        """
        deadline = time.monotonic() + timeout_s
        while not _answers(url):
            self.check()
            if time.monotonic() > deadline:
                raise NotAnswering(f"{url} does not answer after {timeout_s:g} s; see {self._logs}.")
            time.sleep(POLL_S)

    def keep(self, guards: Mapping[str, Callable[[], bool]]) -> NoReturn:
        """Start again whichever ends, until interrupted.

        Args:
            guards: start again what is no program of ours; by name, see `core.local.servers.ServerUrls`.
        """
        guarded = [Guarded(name, guard) for name, guard in guards.items()]
        while True:
            self.mend()
            for each in guarded:
                self._say(each.name, each.look())
            time.sleep(POLL_S)

    def _say(self, name: str, line: str) -> None:
        if line and self._echo is not None:
            self._echo.write(f"{name:<10} | {line}\n")
            self._echo.flush()

    def mend(self) -> None:
        """Start again whichever has ended, after its pause; to be called again and again."""
        for child in self.running:
            _keep(child)

    def stop(self) -> None:
        """End all of them, the last started first."""
        while self.running:
            self.running[-1].stop()
            self.running.pop()

    def _last_words(self, child: Child) -> str:
        child.clear()
        log = self._logs / f"{child.program.name}.log"
        lines = log.read_text(errors="replace").splitlines()[-12:]
        return "\n".join([f"{child.program.name} has ended (exit code {child.process.returncode}):", *lines])


class Guarded:
    """A server that somebody else starts again, and the pauses between tries that fail."""

    def __init__(self, name: str, guard: Callable[[], bool]) -> None:
        self.name = name
        self._guard = guard
        self._next_at = 0.0

    def look(self) -> str:
        """See that it runs; what there is to tell."""
        if time.monotonic() < self._next_at:
            return ""
        try:
            return "had ended; it runs again" if self._guard() else ""
        except Exception as error:  # noqa: BLE001 - of two libraries, in their own words; the next try may succeed
            self._next_at = time.monotonic() + FIRST_PAUSE_S
            return (
                f"had ended and does not start ({str(error).partition(chr(10))[0]}); tried again in {FIRST_PAUSE_S:g} s"
            )


@contextmanager
def supervised(
    programs: Iterable[Program],
    *,
    environment: Mapping[str, str],
    logs: Path | None = None,
    echo: TextIO | None = None,
) -> Iterator[Children]:
    """Run programs for the length of the body.

    Args:
        environment: the whole environment of each; see `child_environment`.
        logs: where each gets a log file, emptied at its start; `.local/log` if not given.
        echo: where their lines above level INFO are shown as well, each behind its program's name.
    """
    logs = logs or servers.LOCAL / "log"
    logs.mkdir(parents=True, exist_ok=True)
    children = Children(environment=environment, logs=logs, echo=echo)
    with ExitStack() as stack:
        stack.callback(children.stop)
        children.start(*programs)
        yield children


@contextmanager
def stop_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end the body as `KeyboardInterrupt`, once: cleaning up is not disturbed."""

    def interrupt(*_: object) -> NoReturn:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(command: Sequence[str], *, environment: Mapping[str, str]) -> None:
    """Run a command to its end, its output on standard error.

    Raises:
        ProgramEnded: it failed.
    """
    done = subprocess.run(  # noqa: S603 - a command of the checkout
        interpreted(command), cwd=ROOT, env=environment, stdout=sys.stderr, check=False
    )
    if done.returncode != 0:
        raise ProgramEnded(f"“{' '.join(command)}” failed (exit code {done.returncode}); what it said stands above.")


def child_environment(urls: ServerUrls, *, settings_module: str = "core.settings.dev", **given: str) -> dict[str, str]:
    """This process's environment, where the servers are, and what is given beside under its own name, whatever file had it before."""
    told = {
        "DATABASE_URL": urls.database_url,
        "REDIS_URL": urls.redis_url,
        "DJANGO_SETTINGS_MODULE": settings_module,
        "PYTHONUNBUFFERED": "1",
        **given,
    }
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in told} | told


def interpreted(command: Sequence[str]) -> list[str]:
    """The command with this interpreter where it says `python`."""
    first, *rest = command
    return [sys.executable if first == "python" else first, *rest]


def free_port(preferred: int = 0) -> int:
    """A port of the loopback that nobody listens on: the preferred one, or any."""
    with socket.socket() as probe:
        # As gunicorn does: connections of a server that has just ended do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            if not preferred:
                raise
            return free_port()
        return int(probe.getsockname()[1])


def listening(preferred: int) -> socket.socket:
    """A listening socket of the loopback, on the preferred port or, if that is taken, on any.

    For a child to inherit: between finding a free port and using it, nobody else can take it.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", preferred))
        listener.listen()
    except OSError:
        listener.close()
        if not preferred:
            raise
        return listening(0)
    return listener


def _keep(child: Child) -> None:
    now = time.monotonic()
    if child.restart_at is not None:
        if now >= child.restart_at:
            child.start()
    elif child.ended:
        if now - child.started_at > LONGEST_PAUSE_S:
            child.pause_s = FIRST_PAUSE_S
        child.clear()
        child.say(f"ended (exit code {child.process.returncode}); starts again in {child.pause_s:g} s")
        child.restart_at = now + child.pause_s
        child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)


def _session(leader: int) -> set[int]:
    found = set()
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                found.add(pid)
    return found


def _answers(url: str) -> bool:
    try:
        build_opener(ProxyHandler({})).open(url, timeout=5).close()
    except HTTPError as error:
        error.close()  # a refusal is an answer too
    except OSError:
        return False
    return True
