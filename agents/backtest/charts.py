"""Small SVG charts for a page without scripts: lines over time, a scatter, one curve. Colours are the page's classes.

Values may hold NaN: a line is broken there. Long lines are drawn by the least and the most of every two pixels.
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
COLUMNS = 460  # two pixels each
Text = Callable[[float], str]


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


def over_time(ts: Ints, lines: Sequence[Line], *, height: int, text: Text, level: float, title: str) -> str:
    """Lines over sessions (M,), evenly spaced; `level` is always in sight and drawn stronger."""
    size = ts.size
    values = np.concatenate([line.values[np.isfinite(line.values)] for line in lines] + [np.array([level])])
    axes = _Axes(WIDTH, height, (0.0, float(values.min())), (float(max(size - 1, 1)), _above(values)))
    parts = [_horizontals(axes, text, level)]
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
                f'<text class="{line.name_style}" x="{WIDTH - RIGHT + 6}" y="{y:.1f}">{escape(line.name)}</text>'
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


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between low and high, about so many: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1.0, 2.0, 5.0, 10.0) if power * nice >= rough)
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


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
    for at in _thinned(line.values):
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


def _thinned(values: Floats) -> Ints:
    """Positions to draw: all of a short line, else first, last, least and most of each column of pixels."""
    if values.size <= 4 * COLUMNS:
        return np.arange(values.size)
    edges = np.linspace(0, values.size, COLUMNS + 1).astype(np.int64)
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
