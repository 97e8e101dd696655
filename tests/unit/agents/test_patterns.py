"""The candlestick agent votes what TA-Lib finds on the last bars, whatever came before them."""

from dataclasses import replace

import numpy as np
import pytest
import talib
from talib import abstract

from agents.patterns import LOOKBACK, PATTERNS, PatternsParams, _groups, evaluate, explain
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, Panel, from_micros
from tests.unit.agents.conftest import MakePanel


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(5, (300, 40, 16, 17, 3, 250))


def _reference(panel: Panel, symbol: str) -> tuple[Floats, Floats]:
    """Score and evidence of one symbol from TA-Lib called pattern by pattern, in the plainest way."""
    bars = panel.of(symbol)
    prices = [np.rint(c * 1e8) for c in (bars.open, bars.high, bars.low, bars.close)]
    net, gross = np.zeros(len(bars)), np.zeros(len(bars))
    for side, weight, functions in _groups():
        for name in functions:
            flags = getattr(talib, f"CDL{name}")(*prices) / 100.0
            for age in range(3):
                net[age:] += side * flags[: len(bars) - age] / 2**age
                gross[age:] += weight * np.abs(flags[: len(bars) - age]) / 2**age
    silent = (np.arange(len(bars)) < LOOKBACK + 2) | (gross == 0.0)
    return np.where(silent, np.nan, net / np.where(gross == 0.0, 1.0, gross)), gross


def test_votes_equal_talib_called_symbol_by_symbol(panel: Panel) -> None:
    block = PATTERNS.evaluate(panel)
    for position, symbol in enumerate(panel.symbols):
        lo, hi = panel.offsets[position], panel.offsets[position + 1]
        score, gross = _reference(panel, symbol)
        np.testing.assert_array_equal(block.score[lo:hi], score)
        np.testing.assert_array_equal(
            block.confidence[lo:hi], np.where(np.isnan(score), np.nan, gross / (gross + 10.0))
        )


def test_all_61_patterns_of_talib_are_asked_once() -> None:
    known = talib.get_function_groups()["Pattern Recognition"]  # type: ignore[no-untyped-call]
    asked = [f"CDL{name}" for _, _, functions in _groups() for name in functions]
    assert sorted(asked) == sorted(known)


def test_no_pattern_looks_back_further_than_the_warmup() -> None:
    assert max(abstract.Function(f"CDL{n}").lookback for _, _, fs in _groups() for n in fs) == LOOKBACK  # type: ignore[attr-defined]


def test_a_vote_depends_on_its_last_bars_only(panel: Panel) -> None:
    """The promise that lets `explain` run on a window; on plain prices TA-Lib breaks it at ties."""
    whole = PATTERNS.evaluate(panel.of("S000"))
    for row in range(LOOKBACK + 2, 300):
        part = PATTERNS.evaluate(_rows(panel.of("S000"), row - LOOKBACK - 2, row + 1))
        assert repr(part.score[-1]) == repr(whole.score[row])


def test_the_explanation_rests_on_the_numbers_of_the_score(panel: Panel) -> None:
    block = PATTERNS.evaluate(panel)
    for row in range(LOOKBACK + 2, 300):
        reason = explain(panel, PatternsParams(), "S000", from_micros(panel.ts[row]))
        evidence = reason.facts["evidence"]
        if np.isnan(block.score[row]):
            assert evidence == 0.0
        else:
            assert reason.facts["net_evidence"] / evidence == block.score[row]
            assert evidence / (evidence + 10.0) == block.confidence[row]


def test_an_engulfing_candle_is_named_with_its_side(make_panel: MakePanel) -> None:
    bars = make_panel(3, (40,))
    o, h, low, c = (getattr(bars, name).copy() for name in ("open", "high", "low", "close"))
    o[-2], h[-2], low[-2], c[-2] = 50.0, 50.2, 48.8, 49.0  # a black candle
    o[-1], h[-1], low[-1], c[-1] = 48.9, 51.0, 48.7, 50.9  # swallowed by a white one
    bars = replace(bars, open=o, high=h, low=low, close=c)
    reason = PATTERNS.explain(bars, "S000", from_micros(bars.ts[-1]))
    assert "bullish engulfing" in reason.text
    assert "balance" in reason.text


def test_a_short_history_is_explained_as_such(panel: Panel) -> None:
    assert PATTERNS.explain(panel, "S004", from_micros(panel.ts[-1])).text == "3 bars: candlestick patterns need 17"


def test_flat_bars_show_no_side(make_panel: MakePanel) -> None:
    """TA-Lib sees dojis in them; a doji is indecision, not a rise."""
    bars = make_panel(3, (40,))
    flat = np.full(40, 10.0)
    bars = replace(bars, open=flat, high=flat, low=flat, close=flat)
    block = evaluate(bars, {}, PatternsParams())
    assert not np.any(block.score != 0.0, where=~np.isnan(block.score))


@pytest.mark.parametrize("wrong", [{"bars": 0}, {"bars": 11}, {"half_evidence": 0.0}, {"half_evidence": np.inf}])
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="patterns"):
        PatternsParams(**wrong)  # type: ignore[arg-type]


def _rows(panel: Panel, lo: int, hi: int) -> Panel:
    return replace(
        panel,
        offsets=np.array([0, hi - lo]),
        ts=panel.ts[lo:hi],
        gap=panel.gap[lo:hi],
        **{name: getattr(panel, name)[lo:hi] for name in COLUMNS},
    )
