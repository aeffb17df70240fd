"""A backup is read to its last byte, and compared with what was written down of it."""

import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from time import monotonic
from typing import Any

from core.backups import keys
from core.backups.age import opened, public_of
from core.backups.blobs import blob_key
from core.backups.contents import blobs_of, files_of, part_of
from core.backups.errors import BackupDamaged, BackupRefused
from core.backups.lists import KeptBlob
from core.backups.manifest import Manifest
from core.backups.place import Place, key_of
from core.backups.postgres import Programs, major_of, programs
from core.backups.streams import measured, piped
from core.base.errors import RunsheetError
from documents.services.moving import patiently
from storage.backends.stored import Measured

AT_ONCE = 500
PROBLEMS_AT_MOST = 100
# An odd name stands in quotes.
COPY = re.compile(rb'COPY public\.(?:"((?:[^"]|"")+)"|(\w+)) ')

type Told = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class Verified:
    """What was found.

    Attributes:
        problems: what is not as it should be; none: it can be restored.
        lacking: the keys that it needs and that are not here, by their variable.
        is_opened: whether it was looked inside what is encrypted; else only what lies there was compared.
        bytes: that were read.
        took_s: in seconds.
    """

    manifest: Manifest
    problems: list[str] = field(default_factory=list)
    lacking: dict[str, list[str]] = field(default_factory=dict)
    is_opened: bool = True
    bytes: int = 0
    took_s: float = 0


def verify(place: Place, manifest: Manifest, *, identities: Sequence[Any], at_once: int, told: Told) -> Verified:
    """Read all of a backup.

    Args:
        identities: private keys of age's, which open it where it is encrypted; none: it is not looked inside.
        told: hears how many blobs were read, and how many bytes.

    Raises:
        BackupRefused: there are no programs that could read the dump; or none of the keys opens it.
        Throttled, Unavailable: the place does not do it now.
    """
    if identities:
        require_key(manifest, identities)
    began = monotonic()
    found = Verified(manifest=manifest, lacking=keys.lacking(manifest.keys))
    found.is_opened = bool(identities) or not manifest.is_sealed
    for name, part in manifest.parts:
        _note(found, partial(_check_part, place, manifest, name, part.size, part.sha256))
        found.bytes += part.size
    if found.problems:  # what they say of others is not to be believed
        return found
    contents = _contents(place, manifest, identities, found) if found.is_opened else {}
    _check_blobs(place, manifest, found, contents, identities, at_once=at_once, told=told)
    if found.is_opened:
        tools = programs(least=major_of(manifest.servers.pg_dump))
        _note(found, partial(check_rows, place, manifest, tools=tools, identities=identities))
    found.took_s = monotonic() - began
    return found


def require_key(manifest: Manifest, identities: Sequence[Any]) -> None:
    """Raises:
    BackupRefused: it is encrypted, and none of the private keys opens it.
    """
    if manifest.is_sealed and not {public_of(each) for each in identities} & set(manifest.recipients):
        raise BackupRefused(
            f"Backup {manifest.id} is encrypted. Name the file with the private key of {' or '.join(manifest.recipients)} by --identity."
        )


def check_rows(place: Place, manifest: Manifest, *, tools: Programs, identities: Sequence[Any]) -> None:
    """Let `pg_restore` read the whole dump, and count its rows.

    Raises:
        BackupDamaged: it cannot be read, or they are not as many as there were.
    """
    with closing(dump_as_sql(place, manifest, tools, identities)) as sql:
        counted = _rows(sql)
    if counted != manifest.tables:
        odd = sorted(name for name, _ in counted.items() ^ manifest.tables.items())
        raise BackupDamaged(f"The dump of the database has not as many rows as there were, in: {', '.join(odd[:10])}.")


def dump_as_sql(place: Place, manifest: Manifest, tools: Programs, identities: Sequence[Any]) -> Generator[bytes]:
    """The dump as statements, with the data between them.

    Raises:
        BackupDamaged, BackupBroken: it cannot be read to its end.
    """
    dump = part_of(place, manifest, "database", identities)
    # Who restores it owns it, whoever did before; tablespaces are of one server, and comments for owners of extensions only.
    left_out = [f"--no-{each}" for each in ("owner", "privileges", "tablespaces", "comments")]
    command = [tools["pg_restore"], "--file=-", *left_out]
    return piped(command, dump, environment=os.environ)


