"""Many documents as one ZIP archive, made while it goes out: nothing of it is kept, neither in memory nor on a disk.

It is stored, not compressed: scans are compressed already, so its size is known before the first byte, and what unpacks it gets no
more than it has received. What cannot be in it is told in a text inside. Whatever goes wrong once it is under way breaks the
connection off, so that no archive looks whole that is not.
"""

import unicodedata
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import User
from django.db.models import F
from django.http import StreamingHttpResponse
from zipstream import ZipStream

from core.base.errors import Refused
from documents import serving
from documents.models import DocumentVersion
from documents.places import place
from documents.queries import visible_to
from documents.serving import Content, FileAway
from statemachine.errors import RecordGone
from storage.backends import documents
from storage.backends.errors import NotFound
from storage.backends.stored import begun

if TYPE_CHECKING:
    from documents.models import Document

AT_MOST: Final = 1_000
NAME: Final = "documents.zip"
LEFT_OUT: Final = "Left out.txt"
# Of one file, on the systems that people unpack it on; some room stays for a number.
NAME_AT_MOST_BYTES: Final = 230
# Of Windows, whatever stands behind the dot.
DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"{each}{number}" for each in ("com", "lpt") for number in "123456789¹²³")]
)
# An object store answers many at once.
SIDE_BY_SIDE: Final = 8


class TooManyDocuments(Refused):
    """At most 1,000 documents come in one archive. Choose fewer."""

    code = "too_many_documents"


class NothingToDownload(Refused):
    """None of these documents can be downloaded now."""

    code = "nothing_to_download"
    status = HTTPStatus.CONFLICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What goes into an archive.

    Attributes:
        files: each under its name, which no other has.
        left_out: a line for each document that is not in it, and why.
    """

    files: tuple[tuple[str, Content], ...]
    left_out: tuple[str, ...]


def bundle(*, by: User, document_ids: Sequence[int]) -> Bundle:
    """The current versions of those documents that the person may see and that may be handed out.

    Raises:
        TooManyDocuments, NothingToDownload: there is no archive of that.
        Denied, Throttled, Unavailable: storage does not say what is there.
    """
    wanted = list(dict.fromkeys(document_ids))
    if len(wanted) > AT_MOST:
        raise TooManyDocuments
    seen = visible_to(by).in_bulk(wanted)
    current = DocumentVersion.objects.filter(document__in=seen, number=F("document__current"))
    versions = {each.document_id: each for each in current}
    found, left_out = [], []
    for pk in wanted:
        content = _content(seen.get(pk), versions.get(pk))
        if isinstance(content, Refused):
            left_out.append(_line(pk, seen.get(pk), content))
        else:
            found.append((pk, content))
    there = _there([content for _, content in found])
    left_out += [_line(pk, seen[pk], FileAway()) for pk, content in found if content.key not in there]
    contents = [content for _, content in found if content.key in there]
    if not contents:
        raise NothingToDownload(f"{NothingToDownload.sentence()} {left_out[0]}" if left_out else "")
    names = unique([content.name for content in contents])
    return Bundle(files=tuple(zip(names, contents, strict=True)), left_out=tuple(left_out))


def answer(found: Bundle) -> StreamingHttpResponse:
    """The archive, on its way.

    Raises:
        TooManyTransfers: there is no thread for it.
    """
    archive = ZipStream(sized=True)
    for name, content in found.files:
        archive.add(_Lazily(content), name, size=content.size)
    if found.left_out:
        told = "".join(f"{line}\r\n" for line in ("Not in this archive:", *found.left_out))
        archive.add(told.encode("utf-8-sig"), LEFT_OUT)
    size = len(archive)
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{NAME}"',
        "Content-Security-Policy": "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store, no-transform",
        "Documents-Left-Out": str(len(found.left_out)),
    }
    return StreamingHttpResponse(begun(_placed(archive, size=size)), content_type="application/zip", headers=headers)


def unique(names: Iterable[str]) -> list[str]:
    """The same names as files can have side by side on any system: no folders, no devices, and none like another in small letters."""
    taken = {_folded(LEFT_OUT)}
    found = []
    for name in names:
        safe = _safe(name)
        number, free = 1, safe
        while _folded(free) in taken:
            number += 1
            stem, dot, ending = safe.rpartition(".")
            free = f"{stem} ({number}).{ending}" if dot else f"{safe} ({number})"
        taken.add(_folded(free))
        found.append(free)
    return found


def _safe(name: str) -> str:
    safe = serving.file_name(unicodedata.normalize("NFC", name))
    if safe.partition(".")[0].strip().casefold() in DEVICES:
        safe = f"_{safe}"
    stem, dot, ending = safe.rpartition(".")
    if not dot or len(ending.encode()) > NAME_AT_MOST_BYTES // 4:
        return _cut(safe, NAME_AT_MOST_BYTES)
    return f"{_cut(stem, NAME_AT_MOST_BYTES - len(ending.encode()) - 1)}.{ending}"


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore").rstrip(" .") or "file"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _content(document: "Document | None", version: DocumentVersion | None) -> Content | Refused:
    if document is None or version is None:
        return RecordGone()
    try:
        return serving.of(version)
    except Refused as why:
        return why


def _there(contents: Sequence[Content]) -> set[str]:
    """The keys of those whose file is there, and as long as it has to be."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return {
            content.key for content, is_there in zip(contents, pool.map(_is_there, contents), strict=True) if is_there
        }


def _is_there(content: Content) -> bool:
    try:
        return documents().stat(content.key).size == content.size
    except NotFound:
        return False


def _line(document_id: int, document: "Document | None", why: Refused) -> str:
    called = f"“{document.name}”, document {document_id}" if document else f"Document {document_id}"
    return f"{called}: {why}"


def _placed(archive: Iterable[bytes], *, size: int) -> Generator[bytes]:
    """Begins with an empty piece, by which it is known that there is a place."""
    with place(size):
        yield b""
        yield from archive


@dataclass(frozen=True, slots=True)
class _Lazily:
    """The bytes of a file, which is opened when its turn comes."""

    content: Content

    def __iter__(self) -> Iterator[bytes]:
        with closing(serving.whole(self.content)) as pieces:
            yield from pieces
