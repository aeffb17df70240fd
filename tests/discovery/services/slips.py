"""Archives as they are named in the field, close to one another, and numbers that somebody has got wrong by one slip."""

from collections.abc import Callable, Iterator
from random import Random

from core.base.folding import fold_case

LOOK_ALIKES = {"0": "O", "1": "Il", "5": "S", "8": "B", "2": "Z"}
CYRILLIC = str.maketrans("NMACBEK", "N\u041c\u0410\u0421\u0412\u0415\u041a")


def blm_archives(random: Random) -> list[str]:
    """Runs of serial numbers, as they were given out, two of three of them kept; some with a letter, some of the new form."""
    names: set[str] = set()
    for prefix, runs, below in (("NMNM", 70, 140_000), ("NMNM", 8, 560_000), ("NMLC", 16, 71_000)):
        for _ in range(runs):
            first = random.randrange(1_000, below)
            for serial in range(first, first + 80):
                if random.random() < 2 / 3:
                    letter = random.choice("AB") if prefix == "NMLC" and random.random() < 0.2 else ""
                    names.add(f"{prefix} {serial:07}{letter}")
    for _ in range(10):
        first = random.randrange(105_300_000, 106_400_000)
        names |= {f"NMNM{serial}" for serial in range(first, first + 60) if random.random() < 2 / 3}
    return sorted(names)


def nmslo_archives(random: Random) -> list[str]:
    """Leases of each series with their assignments."""
    names: set[str] = set()
    for series in ("B0", "B1", "E0", "K0", "L0", "LG", "V0", "VA", "VB"):
        for _ in range(300):
            lease = random.randrange(100, 10_000)
            first = random.randrange(1, 9)
            names |= {f"{series}-{lease:04}-{each}" for each in range(first, first + random.randrange(1, 4))}
    return sorted(names)


def _digits(name: str) -> list[int]:
    return [at for at, char in enumerate(name) if char.isdigit() and at > 1]


def _wrong(name: str, random: Random) -> str:
    at = random.choice(_digits(name))
    return name[:at] + random.choice([each for each in "0123456789" if each != name[at]]) + name[at + 1 :]


def _missing(name: str, random: Random) -> str:
    at = random.choice(_digits(name))
    return name[:at] + name[at + 1 :]


def _too_many(name: str, random: Random) -> str:
    at = random.choice(_digits(name))
    return name[:at] + random.choice("0123456789") + name[at:]


def _swapped(name: str, random: Random) -> str:
    pairs = [at for at in _digits(name) if name[at + 1 : at + 2].isdigit() and name[at] != name[at + 1]]
    at = random.choice(pairs or [0])
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def _look_alike(name: str, random: Random) -> str:
    at = random.choice([at for at in _digits(name) if name[at] in LOOK_ALIKES] or [0])
    return name[:at] + random.choice(LOOK_ALIKES.get(name[at], name[at])) + name[at + 1 :]


def _without_zeros(name: str, _random: Random) -> str:
    prefix, _, number = name.partition(" ")
    return f"{prefix} {number.lstrip('0')}"


def _with_a_zero(name: str, _random: Random) -> str:
    prefix, _, number = name.partition(" ")
    return f"{prefix} 0{number}"


def _without_suffix(name: str, _random: Random) -> str:
    return name[:-1] if name[-1].isalpha() else name


def _with_suffix(name: str, random: Random) -> str:
    return name + random.choice("ABC") if name[-1].isdigit() else name


def _with_zeros(name: str, _random: Random) -> str:
    lease, _, assignment = name.rpartition("-")
    return f"{lease}-{assignment:0>4}"


type Slip = Callable[[str, Random], str]

OF_BLM: dict[str, Slip] = {
    "zeros left out": _without_zeros,
    "a zero too many": _with_a_zero,
    "no blank": lambda name, _: name.replace(" ", ""),
    "two blanks": lambda name, _: name.replace(" ", "  "),
    "a dash for a blank": lambda name, _: name.replace(" ", "-"),
    "other prefix": lambda name, _: name.replace("NMLC", "?").replace("NMNM", "NMLC").replace("?", "NMNM"),
    "half a prefix": lambda name, _: name.replace("NMNM", "NM").replace("NMLC", "NM"),
    "no prefix": lambda name, _: name[4:].strip(),
    "a suffix lost": _without_suffix,
    "a suffix too many": _with_suffix,
    "a wrong digit": _wrong,
    "a digit missing": _missing,
    "a digit too many": _too_many,
    "swapped digits": _swapped,
    "a letter for a digit": _look_alike,
    "a Cyrillic letter": lambda name, _: name.translate(CYRILLIC),
}
OF_NMSLO: dict[str, Slip] = {
    "blanks for dashes": lambda name, _: name.replace("-", " "),
    "no dashes": lambda name, _: name.replace("-", ""),
    "zeros added": _with_zeros,
    "a letter for the series": lambda name, _: name[0] + name[1].replace("0", "O") + name[2:],
    "a wrong digit": _wrong,
    "swapped digits": _swapped,
    "a letter for a digit": _look_alike,
}


def mistakes(names: list[str], slips: dict[str, Slip], *, count: int, random: Random) -> Iterator[tuple[str, str, str]]:
    """Kind of slip, the number as it was given, and the archive that was meant; each kind as often as the others.

    A number that is an archive's own would be found.
    """
    there, kinds = set(map(fold_case, names)), list(slips)
    for at in range(count):
        kind, number, name = kinds[at % len(kinds)], "", ""
        while number == name or fold_case(number) in there:
            name = random.choice(names)
            number = slips[kind](name, random)
        yield kind, number, name
