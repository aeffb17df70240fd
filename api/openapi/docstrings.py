"""What the docstrings of the house tell a client: their text, and what each attribute is; what is raised is told as an answer."""

import re
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any

SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$", re.MULTILINE)
RAISED = re.compile(r"^    (\w+(?:,\s+\w+)*):", re.MULTILINE)
ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)


def text_of(docstring: str) -> str:
    """What stands before the sections."""
    return _unfolded(SECTION.split(cleandoc(docstring), maxsplit=1)[0])


def attributes_of(docstring: str) -> Mapping[str, str]:
    """What the sections say of each attribute or argument."""
    _text, *rest = SECTION.split(cleandoc(docstring))
    sections = zip(rest[::2], rest[1::2], strict=True)
    return {
        name: _unfolded(said)
        for title, body in sections
        if title in {"Args", "Attributes"}
        for name, said in _pairs(ENTRY.split(body)[1:])
    }


def raised_by(docstring: str) -> set[str]:
    """The names of what may be raised."""
    _text, *rest = SECTION.split(cleandoc(docstring))
    return {
        name
        for title, body in zip(rest[::2], rest[1::2], strict=True)
        if title == "Raises"
        for names in RAISED.findall(body)
        for name in re.findall(r"\w+", names)
    }


def describe(schema: dict[str, Any]) -> None:
    """Give each property of a schema the words that the docstring of its class has for it."""
    docstring = cleandoc(schema.get("description", ""))
    if not SECTION.search(docstring):
        return
    schema["description"] = text_of(docstring)
    for name, said in attributes_of(docstring).items():
        if name in schema.get("properties", {}):
            schema["properties"][name].setdefault("description", said)


def _pairs(found: list[str]) -> Iterator[tuple[str, str]]:
    return zip(found[::2], found[1::2], strict=True)


def _unfolded(text: str) -> str:
    """Lines that were folded for the editor, as one."""
    return re.sub(r"(?<!\n)\n[ \t]*(?![ \t]*\n)", " ", text.strip())
