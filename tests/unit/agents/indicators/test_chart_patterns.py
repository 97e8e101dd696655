"""Chart patterns on drawn paths: at which bar each appears, what must not be one, and that down is up mirrored."""

from __future__ import annotations

import itertools
from importlib import import_module

import numpy as np
import pytest

from agents import indicators
from agents.indicators.families.levels import PIVOTS, pivots_of
from agents.indicators.graph import column
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged
from data.contracts.arrays import Floats
from tests.unit.agents.indicators import plain
from tests.unit.agents.indicators.conftest import RandomBars, make_bars, numbers, read_golden
from tests.unit.agents.indicators.plain.levels import find_pivots, pivot_levels

Points = list[tuple[int, float]]
Bars = tuple[Floats, Floats, Floats]

# Closes run straight from point to point, highs and lows lie 0.5 beside them: an average true range of 1 to 2.5.
DOUBLE_TOP: Points = [(0, 105), (20, 95), (45, 120), (55, 110), (65, 120), (85, 100)]
TRIPLE_TOP: Points = [(0, 105), (20, 95), (45, 120), (55, 111), (65, 120), (75, 110), (85, 120), (105, 100)]
HEAD: Points = [(0, 100), (20, 90), (40, 110), (50, 100), (65, 115), (80, 100), (90, 110), (110, 90)]
ASCENDING: Points = [(0, 105), (20, 98), (40, 115), (55, 103), (66, 115), (75, 107.5), (91, 123.5)]
SYMMETRIC: Points = [(0, 105), (20, 90), (40, 120), (55, 95), (70, 115), (82, 99), (100, 117)]
RECTANGLE: Points = [(0, 105), (20, 95), (40, 115), (55, 100), (70, 115), (85, 100), (105, 120)]
BROADENING: Points = [(0, 100), (20, 110), (30, 102), (45, 117), (65, 97), (125, 157)]
RISING_WEDGE: Points = [(0, 100), (20, 90), (40, 110), (55, 98), (70, 114), (90, 94)]
CUP: Points = [(0, 110), (20, 95), (45, 120), (65, 105), (85, 120), (92, 113), (107, 128)]
FLAG: Points = [(0, 100), (40, 100), (48, 116), (56, 112), (62, 121)]

DRAWN = [
    # the close goes a point (1.5, 2) a bar: the first bar beyond the pivot's low or high, half a point from its close
    ("double_top", DOUBLE_TOP, 76, -1, 109.5, 98.5),
    ("triple_top", TRIPLE_TOP, 96, -1, 109.5, 98.5),
    ("head_and_shoulders", HEAD, 101, -1, 99.5, 83.5),
    ("ascending_triangle", ASCENDING, 84, 1, 115.5, 128.5),
    ("rectangle", RECTANGLE, 101, 1, 115.5, 131.5),
    ("cup_and_handle", CUP, 100, 1, 120.5, 136.5),
]
MIRROR = {
    "double_top": "double_bottom",
    "triple_top": "triple_bottom",
    "head_and_shoulders": "inverse_head_and_shoulders",
    "ascending_triangle": "descending_triangle",
    "symmetric_triangle": "symmetric_triangle",
    "rectangle": "rectangle",
    "broadening": "broadening",
    "rising_wedge": "falling_wedge",
    "cup_and_handle": "inverse_cup_and_handle",
    "bull_flag": "bear_flag",
}
PATTERNS = sorted({*MIRROR, *MIRROR.values()})
# Parameters with which even random walks hold a few of the rarest.
USUAL: dict[str, float] = {"multiplier": 1.0, "tolerance": 0.3}
RARE: dict[str, float] = {"multiplier": 1.0, "tolerance": 1.0, "prominence": 0.3, "shortest": 3}
LOOSE = {
    "head_and_shoulders": RARE,
    "inverse_head_and_shoulders": RARE,
    "cup_and_handle": RARE,
    "inverse_cup_and_handle": RARE,
}
VARIED: dict[str, float | str] = {"threshold": "atr", "smallest": 0.002, "confirm": 5, "left": 4}
LINES = ("zigzag", "support_resistance", "trend_lines", "market_structure", "fibonacci_retracement")
OTHERS = ("swing_highs", "swing_lows", "gaps", "darvas_box", "td_sequential", "donchian_breakout")


