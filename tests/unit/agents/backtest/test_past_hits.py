"""What followed past hits: counted without looking ahead, tested exactly, corrected for all symbols."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from agents.backtest.past_hits import HORIZON, LEVEL, past_hits
from agents.expr import evaluate, parse
from agents.kernels import past
from data.contracts.arrays import Floats
from data.contracts.panel import Panel
from tests.unit.agents.conftest import MakePanel


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(5, (300, 5, 6, 120, 300, 1), bursts=False)


def true_of(panel: Panel, expression: str) -> Floats:
    return evaluate({"x": parse(expression)}, panel, {}, lambda term: np.empty(0))["x"]


def test_counts_are_those_of_a_plain_loop(panel: Panel) -> None:
    true = true_of(panel, "close > open or close crosses_above sma(5)")
    found = past_hits(true, panel).counts.tolist()
    for number, symbol in enumerate(panel.symbols):
        lo, hi = panel.offsets[number], panel.offsets[number + 1]
        known = [t for t in range(lo, hi) if t + HORIZON < hi]
        rise = {t: panel.close[t + HORIZON] > panel.open[t + 1] for t in known}
        hits = [t for t in known if true[t] == 1.0]
        apart: list[int] = []
        for t in hits:
            if not apart or t >= apart[-1] + HORIZON:
                apart.append(t)
        counts = [len(known), sum(rise.values()), len(hits), len(apart), sum(rise[t] for t in apart)]
        assert found[number] == counts, symbol


def test_nothing_looks_ahead(panel: Panel) -> None:
    """Counts of a shorter history are what a longer one had counted by then; its newest bars change nothing."""
    whole = true_of(panel, "close > sma(3)")
    for moment in np.unique(panel.ts)[[-40, -7, -2]].tolist():
        part = panel.until(moment)
        assert np.array_equal(true_of(part, "close > sma(3)"), whole[panel.ts <= moment], equal_nan=True)
        known = past_hits(true_of(part, "close > sma(3)"), part).counts
        row = panel.index("S000")
        t = np.arange(panel.offsets[row], panel.offsets[row + 1] - HORIZON)
        t = t[panel.ts[t + HORIZON] <= moment]
        assert known[part.index("S000"), past.C_BARS] == t.size
        assert known[part.index("S000"), past.C_HITS] == np.count_nonzero(whole[t] == 1.0)


def test_p_values_are_exact() -> None:
    cases = [(k, n, p) for n in (1, 2, 7, 40) for k in range(n + 1) for p in (0.1, 0.5, 0.55, 0.97)]
    found = np.empty(len(cases))
    k, n = (np.array([case[i] for case in cases], dtype=np.int64) for i in (0, 1))
    past.binomial(k, n, np.array([case[2] for case in cases]), found)
    for (successes, trials, share), value in zip(cases, found, strict=True):
        p = Fraction(share)
        mass = [comb(trials, i) * p**i * (1 - p) ** (trials - i) for i in range(trials + 1)]
        tail = min(sum(mass[: successes + 1]), sum(mass[successes:]))
        assert value == pytest.approx(min(1.0, float(2 * tail)), rel=1e-11)


def test_thousands_of_trials_do_not_underflow() -> None:
    found = np.empty(3)
    past.binomial(np.array([2_000, 2_600, 0]), np.array([4_000, 4_000, 4_000]), np.array([0.5, 0.5, 0.5]), found)
    assert found[0] == 1.0
    assert 0.0 < found[1] < 1e-70
    assert found[2] == 0.0


def test_what_cannot_be_tested_has_no_p_value_and_counts_in_no_correction(panel: Panel) -> None:
    found = past_hits(true_of(panel, "close > sma(20)"), panel)
    assert found.tested.tolist() == [True, False, False, True, True, False]
    assert np.isnan(found.p_value[~found.tested]).all()
    assert np.isnan(found.corrected("holm")[~found.tested]).all()
    assert np.isnan(found.rate[1])
    assert np.isnan(found.base_rate[5])
    lowest = float(np.nanmin(found.p_value))
    assert np.nanmin(found.corrected("holm")) == min(1.0, 3 * lowest)


def test_symbols_that_only_rise_leave_nothing_to_test(panel: Panel) -> None:
    rising = np.arange(1.0, len(panel) + 1.0)
    up = Panel(panel.symbols, panel.offsets, panel.ts, rising, rising, rising, rising, rising, panel.gap)
    found = past_hits(np.ones(len(panel)), up)
    assert found.p_value[found.tested].tolist() == [1.0] * int(found.tested.sum())


def walks(rng: np.random.Generator, symbols: int, bars: int, drift: Floats) -> Panel:
    step = rng.normal(0.0, 0.01, (symbols, bars)) + drift
    close = 50.0 * np.exp(np.cumsum(step, axis=1)).ravel()
    opened = close * np.exp(rng.normal(0.0, 0.001, close.size))
    ts = np.tile(np.arange(bars) * 86_400_000_000, symbols)
    names = tuple(f"S{i:03d}" for i in range(symbols))
    offsets = np.arange(symbols + 1) * bars
    return Panel(names, offsets, ts, opened, close, close, close, np.ones(close.size), np.zeros(close.size, np.bool_))


def test_in_noise_hardly_anything_stays_and_a_planted_effect_does() -> None:
    """199 symbols without an effect: some are below 5 % by luck, none is left. The one with an effect is found."""
    rng = np.random.default_rng(8)
    hits = (rng.random((200, 1_000)) < 0.05).astype(np.float64)
    by_luck, false, kept = 0, 0, 0
    for _ in range(10):
        drift = np.zeros((200, 1_000))
        for day in np.flatnonzero(hits[7]):
            drift[7, day + 1 : day + 1 + HORIZON] += 0.012
        found = past_hits(hits.ravel(), walks(rng, 200, 1_000, drift))
        others = np.arange(200) != 7
        by_luck += int((found.p_value[others] <= LEVEL).sum())
        false += int((found.corrected("holm")[others] <= LEVEL).any())
        kept += int(found.corrected("benjamini_hochberg")[7] <= LEVEL)
    assert by_luck > 20
    assert false <= 2
    assert kept >= 9
