"""A form with one file, read as it comes (RFC 7578): what describes the file stands before it."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from core.base.errors import Refused
from documents import digests
from documents.errors import BodyIncomplete
from documents.receiving import Received

FORM = "multipart/form-data"
# Of the part that has the file.
FILE = "file"
FIELDS_AT_MOST = 20
FILES_AT_MOST = 100
FIELDS_BYTES = 128 * 1024
# So much of files that are not wanted is passed over, so that those behind them are reached.
PASSED_OVER_BYTES = 200_000_000
# What stands before the first part and behind the last one means nothing; whoever sends more holds a thread for it.
AROUND_BYTES = 64 * 1024


class NoForm(Refused):
    """The body is no form with a file. Nothing was stored; send it as multipart/form-data."""

    code = "no_form"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class FormUnreadable(Refused):
    """The form cannot be read. Nothing was stored; send it as multipart/form-data, with UTF-8 in its fields."""

    code = "form_unreadable"
    status = HTTPStatus.BAD_REQUEST


class FormTooLarge(Refused):
    """The form has too many fields, or too much in or around them, beside its file. Nothing was stored."""

    code = "form_too_large"
    status = HTTPStatus.CONTENT_TOO_LARGE


class FilesTooMany(Refused):
    """A form has at most 100 files, and not too much that is refused. What stands behind was not read; send it again."""

    code = "files_too_many"
    status = HTTPStatus.CONTENT_TOO_LARGE
    field = FILE


class FileMissing(Refused):
    """The form has no file. Nothing was stored; send it as the last part, with “file” as its name."""

    code = "file_missing"
    field = FILE


class FieldAfterFile(Refused):
    """The form goes on behind its file. Send the file as the last part, and with a program one file at a time."""

    code = "field_after_file"
    field = FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form whose file is still on its way.

    Attributes:
        fields: those before the file, by name.
        name: what the file is called where it comes from, without its folders; empty: it is not said.
        content_type: as its part says.
        chunks, digests: as those of `Received`, of the file.
    """

    fields: Mapping[str, str]
    name: str
    content_type: str
    chunks: Iterator[bytes]
    digests: Mapping[str, bytes]

    @property
    def sha256(self) -> str | None:
        """In hexadecimal digits, where it was said."""
        found = self.digests.get("sha-256")
        return found.hex() if found else None


def form(body: Received) -> Form:
    """The form, read up to the first byte of its file.

    Raises:
        NoForm, FormUnreadable, FormTooLarge, FileMissing: it is none with a file.
        DigestUnreadable: what its part says cannot be read.
        BodyIncomplete, BodyTooSlow: see `documents.receiving`.
    """
    parts = _Parts(body)
    fields, headers = _fields(parts)
    return _with_file(fields, headers, parts.last_part())


def forms(body: Received) -> Iterator[Form]:
    """The same form with each of its files, one after the other; what is not read of one is passed over.

    Raises:
        FilesTooMany: those that stand behind are not read.
        NoForm, FormUnreadable, FormTooLarge, FileMissing, FieldAfterFile, DigestUnreadable, BodyIncomplete, BodyTooSlow: as `form`.
    """
    parts = _Parts(body)
    fields, headers = _fields(parts)
    for _ in range(FILES_AT_MOST):
        yield _with_file(fields, headers, parts.part())
        parts.pass_over()
        following = parts.next_part()
        if following is None:
            parts.end()
            return
        if _names(following)[0] != FILE:
            raise FieldAfterFile
        headers = following
    raise FilesTooMany


def _fields(parts: "_Parts") -> tuple[dict[str, str], dict[str, str]]:
    """What stands before the first file, and the headers of that."""
    fields: dict[str, str] = {}
    while headers := parts.next_part():
        name, _ = _names(headers)
        if name == FILE:
            return fields, headers
        if name in fields:
            raise FormUnreadable(f"The form has “{name[:50]}” twice. Nothing was stored; send it once.")
        if len(fields) == FIELDS_AT_MOST:
            raise FormTooLarge
        fields[name] = parts.value()
    raise FileMissing


def _with_file(fields: Mapping[str, str], headers: Mapping[str, str], content: Iterator[bytes]) -> Form:
    said = digests.declared(headers.get("content-digest", ""), headers.get("repr-digest", ""))
    return Form(
        fields=fields,
        name=_names(headers)[1],
        content_type=headers.get("content-type", ""),
        chunks=digests.checked(content, said),
        digests=said,
    )


