"""Bar charts as SVG, drawn here: no script, no library, and the figures are in the page for who cannot see them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 480, 170
LEFT, TOP, BOTTOM = 40, 10, 24
GAP = 0.25  # of a bar's place


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Attributes:
        label: below it; empty where there is no room for one.
        title: what the bar stands for, in full.
        parts: how much of each kind, from the bottom up.
    """

    label: str
    title: str
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.parts.values())


def svg(bars: Sequence[Bar], *, title: str) -> SafeString:
    """Stacked bars; the kinds are classes, which the style sheet gives colours."""
    top = _round_up(max((bar.total for bar in bars), default=0))
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_scale(top),
        *(line for index, bar in enumerate(bars) for line in _bar(bar, index, len(bars), top)),
        "</svg>",
    ]
    return mark_safe("".join(parts))  # noqa: S308 - numbers, and words that are escaped


def _round_up(amount: float) -> float:
    """The next 1, 2 or 5 with zeros, so that the scale has round numbers."""
    size = 1
    while True:
        for first in (1, 2, 5):
            if amount <= first * size:
                return first * size
        size *= 10


def _scale(top: float) -> Iterator[str]:
    for share in (0, 0.5, 1):
        y = _y(share)
        yield f'<path class="chart-line" d="M{LEFT} {y:.1f}H{WIDTH}"/>'
        yield f'<text class="chart-text" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:,g}</text>'


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _bar(bar: Bar, index: int, count: int, top: float) -> Iterator[str]:
    place = (WIDTH - LEFT) / count
    x, width, below = LEFT + place * (index + GAP / 2), place * (1 - GAP), 0.0
    yield f"<g><title>{escape(bar.title)}</title>"
    for kind, amount in bar.parts.items():
        if amount:
            y, foot = _y((below + amount) / top), _y(below / top)
            yield (
                f'<rect class="chart-{escape(kind)}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{foot - y:.1f}"/>'
            )
            below += amount
    yield "</g>"
    if bar.label:
        middle = x + width / 2
        yield f'<text class="chart-text" x="{middle:.1f}" y="{HEIGHT - 7}" text-anchor="middle">{escape(bar.label)}</text>'
