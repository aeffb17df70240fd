"""Faults on order: the queue for each route, and how each kind goes over the wire."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from dropbox_standin.journal import path_matches
from dropbox_standin.wire import HTML, JSON, TEXT, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

KINDS = ("status", "delay", "reset", "close", "truncate", "dribble", "html", "content_type")
HTML_BODY = "<html><body><h1>502 Bad Gateway</h1><p>A proxy answered in Dropbox's place.</p></body></html>"


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of a route (`*` for any).

    Attributes:
        kind: `status` answers with status, body and headers given here. `delay` waits and then serves the call.
            `reset` sends a TCP reset, `close` ends the connection without an answer, `truncate` ends it in the
            middle of the body, `dribble` sends the body byte by byte. `html` answers as a proxy would.
            `content_type` sends the right body under a wrong type.
        body_base64: the body as bytes of any kind, such as packed ones; instead of `body`.
        perform: the call is carried out before it goes wrong, as when an answer is lost on its way back.
    """

    route: str
    kind: str = "status"
    status: int | None = None
    body: Any = None
    body_base64: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    delay_s: float = 0.0
    interval_s: float = 0.05
    path: str | None = None
    times: int = 1
    perform: bool = False

    def hits(self, route: str, path: str | None) -> bool:
        return self.route in {"*", route} and (self.path is None or path_matches(self.path, path))

    @property
    def serves(self) -> bool:
        """Whether the call itself is carried out."""
        has_own_answer = self.kind in {"status", "html", "reset", "close"} or self.has_own_body
        return self.perform or not has_own_answer

    @property
    def has_own_body(self) -> bool:
        return self.body is not None or self.body_base64 is not None

    def answer(self, served: Answer | None) -> Answer:
        """What to send, or to begin to send."""
        if self.kind == "content_type" and served is not None:
            wrong = self.content_type or "application/json; charset=utf-8"
            return Answer(served.body, served.status, wrong, served.headers)
        if self.kind in {"delay", "truncate", "dribble"} and served is not None and not self.has_own_body:
            return served
        if self.kind == "html":
            return Answer(HTML_BODY.encode(), self.status or 502, self.content_type or HTML, self.headers)
        body = self.body if self.body is not None else ""
        content_type = self.content_type or (TEXT if isinstance(body, str) else JSON)
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        if self.body_base64 is not None:
            raw = base64.b64decode(self.body_base64)
        default_status = 200 if self.kind in {"content_type", "truncate", "dribble", "delay"} else 500
        return Answer(raw, self.status or default_status, content_type, self.headers)


@dataclass
class Faults:
    """Faults in the order in which they were ordered."""

    queue: list[Fault] = field(default_factory=list)

    def take(self, route: str, path: str | None) -> Fault | None:
        """The fault for this call, used up by one."""
        for fault in self.queue:
            if fault.hits(route, path):
                fault.times -= 1
                if fault.times <= 0:
                    self.queue.remove(fault)
                return fault
        return None


class Broken(Response):
    """An answer that does not reach the caller whole; it works on the transport itself."""

    def __init__(self, fault: Fault, answer: Answer, headers: Mapping[str, str]) -> None:
        super().__init__(answer.body, answer.status, headers, answer.content_type)
        self.fault = fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope["standin.transport"]
        match self.fault.kind:
            case "reset":
                reset(transport)
            case "close":
                transport.close()
            case "truncate":
                await self._start(send)
                await self._send(send, self.body[: len(self.body) // 2])
                transport.close()
            case _:
                await self._start(send)
                await self._dribble(send)
                return
        await _until_gone(receive)

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

    async def _send(self, send: Send, body: bytes | memoryview, *, more: bool = True) -> None:
        await send({"type": "http.response.body", "body": bytes(body), "more_body": more})

    async def _dribble(self, send: Send) -> None:
        for at in range(len(self.body)):
            await self._send(send, self.body[at : at + 1])
            await asyncio.sleep(self.fault.interval_s)
        await self._send(send, b"", more=False)


def reset(transport: asyncio.Transport) -> None:
    """End the connection with a TCP reset: a socket that does not linger resets when it is closed."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _until_gone(receive: Receive) -> None:
    """Wait for the server to notice that the connection has ended, which keeps it from answering in its own way."""
    while (await receive())["type"] != "http.disconnect":
        pass
