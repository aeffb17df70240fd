"""What a regular expression of RE2's syntax is made of, character by character, as a tree.

Only for patterns that RE2 has taken: of what it refuses, nothing is told.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

# One character, however it is written: by its number in base sixteen or eight, escaped, or as it is.
_CHAR = r"\\x\{[0-9a-fA-F]+\}|\\x[0-9a-fA-F]{2}|\\0[0-7]{0,2}|\\[1-7][0-7]{1,2}|\\.|."
_CLASS = r"\\[pP](?:\{[^}]*\}|.)|\\[dDsSwW]"
_COUNT = "(?:0|[1-9][0-9]*)"
_TOKEN = re.compile(
    rf"""
    \\Q(?P<quoted>.*?)(?:\\E|\Z)
    | (?P<set>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])
    | (?P<flags>\(\?[a-zA-Z-]*\))
    | (?P<opened>\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*:))?)
    | (?P<closed>\))
    | (?P<branch>\|)
    | (?P<quantifier>(?:[*+?]|\{{{_COUNT}(?:,{_COUNT}?)?\}})\??)
    | (?P<place>[\^$]|\\[AzbB])
    | (?P<any>\.|\\C|{_CLASS})
    | (?P<char>{_CHAR})
    """,
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(rf"(?P<any>\[:\^?\w+:\]|{_CLASS})|(?P<first>{_CHAR})(?:-(?P<last>{_CHAR}))?", re.DOTALL)
_BY_LETTER = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Char:
    """A character that stands for itself.

    Attributes:
        source: how it is written.
    """

    source: str
    char: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """All characters from one to another, in a set."""

    source: str
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    """Any character, or any of a class that has a name."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What takes no character: a place such as the beginning, or flags for what follows."""

    source: str
    is_flags: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterSet:
    """What stands in square brackets."""

    source: str
    is_negated: bool
    members: tuple[Char | Range | Any, ...]


@dataclass(slots=True, kw_only=True)
class Group:
    """Branches in parentheses, or a whole pattern.

    Attributes:
        head: its opening parenthesis and what belongs to it; empty: a whole pattern.
    """

    head: str = ""
    branches: list[list["Item"]] = field(default_factory=lambda: [[]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A thing that may come another number of times than once."""

    item: "Item"
    quantifier: str

    @property
    def at_least(self) -> int:
        """How many the quantifier asks for."""
        if self.quantifier.startswith("{"):
            return int(re.findall("[0-9]+", self.quantifier)[0])
        return int(self.quantifier.startswith("+"))


type Item = Char | CharacterSet | Any | Place | Group | Repeated


def tokens(pattern: str) -> Iterator[str]:
    """The pattern cut into what has a meaning of its own; what is quoted stays in one piece."""
    return (found[0] for found in _TOKEN.finditer(pattern))


def parsed(pattern: str) -> Group:
    """The whole pattern; each of its characters in Unicode's normal form C, but never what is syntax."""
    whole = Group()
    open_groups = [whole]
    for found in _TOKEN.finditer(pattern):
        items = open_groups[-1].branches[-1]
        match found.lastgroup:
            case "opened":
                group = Group(head=found[0])
                items.append(group)
                open_groups.append(group)
            case "closed":
                open_groups.pop()
            case "branch":
                open_groups[-1].branches.append([])
            case "quantifier":
                _repeat_last(items, found[0])
            case "quoted":
                for char in found["quoted"]:
                    _add_char(items, Char(source=escaped(char), char=char))
            case "char":
                for char in _normal(Char(source=found[0], char=_value(found[0]))):
                    _add_char(items, char)
            case kind:
                items.append(_item(kind, found[0]))
    return whole


def _normal(char: Char) -> list[Char]:
    both = unicodedata.normalize("NFC", char.char)
    return [char] if both == char.char else [Char(source=escaped(each), char=each) for each in both]


def escaped(char: str) -> str:
    """The character as one that stands for itself, wherever it is put."""
    return f"\\{char}" if char.isascii() and not char.isalnum() else char


def _item(kind: str | None, source: str) -> Item:
    if kind == "set":
        return _character_set(source)
    return Any(source=source) if kind == "any" else Place(source=source, is_flags=kind == "flags")


def _add_char(items: list[Item], char: Char) -> None:
    """Append it, or make one character of it and the one before: a letter may be followed by its mark."""
    before = items[-1] if items else None
    if isinstance(before, Char) and not char.char.isascii():
        both = unicodedata.normalize("NFC", before.char + char.char)
        if len(both) == 1:
            items[-1] = Char(source=both, char=both)
            return
    items.append(char)


def _repeat_last(items: list[Item], quantifier: str) -> None:
    """Flags may stand before a quantifier, which is not theirs."""
    place = max(place for place, item in enumerate(items) if not (isinstance(item, Place) and item.is_flags))
    items[place] = Repeated(item=items[place], quantifier=quantifier)


def _character_set(source: str) -> CharacterSet:
    head = "[^" if source.startswith("[^") else "["
    members: list[Char | Range | Any] = []
    for found in _MEMBER.finditer(source[len(head) : -1]):
        if found["any"]:
            members.append(Any(source=found[0]))
        elif found["last"]:
            members.append(Range(source=found[0], first=_value(found["first"]), last=_value(found["last"])))
        else:
            members.append(Char(source=found[0], char=_value(found[0])))
    return CharacterSet(source=source, is_negated=head == "[^", members=tuple(members))


def _value(source: str) -> str:
    if len(source) == 1:
        return source
    body = source[1:]
    if body.startswith("x") and len(body) > 1:
        return chr(int(body[1:].strip("{}"), 16))
    return chr(int(body, 8)) if body[0] in "01234567" else _BY_LETTER.get(body, body)
