"""The proxy of docker-compose.yml: what it tells the console, what it takes, and what it writes down."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests

from core.local.processes import free_port
from tests.core.local.test_processes import eventually
from tests.deploy import nginx
from tests.deploy.nginx import Nginx

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(nginx.PROGRAM is None, reason="nginx is not on this machine: apt-get install nginx-light"),
]
LINK = "rsl_0123456789abcdefghijABCDEFGHIJ"


class Console(BaseHTTPRequestHandler):
    """Tells what it was asked, and how much it was sent; or who is to give what below `/give/`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = len(self.rfile.read(int(self.headers["Content-Length"] or 0)))
        told = json.dumps({"path": self.path, "length": length, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        if self.path.startswith("/give/"):
            self.send_header("X-Accel-Redirect", self.path.replace("/give/", "/documents-files/"))
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_PUT = do_POST = do_GET  # noqa: N815 - as the server asks for them

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "documents").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), Console) as console:
        Thread(target=console.serve_forever, daemon=True).start()
        with nginx.running(folder / "front", behind=console.server_port, files=folder / "documents") as running:
            yield running
        console.shutdown()


@pytest.fixture
def ask(front: Nginx) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.verify, session.trust_env = front.certificate, False
        yield session


class TestProxy:
    def test_tells_the_console_who_asks_and_how_whatever_a_client_says(
        self, front: Nginx, ask: requests.Session
    ) -> None:
        said = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.7", "Host": "runsheet.example.com"}

        told: Any = ask.get(f"{front.url}/admin/?q=1", headers=said, timeout=10).json()

        assert told["path"] == "/admin/?q=1"
        found = {name: told["headers"][name] for name in said}
        assert found == said | {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7, 127.0.0.1"}

    def test_leads_whoever_comes_without_tls_to_it(self, front: Nginx, ask: requests.Session) -> None:
        answer = ask.post(
            f"{front.plain}/admin/?q=1", headers={"Host": "runsheet.example.com"}, allow_redirects=False, timeout=10
        )

        assert (answer.status_code, answer.headers["Location"]) == (308, "https://runsheet.example.com/admin/?q=1")

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/admin/leases/lease/import/", 413),
            ("/api/v1/leases/", 413),
            ("/api/v1/documents/upload/", 200),
            ("/admin/documents/document/send/", 200),
            ("/back/office/documents/document/17/version/", 200),
            ("/admin/documents/document/17/versions/3/restore/", 413),
        ],
    )
    def test_takes_large_bodies_where_documents_are_sent_and_nowhere_else(
        self, front: Nginx, ask: requests.Session, path: str, status: int
    ) -> None:
        answer = ask.put(front.url + path, data=b"x" * 12_000_000, timeout=30)

        assert answer.status_code == status
        assert status == 413 or answer.json()["length"] == 12_000_000
        assert list((front.place / "body").iterdir()) == []

    def test_takes_what_the_console_takes(self, front: Nginx, ask: requests.Session, settings: Any) -> None:
        answer = ask.post(f"{front.url}/admin/", data=b"x" * settings.REQUEST_BYTES_MAX, timeout=30)

        assert answer.status_code == 200

    def test_hands_no_file_to_who_asks_for_it(self, front: Nginx, ask: requests.Session) -> None:
        (front.place.parent / "documents" / "deed.pdf").write_text("deed")

        assert ask.get(f"{front.url}/documents-files/deed.pdf", timeout=10).status_code == 404

    def test_follows_no_link_out_of_the_documents(self, front: Nginx, ask: requests.Session) -> None:
        documents, outside = front.place.parent / "documents", front.place.parent / "outside"
        for folder in (documents / "7", outside):
            folder.mkdir()
            (folder / "deed.pdf").write_text(folder.name)
        (documents / "link.pdf").symlink_to(outside / "deed.pdf")
        (documents / "link").symlink_to(outside)

        def given(key: str) -> tuple[int, str]:
            answer = ask.get(f"{front.url}/give/{key}", timeout=10)
            return answer.status_code, answer.text

        assert given("7/deed.pdf") == (200, "7")
        assert [given(key)[0] for key in ("link.pdf", "link/deed.pdf")] == [403, 404]

    def test_writes_down_no_link_and_nothing_that_a_program_sends_in_an_address(
        self, front: Nginx, ask: requests.Session
    ) -> None:
        for path in (f"/share/{LINK}/download/?x=1", "/public/secret-name/", f"/dropbox/callback/?code={LINK}"):
            ask.get(front.url + path, headers={"Referer": f"{front.url}/share/{LINK}/"}, timeout=10)

        # nginx writes a line down after the answer has gone out.
        eventually(lambda: '"GET /dropbox/callback/" 200' in front.log())
        log = front.log()
        assert LINK not in log
        assert "secret-name" not in log
        assert '"GET /share/[redacted]" 200' in log

    def test_writes_down_no_link_either_while_the_console_is_away(self, tmp_path: Path) -> None:
        (tmp_path / "documents").mkdir()
        with nginx.running(tmp_path / "front", behind=free_port(), files=tmp_path / "documents") as front:
            for path in (f"/share/{LINK}/", f"/dropbox/callback/?code={LINK}"):
                answer = requests.get(
                    front.url + path,
                    headers={"Referer": f"{front.url}/share/{LINK}/"},
                    verify=front.certificate,
                    timeout=10,
                )
                assert answer.status_code == 502
            eventually(lambda: '"GET /dropbox/callback/" 502' in front.log())

            assert LINK not in front.log() + front.errors()

    def test_speaks_no_old_tls(self) -> None:
        text = (nginx.DEPLOYED / "nginx.conf").read_text()

        assert "ssl_protocols TLSv1.2 TLSv1.3;" in text
        assert Path(nginx.DEPLOYED / "Dockerfile").read_text().count("USER 10001:10001") == 1
