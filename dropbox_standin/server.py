"""The HTTP server: loopback only, one line when it accepts, a quick and clean end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dropbox_standin import app
from dropbox_standin.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropbox_standin.world import Settings

HOST = "127.0.0.1"
SHUTDOWN_S = 1


class Protocol(HttpToolsProtocol):
    """Hands each request its transport, for faults that break the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment] # ASGI allows keys of one's own
        scope["standin.transport"] = self.transport


class Server(uvicorn.Server):
    """Says when it accepts, and takes SIGTERM and SIGINT as a wish and not as a failure."""

    def __init__(self, config: uvicorn.Config, stage: Stage) -> None:
        super().__init__(config)
        self.stage = stage

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"dropbox_standin listening on {self.stage.public_url}\n")
        sys.stdout.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        """Let longpolls answer, and end."""
        self.should_exit = True
        self.stage.world.close()


def listen(port: int) -> socket.socket:
    """A listening socket on loopback.

    Raises:
        OSError: the port is taken or not ours to take.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


def run(*, listener: socket.socket, seed: str, settings: Settings, tls: tuple[Path, Path] | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        BadSeed: the seed cannot be read.
        OSError: the certificate or its key cannot be read or do not fit each other.
    """
    scheme = "https" if tls else "http"
    stage = Stage.open(public_url=f"{scheme}://{HOST}:{listener.getsockname()[1]}", seed=seed, settings=settings)
    config = uvicorn.Config(
        app.build(stage),
        http=Protocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=300,
        ssl_certfile=tls[0] if tls else None,
        ssl_keyfile=tls[1] if tls else None,
    )
    config.load()
    Server(config, stage).run(sockets=[listener])
