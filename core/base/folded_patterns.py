"""A regular expression folded as the texts are that it is asked of (`core.base.folding`), so that its typography decides nothing."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.base.folding import char_as_it_looks, char_as_read, char_as_typed
from core.base.pattern_syntax import Any, Char, CharacterSet, Group, Item, Place, Range, Repeated, escaped, parsed

# From the surest to the boldest; each has a text that `core.base.patterns` folds likewise.
LOOKS = (char_as_read, char_as_typed, char_as_it_looks)
# Other ways to write a blank, and what nobody sees.
_BLANK = re.compile(r"\\s|\\p\{Zs?\}|\\pZ|\[:(?:space|blank):\]")
_UNSEEN = re.compile(r"\\p\{C[cf]\}|\[:cntrl:\]")
# There are more characters in what nobody would call a range of dashes, or of blanks.
_LONGEST_RANGE = 0x1000

type Look = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folded:
    """A part of a pattern.

    Attributes:
        asked: how many characters, at least, it had to find of which it says what they are; “.” says nothing.
        asks: the same after folding.
    """

    text: str
    asked: int = 0
    asks: int = 0

    @property
    def is_lost(self) -> bool:
        """Whether it asked for nothing but what nobody sees, so that everything would match what is left."""
        return bool(self.asked) and not self.asks


def folded_pattern(pattern: str, look: Look) -> str | None:
    """The pattern with its characters folded; several blanks, however they are written, ask for one.

    A branch that only asks for what nobody sees is left out; None: so is all of it.
    """
    folded = _group(parsed(pattern), look)
    return None if folded.is_lost else folded.text


def _branch(items: Iterable[Item], look: Look) -> _Folded:
    parts: list[_Folded] = []
    blanks: list[int] = []
    for item in items:
        if (at_least := _blanks(item, look)) is not None:
            blanks.append(at_least)
            continue
        part = _item(item, look)
        if part.text:
            parts += _one_blank(blanks)
            blanks.clear()
        parts.append(part)
    return _joined([*parts, *_one_blank(blanks)])


def _joined(parts: Iterable[_Folded]) -> _Folded:
    parts = list(parts)
    return _Folded(
        text="".join(part.text for part in parts),
        asked=sum(part.asked for part in parts),
        asks=sum(part.asks for part in parts),
    )


def _one_blank(at_least: list[int]) -> list[_Folded]:
    if not at_least:
        return []
    return [_Folded(text=" ", asked=1, asks=1) if sum(at_least) else _Folded(text=" ?")]


def _blanks(item: Item, look: Look) -> int | None:
    """How many blanks it asks for at least; None: it is something else."""
    match item:
        case Repeated():
            once = _blanks(item.item, look)
            return None if once is None else once * item.at_least
        case CharacterSet(is_negated=False):
            return 1 if all(_is_blank(member, look) for member in item.members) else None
        case Char() | Any():
            return 1 if _is_blank(item, look) else None
        case _:
            return None


def _is_blank(member: Char | Range | Any, look: Look) -> bool:
    match member:
        case Char():
            return look(member.char).isspace()
        case Range():
            return _is_typography(member) and all(look(char).isspace() for char in _chars(member))
        case Any():
            return _BLANK.fullmatch(member.source) is not None


def _item(item: Item, look: Look) -> _Folded:
    match item:
        case Char():
            return _char(item, look)
        case CharacterSet():
            return _set(item, look)
        case Any():
            return _Folded(text="", asked=1) if _UNSEEN.fullmatch(item.source) else _Folded(text=item.source)
        case Place():
            return _Folded(text=item.source)
        case Group():
            folded = _group(item, look)
            return _Folded(text=folded.text and f"{item.head}{folded.text})", asked=folded.asked, asks=folded.asks)
        case Repeated():
            return _repeated(item, look)


def _char(item: Char, look: Look) -> _Folded:
    plain = look(item.char)
    if item.char.isascii() and plain == item.char:
        return _Folded(text=item.source, asked=1, asks=1)
    return _Folded(text="".join(map(escaped, plain)), asked=1, asks=int(bool(plain)))


def _repeated(item: Repeated, look: Look) -> _Folded:
    once = _item(item.item, look)
    if not once.text:
        return _Folded(text="", asked=once.asked * item.at_least)
    # Flags may stand between two quantifiers, which RE2 takes for one thing otherwise.
    is_many = isinstance(item.item, Repeated) or (isinstance(item.item, Char) and len(look(item.item.char)) > 1)
    return _Folded(
        text=(f"(?:{once.text})" if is_many else once.text) + item.quantifier,
        asked=once.asked * item.at_least,
        asks=once.asks * item.at_least,
    )


def _group(group: Group, look: Look) -> _Folded:
    """Its branches without those that are lost; if all are, whoever holds the group sees that nothing is asked."""
    branches = [_branch(items, look) for items in group.branches]
    are_all_lost = all(branch.is_lost for branch in branches)
    kept: list[str] = []
    flags = ""
    for items, branch in zip(group.branches, branches, strict=True):
        if branch.is_lost and not are_all_lost:
            # They hold for the branches that follow, too.
            flags += "".join(item.source for item in items if isinstance(item, Place) and item.is_flags)
        else:
            kept.append(flags + branch.text)
            flags = ""
    return _Folded(
        text="|".join(kept) if any(kept) else "",
        asked=min(branch.asked for branch in branches),
        asks=min(branch.asks for branch in branches if are_all_lost or not branch.is_lost),
    )


def _set(item: CharacterSet, look: Look) -> _Folded:
    """A set of characters; those of which several become are branches beside it."""
    looks = [look(char) for member in item.members for char in _told(member, look)]
    kept = [source for member in item.members for source in _untold(member, look)]
    singles = [_in_set(plain) for plain in looks if len(plain) == 1]
    if item.is_negated:
        singles += [char for member in item.members for char in _told(member, look) if len(look(char)) > 1]
        return _Folded(text=_bracketed("[^", kept + singles) or item.source)
    texts = [_bracketed("[", kept + singles), *("".join(map(escaped, plain)) for plain in looks if len(plain) > 1)]
    texts = [text for text in dict.fromkeys(texts) if text]
    says = not any(_is_wide(member) for member in item.members)
    return _Folded(
        text=f"(?:{'|'.join(texts)})" if len(texts) > 1 else "".join(texts),
        asked=int(says),
        asks=int(says and bool(texts)),
    )


def _bracketed(head: str, parts: Iterable[str]) -> str:
    inside = "".join(dict.fromkeys(parts))
    return f"{head}{inside}]" if inside else ""


def _in_set(char: str) -> str:
    return char if char == " " else escaped(char)


def _told(member: Char | Range | Any, look: Look) -> list[str]:
    """The characters of a set that are folded one by one."""
    match member:
        case Char():
            return [member.char]
        case Range() if _is_typography(member):
            return [char for char in _chars(member) if look(char) != char and _is_typographic(char)]
        case _:
            return []


def _untold(member: Char | Range | Any, look: Look) -> list[str]:
    """What of a set is not: classes by name, and ranges that hold what looks like itself."""
    match member:
        case Any():
            return [] if _UNSEEN.fullmatch(member.source) else [member.source]
        case Range() if _is_full_width(member.first) and _is_full_width(member.last):
            return [f"{escaped(look(member.first))}-{escaped(look(member.last))}"]
        case Range() if not _is_typography(member) or any(look(char) == char for char in _chars(member)):
            return [member.source]
        case _:
            return []


def _is_wide(member: Char | Range | Any) -> bool:
    """Whether it says little of what it is that it finds."""
    match member:
        case Char():
            return False
        case Range():
            return not _is_typography(member)
        case Any():
            return not (_UNSEEN.fullmatch(member.source) or _BLANK.fullmatch(member.source))


def _is_typography(member: Range) -> bool:
    """Whether it goes from a dash to a dash, from a blank to what nobody sees, or holds no letter.

    Other ranges are not folded: “any but our letters” would become all of ours, and “any control character” a blank.
    """
    if ord(member.last) - ord(member.first) >= _LONGEST_RANGE or _is_full_width(member.first):
        return False
    if member.first.isascii():
        return len({char_as_typed(char) for char in _chars(member)}) == 1 and _is_typographic(member.first)
    return (_is_typographic(member.first) and _is_typographic(member.last)) or not any(map(str.isalnum, _chars(member)))


def _is_typographic(char: str) -> bool:
    plain = char_as_typed(char)
    return plain != char and plain.isascii() and not plain.isalnum()


def _is_full_width(char: str) -> bool:
    return "\uff01" <= char <= "\uff5e"


def _chars(member: Range) -> Iterable[str]:
    return map(chr, range(ord(member.first), ord(member.last) + 1))