def draw(points: Points) -> Bars:
    """High, low and close of a path through these (bar, close)."""
    close = np.interp(np.arange(points[-1][0] + 1), [bar for bar, _ in points], [price for _, price in points])
    return close + 0.5, close - 0.5, close


def moved(points: Points, at: int, price: float) -> Points:
    return [(bar, price if bar == at else before) for bar, before in points]


def accepted(name: str) -> set[str]:
    return {param.name for param in indicators.get(name).params}


def signals(name: str, bars: Bars, **params: float) -> dict[int, float]:
    """Bars at which it speaks."""
    signal = indicators.get(name)(*bars, **params).signal
    return {int(bar): float(signal[bar]) for bar in np.flatnonzero(np.nan_to_num(signal))}


@pytest.mark.parametrize(("name", "points", "bar", "side", "level", "target"), DRAWN)
def test_a_drawn_pattern_appears_at_its_confirmation_bar_only(
    name: str, points: Points, bar: int, side: float, level: float, target: float
) -> None:
    found = indicators.get(name)(*draw(points))
    assert signals(name, draw(points)) == {bar: side}
    assert found.level[bar] == pytest.approx(level)
    assert found.target[bar] == pytest.approx(target)


@pytest.mark.parametrize(("name", "points", "bar", "side", "level", "target"), DRAWN)
def test_levels_are_the_close_where_there_is_no_signal(
    name: str, points: Points, bar: int, side: float, level: float, target: float
) -> None:
    found, close = indicators.get(name)(*draw(points)), draw(points)[2]
    silent = found.signal == 0.0
    np.testing.assert_array_equal(found.level[silent], close[silent])
    np.testing.assert_array_equal(found.target[silent], close[silent])


@pytest.mark.parametrize(("name", "points", "bar", "side", "level", "target"), DRAWN)
def test_a_pattern_is_unknown_one_bar_before(
    name: str, points: Points, bar: int, side: float, level: float, target: float
) -> None:
    high, low, close = draw(points)
    assert signals(name, (high[:bar], low[:bar], close[:bar])) == {}


@pytest.mark.parametrize("name", ["symmetric_triangle", "broadening", "rising_wedge"])
def test_slanting_sides_speak_at_the_first_close_beyond_them(name: str) -> None:
    points = {"symmetric_triangle": SYMMETRIC, "broadening": BROADENING, "rising_wedge": RISING_WEDGE}[name]
    bars = draw(points)
    found = indicators.get(name)(*bars)
    ((bar, side),) = signals(name, bars).items()
    # The side's own line through its two pivots by hand, and the bar of the newest pivot of the four.
    (x, y), (x2, y2), newest = {
        "symmetric_triangle": ((40, 120.5), (70, 115.5), 82),
        "broadening": ((20, 110.5), (45, 117.5), 65),
        "rising_wedge": ((20, 89.5), (55, 97.5), 70),
    }[name]
    line = y2 + (y2 - y) / (x2 - x) * (np.arange(bars[2].size) - x2)
    outside = side * (bars[2] - line) > 0.0
    assert bar == newest + int(np.argmax(outside[newest:]))
    assert found.level[bar] == pytest.approx(line[bar])


