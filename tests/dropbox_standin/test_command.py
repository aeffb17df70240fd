import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from dropbox_standin import process
from dropbox_standin.client import Standin
from dropbox_standin.process import DidNotStart, running
from tests.forking import Forks

pytestmark = pytest.mark.process


class TestStart:
    def test_says_one_line_once_it_accepts(self) -> None:
        with started("--port", "0", "--seed", "empty") as (child, line):
            address = line.removeprefix("dropbox_standin listening on ").strip()

            with Standin(address) as standin:
                assert standin.tree() == ()
            child.send_signal(signal.SIGINT)

            rest, _ = child.communicate(timeout=5)
            assert (child.returncode, rest) == (0, "")

    def test_listens_on_loopback_only(self, standin: Standin) -> None:
        port = int(standin.base_url.rpartition(":")[2])
        here = psutil.Process()

        listening = {
            connection.laddr.ip
            for child in here.children(recursive=True)
            for connection in child.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        }

        assert listening == {"127.0.0.1"}

    def test_takes_latency_page_size_and_a_seed_file(self, tmp_path: Path) -> None:
        seed = tmp_path / "seed.json"
        seed.write_text(json.dumps({"team": ["/A/"]}))

        with running(seed=str(seed), latency_ms=5, page_size=7) as standin:
            settings = standin._get("")["settings"]

            assert standin.tree() == ("/A/",)
            assert (settings["latency_ms"], settings["page_size"]) == (5, 7)

    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ((), "--port"),
            (("--port", "high"), "'high' is not a whole number from 0 to 65535"),
            (("--port", "70000"), "'70000' is not a whole number from 0 to 65535"),
            (("--port", "0", "--latency-ms", "-1"), "'-1' is not a whole number"),
            (("--port", "0", "--page-size", "2001"), "'2001' is not a whole number from 1 to 2000"),
            (("--port", "0", "--seed", "missing.json"), "neither demo nor empty nor a file"),
            (("--port", "0", "--seed", __file__), "is not JSON"),
            (("--port", "0", "--tls-cert", "cert.pem"), "belong together"),
            (("--port", "0", "--tls-cert", "no.pem", "--tls-key", "no.pem"), "certificate or key cannot be used"),
            (("--port", "0", "--strange"), "--strange"),
        ],
    )
    def test_refuses_a_bad_argument_in_one_sentence(
        self, prepared: Forks, arguments: tuple[str, ...], problem: str
    ) -> None:
        done = prepared.run("python", "-m", "dropbox_standin", *arguments, environment=os.environ)

        assert (done.returncode, done.stdout) == (2, "")
        assert problem in done.stderr
        assert done.stderr.count("\n") == 1

    def test_refuses_a_port_that_is_taken(self, prepared: Forks) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            done = prepared.run("python", "-m", "dropbox_standin", "--port", str(port), environment=os.environ)

        assert (done.returncode, f"port {port} cannot be used" in done.stderr) == (2, True)


class TestEnd:
    def test_comes_quickly_although_somebody_polls(self, tmp_path: Path) -> None:
        with started("--port", "0", "--seed", "empty") as (child, line):
            port = int(line.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as idle:
                idle.sendall(b"GET /standin/ HTTP/1.1\r\nHost: x\r\n\r\n")
                idle.recv(1)

                child.terminate()

                assert child.wait(timeout=3) == 0

    def test_comes_with_the_parents(self) -> None:
        script = (
            "import os, signal\n"
            "from dropbox_standin.process import running\n"
            "with running() as standin:\n"
            "    print(standin.base_url, flush=True)\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )

        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)

        assert done.returncode == -signal.SIGKILL
        assert refuses_soon(int(done.stdout.rpartition(":")[2]))

    def test_comes_at_once_when_the_parent_is_gone_already(self) -> None:
        stranger = str(os.getppid())

        done = subprocess.run(
            command("--port", "0", "--parent", stranger), capture_output=True, text=True, timeout=20, check=False
        )

        assert (done.returncode, done.stdout) == (0, "")


class TestRunning:
    def test_leaves_nothing_behind(self) -> None:
        with running() as standin:
            port = int(standin.base_url.rpartition(":")[2])

        assert refuses_soon(port)

    def test_leaves_nothing_behind_when_the_block_fails(self) -> None:
        with pytest.raises(ZeroDivisionError), running() as standin:
            port = int(standin.base_url.rpartition(":")[2])
            raise ZeroDivisionError

        assert refuses_soon(port)

    def test_says_when_it_did_not_start(self, capfd: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(DidNotStart, match="exit code 2"), running(seed="missing.json"):
            raise AssertionError("it cannot have started")

        assert "neither demo nor empty" in capfd.readouterr().err

    def test_kills_a_stand_in_that_does_not_listen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "STOP_S", 0.2)
        with running() as standin:
            port = int(standin.base_url.rpartition(":")[2])
            (child,) = [
                one
                for one in psutil.Process().children()
                # What another test has ended and nobody has asked for yet has no words.
                if one.status() != psutil.STATUS_ZOMBIE and one.cmdline()[-1] == str(os.getpid()) and listens(one, port)
            ]
            child.suspend()

        assert not child.is_running()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dropbox_standin", *arguments]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield child, child.stdout.readline()
        finally:
            child.kill()


def listens(child: psutil.Process, port: int) -> bool:
    return any(connection.laddr.port == port for connection in child.net_connections("inet"))


def refuses_soon(port: int) -> bool:
    """Whether nobody listens any more, within five seconds."""
    for _ in range(500):
        with socket.socket() as probe:
            probe.settimeout(0.01)
            try:
                probe.connect(("127.0.0.1", port))
            except ConnectionRefusedError:
                return True
            except TimeoutError:
                pass
        time.sleep(0.01)
    return False
