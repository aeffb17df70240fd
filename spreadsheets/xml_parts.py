"""Read the parts of an XLSX file, which is a ZIP file of XML, when somebody else has written it.

A small file can be a very large one, folded: what a part holds is counted before it is parsed, and no part is read
twice.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from xml.parsers import expat

from spreadsheets.errors import UnreadableFile

MAX_UNPACKED_BYTES = 40_000_000
# Tags, and attributes, of all parts that are read.
MAX_MARKS = 1_600_000
# Of one wanted element: a row has 16,384 cells at most.
MAX_INSIDE = 250_000
CHUNK = 65_536

BROKEN = "This XLSX file is broken. Open it in the program that wrote it, save it again, and choose that file."
TOO_MUCH = "This XLSX file is too large once it is unpacked. Save only the table that is wanted."
DAMAGED = (
    expat.ExpatError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,  # of a part with a password
    ValueError,
)


@dataclass(slots=True, kw_only=True)
class Node:
    """An element: its name without the namespace; of its attributes' names, which seldom have one, it is kept.

    Most of the hundreds of thousands of a part hold no element or no text, so that each has lists only when it needs them.
    """

    name: str
    attributes: dict[str, str]
    texts: list[str] | tuple[()] = ()
    children: list["Node"] | tuple[()] = ()

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def child(self, name: str) -> "Node | None":
        """The first of that name."""
        for child in self.children:
            if child.name == name:
                return child
        return None


class Package:
    """The parts of one file.

    Raises:
        UnreadableFile: it is no ZIP file.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self._parts = zipfile.ZipFile(io.BytesIO(content))
        except DAMAGED as error:
            raise UnreadableFile(BROKEN) from error
        self._names = set(self._parts.namelist())
        self._read: set[str] = set()
        self._bytes = self._tags = self._attributes = 0

    @property
    def names(self) -> set[str]:
        return self._names

    def __contains__(self, part: str) -> bool:
        return part in self._names

    def elements(self, part: str, *wanted: str) -> Iterator[Node]:
        """The elements of these names, each with all that is in it; what is around them is passed over.

        Raises:
            UnreadableFile: the part is broken, missing or read already, or all that was read is too much.
        """
        try:
            content = self._unpacked(part)
            found: list[Node] = []
            parser = _Collector(found, frozenset(wanted)).parser
            for start in range(0, len(content) + 1, CHUNK):
                parser.Parse(content[start : start + CHUNK], start + CHUNK > len(content))
                yield from found
                found.clear()
        except DAMAGED as error:
            raise UnreadableFile(BROKEN) from error

    def _unpacked(self, part: str) -> bytes:
        entry = self._parts.getinfo(part)
        if part in self._read or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UnreadableFile(BROKEN)
        self._read.add(part)
        self._bytes += entry.file_size
        if self._bytes > MAX_UNPACKED_BYTES:
            raise UnreadableFile(TOO_MUCH)
        content = self._parts.read(part)
        self._tags += content.count(b"<")
        self._attributes += content.count(b"=")
        if max(self._tags, self._attributes) > MAX_MARKS:
            raise UnreadableFile(TOO_MUCH)
        return content


class _Collector:
    """Adds the wanted elements to those found, and refuses what could multiply itself."""

    def __init__(self, found: list[Node], wanted: frozenset[str]) -> None:
        self._found, self._wanted = found, wanted
        self._path: list[Node] = []
        self._inside = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        # No spreadsheet declares entities, its own or those of another file.
        self.parser.StartDoctypeDeclHandler = self._declared

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = _local(name)
        if not self._path and name not in self._wanted:
            return
        node = Node(name=name, attributes=attributes)
        self._inside = self._inside + 1 if self._path else 0
        if self._inside > MAX_INSIDE:
            raise UnreadableFile(TOO_MUCH)
        if self._path:
            above = self._path[-1]
            if above.children:
                above.children.append(node)
            else:
                above.children = [node]
        self._path.append(node)

    def _end(self, _: str) -> None:
        if self._path:
            node = self._path.pop()
            if not self._path:
                self._found.append(node)

    def _data(self, text: str) -> None:
        if self._path:
            around = self._path[-1]
            if around.texts:
                around.texts.append(text)
            else:
                around.texts = [text]

    def _declared(self, *_: object) -> None:
        raise UnreadableFile(BROKEN)


@lru_cache(1_000)
def _local(name: str) -> str:
    return name.rpartition(" ")[2]