def test_a_flag_is_confirmed_by_the_first_close_above_its_bars() -> None:
    # Tip at 48 (116.5), drift down half a point a bar; the flag's highest high is that of bar 49: 116.
    assert signals("bull_flag", draw(FLAG)) == {59: 1.0}
    found = indicators.get("bull_flag")(*draw(FLAG))
    assert found.level[59] == pytest.approx(116.0)
    assert found.target[59] == pytest.approx(116.0 + 17.0)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("double_top", moved(DOUBLE_TOP, 65, 117.5)),  # the second top too low
        ("double_top", moved(DOUBLE_TOP, 65, 122.5)),  # and too high
        ("double_top", moved(DOUBLE_TOP, 85, 110.0)),  # comes back to the neckline, does not close below it
        ("double_top", moved(DOUBLE_TOP, 20, 115.0)),  # no advance before
        ("triple_top", DOUBLE_TOP),
        ("triple_top", moved(TRIPLE_TOP, 65, 116.0)),
        ("head_and_shoulders", moved(HEAD, 65, 111.0)),  # the head hardly stands out
        ("head_and_shoulders", moved(HEAD, 90, 105.0)),  # shoulders at different heights
        ("head_and_shoulders", moved(HEAD, 110, 100.0)),  # neckline not broken
        ("head_and_shoulders", moved(HEAD, 20, 101.0)),  # nothing to reverse
        ("ascending_triangle", moved(ASCENDING, 91, 115.0)),
        ("ascending_triangle", moved(ASCENDING, 66, 111.0)),  # falling highs
        ("rectangle", moved(RECTANGLE, 85, 106.0)),  # rising lows
        ("cup_and_handle", moved(CUP, 92, 108.0)),  # handle too deep
        ("cup_and_handle", [(bar if bar != 65 else 80, price) for bar, price in CUP]),  # bottom not midway
        ("bull_flag", moved(FLAG, 48, 103.0)),  # no pole
        ("bull_flag", moved(FLAG, 56, 106.0)),  # flag too deep
        ("bull_flag", moved(FLAG, 62, 115.0)),  # not left upwards
    ],
)
def test_a_near_miss_is_no_pattern(name: str, points: Points) -> None:
    assert signals(name, draw(points)) == {}


def test_tolerance_says_how_equal_tops_must_be() -> None:
    bars = draw(moved(DOUBLE_TOP, 65, 117.5))
    assert signals("double_top", bars, tolerance=3.0)


def test_a_close_above_the_tops_voids_a_double_top() -> None:
    """One bar shoots up and back: the fall after it is no longer that of a double top."""
    high, low, close = draw(DOUBLE_TOP)
    high[72], close[72] = 123.0, 122.0
    assert signals("double_top", (high, low, close)) == {}


@pytest.mark.parametrize("name", sorted(MIRROR))
def test_prices_upside_down_give_the_mirror_pattern(name: str, bars: RandomBars) -> None:
    for symbol in (0, 2, 7):
        high, low, close = bars.of(symbol, ("high", "low", "close"))
        up, down = indicators.get(name)(high, low, close), indicators.get(MIRROR[name])(-low, -high, -close)
        for line, mirrored in zip(up, down, strict=True):
            np.testing.assert_array_equal(line, -mirrored)


@pytest.mark.parametrize("name", sorted(MIRROR))
def test_random_walks_hold_the_pattern_or_its_mirror(name: str) -> None:
    """So that the comparison with the plain definitions compares something."""
    high, low, close = make_bars([20_000], seed=23).of(0, ("high", "low", "close"))
    loose = {key: value for key, value in LOOSE.get(name, USUAL).items() if key in accepted(name)}
    assert len(signals(name, (high, low, close), **loose)) > 10


@pytest.mark.parametrize("name", [*PATTERNS, *LINES, *OTHERS])
def test_random_walks_match_the_plain_definition(name: str) -> None:
    entry = indicators.get(name)
    bars = make_bars([1_500, 4_000], seed=31)
    modules = [import_module(f"{plain.__name__}.{module}") for module in ("levels", "patterns")]
    definition = next(vars(module)[name] for module in modules if name in vars(module))
    default = {param.name: param.default for param in entry.params}
    other = VARIED | LOOSE.get(name, USUAL)
    for symbol, params in ((0, default), (1, default | {key: other[key] for key in other.keys() & default.keys()})):
        columns = bars.of(symbol, entry.inputs)
        for mine, theirs in zip(entry(*columns, **params), definition(*columns, **params), strict=True):
            np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