def _rows(sql: Iterator[bytes]) -> dict[str, int]:
    """How many lines of data follow the COPYs of each table. None of them begins another: it stands between one and its end.

    A table in parts has one for each.
    """
    counts: dict[str, int] = {}
    table, rest = "", b""
    for chunk in sql:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if table and line == b"\\.":
                table = ""
            elif table:
                counts[table] += 1
            elif begins := COPY.match(line):
                table = (begins[2] or begins[1].replace(b'""', b'"')).decode()
                counts.setdefault(table, 0)
    return counts


def _contents(place: Place, manifest: Manifest, identities: Sequence[Any], found: Verified) -> dict[bytes, bytes]:
    """The checksum of what each blob holds, by its name; the files are counted on the way."""
    contents: dict[bytes, bytes] = {}
    count = size = 0
    for each in files_of(place, manifest, identities):
        contents[bytes.fromhex(each.blob)] = bytes.fromhex(each.sha256)
        count, size = count + 1, size + each.size
    if (count, size) != (manifest.files.count, manifest.files.size):
        found.problems.append(
            f"{count:,} files of {size:,} bytes are listed, and should be {manifest.files.count:,} of {manifest.files.size:,}."
        )
    return contents


def _check_blobs(
    place: Place,
    manifest: Manifest,
    found: Verified,
    contents: dict[bytes, bytes],
    identities: Sequence[Any],
    *,
    at_once: int,
    told: Told,
) -> None:
    def check(blob: KeptBlob) -> str:
        return _why_wrong(place, blob, contents.pop(bytes.fromhex(blob.name), None), manifest, identities)

    count = 0
    with ThreadPoolExecutor(at_once) as pool:
        for some in batched(blobs_of(place, manifest), AT_ONCE, strict=False):
            found.problems += [why for why in pool.map(check, some) if why]
            count, found.bytes = count + len(some), found.bytes + sum(each.size for each in some)
            told(count, found.bytes)
            if len(found.problems) > PROBLEMS_AT_MOST:
                return
    if contents:
        found.problems.append(f"{len(contents):,} of the contents of files are in no blob.")
    if count != manifest.blobs.count:
        found.problems.append(f"There are {count:,} blobs, and should be {manifest.blobs.count:,}.")


def _why_wrong(
    place: Place, blob: KeptBlob, content: bytes | None, manifest: Manifest, identities: Sequence[Any]
) -> str:
    key = blob_key(blob.name)
    try:
        lies, holds = patiently(
            lambda: _read(place, key, identities, is_sealed=manifest.is_sealed and content is not None)
        )
        if lies != (blob.size, blob.sha256):
            return f"{key} is not what was written there: {lies[0]:,} bytes of {blob.size:,}."
        if content is not None and holds != content.hex():
            return f"{key} holds something else than the file that it is of."
    except BackupDamaged as error:
        return f"{key}: {error}"
    return ""


def _read(place: Place, key: str, identities: Sequence[Any], *, is_sealed: bool) -> tuple[tuple[int, str], str]:
    """Size and checksum of what lies there, and the checksum of what it holds; it is read once."""
    lies = Measured(place.stream(key))
    with closing(iter(lies)) as chunks:
        _, holds = measured(opened(chunks, identities, is_sealed=is_sealed))
    return (lies.size, lies.sha256), holds


def _check_part(place: Place, manifest: Manifest, name: str, size: int, sha256: str) -> None:
    if patiently(lambda: measured(place.stream(key_of(manifest.id, name)))) != (size, sha256):
        raise BackupDamaged(f"{key_of(manifest.id, name)} is not what was written there.")


def _note(found: Verified, check: Callable[[], None]) -> None:
    try:
        check()
    except BackupDamaged as error:
        found.problems.append(str(error))
    except RunsheetError as error:
        found.problems.append(f"It could not be read: {error}")
