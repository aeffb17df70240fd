"""Which names somebody may have meant by a number that no archive has.

Names are kept by their digits, so that a number is looked up by what a slip of the hand would make of its own, and is compared
with none of the thousands that are far from it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from core.base.folding import DASHES, FILLERS, HYPHENS, LOOK_ALIKE_LETTERS, OVERRIDES, UNSEEN, as_it_looks, fold_case
from leases.lookalikes import bare_key, is_shortened, short_key

OFFERED_AT_MOST = 5
# Numbers of fewer digits are too near to one another for a wrong digit to say anything.
DIGITS_AT_LEAST = 4
# No number has more; what has is a text, and its slips are not gone through.
DIGITS_AT_MOST = 20
# Of so many that have the same digits none comes nearer than the others; whoever makes folders may make many.
SAME_DIGITS_AT_MOST = 50

# What separates the parts of a number; what is drawn as a letter of ours.
_PARTED = dict.fromkeys(map(ord, " -_\u1680" + HYPHENS + DASHES + FILLERS), " ") | dict.fromkeys(
    map(ord, UNSEEN + OVERRIDES)
)
_FOLDED: dict[int, str | None] = {**_PARTED, **LOOK_ALIKE_LETTERS}
# Letters that are written, or read, for digits.
_DRAWN_AS = str.maketrans("oilsbzg", "0115826")
# A prefix has a letter of its own before those that stand for digits; of the others each belongs to the digits beside it.
_BESIDE_DIGITS = re.compile(r"(?<=[0-9])[oilsbzg]+|(?<=[^ ])[oilsbzg]+(?=[0-9])|(?<= )[oilsbzg]+(?= ?[0-9])")
_PARTS = re.compile(r"([^0-9]*)(.*?)([^0-9]*)", re.DOTALL)
_ZEROS_BEFORE = re.compile("(?<![0-9])0+")
# Where a text begins behind the number: a word of two letters or more.
_HEAD = re.compile(r"[^0-9]*[0-9](?:[ 0-9]|[a-z]?(?![a-z]))*")
# Digits that are read, or struck, for one another: by their looks, and beside one another in the row of the keyboard.
_TAKEN_FOR = {
    "0": "6891",
    "1": "702",
    "2": "137",
    "3": "2485",
    "4": "359",
    "5": "463",
    "6": "5708",
    "7": "6812",
    "8": "7903",
    "9": "804",
}


class Kind(IntEnum):
    """How a name differs from the number, the nearest first.

    What nobody sees, or reads over, comes first: the two look the same; only blanks, dashes and the like differ; only zeros
    before other digits; letters stand for digits. Then come slips, in the order of how much one of them says: the fewer
    others the same slip could have led to, the less it is chance that one of them is there. A letter behind the number is
    there or not; of what stands before it there are a few; of two digits that are swapped, or of one too many, a handful;
    a wrong digit may have been any of sixty, a missing one of seventy. Last comes what shares nothing but its digits, and
    differs on both sides.
    """

    LOOKS_THE_SAME = 0
    IN_SEPARATORS = 1
    IN_ZEROS = 2
    IN_LETTERS_FOR_DIGITS = 3
    WITHOUT_SUFFIX = 4
    WITHOUT_PREFIX = 5
    OTHER_SUFFIX = 6
    OTHER_PREFIX = 7
    SWAPPED = 8
    DIGIT_TOO_MANY = 9
    WRONG_DIGIT = 10
    DIGIT_MISSING = 11
    ON_BOTH_SIDES = 12


OF_DIGITS = frozenset({Kind.SWAPPED, Kind.DIGIT_TOO_MANY, Kind.WRONG_DIGIT, Kind.DIGIT_MISSING})


@dataclass(frozen=True, slots=True)
class _Parts:
    """A number: what stands before its digits, from the first to the last of them, and after them.

    Attributes:
        digits: joined, with all zeros.
        core: without the zeros before each run of them.
    """

    before: str
    digits: str
    core: str
    after: str

    @classmethod
    def of(cls, text: str) -> "_Parts":
        found = _PARTS.fullmatch(text)
        assert found is not None
        before, middle, after = found.groups()
        # A letter amid the digits is as telling as they are.
        core = _ZEROS_BEFORE.sub("", middle).replace(" ", "")
        return cls(
            before=before.replace(" ", ""),
            digits=middle.replace(" ", ""),
            core=core,
            after=after.replace(" ", ""),
        )

    @property
    def keys(self) -> Iterator[str]:
        """What it is kept by, and looked up by."""
        yield self.core
        yield self.digits.lstrip("0")


def _folded(text: str) -> str:
    return fold_case(unicodedata.normalize("NFKC", text)).translate(_FOLDED)


class _Read:
    """A number or a name, in each of the ways in which it can be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        # Nearly all names are of such letters, and there are hundreds of thousands.
        folded = text.lower().replace("-", " ").replace("_", " ") if text.isascii() else _folded(text)
        self.plain = " ".join(folded.split())

    @cached_property
    def looks(self) -> str:
        return as_it_looks(self.text)

    @cached_property
    def bare(self) -> str:
        return bare_key(self.text)

    @cached_property
    def short(self) -> str:
        return short_key(self.text)

    @cached_property
    def drawn(self) -> str:
        """With a digit for each letter that is drawn like one, wherever it stands."""
        return re.sub("(?<![0-9])0+(?=[0-9])", "", self.plain.translate(_DRAWN_AS)).replace(" ", "")

    @cached_property
    def readings(self) -> tuple[_Parts, ...]:
        """As it stands; without the text behind it; with digits for letters beside digits."""
        head = _HEAD.match(self.plain)
        as_digits = _BESIDE_DIGITS.sub(lambda found: found[0].translate(_DRAWN_AS), self.plain)
        texts = [self.plain, head[0].strip() if head else self.plain, as_digits]
        return tuple(_Parts.of(text) for text in dict.fromkeys(texts))

    @property
    def keys(self) -> set[str]:
        """What it is kept by; a name without digits by its letters."""
        return {key for parts in self.readings for key in parts.keys} - {""} or {self.bare}


