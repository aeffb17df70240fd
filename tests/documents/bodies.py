"""Requests whose bodies come from a stream, and a place of one's own to put them."""

import io
from typing import Any

from django.core.handlers.wsgi import WSGIRequest

from storage.backends.local import LocalStorage

BOUNDARY = "----boundary"


class Stream(io.BytesIO):
    """What the server hands over; remembers the most that was asked for at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0, "never all of it"
        self.most = max(self.most, size)
        return super().read(size)


def request(body: bytes, *, length: int | None = None, stream: Any = None, **headers: str) -> WSGIRequest:
    """A request with that body; `length` is what it claims, as it is if nothing is said, in chunks if it is -1."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/api/v1/documents/upload/",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "wsgi.input": stream or Stream(body),
        "wsgi.url_scheme": "http",
        "wsgi.input_terminated": True,
        "CONTENT_TYPE": headers.pop("content_type", "application/octet-stream"),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    if length == -1:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    else:
        environ["CONTENT_LENGTH"] = str(len(body) if length is None else length)
    return WSGIRequest(environ)


def part(name: str, value: bytes, *, file: str | None = None, headers: str = "") -> bytes:
    """One part of a form, as it is sent."""
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{headers}\r\n'
    return head.encode() + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def nothing_is_left(storage: LocalStorage) -> bool:
    """Neither a file nor a part of one."""
    return not [each for each in storage.directory.rglob("*") if each.is_file()]
