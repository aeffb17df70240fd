"""A server that accepts connections and never answers: a black hole."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deaf_server() -> Iterator[int]:
    """Its port, on the loopback. The kernel accepts, and nobody reads."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield listener.getsockname()[1]