class NearNames:
    """Names of archives, to be asked for those that come near a number."""

    def __init__(self, names: Iterable[str]) -> None:
        # Of names that share their digits one text, for no name holds a slash: a list each would take half as much again.
        self._kept: dict[str, str] = {}
        self._begun: Counter[str] = Counter()
        for name in names:
            read = _Read(name)
            self._begun[read.readings[0].before] += 1
            for key in read.keys:
                self._keep(key, name)

    def _keep(self, key: str, name: str) -> None:
        before = self._kept.get(key)
        if before is None:
            self._kept[key] = name
        elif before.count("/") < SAME_DIGITS_AT_MOST:
            self._kept[key] = f"{before}/{name}"

    def nearest(self, number: str) -> tuple[str, ...]:
        """Those that somebody may have meant by the number, the nearest first, at most five.

        What differs in a digit, and in blanks or zeros too, comes last of all: that takes two slips. Of one kind, that comes
        first which differs by that one slip alone; then the slip that is commoner; then what begins as most archives do.
        """
        return self.all_near(number)[:OFFERED_AT_MOST]

    def all_near(self, number: str) -> tuple[str, ...]:
        """All of them, in the same order; in a folder of numbers that follow one another these may be dozens.

        Nothing comes near what a spreadsheet has shortened: most of its digits are lost.
        """
        if is_shortened(number):
            return ()
        asked = _Read(number)
        ranked = [
            (rank, name)
            for name in self._candidates(asked)
            if fold_case(name) != fold_case(number) and (rank := self._rank(asked, _Read(name)))
        ]
        return tuple(name for _, name in sorted(ranked))

    def _candidates(self, asked: _Read) -> Iterator[str]:
        keys = dict.fromkeys(asked.keys)
        for parts in asked.readings:
            for digits in {parts.digits, parts.core}:
                if DIGITS_AT_LEAST <= len(digits) <= DIGITS_AT_MOST:
                    keys |= dict.fromkeys(each.lstrip("0") for each in _slips_of(digits))
        yield from dict.fromkeys(name for key in keys if key in self._kept for name in self._kept[key].split("/"))

    def _rank(self, asked: _Read, name: _Read) -> tuple[bool, int, bool, bool, int, int] | None:
        kind, is_rare = _kind_of(asked, name)
        if kind is None:
            return None
        is_more = not _is_one_slip(asked.plain, name.plain)
        begun = self._begun[name.readings[0].before]
        return kind in OF_DIGITS and is_more, kind, is_more, is_rare, -begun, abs(len(name.text) - len(asked.text))