def test_a_pivot_of_the_zigzag_is_confirmed_by_the_fall_from_it() -> None:
    """From 120.5 down 5 per cent is 114.475: the low of bar 51 is the first at or under it."""
    found = indicators.get("zigzag")(*draw(DOUBLE_TOP))
    assert [(int(bar), found.turn[bar]) for bar in np.flatnonzero(found.turn)][:3] == [(9, 1.0), (24, -1.0), (51, 1.0)]
    assert (found.price[50], found.direction[50]) == (94.5, 1.0)
    assert (found.price[51], found.bars[51], found.direction[51]) == (120.5, 6.0, -1.0)


def test_zigzag_pivots_alternate_and_are_extremes_of_their_legs(bars: RandomBars) -> None:
    high, low = bars.of(2, ("high", "low"))
    found, _ = find_pivots(high, low, 0, np.zeros(high.size), 0.05)
    for a, b in itertools.pairwise(found[1:]):
        assert a.side == -b.side
        assert b.bar > a.bar
        leg = slice(a.bar + 1, b.bar + 1)
        assert b.price == (high[leg].max() if b.side > 0 else low[leg].min())


def test_support_is_below_resistance_above_and_touches_count(bars: RandomBars) -> None:
    high, low, close = bars.of(2, ("high", "low", "close"))
    found = indicators.get("support_resistance")(high, low, close)
    known = slice(14, None)
    assert (found.support[known] <= close[known]).all()
    assert (found.resistance[known] >= close[known]).all()
    assert found.support_touches[known].max() > 3


@pytest.mark.parametrize("kind", PIVOTS)
def test_every_kind_of_pivot_matches_its_published_formula(kind: str, bars: RandomBars) -> None:
    columns = bars.of(0, ("open", "high", "low", "close"))
    made = indicators.get("pivot_points")(*columns, window=1, kind=kind)
    open_, high, low, close = (column.tolist() for column in columns)
    for t in range(1, len(close)):
        expected = pivot_levels(kind, open_[t - 1], high[t - 1], low[t - 1], close[t - 1], open_[t])
        np.testing.assert_allclose([line[t] for line in made], expected, rtol=1e-9)


def test_pivots_of_calendar_months_match_stock_indicators(quotes: dict[str, Floats]) -> None:
    """Our blocks are counted in bars; the formula is held against theirs by giving it the months themselves."""
    _, expected = read_golden("pivot_points_monthly")
    _, dates = read_golden("quotes")
    months = np.array([date[:7] for date in dates["date"]])
    firsts = np.flatnonzero(months != np.concatenate([[""], months[:-1]]))
    high, low = np.maximum.reduceat(quotes["high"], firsts), np.minimum.reduceat(quotes["low"], firsts)
    last = quotes["close"][np.concatenate([firsts[1:], [months.size]]) - 1]
    first = quotes["open"][firsts]
    plan = Plan(pivots_of("standard", *(column(name) for name in ("open", "high", "low", "close", "other"))))
    made = plan.run(Ragged.single([first[:-1], high[:-1], low[:-1], last[:-1], first[1:]]))
    month = np.cumsum(np.isin(np.arange(months.size), firsts)) - 1
    for name, line in zip(indicators.get("pivot_points").outputs, made, strict=True):
        if name in expected:
            theirs = numbers(expected[name])
            np.testing.assert_array_equal(np.isnan(theirs), month == 0)
            np.testing.assert_allclose(line[month[month > 0] - 1], theirs[month > 0], rtol=1e-9)


def test_previous_period_of_one_bar_is_the_bar_before(bars: RandomBars) -> None:
    columns = bars.of(0, ("open", "high", "low", "close"))
    for line, given in zip(indicators.get("previous_period")(*columns, window=1), columns, strict=True):
        np.testing.assert_array_equal(line[1:], given[:-1])
