"""Every indicator against numbers from outside this project, and against TA-Lib where TA-Lib has it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
import talib

from agents import indicators
from data.contracts.arrays import Floats
from tests.unit.agents.indicators import plain
from tests.unit.agents.indicators import test_tulip as tulip
from tests.unit.agents.indicators.conftest import GOLDEN, Golden, RandomBars, read_golden

ENTRIES = indicators.registered()
NAMES = [name for name, entry in ENTRIES.items() if entry.engine == "numba"]
GOLDENS = [name for name in NAMES if (GOLDEN / f"{name}.csv").is_file()]
PLAIN = {
    name: function
    for module in iter_modules(plain.__path__)
    for name, function in vars(import_module(f"{plain.__name__}.{module.name}")).items()
    if name in ENTRIES and getattr(function, "__module__", "").startswith(plain.__name__)
}
TULIP = {ours.name for ours in tulip.OURS.values()}
TALIB = {name: ENTRIES[name].talib for name in NAMES if ENTRIES[name].talib}


def lines(result: Any) -> tuple[Floats, ...]:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", NAMES)
def test_every_indicator_is_held_against_something_that_is_not_ours(name: str) -> None:
    """Values of another library, TA-Lib's function, or the published definition written down plainly."""
    assert name in {*GOLDENS, *TALIB, *PLAIN, *TULIP}, f"add tests/golden/{name}.csv or a plain definition"


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_values_match_the_plain_definition(name: str, quotes: dict[str, Floats]) -> None:
    entry = ENTRIES[name]
    columns = [quotes[column] for column in entry.inputs]
    defaults = {param.name: param.default for param in entry.params}
    for mine, theirs in zip(lines(entry(*columns)), lines(PLAIN[name](*columns, **defaults)), strict=True):
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(theirs)))


@pytest.mark.parametrize("name", GOLDENS)
def test_values_match_the_outside_reference(name: str, golden: Callable[[str], Golden]) -> None:
    case = golden(name)
    entry = indicators.get(name)
    ours = dict(zip(entry.outputs, lines(entry(*case.inputs, **case.params)), strict=True))
    assert set(case.expected) == set(entry.outputs)
    for output, theirs in case.expected.items():
        mine = np.concatenate([np.full(case.lag, np.nan), ours[output]])[: theirs.size]
        both = np.isfinite(mine) & np.isfinite(theirs)
        both[: case.since] = False
        assert both.sum() >= 100, "a reference must be compared on enough rows"
        np.testing.assert_allclose(mine[both], theirs[both] * case.scale + case.add, rtol=1e-9)


@pytest.mark.parametrize("name", sorted(TALIB))
def test_values_and_warm_up_match_talib_on_the_golden_quotes(name: str, quotes: dict[str, Floats]) -> None:
    entry = indicators.get(name)
    compare_with_talib(name, [quotes[column] for column in entry.inputs])


@pytest.mark.parametrize("name", sorted(TALIB))
def test_values_and_warm_up_match_talib_on_random_walks(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    for symbol in np.flatnonzero(np.diff(bars.offsets) >= 90):
        compare_with_talib(name, bars.of(int(symbol), entry.inputs))


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("sma", {"window": 200}, {"timeperiod": 200}),
        ("sma", {"window": 63}, {"timeperiod": 63}),
        ("wma", {"window": 7}, {"timeperiod": 7}),
        ("wma", {"window": 64}, {"timeperiod": 64}),
        ("bollinger", {"window": 31, "deviations": 1.5}, {"timeperiod": 31, "nbdevup": 1.5, "nbdevdn": 1.5}),
        ("stddev", {"window": 127}, {"timeperiod": 127}),
        ("linreg_slope", {"window": 61}, {"timeperiod": 61}),
        (
            "stochastic",
            {"window": 14, "smooth": 1, "signal": 5},
            {"fastk_period": 14, "slowk_period": 1, "slowd_period": 5},
        ),
        ("cci", {"window": 33}, {"timeperiod": 33}),
        ("macd", {"fast": 5, "slow": 40, "signal": 3}, {"fastperiod": 5, "slowperiod": 40, "signalperiod": 3}),
        ("rsi", {"window": 2}, {"timeperiod": 2}),
        ("adx", {"window": 40}, {"timeperiod": 40}),
        ("variance", {"window": 2}, {"timeperiod": 2}),
        ("correlation", {"window": 61}, {"timeperiod": 61}),
        ("percentile", {"window": 33, "percent": 15.0}, {"timeperiod": 33, "percentile": 15.0}),
        ("percent_rank", {"window": 9}, {"timeperiod": 9}),
        ("mama", {"fast": 0.7, "slow": 0.02}, {"fastlimit": 0.7, "slowlimit": 0.02}),
    ],
)
def test_other_parameters_match_talib(
    name: str, ours: dict[str, float], theirs: dict[str, float], bars: RandomBars
) -> None:
    entry = indicators.get(name)
    compare_with_talib(name, bars.of(2, entry.inputs), ours, theirs)


def test_donchian_matches_talib_max_and_min(bars: RandomBars) -> None:
    high, low = bars.of(2, ("high", "low"))
    channel = indicators.get("donchian")(high, low, 37)
    np.testing.assert_array_equal(channel.upper, talib.MAX(high, 37))
    np.testing.assert_array_equal(channel.lower, talib.MIN(low, 37))


def test_beta_is_talibs_with_the_market_named_second(bars: RandomBars) -> None:
    close, other = bars.of(2, ("close", "other"))
    for window in (5, 37):
        np.testing.assert_allclose(indicators.get("beta")(close, other, window), talib.BETA(other, close, window), 1e-9)


def test_every_difference_names_a_known_indicator_and_a_reason() -> None:
    _, columns = read_golden("differences")
    assert set(columns["indicator"]) <= set(ENTRIES)
    assert all(columns["reason"])


def test_a_reference_that_is_bent_says_why() -> None:
    _, columns = read_golden("differences")
    bent = {name for name in GOLDENS if {"from", "lag", "add"} & read_golden(name)[0].keys()}
    assert bent <= set(columns["indicator"])


def test_oscillators_say_50_where_talib_says_0() -> None:
    flat, volume = np.full(60, 10.0), np.full(60, 100.0)
    assert indicators.get("rsi")(flat)[-1] == 50.0
    assert indicators.get("stochastic")(flat, flat, flat).d[-1] == 50.0
    assert indicators.get("mfi")(flat, flat, flat, volume)[-1] == 50.0
    assert talib.RSI(flat)[-1] == talib.STOCH(flat, flat, flat)[1][-1] == talib.MFI(flat, flat, flat, volume)[-1] == 0.0


def compare_with_talib(
    name: str, columns: list[Floats], ours: dict[str, float] | None = None, theirs: dict[str, float] | None = None
) -> None:
    expected = [line for function in TALIB[name] for line in lines(call_talib(function, columns, theirs or {}))]
    for line, reference in zip(lines(indicators.get(name)(*columns, **(ours or {}))), expected, strict=True):
        # TA-Lib's whole numbers have no NaN: 0 stands for the warm-up.
        mine = np.nan_to_num(line) if reference.dtype.kind == "i" else line
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(reference))
        scale = np.nanmax(np.abs(reference), initial=0.0)  # a short symbol may have no value at all
        np.testing.assert_allclose(mine, reference, rtol=1e-9, atol=1e-9 * scale)


def call_talib(function: str, columns: list[Floats], params: dict[str, float]) -> Any:
    return getattr(talib, function)(*columns, **params)
