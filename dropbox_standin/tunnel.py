"""A proxy for programs that know Dropbox's own host names only: it leads all of them to the stand-in.

`python -m dropbox_standin.tunnel PORT`, with the port on which the stand-in serves https.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
import threading
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
LED = (".dropboxapi.com", ".dropbox.com")
CHUNK_BYTES = 65_536


class Tunnels(ThreadingTCPServer):
    """Listens on a free port of loopback.

    Attributes:
        refused: the hosts that somebody asked for and that are not Dropbox's.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        super().__init__((HOST, 0), Tunnel)
        self.led_to = port
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


class Tunnel(StreamRequestHandler):
    """One `CONNECT`; names that are not Dropbox's lead nowhere, so that nothing leaves the machine."""

    server: Tunnels

    def handle(self) -> None:
        method, target = (*self.rfile.readline().decode("latin-1").split(), "", "")[:2]
        while self.rfile.readline().strip():
            pass
        host = urlsplit(f"//{target}").hostname or ""
        if method != "CONNECT" or not host.endswith(LED):
            self.server.refused.append(host)
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        with socket.create_connection((HOST, self.server.led_to)) as standin:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            lead(self.connection, standin)


def lead(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one of the two has nothing more to say."""
    with selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
        selector.register(one, selectors.EVENT_READ, (one, other))
        selector.register(other, selectors.EVENT_READ, (other, one))
        while True:
            for key, _ in selector.select():
                source, goal = key.data
                data = source.recv(CHUNK_BYTES)
                if not data:
                    return
                goal.sendall(data)


@contextlib.contextmanager
def tunnels_to(port: int) -> Iterator[Tunnels]:
    """Tunnels to a port of this machine, for as long as the block runs."""
    with Tunnels(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main(argv: list[str]) -> int:
    """Serve until it is interrupted."""
    if len(argv) != 1 or not argv[0].isdecimal():
        sys.stderr.write("dropbox_standin.tunnel: give the port of the stand-in, and nothing else\n")
        return 2
    with Tunnels(int(argv[0])) as server, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(
            f"dropbox_standin.tunnel leads Dropbox's names to {HOST}:{argv[0]}, as a proxy on {server.url}\n"
        )
        sys.stdout.flush()
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
