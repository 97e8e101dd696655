"""Small SVG charts for a page without scripts: lines over time, a scatter, one curve, a heatmap.

Values may hold NaN: a line is broken there, a cell is empty. Long lines are drawn by the least and the most of every
two pixels. `STYLE` gives the marks their colours, from variables that whoever shows a chart defines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from data.contracts.arrays import Floats, Ints
from data.contracts.panel import from_micros

MINUS = "−"
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1080, 70, 80, 8, 20
CELLS = (570, 300)  # pixels that the cells of a heatmap fill
STEPS = 12  # of its colours
Text = Callable[[float], str]

STYLE = """svg{display:block;width:100%;height:auto;
overflow:visible}svg text{font-size:11px;fill:var(--faint);font-family:inherit}.grid{stroke:var(--line)}.zero{
stroke:var(--strong)}.ours{stroke:var(--text);fill:none;stroke-width:1.5}.theirs{stroke:var(--gold);fill:none;
stroke-width:1.25;stroke-dasharray:5 3}.under{stroke:var(--down);fill:var(--down);fill-opacity:.18}.gain{
fill:none;stroke:var(--up)}.loss{fill:var(--down);fill-opacity:.55}svg text.name{fill:var(--text)}
svg text.other{fill:var(--gold)}.cells{fill:var(--up);shape-rendering:crispEdges}.ring{fill:none;stroke:var(--text);
stroke-width:2}"""
# A picture that stands alone: nobody else says what the colours are.
_ALONE = (
    "svg{--text:#181c23;--faint:#646972;--line:#dde0e4;--strong:#888c94;--up:#066aa7;--down:#b53b16;--gold:#ab7d0c;"
    "background:#fff;font-family:Inter,system-ui,sans-serif}@media (prefers-color-scheme:dark){svg{--text:#ebedef;"
    "--faint:#898e96;--line:#272a30;--strong:#5f636c;--up:#49c2f1;--down:#f4754e;--gold:#ecc45c;background:#101317}}"
)


@dataclass(frozen=True, eq=False, slots=True)
class Line:
    """One line: values (M,), its class, the name written at its end and that name's class."""

    values: Floats
    style: str
    name: str
    name_style: str
    filled: bool = False


@dataclass(frozen=True, slots=True)
class _Axes:
    width: int
    height: int
    low: tuple[float, float]  # x, y
    high: tuple[float, float]

    def x(self, value: float) -> float:
        return LEFT + (value - self.low[0]) / (self.high[0] - self.low[0]) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (self.high[1] - value) / (self.high[1] - self.low[1]) * (self.height - TOP - BOTTOM)


def alone(svg: str) -> str:
    """A chart as a file of its own, with its colours for light and dark."""
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(
        ">", f"><style>{STYLE}{_ALONE}</style>", 1
    )


def over_time(
    ts: Ints,
    lines: Sequence[Line],
    *,
    height: int,
    text: Text,
    level: float,
    title: str,
    width: int = WIDTH,
    marks: Sequence[int] = (),
) -> str:
    """Lines over sessions (M,), evenly spaced; `level` is always in sight and drawn stronger.

    marks: positions of sessions at which something begins; each is a thin vertical line.
    """
    size = ts.size
    values = np.concatenate([line.values[np.isfinite(line.values)] for line in lines] + [np.array([level])])
    axes = _Axes(width, height, (0.0, float(values.min())), (float(max(size - 1, 1)), _above(values)))
    parts = [_horizontals(axes, text, level)]
    parts += [
        f'<line class="grid" x1="{axes.x(at):.1f}" x2="{axes.x(at):.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
        for at in marks
    ]
    parts += [
        f'<text x="{axes.x(at):.1f}" y="{height - 4}" text-anchor="middle">{_day(ts[at])}</text>' for at in _dates(ts)
    ]
    ends: list[float] = []
    for line in lines:
        parts.append(_path(axes, line, level))
        known = np.flatnonzero(np.isfinite(line.values))
        if line.name and known.size:
            y = axes.y(float(line.values[known[-1]])) + 4.0
            y = next((other + 12.0 for other in ends if abs(other - y) < 12.0), y)
            ends.append(y)
            parts.append(
                f'<text class="{line.name_style}" x="{width - RIGHT + 6}" y="{y:.1f}">{escape(line.name)}</text>'
            )
    return _svg(axes, title, parts)


