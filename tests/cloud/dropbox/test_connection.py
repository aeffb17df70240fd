import os
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings
from requests import TooManyRedirects

from cloud.dropbox.connection import AnswerTooLong, check_base_url, done_within, session, timeouts_s
from cloud.errors import DropboxUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://api.dropboxapi.com/2/check/user"


class Slow(BaseHTTPRequestHandler):
    """Sends an answer byte by byte, for ever."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while not self.server.is_over.wait(0.01):  # type: ignore[attr-defined]
                self.wfile.write(b" ")
                self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing to the terminal."""


class Echo(BaseHTTPRequestHandler):
    """Tells what arrived; redirects when asked for it."""

    def do_POST(self) -> None:
        self.send_response(302 if self.path.endswith("/away") else 200)
        self.send_header("Location", URL)
        self.send_header("Set-Cookie", "who=olivia")
        body = f"{self.path}|{self.headers.get('Authorization')}|{self.headers.get('Cookie')}".encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to the terminal."""


@pytest.fixture
def echo(settings: Settings) -> "Iterator[str]":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.DROPBOX_BASE_URL = f"http://127.0.0.1:{server.server_port}"
    yield settings.DROPBOX_BASE_URL
    session().close()
    server.shutdown()
    thread.join()
    server.server_close()


class TestSession:
    def test_leads_to_the_base_url_with_the_same_path(self, echo: str) -> None:
        answer = session().post(URL, timeout=5)

        assert answer.text.startswith("/2/check/user|")

    @pytest.mark.parametrize("host", ["content.dropboxapi.com", "notify.dropboxapi.com", "www.dropbox.com"])
    def test_never_reaches_the_real_dropbox_then(self, echo: str, host: str) -> None:
        assert session().post(f"https://{host}/x", timeout=5).text.startswith("/x|")

    def test_is_one_for_a_process(self, echo: str) -> None:
        assert session() is session()

    def test_is_another_when_the_address_changes(self, echo: str, settings: Settings) -> None:
        first = session()
        settings.DROPBOX_BASE_URL = ""

        assert session() is not first

    def test_is_another_after_a_fork(self, echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
        first = session()
        monkeypatch.setattr(os, "getpid", lambda: -1)

        assert session() is not first

    def test_follows_no_redirect(self, echo: str) -> None:
        with pytest.raises(TooManyRedirects):
            session().post("https://api.dropboxapi.com/away", timeout=5)

    def test_keeps_no_cookie_of_one_user_for_the_next(self, echo: str) -> None:
        session().post(URL, timeout=5)

        assert session().post(URL, timeout=5).text.endswith("|None")

    def test_takes_nothing_from_the_environment(
        self, echo: str, monkeypatch: pytest.MonkeyPatch, tmp_path: "os.PathLike[str]"
    ) -> None:
        netrc = os.path.join(tmp_path, "netrc")  # noqa: PTH118 - requests wants a string
        with open(netrc, "w", encoding="utf-8") as file:  # noqa: PTH123 - the same
            file.write("default login thief password thief\n")
        monkeypatch.setenv("NETRC", netrc)
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

        answer = session().post(URL, headers={"Authorization": "Bearer mine"}, timeout=5)

        assert "|Bearer mine|" in answer.text

    def test_knows_no_plain_http_of_its_own(self, echo: str) -> None:
        assert set(session().adapters) == {"https://"}


class TestAnAnswer:
    @pytest.fixture
    def slow(self, settings: Settings) -> "Iterator[None]":
        server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
        server.is_over = Event()  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        settings.DROPBOX_BASE_URL = f"http://127.0.0.1:{server.server_port}"
        yield
        session().close()
        server.is_over.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()
        server.server_close()

    def test_that_comes_byte_by_byte_is_waited_for_no_longer_than_any(
        self, slow: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cloud.dropbox.connection.LONGEST_ANSWER_S", 0.2)

        with pytest.raises(AnswerTooLong, match="too slowly"):
            session().post(URL, timeout=5)

    def test_is_waited_for_no_longer_than_somebody_waits(self, slow: None) -> None:
        with done_within(0.2), pytest.raises(AnswerTooLong, match="too slowly"):
            session().post(URL, timeout=5)

    def test_is_read_no_further_than_an_answer_can_be(self, echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("cloud.dropbox.connection.LONGEST_ANSWER_BYTES", 10)

        with pytest.raises(AnswerTooLong, match="longer than 10 bytes"):
            session().post(URL, timeout=5)

    def test_leaves_its_connection_to_the_next(self, echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Echo, "protocol_version", "HTTP/1.1")
        opened = []

        set_up = Echo.setup

        def counted(handler: Echo) -> None:
            opened.append(handler)
            set_up(handler)

        monkeypatch.setattr(Echo, "setup", counted)

        for _ in range(3):
            session().post(URL, timeout=5)

        assert len(opened) == 1


class TestCheckBaseUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "https://dropbox.example.com",
            "https://dropbox.example.com:8443",
            "http://127.0.0.1:8080",
            "http://127.8.9.1",
            "http://[::1]:8080",
            "http://localhost:1",
        ],
    )
    def test_accepts_https_anywhere_and_http_on_loopback(self, url: str) -> None:
        assert check_base_url(url) == url

    def test_drops_a_trailing_slash(self) -> None:
        assert check_base_url("http://127.0.0.1:1/") == "http://127.0.0.1:1"

    @pytest.mark.parametrize(
        "url", ["http://dropbox.example.com", "http://10.0.0.1:8080", "http://localhost.example.com", "http://0.0.0.0"]
    )
    def test_refuses_plain_http_elsewhere(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="plain http on loopback only"):
            check_base_url(url)

    @pytest.mark.parametrize(
        "url", ["127.0.0.1:80", "ftp://localhost", "https://", "https://a.example/v2", "https://a.example?x=1"]
    )
    def test_refuses_what_is_no_address(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="must be a scheme and a host"):
            check_base_url(url)


class TestTimeouts:
    def test_are_the_settings(self, settings: Settings) -> None:
        settings.DROPBOX_CONNECT_TIMEOUT_S, settings.DROPBOX_READ_TIMEOUT_S = 1, 2

        assert timeouts_s() == (1, 2)

    def test_are_shorter_for_who_has_somebody_waiting(self, settings: Settings) -> None:
        settings.DROPBOX_CONNECT_TIMEOUT_S, settings.DROPBOX_READ_TIMEOUT_S = 1, 20

        with done_within(8):
            connect_s, read_s = timeouts_s()

        assert connect_s == 1
        assert 3 < read_s <= 4
        assert timeouts_s() == (1, 20)

    def test_are_none_when_the_time_is_up(self) -> None:
        with done_within(0), pytest.raises(DropboxUnavailable, match="too long"):
            timeouts_s()
