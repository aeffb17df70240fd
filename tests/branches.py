"""Which lines and branches of some files are run, told by the interpreter (`sys.monitoring`).

On Python 3.13 coverage.py measures branches with a trace function only, and that makes every line of every file slow. Here
only the files that are asked for cost anything, and a place in them only until it has gone both ways.
"""

import dis
import os
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType

type Arc = tuple[int, int]

ANYWHERE = -1  # a line was come to; only branches are asked where from
TOOL = 4  # coverage.py takes 1, and 2 if it is there twice
JUMPS = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
RETURNS = frozenset({"RETURN_VALUE", "RETURN_CONST"})
RAISES = frozenset({"RERAISE", "RAISE_VARARGS"})

monitoring = sys.monitoring
events = monitoring.events


class Branches:
    """Notes at once each line, and each way of a branch, that is run for the first time, so that a fork or a killed process loses none.

    Args:
        of: whether a file, by its name, is measured.
        into: where each process of a run appends to.
        tool: a number that the interpreter gives to one tool at a time.
    """

    def __init__(self, *, of: Callable[[str], bool], into: Path, tool: int = TOOL) -> None:
        self._tool = tool
        self._is_measured = of
        self._into = into
        self._gone: dict[tuple[int, int], int] = {}
        self._codes: list[CodeType] = []  # kept, so that no two have the same id
        self._file = -1

    def start(self) -> None:
        # Open all the time, and written without a buffer: there are tens of thousands of lines, and forks write them, too.
        self._file = os.open(self._into, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        monitoring.use_tool_id(self._tool, "branches")
        monitoring.register_callback(self._tool, events.PY_START, self._enter)
        monitoring.register_callback(self._tool, events.LINE, self._line)
        monitoring.register_callback(self._tool, events.BRANCH, self._branch)
        monitoring.set_events(self._tool, events.PY_START)

    def stop(self) -> None:
        monitoring.set_events(self._tool, 0)
        for code in self._codes:
            monitoring.set_local_events(self._tool, code, 0)
        monitoring.free_tool_id(self._tool)
        os.close(self._file)

    def _enter(self, code: CodeType, _at: int) -> object:
        if self._is_measured(code.co_filename):
            self._codes.append(code)
            monitoring.set_local_events(self._tool, code, events.LINE | events.BRANCH)
        return monitoring.DISABLE

    def _line(self, code: CodeType, line: int) -> object:
        self._note(code, ANYWHERE, line)
        return monitoring.DISABLE

    def _branch(self, code: CodeType, at: int, to: int) -> object:
        place = id(code), at
        gone = self._gone.get(place)
        if gone == to:
            return None
        if arc := arc_of(code, at=at, to=to):
            self._note(code, *arc)
        if gone is None:
            self._gone[place] = to
            return None
        return monitoring.DISABLE

    def _note(self, code: CodeType, came: int, went: int) -> None:
        os.write(self._file, f"{code.co_filename}\t{came}\t{went}\n".encode())


def arc_of(code: CodeType, *, at: int, to: int) -> Arc | None:
    """The line of a branch and the line it led to, or minus the function's first line if that was its end.

    Returns:
        Nothing if it leads to another branch of the same line, which speaks for itself.
    """
    steps, after = _steps(code)
    line = steps[at].line_number
    if line is None:
        return None
    for _ in steps:  # at most all of them: the rest of a line may be a loop without an end
        step = steps[to]
        if step.line_number not in (None, line):
            return line, step.line_number
        if step.opname in RETURNS:
            return line, -code.co_firstlineno
        if step.opname in JUMPS:
            to = step.jump_target
        elif step.jump_target is not None or step.opname in RAISES:
            return None
        else:
            to = after[to]
    return None


@lru_cache(maxsize=200)
def _steps(code: CodeType) -> tuple[dict[int, dis.Instruction], dict[int, int]]:
    """What a function does, by place, and what follows each place. To find out takes long, and its branches are taken one soon after another."""
    steps = {step.offset: step for step in dis.get_instructions(code)}
    return steps, dict(zip(steps, [*steps][1:], strict=False))


def read(noted: Path) -> dict[str, set[Arc]]:
    """What all processes of a run have noted, by file."""
    arcs: dict[str, set[Arc]] = {}
    for file, came, went in _lines(noted):
        arcs.setdefault(file, set()).add((int(came), int(went)))
    return arcs


def _lines(noted: Path) -> Iterator[list[str]]:
    with noted.open() as file:
        for line in file:
            yield line.rstrip("\n").split("\t")