class _Parts:
    """The parts one after the other, out of a parser that is fed and calls back."""

    def __init__(self, body: Received) -> None:
        self._chunks = body.chunks
        self._found: deque[tuple[str, bytes]] = deque()
        self._left = FIELDS_BYTES
        self._passed_over = 0
        self._is_inside = False
        self._around = AROUND_BYTES
        self._has_begun = False
        kind, options = parse_options_header(body.content_type)
        if kind.decode("latin-1") != FORM or not options.get(b"boundary"):
            raise NoForm
        told: Any = {
            "on_header_field": self._tell("field"),
            "on_header_value": self._tell("value"),
            "on_header_end": lambda: self._found.append(("header", b"")),
            "on_headers_finished": lambda: self._found.append(("headers", b"")),
            "on_part_data": self._tell("data"),
            "on_part_end": lambda: self._found.append(("end", b"")),
            "on_end": lambda: self._found.append(("closed", b"")),
        }
        try:
            self._parser = MultipartParser(options[b"boundary"], told)
        except FormParserError:
            raise NoForm from None

    def next_part(self) -> dict[str, str] | None:
        """The headers of the next part; None: there is none.

        Raises:
            FormUnreadable: there is something else.
        """
        headers: dict[str, str] = {}
        field, value = b"", b""
        for kind, data in iter(self._next, None):
            match kind:
                case "field":
                    field += data
                case "value":
                    value += data
                case "header":
                    headers[field.decode("latin-1").lower()] = value.decode("latin-1").strip()
                    field, value = b"", b""
                case "headers":
                    self._is_inside = True
                    return headers
                case "closed":
                    return None
        raise BodyIncomplete

    def value(self) -> str:
        """What the part holds, as text.

        Raises:
            FormTooLarge, FormUnreadable: it holds something else.
        """
        held = bytearray()
        for kind, data in iter(self._next, None):
            if kind == "end":
                self._is_inside = False
                return _text(bytes(held))
            held += data
            self._left -= len(data)
            if self._left < 0:
                raise FormTooLarge
        raise BodyIncomplete

    def last_part(self) -> Iterator[bytes]:
        """What the part holds, behind which nothing comes.

        Raises:
            FieldAfterFile: something does.
            FormTooLarge: what is no part goes on and on.
        """
        yield from self.part()
        found = self._next()
        if found is None:
            raise BodyIncomplete
        if found[0] != "closed":
            raise FieldAfterFile
        self.end()

    def part(self) -> Iterator[bytes]:
        """What the part holds, behind which others may come."""
        for kind, data in iter(self._next, None):
            if kind == "end":
                self._is_inside = False
                return
            yield data
        raise BodyIncomplete

    def pass_over(self) -> None:
        """Go on behind what is left of the part.

        Raises:
            FilesTooMany: too much was passed over already.
        """
        if not self._is_inside:
            return
        for nothing in self.part():
            self._passed_over += len(nothing)
            if self._passed_over > PASSED_OVER_BYTES:
                raise FilesTooMany

    def end(self) -> None:
        """Read what stands behind the last part, which counts to the length and to the digest."""
        for nothing in self._chunks:
            self._skip(nothing)

    def _next(self) -> tuple[str, bytes] | None:
        while not self._found:
            chunk = next(self._chunks, None)
            if chunk is None:
                return None
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise FormUnreadable from None
            self._has_begun = self._has_begun or bool(self._found)
            if not self._has_begun:
                self._skip(chunk)
        return self._found.popleft()

    def _skip(self, nothing: bytes) -> None:
        self._around -= len(nothing)
        if self._around < 0:
            raise FormTooLarge

    def _tell(self, kind: str) -> Any:
        return lambda data, start, end: self._found.append((kind, data[start:end]))


def _names(headers: Mapping[str, str]) -> tuple[str, str]:
    """The name of the part and that of its file."""
    _, said = parse_options_header(headers.get("content-disposition", ""))
    name, file_name = (_text(said.get(each, b"")) for each in (b"name", b"filename"))
    if not name:
        raise FormUnreadable
    # As browsers write what would end the name; and some have sent the folders, too.
    return name, re.split(r"[/\\]", file_name.replace("%22", '"'))[-1]


def _text(written: bytes) -> str:
    try:
        return written.decode()
    except UnicodeDecodeError:
        raise FormUnreadable from None
