"""Where everything of a picture goes: columns of boxes, and right-angled lines that never run on top of one another.

A column holds the states that are equally far from the initial one. Every line leaves a box on its right and enters one
on its left. Between two columns each line has a lane of its own. A line that leads back, or further than to the next
column, takes a track of its own above the boxes. The ports by which lines leave are half a step from those by which they
enter, so no two horizontal pieces meet either.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from statemachine.diagram.machine import Move, Node, Picture

STEP = 18  # between ports
LANE = 11
TRACK = 13
GAP = 30  # between boxes of a column
MARGIN = 20
CHARACTER = 6.2  # the width of one, at most, in the captions' font
TITLE_CHARACTER = 8.2
TOP = 50

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    node: Node
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A move's way.

    Attributes:
        paths: one for each state it leads from, up to where they have all met.
        arrow: from there into the box; the caption stands on it, from `caption_x`.
    """

    move: Move
    paths: tuple[tuple[Point, ...], ...]
    arrow: tuple[Point, Point]
    caption_x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def note(node: Node) -> str:
    """What stands below a state's title."""
    return f"{node.name}, starts here" if node.is_initial else node.name


def arrange(picture: Picture) -> Layout:
    """Place a machine's states and route its transitions."""
    return _Arrangement(picture).layout()


class _Arrangement:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.column_of = _columns(picture)
        self.columns = [
            [node for node in picture.nodes if self.column_of[node.name] == each]
            for each in range(max(self.column_of.values()) + 1)
        ]
        self.tracked = [
            move for move in picture.moves if any(self._needs_track(source, move) for source in move.sources)
        ]
        self.lanes = [self._lanes(channel) for channel in range(len(self.columns) + 1)]
        self.x_of_column, self.x_of_channel, self.width = self._spread()
        self.top = TOP + TRACK * len(self.tracked) + GAP
        self.boxes = {box.node.name: box for box in self._place()}

    def layout(self) -> Layout:
        height = max(box.y + box.height for box in self.boxes.values()) + MARGIN + 2 * STEP
        lines = tuple(self._line(move) for move in self.picture.moves)
        return Layout(width=self.width, height=height, boxes=tuple(self.boxes.values()), lines=lines)

    def _needs_track(self, source: str, move: Move) -> bool:
        return self.column_of[move.target] != self.column_of[source] + 1

    def _entering(self, state: str) -> list[Move]:
        return [move for move in self.picture.moves if move.target == state]

    def _leaving(self, state: str) -> list[Move]:
        return [move for move in self.picture.moves if state in move.sources]

    def _lanes(self, channel: int) -> list[tuple[Move, str]]:
        """The lines that run up and down to the left of a column.

        They leave the column before it for a track, or enter this one.
        """
        leaving = [
            (move, "out")
            for move in self.tracked
            if any(self.column_of[source] == channel - 1 and self._needs_track(source, move) for source in move.sources)
        ]
        entering = [(move, "in") for move in self.picture.moves if self.column_of[move.target] == channel]
        return leaving + entering

    def _spread(self) -> tuple[list[float], list[float], float]:
        x, columns, channels = float(MARGIN), [], []
        for channel, lanes in enumerate(self.lanes):
            channels.append(x)
            captions = [len(move.caption) * CHARACTER + 24 for move, way in lanes if way == "in"]
            x += (len(lanes) + 1) * LANE + max(captions, default=0)
            if channel < len(self.columns):
                columns.append(x)
                x += self._width(channel)
        return columns, channels, x + MARGIN

    def _width(self, column: int) -> float:
        titles = [len(node.label) * TITLE_CHARACTER for node in self.columns[column]]
        notes = [len(note(node)) * CHARACTER for node in self.columns[column]]
        return max(titles + notes) + 28

    def _place(self) -> Iterator[Box]:
        heights = {node.name: self._height(node.name) for node in self.picture.nodes}
        totals = [sum(heights[node.name] + GAP for node in column) - GAP for column in self.columns]
        for index, column in enumerate(self.columns):
            # Whole steps, so that the ports of different columns keep half a step apart.
            y = self.top + (max(totals) - totals[index]) // 2 // STEP * STEP
            for node in column:
                height = heights[node.name]
                yield Box(node=node, x=self.x_of_column[index], y=y, width=self._width(index), height=height)
                y += -(-(height + GAP) // STEP) * STEP

    def _height(self, state: str) -> float:
        return max(len(self._entering(state)), len(self._leaving(state)) + 1, 2) * STEP + STEP / 2

    def _line(self, move: Move) -> Line:
        box = self.boxes[move.target]
        entry_y = box.y + STEP * (self._entering(move.target).index(move) + 0.75)
        channel = self.column_of[move.target]
        lane_x = self._lane_x(channel, move, "in")
        met = (lane_x + LANE / 2, entry_y)
        return Line(
            move=move,
            paths=tuple((*self._start(source, move, lane_x), (lane_x, entry_y), met) for source in move.sources),
            arrow=(met, (box.x, entry_y)),
            caption_x=self.x_of_channel[channel] + (len(self.lanes[channel]) + 1) * LANE,
        )

    def _start(self, source: str, move: Move, lane_x: float) -> list[Point]:
        box = self.boxes[source]
        exit_y = box.y + STEP * (self._leaving(source).index(move) + 1.25)
        exit_x = box.x + box.width
        if not self._needs_track(source, move):
            return [(exit_x, exit_y), (lane_x, exit_y)]
        out_x = self._lane_x(self.column_of[source] + 1, move, "out")
        track_y = TOP + TRACK * self.tracked.index(move)
        return [(exit_x, exit_y), (out_x, exit_y), (out_x, track_y), (lane_x, track_y)]

    def _lane_x(self, channel: int, move: Move, way: str) -> float:
        return self.x_of_channel[channel] + LANE * (self.lanes[channel].index((move, way)) + 1)


def _columns(picture: Picture) -> dict[str, int]:
    """How many moves away from the initial state each state is; one that cannot be reached stands in the first column."""
    found, reached = {picture.initial: 0}, [picture.initial]
    for state in reached:
        for move in picture.moves:
            if state in move.sources and move.target not in found:
                found[move.target] = found[state] + 1
                reached.append(move.target)
    return {node.name: found.get(node.name, 0) for node in picture.nodes}
