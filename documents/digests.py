"""What whoever sends bytes says they hash to (RFC 9530), and whether they do."""

import hashlib
import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Iterator, Mapping
from hmac import compare_digest
from http import HTTPStatus

from core.base.errors import Refused
from documents.errors import DigestMismatch

# Those that prove something, with how many bytes each has; others say nothing to us, as the standard has it.
LENGTHS = {"sha-256": 32, "sha-512": 64}
MEMBER = re.compile(r"[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):[ \t]*(?:;[ -~]*)?")
AT_MOST = 20  # members of a field


class DigestUnreadable(Refused):
    """The digest cannot be read. Nothing was stored; write it as sha-256=:…:, in base64 between two colons."""

    code = "digest_unreadable"
    status = HTTPStatus.BAD_REQUEST


def declared(*fields: str) -> dict[str, bytes]:
    """What the headers say, by algorithm.

    Args:
        fields: the values of Content-Digest, Repr-Digest and the like; empty where they were not sent.

    Raises:
        DigestUnreadable: one is none, or they contradict each other.
    """
    found: dict[str, bytes] = {}
    members = [each for field in fields if field.strip() for each in field.split(",")]
    if len(members) > AT_MOST:  # what is passed over may be the one that counts
        raise DigestUnreadable(f"At most {AT_MOST} digests are looked at. Nothing was stored; send one.")
    for member in members:
        read = MEMBER.fullmatch(member)
        if read is None:
            raise DigestUnreadable
        name, said = read.groups()
        if name in LENGTHS and found.setdefault(name, _bytes_of(said, LENGTHS[name])) != _bytes_of(said, LENGTHS[name]):
            raise DigestUnreadable(f"Two different digests are said to be the {name}. Nothing was stored; send one.")
    return found


def checked(chunks: Iterable[bytes], digests: Mapping[str, bytes]) -> Iterator[bytes]:
    """The same bytes; after the last one it is known whether they are those that were announced.

    Raises:
        DigestMismatch: they are not.
    """
    hashes = {name: hashlib.new(name.replace("-", "")) for name in digests}
    for chunk in chunks:
        for each in hashes.values():
            each.update(chunk)
        yield chunk
    for name, digest in digests.items():
        if not compare_digest(hashes[name].digest(), digest):
            raise DigestMismatch(
                evidence={"algorithm": name, "announced": digest.hex(), "found": hashes[name].hexdigest()}
            )


def _bytes_of(said: str, length: int) -> bytes:
    try:
        found = b64decode(said, validate=True)
    except Error:
        raise DigestUnreadable from None
    if len(found) != length:
        raise DigestUnreadable
    return found
