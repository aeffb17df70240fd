"""A proxy for programs that know Dropbox's own host names only: it leads all of them to one port of this machine."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

LED = ("dropboxapi.com", "dropbox.com")
CHUNK_BYTES = 65_536


class Tunnels(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Tunnel)
        self.led_to = port
        self.refused: list[str] = []


class Tunnel(StreamRequestHandler):
    """One `CONNECT`; names that are not Dropbox's lead nowhere, so that nothing leaves the machine."""

    server: Tunnels

    def handle(self) -> None:
        target = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        host = urlsplit(f"//{target}").hostname or ""
        if not host.endswith(LED):
            self.server.refused.append(host)
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.led_to)) as standin:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            lead(self.connection, standin)


def lead(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one of the two has nothing more to say."""
    with selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(CHUNK_BYTES)  # type: ignore[union-attr] # it is a socket
                if not data:
                    return
                key.data.sendall(data)


@contextlib.contextmanager
def tunnels_to(port: int) -> Iterator[Tunnels]:
    with Tunnels(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
