"""The rows of a CSV file: in which encoding it is written, and what stands between its cells."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from spreadsheets.errors import UnreadableFile
from spreadsheets.file_kinds import BINARY

# What seldom stands in a text comes first, and wins where several would do.
SEPARATORS = {"\t": "tabulator", "|": "vertical bar", ";": "semicolon", ",": "comma"}
# Chosen for a file of one column whose cells hold separators.
NO_SEPARATOR = "none"
# Rows that tell which one it is.
LOOKED_AT = 200
LOOKED_AT_TEXT = 200_000

_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}
_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0e-\x1f]")
# A table has some around its texts, or here and there; what has one in ten characters, or an empty one, is none.
_MOST_CONTROLS = 0.1


def decoded(content: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding.

    Raises:
        UnreadableFile: it is no text, or in an encoding that nobody can know.
    """
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        _refuse_binary(text)
        return text, _NAMES.get(encoding, "UTF-16")
    _refuse_binary(content.decode("latin-1"))  # such as a picture
    raise UnreadableFile(
        "The characters of this file are in none of the encodings UTF-8, UTF-16 and Windows-1252. "
        "Save it as “CSV UTF-8”, and choose that file."
    )


def _refuse_binary(text: str) -> None:
    if "\0" in text or len(_CONTROLS.findall(text)) > _MOST_CONTROLS * len(text):
        raise UnreadableFile(BINARY)


def _encodings(content: bytes) -> list[str]:
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return [encoding]
    # In UTF-16, every other byte of ordinary text is zero; in the other two, none is.
    head = content[:1_000]
    zeros = (head[0::2].count(0), head[1::2].count(0))
    if max(zeros) * 4 > len(head) and min(zeros) * 10 < max(zeros):
        return ["utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"]
    return ["utf-8", "cp1252"]


def separator_of(text: str) -> tuple[str, str]:
    """What stands between the cells, and the text without the line in which Excel says so.

    It is what makes the most rows equally wide, and more than one cell wide, with what stands in quotation marks
    left alone. How often it stands in the file does not matter: a description is full of commas.
    """
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and first[4:5] in SEPARATORS and first[4:5]:
        return first[4], f"\n{rest}"
    found = max(SEPARATORS, key=lambda separator: _evenness(text, separator))
    return found if _evenness(text, found)[0] else ",", text


def width_of(text: str, separator: str) -> int:
    """How many cells most of the first rows have."""
    if separator == NO_SEPARATOR:
        return 1
    width, _ = max(_widths(text, separator).items(), key=lambda each: (each[1], each[0]), default=(0, 0))
    return width


def _evenness(text: str, separator: str) -> tuple[int, bool, int]:
    """How many of the first rows are as wide as most, whether it stands there as in no text, and how wide that is.

    Nothing where all are one cell wide.
    """
    widths = _widths(text, separator)
    widths.pop(1, None)
    width, count = max(widths.items(), key=lambda each: (each[1], each[0]), default=(0, 0))
    return count, f"{separator} " not in text[:LOOKED_AT_TEXT], width


def _widths(text: str, separator: str) -> Counter[int]:
    """How many of the first rows have how many cells; what cannot be read ends them."""
    reader = csv.reader(io.StringIO(text[:LOOKED_AT_TEXT], newline=""), delimiter=separator, skipinitialspace=True)
    widths: Counter[int] = Counter()
    with suppress(csv.Error):  # told when the rows are read
        widths.update(len(row) for row in islice(reader, LOOKED_AT) if any(map(str.strip, row)))
    return widths


def lines_of(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of the line that it begins in.

    Raises:
        UnreadableFile: a row cannot be read; says which.
    """
    if separator == NO_SEPARATOR:
        yield from ((number, [line]) for number, line in enumerate(io.StringIO(text, newline=None), 1))
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(f"The row that begins in line {line} cannot be read: {_problem(error)}") from None


def _problem(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a cell has more than {csv.field_size_limit():,} characters. Shorten it, or see whether a quotation mark is missing."
    return "a quotation mark is missing or too many. Correct it."