def scatter(x: Ints, y: Floats, *, text: Text, title: str) -> str:
    """One mark per pair (T,): a hollow circle above zero, a filled one below."""
    top = np.append(y, 0.0)
    axes = _Axes(WIDTH // 2, 280, (0.0, float(top.min())), (float(max(x.max(), 1)), _above(top)))
    parts = [_horizontals(axes, text, 0.0), *_verticals(axes, lambda v: f"{v:,.0f} bars")]
    for a, b in zip(x, y, strict=True):
        at = f'cx="{axes.x(float(a)):.1f}" cy="{axes.y(float(b)):.1f}"'
        parts.append(f'<circle class="{"gain" if b > 0.0 else "loss"}" {at} r="2.5"/>')
    return _svg(axes, title, parts)


def curve(x: Floats, y: Floats, *, mark: float, text: Text, title: str) -> str:
    """One line through points (K,), with a dot where x is `mark`, if that is in sight."""
    seen = np.append(y, 0.0)
    axes = _Axes(WIDTH // 2, 280, (float(x.min()), float(seen.min())), (float(x.max()), _above(seen)))
    points = " ".join(f"{axes.x(float(a)):.1f},{axes.y(float(b)):.1f}" for a, b in zip(x, y, strict=True))
    parts = [_horizontals(axes, text, 0.0), *_verticals(axes, lambda v: f"{v:g} bps")]
    parts.append(f'<polyline class="ours" points="{points}"/>')
    if x.min() <= mark <= x.max():
        here = float(np.interp(mark, x, y))
        parts.append(f'<circle class="loss" cx="{axes.x(mark):.1f}" cy="{axes.y(here):.1f}" r="4"/>')
        parts.append(
            f'<text class="name" x="{axes.x(mark) + 8:.1f}" y="{axes.y(here) - 6:.1f}">{text(here)} as tested</text>'
        )
    return _svg(axes, title, parts)


def strip(values: Floats, *, text: Text, title: str) -> str:
    """A mark per value (K,) on one axis, on which zero is in sight: hollow above zero, filled below."""
    seen = np.append(values, 0.0)
    axes = _Axes(WIDTH * 2 // 3, 60, (float(seen.min()), 0.0), (_above(seen), 1.0))
    zero = axes.x(0.0)
    parts = [f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="{TOP}" y2="{axes.height - BOTTOM}"/>']
    parts += _verticals(axes, text)
    middle = axes.y(0.5)
    parts += [
        f'<circle class="{"gain" if value > 0.0 else "loss"}" cx="{axes.x(float(value)):.1f}" cy="{middle:.1f}" r="5"/>'
        for value in values
    ]
    return _svg(axes, title, parts)


def heatmap(
    x: Sequence[object],
    y: Sequence[object],
    values: Floats,
    *,
    names: tuple[str, str],
    best: tuple[int, int] | None,
    text: Text,
    title: str,
) -> str:
    """A cell per pair of values, the stronger the larger; NaN is left empty.

    values: (len(y), len(x)), one of them finite; names: of x and y; best: row and column of the cell that gets a ring.
    The scale at the side says what the faintest and the strongest colour stand for.
    """
    (rows, columns), (wide, high) = values.shape, CELLS
    known = values[np.isfinite(values)]
    low, span = float(known.min()), float(known.max() - known.min()) or 1.0
    level = np.where(np.isfinite(values), np.minimum((values - low) / span * STEPS, STEPS - 1), -1).astype(np.int64)
    cells: list[list[str]] = [[] for _ in range(STEPS)]
    for row in range(rows):  # neighbours of one colour are one rectangle: a picture stays small
        edges = [0, *(np.flatnonzero(np.diff(level[row])) + 1).tolist(), columns]
        for first, last in pairwise(edges):
            if level[row, first] >= 0:
                length = last - first
                cells[level[row, first]].append(f"M{first} {rows - 1 - row}h{length}v1h-{length}z")
    scale = f'transform="translate({LEFT},{TOP}) scale({wide / columns:.4f},{high / rows:.4f})"'
    paths = (f'<path fill-opacity="{_strength(at)}" d="{"".join(part)}"/>' for at, part in enumerate(cells) if part)
    parts = [f'<g class="cells" {scale}>{"".join(paths)}</g>']
    for at in _some(columns):
        left = LEFT + (at + 0.5) * wide / columns
        parts.append(f'<text x="{left:.1f}" y="{TOP + high + 14}" text-anchor="middle">{_said(x[at])}</text>')
    for at in _some(rows):
        down = TOP + (rows - at - 0.5) * high / rows + 4.0
        parts.append(f'<text x="{LEFT - 6}" y="{down:.1f}" text-anchor="end">{_said(y[at])}</text>')
    end, middle = TOP + high + 30, f"{LEFT + wide / 2:.0f}"
    parts.append(f'<text class="name" x="{middle}" y="{end}" text-anchor="middle">{escape(names[0])}</text>')
    side = f'x="14" y="{TOP + high / 2:.0f}" transform="rotate(-90 14 {TOP + high / 2:.0f})"'
    parts.append(f'<text class="name" {side} text-anchor="middle">{escape(names[1])}</text>')
    if best is not None:
        top, left = TOP + (rows - 1 - best[0]) * high / rows, LEFT + best[1] * wide / columns
        size = f'width="{wide / columns:.1f}" height="{high / rows:.1f}"'
        parts.append(f'<rect class="ring" x="{left:.1f}" y="{top:.1f}" {size}/>')
    parts.append(_scale(LEFT + wide + 14, high, text(low), text(low + span)))
    return _svg(_Axes(wide + LEFT + RIGHT, end + 6, (0.0, 0.0), (1.0, 1.0)), title, parts)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between low and high, about so many: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1.0, 2.0, 5.0, 10.0) if power * nice >= rough)
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _strength(step: int) -> str:
    return f"{0.06 + 0.94 * step / (STEPS - 1):.2f}"


def _scale(left: int, high: int, low: str, most: str) -> str:
    """What the colours of a heatmap stand for."""
    each = high / STEPS
    steps = (
        f'<rect x="{left}" y="{TOP + (STEPS - 1 - at) * each:.1f}" width="12" height="{each:.1f}" '
        f'fill-opacity="{_strength(at)}"/>'
        for at in range(STEPS)
    )
    ends = f'<text x="{left + 18}" y="{TOP + 10}">{most}</text><text x="{left + 18}" y="{TOP + high}">{low}</text>'
    return f'<g class="cells">{"".join(steps)}</g>{ends}'


def _some(count: int, most: int = 9) -> list[int]:
    """Positions of the cells whose values are written: evenly spaced from the first."""
    return list(range(0, count, -(-count // most)))


def _said(value: object) -> str:
    return escape(f"{value:g}" if isinstance(value, float) else str(value))


def _above(values: Floats) -> float:
    """The largest value, or more where all are equal: an axis has a length."""
    low, high = float(values.min()), float(values.max())
    return high if high > low else low + max(abs(low) * 0.01, 1e-9)


def _horizontals(axes: _Axes, text: Text, level: float) -> str:
    left, right = LEFT, axes.width - RIGHT
    parts = []
    for value in sorted({*ticks(axes.low[1], axes.high[1]), level}):
        y, style = axes.y(value), "zero" if value == level else "grid"
        parts.append(f'<line class="{style}" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if value == level or abs(y - axes.y(level)) > 11.0:
            parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{text(value)}</text>')
    return "".join(parts)


def _verticals(axes: _Axes, text: Text) -> list[str]:
    return [
        f'<text x="{axes.x(value):.1f}" y="{axes.height - 4}" text-anchor="middle">{text(value)}</text>'
        for value in ticks(axes.low[0], axes.high[0])
    ]


def _path(axes: _Axes, line: Line, level: float) -> str:
    runs, run = [], []
    for at in _thinned(line.values, (axes.width - LEFT - RIGHT) // 2):
        value = float(line.values[at])
        if math.isfinite(value):
            run.append(f"{axes.x(float(at)):.1f},{axes.y(value):.1f}")
        elif run:
            runs.append(run)
            run = []
    runs += [run] if run else []
    path = "".join("M" + "L".join(points) for points in runs)
    if line.filled and runs:
        first, last = runs[0][0].split(",")[0], runs[-1][-1].split(",")[0]
        path += f"L{last},{axes.y(level):.1f}L{first},{axes.y(level):.1f}Z"
    return f'<path class="{line.style}" d="{path}"/>'


def _thinned(values: Floats, columns: int) -> Ints:
    """Positions to draw: all of a short line, else first, last, least and most of each column of two pixels."""
    if values.size <= 4 * columns:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, columns + 1).astype(np.int64)
    kept = {0, values.size - 1}
    for lo, hi in pairwise(edges):
        part = values[lo:hi]
        known = np.flatnonzero(np.isfinite(part))
        kept |= (
            {int(lo + known[np.argmin(part[known])]), int(lo + known[np.argmax(part[known])])}
            if known.size
            else {int(lo)}
        )
    return np.array(sorted(kept))


def _dates(ts: Ints) -> list[int]:
    """Positions of about six dates to write under a chart."""
    return sorted({int(at) for at in np.linspace(0, ts.size - 1, min(6, ts.size))})


def _day(micros: int) -> str:
    moment = from_micros(int(micros))
    return f"{moment.day} {moment:%b %Y}"


def _svg(axes: _Axes, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {axes.width} {axes.height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
