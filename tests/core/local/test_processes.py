import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from core.local import processes
from core.local.processes import (
    Child,
    Children,
    NotAnswering,
    ProgramEnded,
    child_environment,
    free_port,
    listening,
    run,
    stop_signals,
    supervised,
)
from core.local.programs import Program
from core.local.servers import ROOT, ServerUrls

pytestmark = pytest.mark.process

# Without the coverage's: a toy that is killed while it writes its figures complains where its words are looked at.
ENVIRONMENT = {name: value for name, value in os.environ.items() if "COV" not in name} | {"PYTHONUNBUFFERED": "1"}
SLEEPS = "import time; time.sleep(60)"
# Says where it and its child are; the child has left the parent's process group and ignores what is asked politely.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setpgrp()
os.write(1, b"%d\\n" % os.getpid())  # at once, so that the two do not mix
time.sleep(60)
"""
SERVES = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


def python(code: str, *arguments: str, name: str = "toy", stop_s: float = 5) -> Program:
    return Program(name=name, command=("python", "-c", code, *arguments), stop_s=stop_s)


def eventually[T](ask: Callable[[], T], *, within_s: float = 10) -> T:
    deadline = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return answer


def pids_in(log: Path, *, count: int) -> list[int]:
    eventually(lambda: log.exists() and log.read_text().count("\n") >= count)
    return [int(line) for line in log.read_text().split()]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def children(logs: Path) -> Iterator[Children]:
    with supervised([], environment=ENVIRONMENT, logs=logs) as found:
        yield found


class TestSupervised:
    def test_keeps_what_a_program_says_in_its_log(self, children: Children, logs: Path) -> None:
        children.start(python("print('all is well')"))

        eventually(lambda: "all is well\n" in (logs / "toy.log").read_text())

    def test_shows_it_behind_the_name_but_not_the_daily_round(self, logs: Path) -> None:
        terminal = io.StringIO()
        code = "print('WARNING look here'); print('12:00 INFO as ever'); print('[1] [INFO] as ever')"

        with supervised([python(code)], environment=ENVIRONMENT, logs=logs, echo=terminal):
            eventually(lambda: (logs / "toy.log").read_text().count("\n") == 3)

        assert terminal.getvalue() == "toy        | WARNING look here\n"

    def test_ends_the_last_started_first(self, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        order: list[str] = []
        stop = Child.stop

        def noted(child: Child) -> None:
            order.append(child.program.name)
            stop(child)

        monkeypatch.setattr(Child, "stop", noted)
        programs = [python(SLEEPS, name=name) for name in ("first", "second")]

        with supervised(programs, environment=ENVIRONMENT, logs=logs):
            pass

        assert order == ["second", "first"]

    def test_kills_what_does_not_end_in_its_time_and_what_that_has_started(self, logs: Path) -> None:
        with supervised([python(STUBBORN, stop_s=0.1)], environment=ENVIRONMENT, logs=logs):
            pids = pids_in(logs / "toy.log", count=2)

        eventually(lambda: not any(map(alive, pids)))

    def test_kills_what_an_ended_program_has_left_behind(self, logs: Path) -> None:
        code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]).pid)"

        with supervised([python(code)], environment=ENVIRONMENT, logs=logs) as children:
            [orphan] = pids_in(logs / "toy.log", count=1)
            eventually(lambda: children.running[0].process.poll() is not None)

        eventually(lambda: not alive(orphan))

    def test_ends_all_of_them_when_the_body_fails(self, logs: Path) -> None:
        with (
            pytest.raises(ZeroDivisionError),
            supervised([python(SLEEPS)], environment=ENVIRONMENT, logs=logs) as children,
        ):
            child = children.running[0]
            raise ZeroDivisionError

        assert child.process.returncode == -signal.SIGTERM

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do that")
    def test_takes_the_programs_along_when_it_is_killed_itself(self, logs: Path) -> None:
        code = (
            "import pathlib, sys, time; from core.local.processes import *; from core.local.programs import Program\n"
            f"toy = Program(name='toy', command=('python', '-c', 'import os; print(os.getpid(), flush=True); {SLEEPS}'))\n"
            "with supervised([toy], environment=os.environ, logs=pathlib.Path(sys.argv[1])): time.sleep(60)\n"
        )
        supervisor = subprocess.Popen([sys.executable, "-c", code, str(logs)], cwd=ROOT)
        [pid] = pids_in(logs / "toy.log", count=1)

        supervisor.kill()
        supervisor.wait()

        eventually(lambda: not alive(pid))


class TestCheck:
    def test_is_content_while_all_run(self, children: Children) -> None:
        children.start(python(SLEEPS))

        children.check()

    def test_shows_the_last_words_of_a_program_that_has_ended(self, children: Children) -> None:
        children.start(python("raise SystemExit('no such port')"))
        eventually(lambda: children.running[0].ended)

        with pytest.raises(ProgramEnded, match=r"toy has ended \(exit code 1\):\nno such port"):
            children.check()


class TestWaitFor:
    def test_returns_when_somebody_answers_even_with_a_refusal(self, children: Children) -> None:
        port = free_port()
        children.start(python(SERVES, str(port)))

        children.wait_for(f"http://127.0.0.1:{port}/")

    def test_tells_of_a_program_that_ends_meanwhile(self, children: Children) -> None:
        children.start(python("raise SystemExit('cannot')"))

        with pytest.raises(ProgramEnded, match="cannot"):
            children.wait_for(f"http://127.0.0.1:{free_port()}/")

    def test_gives_up_after_its_time(self, children: Children) -> None:
        with pytest.raises(NotAnswering, match="does not answer after 0 s"):
            children.wait_for(f"http://127.0.0.1:{free_port()}/", timeout_s=0)


class TestKeep:
    def test_starts_a_program_again_with_growing_pauses(self, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "FIRST_PAUSE_S", 0.01)
        monkeypatch.setattr(processes, "POLL_S", 0.01)
        terminal = io.StringIO()

        with (
            pytest.raises(KeyboardInterrupt),
            supervised([python("raise SystemExit(3)")], environment=ENVIRONMENT, logs=logs, echo=terminal) as children,
            stop_signals(),
        ):
            threading.Thread(target=interrupt_when, args=(lambda: terminal.getvalue().count("\n") >= 3,)).start()
            children.keep({})

        assert terminal.getvalue().splitlines()[:3] == [
            f"toy        | ended (exit code 3); starts again in {pause} s" for pause in ("0.01", "0.02", "0.04")
        ]

    def test_tells_what_became_of_servers_that_it_guards(
        self, children: Children, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "FIRST_PAUSE_S", 0.01)
        monkeypatch.setattr(processes, "POLL_S", 0.01)
        terminal = io.StringIO()
        monkeypatch.setattr(children, "_echo", terminal)
        answers = iter([False, RuntimeError("no room\nand more"), True])

        def guard() -> bool:
            answer = next(answers, False)
            if isinstance(answer, Exception):
                raise answer
            return bool(answer)

        with pytest.raises(KeyboardInterrupt), stop_signals():
            threading.Thread(target=interrupt_when, args=(lambda: "runs again" in terminal.getvalue(),)).start()
            children.keep({"valkey": guard})

        assert terminal.getvalue().splitlines() == [
            "valkey     | had ended and does not start (no room); tried again in 0.01 s",
            "valkey     | had ended; it runs again",
        ]

    def test_begins_with_the_shortest_pause_after_a_long_run(
        self, children: Children, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "LONGEST_PAUSE_S", 0)
        children.start(python("raise SystemExit(3)"))
        child = children.running[0]
        child.pause_s = 16
        eventually(lambda: child.ended)

        processes._keep(child)

        assert child.restart_at is not None
        assert child.restart_at - time.monotonic() < processes.FIRST_PAUSE_S

    def test_leaves_a_running_program_alone(self, children: Children) -> None:
        children.start(python(SLEEPS))
        process = children.running[0].process

        processes._keep(children.running[0])

        assert children.running[0].process is process


def interrupt_when(condition: Callable[[], bool]) -> None:
    eventually(condition)
    os.kill(os.getpid(), signal.SIGTERM)


class TestStopSignals:
    @pytest.mark.parametrize("number", processes.STOP_SIGNALS)
    def test_end_the_body_once_and_leave_the_cleaning_up_alone(self, number: int) -> None:
        cleaned = False
        with pytest.raises(KeyboardInterrupt), stop_signals():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), number)
                cleaned = True

        assert cleaned

    def test_put_back_what_was_before(self) -> None:
        before = signal.getsignal(signal.SIGTERM)

        with stop_signals():
            assert signal.getsignal(signal.SIGTERM) != before

        assert signal.getsignal(signal.SIGTERM) == before


class TestRun:
    def test_tells_what_failed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stderr", sys.__stderr__)

        with pytest.raises(ProgramEnded, match=r"“python -c raise SystemExit\(4\)” failed \(exit code 4\)"):
            run(("python", "-c", "raise SystemExit(4)"), environment=ENVIRONMENT)

    def test_returns_when_it_has_worked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stderr", sys.__stderr__)

        run(("python", "-c", ""), environment=ENVIRONMENT)


class TestChildEnvironment:
    def test_says_where_the_servers_are(self) -> None:
        urls = ServerUrls(database_url="postgresql:///x", redis_url="redis://x")

        environment = child_environment(urls, DROPBOX_BASE_URL="http://127.0.0.1:9")

        assert environment["DATABASE_URL"] == "postgresql:///x"
        assert environment["REDIS_URL"] == "redis://x"
        assert environment["DROPBOX_BASE_URL"] == "http://127.0.0.1:9"
        assert environment["DJANGO_SETTINGS_MODULE"] == "core.settings.dev"

    def test_has_no_file_for_what_it_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DATABASE_URL_FILE", "DROPBOX_APP_SECRET_FILE", "EMAIL_URL_FILE"):
            monkeypatch.setenv(name, f"/run/secrets/{name}")
        urls = ServerUrls(database_url="postgresql:///x", redis_url="redis://x")

        environment = child_environment(urls, DROPBOX_APP_SECRET="of-the-stand-in")

        assert {name for name in environment if name.endswith(("URL_FILE", "SECRET_FILE"))} == {"EMAIL_URL_FILE"}


class TestFreePort:
    def test_is_the_preferred_one_if_it_can_be_had(self) -> None:
        port = free_port()

        assert free_port(port) == port

    def test_is_another_one_if_not(self, children: Children) -> None:
        port = free_port()
        children.start(python(SERVES, str(port)))
        children.wait_for(f"http://127.0.0.1:{port}/")

        assert free_port(port) != port


class TestChild:
    def test_does_not_start_when_its_parent_has_died_already(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "core.local.child", "1", sys.executable, "-c", "print('started')"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )

        assert done.stdout == b""


class TestListening:
    def test_two_of_them_never_share_a_port(self) -> None:
        with listening(0) as first:
            port = first.getsockname()[1]

            with listening(port) as second:
                assert second.getsockname()[1] != port

    def test_a_child_serves_what_it_inherits(self, logs: Path) -> None:
        with listening(0) as listener:
            code = (
                "import http.server as h, socket; s = h.HTTPServer(('', 0), h.SimpleHTTPRequestHandler, False); "
                f"s.socket = socket.socket(fileno={listener.fileno()}); s.serve_forever()"
            )
            program = replace(python(code), inherits=(listener.fileno(),))

            with supervised([program], environment=ENVIRONMENT, logs=logs) as children:
                children.wait_for(f"http://127.0.0.1:{listener.getsockname()[1]}/")