# --- How two of them differ -----------------------------------------------------------------------------------------


def _kind_of(asked: _Read, name: _Read) -> tuple[Kind | None, bool]:
    """How a name differs from the number, and whether by a slip that is rarer than others of its kind; None: too much."""
    if asked.looks == name.looks:
        return Kind.LOOKS_THE_SAME, False
    if asked.bare == name.bare:
        return Kind.IN_SEPARATORS, False
    if asked.short == name.short:
        return Kind.IN_ZEROS, False
    if asked.drawn == name.drawn:
        return Kind.IN_LETTERS_FOR_DIGITS, False
    found = [_kind_of_parts(one, other) for one in asked.readings for other in name.readings]
    return min(((kind, is_rare) for kind, is_rare in found if kind is not None), default=(None, False))


def _kind_of_parts(asked: _Parts, name: _Parts) -> tuple[Kind | None, bool]:
    is_before, is_after = asked.before == name.before, asked.after == name.after
    if asked.core == name.core:
        return _kind_beside(asked, name, is_before=is_before, is_after=is_after), False
    if not (is_before and is_after):
        return None, False
    slips = [
        _slip(one, other)
        for one, other in ((asked.digits, name.digits), (asked.core, name.core))
        if DIGITS_AT_LEAST <= len(one) <= DIGITS_AT_MOST
    ]
    return min(((kind, is_rare) for kind, is_rare in slips if kind is not None), default=(None, False))


def _kind_beside(asked: _Parts, name: _Parts, *, is_before: bool, is_after: bool) -> Kind:
    """Of the same digits: what else differs."""
    if is_before and is_after:
        return Kind.IN_LETTERS_FOR_DIGITS
    if is_before:
        is_lost = asked.after.startswith(name.after) or name.after.startswith(asked.after)
        return Kind.WITHOUT_SUFFIX if is_lost else Kind.OTHER_SUFFIX
    if is_after:
        is_lost = _is_part(asked.before, name.before) or _is_part(name.before, asked.before)
        return Kind.WITHOUT_PREFIX if is_lost else Kind.OTHER_PREFIX
    return Kind.ON_BOTH_SIDES


def _is_part(short: str, long: str) -> bool:
    return long.startswith(short) or long.endswith(short)


def _slip(asked: str, name: str) -> tuple[Kind | None, bool]:
    """By which slip the digits of a name became those that were asked for, and whether by a rare one."""
    at, length = _first_difference(asked, name), len(asked) - len(name)
    here, there = asked[at : at + 1], name[at : at + 1]
    if length == 0:
        if asked[at + 1 :] == name[at + 1 :]:
            return Kind.WRONG_DIGIT, there not in _TAKEN_FOR.get(here, there)
        is_swapped = asked[at : at + 2] == name[at : at + 2][::-1] and asked[at + 2 :] == name[at + 2 :]
        return (Kind.SWAPPED, False) if is_swapped else (None, False)
    if length == 1 and asked[at + 1 :] == name[at:]:
        return Kind.DIGIT_TOO_MANY, not _is_doubled(asked, at)
    if length == -1 and asked[at:] == name[at + 1 :]:
        return Kind.DIGIT_MISSING, not _is_doubled(name, at)
    return None, False


def _is_doubled(digits: str, at: int) -> bool:
    """Whether a digit stands beside another one like it: such a one is struck twice, or once, more often than others."""
    return digits[at] in {digits[at - 1 : at], digits[at + 1 : at + 2]}


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (here, there) in pairs if here != there), min(len(one), len(other)))


def _is_one_slip(one: str, other: str) -> bool:
    """Whether they differ in one character, or in two that are swapped."""
    at = _first_difference(one, other)
    rest, others = one[at:], other[at:]
    return (
        rest[1:] == others[1:]
        or rest[1:] == others
        or rest == others[1:]
        or (rest[:2] == others[:2][::-1] and rest[2:] == others[2:])
    )


def _slips_of(digits: str) -> Iterator[str]:
    """With two of them swapped, and with one wrong, missing or too many."""
    for at in range(len(digits) + 1):
        before, here, after = digits[:at], digits[at : at + 1], digits[at + 1 :]
        yield before + after[:1] + here + after[1:]
        yield before + after
        for digit in "0123456789":
            yield before + digit + after
            yield before + digit + here + after
