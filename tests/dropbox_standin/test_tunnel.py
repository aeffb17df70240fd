import signal
import subprocess
import sys

import pytest
import requests

from dropbox_standin.client import Standin
from dropbox_standin.process import Tls
from dropbox_standin.tunnel import main, tunnels_to

pytestmark = pytest.mark.process


def port_of(standin: Standin) -> str:
    return standin.base_url.rpartition(":")[2]


class TestTunnel:
    def test_leads_dropbox_names_to_the_stand_in_and_no_others(self, standin_by_tls: Standin, tls: Tls) -> None:
        with tunnels_to(int(port_of(standin_by_tls))) as tunnels, requests.Session() as session:
            session.trust_env, session.verify, session.proxies = False, str(tls.ca), {"https": tunnels.url}
            led = session.post("https://api.dropboxapi.com/2/check/user", timeout=10)
            with pytest.raises(requests.exceptions.ProxyError):
                session.post("https://notdropbox.com/2/check/user", timeout=10)
            plain = session.get(f"{tunnels.url}/2/check/user", timeout=10)

            assert (led.status_code, plain.status_code) == (400, 403)
            assert tunnels.refused == ["notdropbox.com", ""]

    def test_can_be_run_by_itself(self, standin_by_tls: Standin, tls: Tls) -> None:
        command = [sys.executable, "-m", "dropbox_standin.tunnel", port_of(standin_by_tls)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, requests.Session() as session:
            line = process.stdout.readline() if process.stdout else ""
            session.trust_env, session.verify = False, str(tls.ca)
            session.proxies = {"https": line.rpartition(" ")[2].strip()}
            answer = session.post("https://content.dropboxapi.com/2/files/upload", timeout=10)
            process.send_signal(signal.SIGINT)

            assert answer.status_code == 400
            assert process.wait(timeout=10) == 0

    @pytest.mark.parametrize("argv", [[], ["port"], ["1", "2"]])
    def test_needs_a_port(self, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(argv) == 2
        assert "give the port of the stand-in" in capsys.readouterr().err
