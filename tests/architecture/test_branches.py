"""That a branch which no test runs is seen, as coverage.py's own slow measurement sees it."""

import runpy
from pathlib import Path
from textwrap import dedent

import pytest
from coverage import Coverage

from tests.branches import Branches, read
from tests.coverage_gate import incomplete

# What a service may be written with; each is run with the arguments beside it, one after the other.
PIECES = {
    "if": ("""
        if a:
            b = 1
        elif a is None:
            b = 2
        else:
            b = 3
        """, (0, 1, None)),
    "if at the end": ("""
        b = 1
        if a:
            b = 2
        """, (0, 1)),
    "return": ("""
        if a:
            return 1
        return 2
        """, (0, 1)),
    "raise": ("""
        try:
            if a:
                raise KeyError
        except LookupError:
            b = 2
        """, (0, 1)),
    "condition of several lines": ("""
        if (
            a
            and a > 1
            or a is None
        ):
            b = 1
        """, (1, 2)),
    "not and": ("""
        if not (a and a > 1):
            b = 1
        b = 2
        """, (0, 1, 2)),
    "for": ("""
        for b in a or ():
            c = b
        """, (0, [1])),
    "for with else": ("""
        for b in a:
            if b:
                break
        else:
            c = 1
        """, ([], [0], [1])),
    "for with continue": ("""
        for b in a:
            if b:
                continue
            c = 1
        d = 1
        """, ([], [0], [1])),
    "for in a with": ("""
        from contextlib import nullcontext
        with nullcontext():
            for b in a:
                c = b
        d = 1
        """, ([], [1])),
    "return in a with": ("""
        from contextlib import nullcontext
        with nullcontext() as b:
            if a:
                return 1
        c = 1
        """, (0, 1)),
    "swallowed in a with": ("""
        from contextlib import suppress
        with suppress(KeyError):
            if a:
                raise KeyError
            b = 1
        c = 1
        """, (0, 1)),
    "while": ("""
        while a:
            a -= 1
            if a == 5:
                break
        b = 1
        """, (0, 1, 6)),
    "forever": ("""
        while True:
            a -= 1
            if a < 0:
                return a
        """, (0, 1)),
    "except": ("""
        try:
            (1,)[a]
        except IndexError:
            b = 1
        except TypeError:
            b = 2
        else:
            b = 3
        """, (0, 1, None)),
    "finally": ("""
        try:
            if a:
                return 1
        finally:
            if a:
                b = 2
        c = 1
        """, (0, 1)),
    "finally of a loop": ("""
        for b in a:
            try:
                if b:
                    break
            finally:
                c = 1
        d = 1
        """, ([], [0], [1])),
    "match": ("""
        match a:
            case 0 | 1:
                b = 1
            case [c] if c:
                b = 2
            case str():
                b = 3
        """, (0, [1], "", [0])),
    "match with all": ("""
        match a:
            case 0:
                return 1
            case _:
                return 2
        """, (0, 1)),
    "generator": ("""
        def values():
            for b in a:
                if b:
                    yield b
        return list(values())
        """, ([], [0, 1])),
    "comprehension": ("""
        b = [
            c for c in a
            if c
        ]
        if any(c for c in b if c > 1):
            d = 1
        """, ([], [0, 1], [2])),
    "walrus and ternary": ("""
        if (b := a if a else 0) and b > 1:
            c = b or 2
        assert a is not False
        return b if b else None
        """, (0, 1, 2)),
    "lines that are not asked for": ("""
        if a:
            b = 1
        else:  # pragma: no cover
            b = 2
        """, (1,)),
    "nested": ("""
        if a:
            if a > 1:
                b = 1
        else:
            b = 2
        """, (0, 1, 2)),
}  # fmt: skip


class TestBranches:
    @pytest.mark.parametrize("piece", PIECES)
    def test_are_those_that_a_tracer_sees(self, piece: str, tmp_path: Path) -> None:
        body, arguments = PIECES[piece]
        file = tmp_path / "piece.py"
        file.write_text("def piece(a):" + dedent(body).replace("\n", "\n    "))

        for count in (len(arguments) - 1, len(arguments)):
            ours, theirs = measured(file, arguments[:count], tmp_path / f"noted-{count}")

            assert ours == theirs
            assert bool(ours) == (count < len(arguments))


def measured(file: Path, arguments: tuple[object, ...], noted: Path) -> tuple[str, str]:
    """What is left out by our measurement, and by a tracer."""
    noted.touch()
    coverage = Coverage(data_file=None, config_file=False, branch=True, include=[str(file)])
    coverage.set_option("run:core", "ctrace")
    branches = Branches(of=str(file).__eq__, into=noted, tool=3)
    branches.start()
    try:
        with coverage.collect():
            piece = runpy.run_path(str(file))["piece"]
            for argument in arguments:
                piece(argument)
    finally:
        branches.stop()
    traced = coverage.get_data()
    arcs = {str(file): set(traced.arcs(str(file)) or ())}
    traced.close(force=True)
    return incomplete(read(noted)), incomplete(arcs)
