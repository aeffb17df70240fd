"""A client that speaks tus, and what is left of what it has sent."""

import hashlib
import io
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from django.test import Client

from documents import duties, tus
from documents.models import PartialUpload, Quota, Upload
from tests.documents.making import DEED, Files

TUS = "/api/v1/documents/tus/"
LARGE = bytes(range(256)) * 10_000  # more than two pieces
PIECE = 1024 * 1024
NAMED = {"filename": DEED, "filetype": "application/pdf"}


def metadata(said: Mapping[str, str]) -> str:
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in said.items())


def checksum(body: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {b64encode(hashlib.new(algorithm, body).digest()).decode()}"


class Sender:
    """A client that speaks tus, and nothing else."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def ask(self, method: str, url: str, body: bytes = b"", kind: str = tus.BYTES, **said: str) -> Any:
        headers = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in said.items()}
        return self.client.generic(
            method, url, body, kind, headers={name: each for name, each in headers.items() if each}
        )

    def begin(self, length: int = len(LARGE), said: Mapping[str, str] = NAMED, at: str = TUS, **headers: Any) -> Any:
        return self.ask("POST", at, kind="", Upload_Length=str(length), Upload_Metadata=metadata(said), **headers)

    def begun(self, length: int = len(LARGE), said: Mapping[str, str] = NAMED) -> str:
        answer = self.begin(length, said)
        assert answer.status_code == 201, answer.content
        return str(answer["Location"])

    def send(self, url: str, body: bytes, at: int = 0, **said: str) -> Any:
        return self.ask("PATCH", url, body, Upload_Offset=str(at), **said)

    def cut(self, url: str, body: bytes, announced: int, at: int = 0, **said: str) -> Any:
        """The connection breaks before all has come that was announced."""
        extra: Any = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(announced), "CONTENT_TYPE": tus.BYTES}
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(at), **said}
        return self.client.generic("PATCH", url, b"", tus.BYTES, headers=headers, **extra)

    def offset(self, url: str) -> int:
        return int(self.ask("HEAD", url)["Upload-Offset"])


def nothing_is_left(files: Files) -> None:
    """Once the duties have been there."""
    duties.finish_uploads()
    duties.sweep()
    assert files.all() == {}
    assert not Upload.objects.exists()
    assert not Quota.objects.exclude(used_bytes=0, reserved_bytes=0).exists()
    assert not PartialUpload.objects.filter(is_cleared=False).exists()


def kept() -> set[tuple[int, int]]:
    """What is used and reserved of each quota."""
    return set(Quota.objects.values_list("used_bytes", "reserved_bytes"))
