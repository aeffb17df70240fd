"""A machine as an SVG picture that needs nothing else: no script, no font, no style sheet."""

from collections.abc import Iterator
from html import escape

from statemachine.diagram.layout import MARGIN, Box, Layout, Line, Point, arrange, note
from statemachine.diagram.machine import Picture

OPERATOR = "#1d4ed8"
WORKER = "#475569"
INK = "#0f172a"
RADIUS = 5


def svg(picture: Picture) -> str:
    """Draw a machine; a reader who cannot see it finds every transition in its description."""
    layout = arrange(picture)
    parts = [*_head(picture, layout), *_lines(layout), *_boxes(layout), *_legend(layout), "</svg>"]
    return "\n".join(parts) + "\n"


def _head(picture: Picture, layout: Layout) -> Iterator[str]:
    size = (
        f'width="{layout.width:.0f}" height="{layout.height:.0f}" viewBox="0 0 {layout.width:.0f} {layout.height:.0f}"'
    )
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc" font-family="sans-serif">'
    yield f'<title id="title">The states of a {escape(picture.name)}</title>'
    yield f'<desc id="desc">{escape(_description(picture))}</desc>'
    yield "<defs>"
    for name, colour in (("operator", OPERATOR), ("worker", WORKER)):
        yield (
            f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
        )
    yield "</defs>"
    yield f'<rect width="{layout.width:.0f}" height="{layout.height:.0f}" fill="#ffffff"/>'
    yield f'<text x="{MARGIN}" y="28" font-size="16" font-weight="bold" fill="{INK}">The states of a {escape(picture.name)}</text>'


def _description(picture: Picture) -> str:
    marked = [f"Now: {node.label}." for node in picture.nodes if node.is_marked]
    called = {node.name: node.label for node in picture.nodes}
    moves = [
        f"{move.caption}: {', '.join(called[source] for source in move.sources)} to {called[move.target]}, by {move.taken_by}."
        for move in picture.moves
    ]
    return " ".join([f"Starts as {called[picture.initial]}.", *marked, *moves])


def _lines(layout: Layout) -> Iterator[str]:
    for line in layout.lines:
        kind, colour = ("operator", OPERATOR) if line.move.button else ("worker", WORKER)
        dashes = "" if line.move.button else ' stroke-dasharray="5 3"'
        stroke = f'fill="none" stroke="{colour}" stroke-width="1.4"{dashes}'
        for path in line.paths:
            yield f'<path d="{_way(path)}" {stroke}/>'
        yield f'<path d="{_way(line.arrow)}" {stroke} marker-end="url(#{kind})"/>'
    # Captions last, so that no line runs over one.
    for line in layout.lines:
        yield from _caption(line)


def _caption(line: Line) -> Iterator[str]:
    place = f'x="{line.caption_x:.1f}" y="{line.arrow[0][1] - 3.5:.1f}" font-size="11"'
    # A white edge first: not every program can draw it behind the letters of the same text.
    yield f'<text {place} stroke="#ffffff" stroke-width="3" aria-hidden="true">{escape(line.move.caption)}</text>'
    yield f'<text {place} fill="{OPERATOR if line.move.button else WORKER}">{escape(line.move.caption)}</text>'


def _way(points: tuple[Point, ...]) -> str:
    """Straight pieces with rounded corners."""
    (x, y), last = points[0], points[-1]
    way = [f"M{x:.1f} {y:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(corner, before), _towards(corner, after)
        way.append(f"L{near[0]:.1f} {near[1]:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {far[0]:.1f} {far[1]:.1f}")
    return "".join([*way, f"L{last[0]:.1f} {last[1]:.1f}"])


def _towards(corner: Point, other: Point) -> Point:
    across, down = other[0] - corner[0], other[1] - corner[1]
    length = abs(across) + abs(down)  # a piece is level or upright
    share = min(RADIUS, length / 2) / length if length else 0
    return corner[0] + across * share, corner[1] + down * share


def _boxes(layout: Layout) -> Iterator[str]:
    for box in layout.boxes:
        fill = "#fde68a" if box.node.is_marked else "#e0f2fe" if box.node.is_working else "#f8fafc"
        stroke, width = ("#b45309", 3) if box.node.is_marked else (INK, 2.6 if box.node.is_working else 1.2)
        yield (
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="8" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{width}"/>'
        )
        yield from _titles(box)


def _titles(box: Box) -> Iterator[str]:
    middle, y = box.x + box.width / 2, box.y + box.height / 2
    yield f'<text x="{middle:.1f}" y="{y:.1f}" font-size="13" font-weight="bold" text-anchor="middle" fill="{INK}">{escape(box.node.label)}</text>'
    yield f'<text x="{middle:.1f}" y="{y + 14:.1f}" font-size="10" text-anchor="middle" fill="{WORKER}">{escape(note(box.node))}</text>'


def _legend(layout: Layout) -> Iterator[str]:
    y = layout.height - MARGIN + 4
    x = float(MARGIN)
    for colour, dashes, words in (
        (OPERATOR, "", "operator's button"),
        (WORKER, ' stroke-dasharray="5 3"', "worker or reconciler"),
    ):
        yield f'<path d="M{x:.0f} {y - 4:.0f}h26" stroke="{colour}" stroke-width="1.4"{dashes}/>'
        yield f'<text x="{x + 32:.0f}" y="{y:.0f}" font-size="11" fill="{INK}">{words}</text>'
        x += 170
    yield f'<rect x="{x:.0f}" y="{y - 11:.0f}" width="22" height="13" rx="3" fill="#e0f2fe" stroke="{INK}" stroke-width="2.6"/>'
    yield f'<text x="{x + 29:.0f}" y="{y:.0f}" font-size="11" fill="{INK}">work is owed</text>'
