"""What a route accepts: fields with types, checked as strictly as the real service does.

A wrong argument is a 400 with plain text that names the field, the way `files/list_folder` answers
`Error in call to API function "files/list_folder": request body: path: expected string, got integer`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Check = Callable[[Any], str | None]

REQUIRED: Any = object()

KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "float",
    dict: "object",
    list: "list",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an argument: a check that returns what is wrong, and the value when it is left out."""

    check: Check
    default: Any = REQUIRED


class Malformed(ValueError):
    """The argument does not fit the route; the text says where and why."""


def read(fields: Mapping[str, Field], raw: bytes) -> dict[str, Any]:
    """Decode and check an argument.

    Raises:
        Malformed: it is not JSON, or a field is unknown, missing or wrong.
    """
    value = _decode(raw)
    if value is None and not fields:
        return {}
    return check_struct(fields, value)


def peek(raw: bytes) -> dict[str, Any]:
    """The argument as far as it can be read, for the journal; whatever is wrong with it is told elsewhere."""
    try:
        value = json.loads(raw.decode()) if raw else None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def check_struct(fields: Mapping[str, Field], value: Any) -> dict[str, Any]:
    """Check a decoded struct and fill in the defaults.

    Raises:
        Malformed: a field is unknown, missing or wrong.
    """
    if not isinstance(value, dict):
        raise Malformed(f"expected object, got {_kind(value)}")
    for name, given in value.items():
        if name not in fields:
            raise Malformed(f"unknown field '{name}'")
        if given is None and fields[name].default is None:
            continue
        if problem := fields[name].check(given):
            raise Malformed(f"{name}: {problem}")
    for name, field in fields.items():
        if name not in value and field.default is REQUIRED:
            raise Malformed(f"missing required field '{name}'")
    return {name: value.get(name, field.default) for name, field in fields.items()}


def string(
    pattern: str | None = None, *, default: Any = REQUIRED, most: int | None = None, also: Check | None = None
) -> Field:
    """A text: of a pattern, of `most` characters at most, and with whatever `also` wants."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return f"expected string, got {_kind(value)}"
        if compiled and not compiled.fullmatch(value):
            return f"'{value}' did not match pattern '{pattern}'"
        if most is not None and len(value) > most:
            return f"'{value}' must be at most {most} characters, got {len(value)}"
        return also(value) if also else None

    return Field(check, default)


def boolean(*, default: bool | None) -> Field:
    return Field(lambda value: None if isinstance(value, bool) else f"expected boolean, got {_kind(value)}", default)


def integer(least: int, most: int, *, default: Any = REQUIRED) -> Field:
    def check(value: Any) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return f"expected integer, got {_kind(value)}"
        if value < least:
            return f"integer {value} is less than minimum {least}"
        return f"integer {value} is greater than maximum {most}" if value > most else None

    return Field(check, default)


def union(*tags: str, default: Any = None) -> Field:
    """A union, written in full (`{".tag": "add"}`) or, as Dropbox allows for void members, as its tag alone."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str | dict):
            return f"expected object or string, got {_kind(value)}"
        tag = tag_of(value)
        return None if tag in tags else f"unknown tag '{tag}'"

    return Field(check, default)


def struct(fields: Mapping[str, Field], *, default: Any = None) -> Field:
    def check(value: Any) -> str | None:
        try:
            check_struct(fields, value)
        except Malformed as error:
            return str(error)
        return None

    return Field(check, default)


def items(field: Field, *, least: int = 0, most: int, default: Any = REQUIRED) -> Field:
    """A list with one check for each of its items."""

    def check(value: Any) -> str | None:
        if not isinstance(value, list):
            return f"expected list, got {_kind(value)}"
        if not least <= len(value) <= most:
            bound = f"less than minimum {least}" if len(value) < least else f"greater than maximum {most}"
            return f"list length {len(value)} is {bound}"
        problems = ((at, field.check(item)) for at, item in enumerate(value))
        return next((f"[{at}]: {problem}" for at, problem in problems if problem), None)

    return Field(check, default)


def anything() -> Field:
    """A field that Dropbox knows and that changes nothing here."""
    return Field(lambda _: None, None)


def tag_of(value: str | Mapping[str, Any]) -> str:
    return value if isinstance(value, str) else str(value.get(".tag", ""))


def _decode(raw: bytes) -> Any:
    try:
        # Decoded here, since the JSON reader would guess other encodings as well.
        return json.loads(raw.decode()) if raw else None
    except ValueError:
        raise Malformed("could not decode input as JSON") from None


def _kind(value: Any) -> str:
    return KINDS.get(type(value), "object")


# Paths as the specification writes them.
LISTED_PATH = r"(/(.|[\r\n])*)?|id:.*|(ns:[0-9]+(/.*)?)"
READ_PATH = r"(/(.|[\r\n])*|id:.*)|(rev:[0-9a-f]{9,})|(ns:[0-9]+(/.*)?)"
WRITE_PATH = r"(/(.|[\r\n])*)|(ns:[0-9]+(/(.|[\r\n])*)?)"
WRITE_PATH_OR_ID = WRITE_PATH + r"|(id:.*)"
