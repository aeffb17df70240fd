"""What the headers of tus 1.0 say: uploads that go on where they have broken off."""

import hashlib
import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus
from typing import Any, cast

from core.base.errors import Refused
from documents.names import read_lease, read_metadata

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
BYTES = "application/offset+octet-stream"
# SHA-1 is what the protocol asks for at least; it tells what broke on the way, and proves nothing.
ALGORITHMS: Mapping[str, int] = {"sha1": 20, "sha256": 32, "sha512": 64}
METADATA_BYTES = 16_384
PAIRS_AT_MOST = 50
NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
PAIR = re.compile(r"([!-+\--~]{1,100})(?: ([A-Za-z0-9+/]*={0,2}))?", re.ASCII)
SHA256 = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
# As others call it.
NAMES, TYPES = ("filename", "name"), ("filetype", "type")


class TusVersion(Refused):
    """The request does not say that it speaks tus 1.0.0. Send Tus-Resumable: 1.0.0."""

    code = "tus_version"
    status = HTTPStatus.PRECONDITION_FAILED


class TusHeader(Refused):
    """A header of tus is missing or cannot be read. Nothing was kept."""

    code = "tus_header"
    status = HTTPStatus.BAD_REQUEST


class TusBody(Refused):
    """The body of an upload is application/offset+octet-stream, and has to say so. Nothing of it was kept."""

    code = "tus_body"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class ChecksumMismatch(Refused):
    """These bytes have arrived with another checksum than was announced, so nothing of them was kept. Send them again."""

    code = "checksum_mismatch"
    status = cast("HTTPStatus", 460)  # the protocol's own, which Python does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """What a body is said to hash to."""

    algorithm: str
    digest: bytes

    def over(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, behind which it is known whether they are those.

        Raises:
            ChecksumMismatch: they are not.
        """
        found = hashlib.new(self.algorithm, usedforsecurity=False)
        for chunk in chunks:
            found.update(chunk)
            yield chunk
        if not compare_digest(found.digest(), self.digest):
            raise ChecksumMismatch(evidence={"algorithm": self.algorithm, "announced": self.digest.hex()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What Upload-Metadata says of a file, as far as it means anything here; whatever else a client sends is kept for itself.

    Attributes:
        as_sent: all of it.
    """

    name: str
    declared_type: str
    why: str
    lease_id: int | None
    metadata: Mapping[str, Any]
    sha256: str
    as_sent: str


def number(headers: Mapping[str, str], name: str) -> int:
    """The number of bytes that a header says.

    Raises:
        TusHeader: it says none.
    """
    said = headers.get(name, "").strip()
    if not NUMBER.fullmatch(said):
        raise TusHeader(f"{name} is missing, or is no number of bytes. Nothing was kept.")
    return int(said)


def checksum(said: str) -> Checksum | None:
    """What Upload-Checksum says; None: nothing.

    Raises:
        TusHeader: it cannot be looked at.
    """
    if not said.strip():
        return None
    algorithm, _, digest = said.strip().partition(" ")
    try:
        found = b64decode(digest.strip(), validate=True)
    except Error:
        found = b""
    if len(found) != ALGORITHMS.get(algorithm):
        raise TusHeader(
            f"Upload-Checksum is the name of an algorithm ({', '.join(ALGORITHMS)}) and the checksum in base64. Nothing was kept."
        )
    return Checksum(algorithm=algorithm, digest=found)


def metadata(said: str) -> Metadata:
    """What Upload-Metadata says.

    Raises:
        TusHeader: it cannot be read.
        InvalidMetadata, LeaseUnknown: what it says cannot be.
    """
    found = _pairs(said)
    sha256 = found.get("sha256", "")
    if sha256 and not SHA256.fullmatch(sha256):
        raise TusHeader("The metadata “sha256” has 64 hexadecimal digits. Nothing was kept.")
    return Metadata(
        name=_first(found, NAMES),
        declared_type=_first(found, TYPES),
        why=found.get("why", ""),
        lease_id=read_lease(found.get("lease", "")),
        metadata=read_metadata(found.get("metadata", "")),
        sha256=sha256,
        as_sent=said.strip(),
    )


def _pairs(said: str) -> dict[str, str]:
    if len(said) > METADATA_BYTES:
        raise TusHeader(f"Upload-Metadata has at most {METADATA_BYTES:,} bytes. Nothing was kept.")
    members = said.split(",") if said.strip() else []
    if len(members) > PAIRS_AT_MOST:
        raise TusHeader(f"Upload-Metadata has at most {PAIRS_AT_MOST} keys. Nothing was kept.")
    found: dict[str, str] = {}
    for member in members:
        read = PAIR.fullmatch(member.strip())
        if read is None or read[1] in found:
            raise TusHeader(
                "Upload-Metadata is keys, each once and each with its value in base64, and commas between. Nothing was kept."
            )
        found[read[1]] = _text(read[2] or "")
    return found


def _text(said: str) -> str:
    try:
        return b64decode(said, validate=True).decode()
    except (Error, UnicodeDecodeError):
        raise TusHeader("A value of Upload-Metadata is no text in UTF-8, in base64. Nothing was kept.") from None


def _first(found: Mapping[str, str], names: Iterable[str]) -> str:
    return next((found[name] for name in names if found.get(name)), "")
