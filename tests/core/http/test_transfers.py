"""Bodies that may take as long as they need, as long as they move."""

import errno
import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

import pytest
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.unreader import IterUnreader, SocketUnreader
from gunicorn.http.wsgi import Response

from core.http import transfers


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Sets the process's clock, which begins at 1,000 s; no other test's threads are waited for."""
    now = [1_000.0]

    def set_to(instant: float) -> None:
        now[0] = instant

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(transfers, "_waiting", {})
    monkeypatch.setattr(transfers, "_moved_at", {})
    yield set_to
    assert transfers._waiting == {}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


HERE = threading.get_ident()


def sending(found: Any, connection: Any = None) -> Any:
    application = transfers.in_time(lambda _environ, _start: found)
    return application(
        {"wsgi.input": io.BytesIO(), "gunicorn.socket": connection, "wsgi.file_wrapper": FileWrapper}, None
    )


class TestIncoming:
    def test_is_the_body(self) -> None:
        body = transfers.Incoming(io.BytesIO(b"one\ntwo\nthree"), None)

        assert (body.readline(), body.read(2), body.readline(), body.read()) == (b"one\n", b"tw", b"o\n", b"three")

    def test_that_stops_is_ended_and_says_so(self, pair: Any, at: Callable[[float], None]) -> None:
        ours, theirs = pair
        theirs.sendall(b"some")
        file = ours.makefile("rb")
        body = transfers.Incoming(file, ours)

        def end(size: int) -> bytes:
            at(1_000 + transfers.STALLS_S + 1)
            assert transfers.end_stalled() == 1
            assert transfers.end_stalled() == 0, "once is enough"
            return bytes(file.read(size))

        assert body.read(4) == b"some"
        body._body = type("Slow", (), {"read": staticmethod(end)})
        with pytest.raises(transfers.Stalled):
            body.read(4)
        file.close()

    def test_that_stops_ends_the_connection_since_what_still_comes_is_no_request(
        self, pair: Any, at: Callable[[float], None]
    ) -> None:
        ours, _ = pair
        served = Body(LengthReader(SocketUnreader(ours), 100))
        body = transfers.Incoming(served, ours)
        body.hurry()

        def end(_size: int) -> bytes:
            at(1_000 + transfers.HURRIED_S + 1)
            assert transfers.end_stalled() == 1
            return b""

        served.reader.read = end
        with pytest.raises(transfers.Stalled):
            body.read(4)

        assert served.failed

    def test_that_is_large_is_no_reason_to_wait_longer_for_who_sends_nothing(self, at: Callable[[float], None]) -> None:
        until = []

        class Connection:
            def recv(self, _size: int) -> bytes:
                until.append(transfers._waiting[HERE].until)
                at(1_000 + 20 * len(until))
                return b"" if len(until) == 3 else b"some"

        served = Body(LengthReader(IterUnreader([]), 100))
        with transfers.waiting(None, size=transfers.SLOWEST_BYTES_PER_S * 20, how=socket.SHUT_RD):
            assert transfers._read_large(served, Connection(), 30, 100) == b"somesome"  # type: ignore[arg-type]

        assert until == [1_030, 1_050, 1_050], "the last one is when all of it should have come"

    def test_that_is_none_is_a_broken_one(self) -> None:
        def read(_: int) -> bytes:
            raise LimitRequestHeaders("trailers")

        with pytest.raises(ConnectionError):
            transfers.Incoming(type("Body", (), {"read": staticmethod(read)}), None).read(4)

    def test_that_is_large_is_read_past_the_buffers_of_the_server(
        self, pair: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfers, "LARGE_BYTES", 4)
        ours, theirs = pair
        unreader = SocketUnreader(ours)
        unreader.unread(b"came with ")
        theirs.sendall(b"the headers, then the rest of it" + b"GET / next")
        served = Body(LengthReader(unreader, 42))
        body = transfers.Incoming(served, ours)

        read = [body.read(20), body.read(3), body.read(2), body.read(500), body.read(500)]

        assert read == [b"came with the header", b"s, ", b"th", b"en the rest of it", b""]
        assert unreader.take_buffered() == b"GET / next"
        assert not served.failed

    def test_that_is_large_leaves_the_next_request_where_it_is(
        self, pair: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfers, "LARGE_BYTES", 4)
        unreader = SocketUnreader(pair[0])
        unreader.unread(b"all of itGET / next")

        assert transfers.Incoming(Body(LengthReader(unreader, 9)), pair[0]).read(500) == b"all of it"
        assert unreader.take_buffered() == b"GET / next"

    def test_that_is_large_and_breaks_off_is_short(self, pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transfers, "LARGE_BYTES", 4)
        ours, theirs = pair
        theirs.sendall(b"some of it")
        theirs.close()
        served = Body(LengthReader(SocketUnreader(ours), 100))
        body = transfers.Incoming(served, ours)

        assert (body.read(50), body.read(50)) == (b"some of it", b"")
        ours.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            body.read(50)
        assert served.failed, "the connection is not used again"

    def test_that_is_large_has_longer(self, at: Callable[[float], None]) -> None:
        def look(size: int) -> bytes:
            at(1_000 + transfers.STALLS_S + size / transfers.SLOWEST_BYTES_PER_S - 1)
            assert transfers.end_stalled() == 0
            return bytes(size)

        assert (
            len(transfers.Incoming(type("Body", (), {"read": staticmethod(look)}), None).read(1_000_000)) == 1_000_000
        )


class TestLine:
    @pytest.mark.parametrize(
        ("change", "may"),
        [
            ({}, True),
            ({"sent": 3}, False),
            ({"headers_sent": False}, False),
            ({"chunked": True}, False),
            ({"headers": [("content-encoding", "br")]}, False),
        ],
    )
    def test_is_free_where_so_much_went_as_it_was(self, pair: Any, change: dict[str, Any], may: bool) -> None:
        answer = Response(None, pair[0], None)
        vars(answer).update({"sent": 4, "headers_sent": True, "chunked": False, "headers": [], **change})

        assert transfers.Line(answer, pair[0]).has_sent(4) is may
        assert not transfers.Line(answer, None).has_sent(4)
        assert not transfers.Line(None, pair[0]).has_sent(4)

    def test_sends_what_lies_in_the_file_and_no_more(
        self, pair: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transfers, "STRAIGHT_BYTES", 3)
        (tmp_path / "file").write_bytes(b"0123456789")
        answer = Response(None, pair[0], None)

        with (tmp_path / "file").open("rb", buffering=0) as file:
            file.seek(2)
            went = list(transfers.Line(answer, pair[0]).send(file, 4))
            assert (went, pair[1].recv(99), file.tell(), answer.sent) == ([3, 1], b"2345", 6, 4)

            assert list(transfers.Line(answer, pair[0]).send(file, 99)) == [3, 1]

    def test_sends_nothing_where_the_disk_cannot(
        self, pair: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_bytes(b"0123456789")
        monkeypatch.setattr(os, "sendfile", raising(OSError(errno.EINVAL, "no")))

        with (tmp_path / "file").open("rb", buffering=0) as file:
            assert list(transfers.Line(Response(None, pair[0], None), pair[0]).send(file, 4)) == []
            monkeypatch.setattr(os, "sendfile", raising(OSError(errno.EPIPE, "gone")))
            with pytest.raises(OSError, match="gone"):
                list(transfers.Line(Response(None, pair[0], None), pair[0]).send(file, 4))


def raising(error: Exception) -> Callable[..., Any]:
    def act(*_: Any) -> Any:
        raise error

    return act


class TestOutgoing:
    def test_that_nobody_reads_is_ended(self, pair: Any, at: Callable[[float], None]) -> None:
        ours, theirs = pair
        answer = sending([b"one", b"two"], ours)

        assert next(iter(answer)) == b"one"
        at(1_100)
        assert transfers.end_stalled() == 1
        assert theirs.recv(10) == b""
        answer.close()

    def test_whose_client_has_gone_is_no_fault(self, pair: Any, at: Callable[[float], None]) -> None:
        ours, _ = pair
        answer = sending([b"one"], ours)
        next(iter(answer))
        ours.close()
        at(1_100)

        assert transfers.end_stalled() == 1
        answer.close()

    def test_closes_what_it_is_made_of(self) -> None:
        class Made(list[bytes]):
            is_closed = False

            def close(self) -> None:
                self.is_closed = True

        made = Made([b"one"])
        answer = sending(made)

        assert list(answer) == [b"one"]
        answer.close()
        assert made.is_closed

    def test_of_a_file_stays_what_the_server_knows(self) -> None:
        file = FileWrapper(io.BytesIO(b"1"))

        assert sending(file) is file


class TestHangingSince:
    def test_is_since_it_began_or_moved_last(self, at: Callable[[float], None]) -> None:
        assert transfers.hanging_since({}) == 1_000
        assert transfers.hanging_since({HERE: 900.0, HERE + 1: 950.0}) == 900
        at(1_010)
        transfers.Incoming(io.BytesIO(), None).read(1)

        assert transfers.hanging_since({HERE: 900.0}) == 1_010

    def test_is_not_who_waits(self) -> None:
        with transfers.waiting(None, size=1, how=socket.SHUT_RD):
            assert transfers.hanging_since({HERE: 900.0}) == 1_000
