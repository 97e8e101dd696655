"""A sweep row is the single backtest of that set and symbol; how sets are cut into chunks changes no bit."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from agents import indicators
from agents.backtest import metrics, sweep_program
from agents.backtest import sweep as sweeping
from agents.backtest.catalogue import builtin
from agents.backtest.orders import Orders
from agents.backtest.rules import Fill, Rules
from agents.backtest.simulation import Simulation
from agents.backtest.sweep import SweepBlock, cost_estimate, sweep, sweep_blocks
from agents.backtest.sweep_metrics import BARS_ONLY, METRICS
from agents.backtest.sweep_program import Rule, Tradable
from agents.expr.conditions import Above, Always, And, AtLeast, Condition, Crosses, Equal, Not, Or, line_of
from agents.expr.evaluate import run
from agents.indicators.graph import Line, column
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel

DAY = 86_400_000_000
YEAR = 252.0
COSTS = Rules(fees=0.001, slippage=0.0005, annualisation=YEAR, borrow=0.02, risk_free=0.01)
BY_SEGMENTS = tuple(name for name in METRICS if name not in BARS_ONLY)
BY_BARS = tuple(name for name in METRICS if name != "break_even_bps")
CLOSE = column("close")


def line(name: str, *params: float) -> Line:
    entry = indicators.get(name)
    return entry.lines((CLOSE,), entry.bind(params, {}))[0]


def market() -> Panel:
    """Five symbols of 1 to 800 bars; the fourth ends twenty days before the others."""
    lengths = np.array([500, 800, 1, 600, 799])
    rng = np.random.default_rng(11)
    close = np.concatenate([100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n))) for n in lengths])
    opened = close * np.exp(rng.normal(0.0, 0.01, close.size))
    ends = [820, 820, 820, 800, 820]
    return Panel(
        symbols=tuple("ABCDE"),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ts=np.concatenate([np.arange(end - n, end) * DAY for n, end in zip(lengths, ends, strict=True)]),
        open=opened,
        high=np.maximum(opened, close) * 1.01,
        low=np.minimum(opened, close) * 0.99,
        close=close,
        volume=np.full(close.size, 1e6),
        gap=np.zeros(close.size, np.bool_),
    )


PANEL = market()
RSI = line("rsi", 14)
LONG_ONLY: tuple[Rule, ...] = (
    *(Rule(Crosses(line("sma", f), line("sma", s)), Crosses(line("sma", s), line("sma", f)))
      for f, s in [(2, 5), (5, 20), (10, 50), (3, 200)]),
    *(Rule(Above(line("sma", f), line("ema", s)), AtLeast(line("ema", s), line("sma", f)))
      for f, s in [(1, 3), (5, 20), (50, 10)]),
    Rule(Above(30.0, RSI), Above(RSI, 70.0)),
    Rule(Above(50.0, RSI), Above(RSI, 50.0)),
    Rule(Or(Above(line("sma", 5), 100.0), Not(AtLeast(RSI, 40.0))), And(Above(RSI, 60.0), Not(Crosses(RSI, 70.0)))),
    Rule(Not(Equal(RSI, 50.0)), Crosses(50.0, RSI)),
    Rule(Crosses(RSI, 50.0)),
    Rule(Above(CLOSE, 0.0), Above(RSI, 60.0)),
    Rule(Always(True)),
    Rule(Always(False)),
)  # fmt: skip
OTHERS: tuple[Rule, ...] = (
    Rule(Above(RSI, 55.0), Above(45.0, RSI), Above(45.0, RSI), Above(RSI, 55.0)),
    Rule(Always(False), Always(False), Crosses(50.0, RSI), Crosses(RSI, 40.0)),
    Rule(Above(RSI, 55.0), Above(45.0, RSI), stop=3.0, target=4.0),
    Rule(Above(RSI, 55.0), Above(45.0, RSI), size=0.5, trail=line("stddev", 20) * 2.0),
)


def engine(
    one: Tradable, panel: Panel, rules: Rules, *, finish_all: bool
) -> tuple[list[dict[str, float]], list[Floats]]:
    """Metrics (None as NaN) and bar returns of each symbol, by the single backtest."""
    decided = dict(zip(("enter", "exit", "short_enter", "short_exit"), one.conditions(), strict=True))
    levels = {k: v for k, v in zip(("stop", "target", "trail", "size"), one.levels(), strict=True) if v is not None}
    lines: dict[str, Line | float] = {k: line_of(c) for k, c in decided.items() if not isinstance(c, Always)}
    found = run({**lines, **levels}, panel, {})

    def truths(key: str, condition: Condition) -> np.ndarray:
        return np.full(len(panel), condition.value) if isinstance(condition, Always) else found[key] == 1.0

    enter, leave, short, cover = (truths(key, condition) for key, condition in decided.items())
    orders = Orders.of(enter, leave, short_enter=short, short_exit=cover, **{key: found[key] for key in levels})
    simulation = Simulation(panel, orders, rules, finish_all=finish_all)
    made = simulation.run()
    held = np.add.reduceat(made.position != 0.0, panel.offsets[:-1], dtype=np.int64) / np.diff(panel.offsets)
    measured = metrics.measure(
        made.rows, panel.offsets, simulation.start, made.trades, made.trades.symbol, held,
        annualisation=YEAR, risk_free=rules.risk_free,
    )  # fmt: skip
    even, _ = metrics.break_even(simulation.returns_by_symbol, len(panel.symbols))
    answers, returns = [], []
    for s, of_one in enumerate(measured):
        equity = made.rows[panel.offsets[s] : panel.offsets[s + 1]]
        steps = metrics.bar_returns(equity, simulation.start[s])
        away = steps - steps.mean()
        spread = float((away * away).mean())
        more = {
            "mean": float(steps.mean()),
            "variance": float(steps.var(ddof=1)) if steps.size > 1 else None,
            "skew": float((away**3).mean()) / spread**1.5 if spread > 0.0 else None,
            "kurtosis": float((away**4).mean()) / spread**2 if spread > 0.0 else None,
            "break_even_bps": float(even[s]),
        }
        answers.append({k: math.nan if v is None else v for k, v in {**of_one.metrics, **more}.items()})
        returns.append(steps)
    return answers, returns


@pytest.mark.parametrize("finish_all", [False, True], ids=["as it is", "sold at the end"])
@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize("names", [BY_SEGMENTS, BY_BARS], ids=["segments", "bars"])
def test_every_metric_of_a_row_is_that_of_the_single_backtest(
    fill: Fill, names: tuple[str, ...], finish_all: bool
) -> None:
    rules = replace(COSTS, fill=fill)
    sets = (*LONG_ONLY, *OTHERS)
    found = sweep(PANEL, sets, rules, names, blocks=10, finish=np.ones(5, np.bool_) if finish_all else None)
    for k, one in enumerate(sets):
        answers, returns = engine(one, PANEL, rules, finish_all=finish_all)
        for s in range(5):
            for name in names:
                if name == "break_even_bps" and one in OTHERS:
                    assert np.isnan(found.values[name][k, s])
                else:
                    np.testing.assert_allclose(
                        found.values[name][k, s], answers[s][name], rtol=1e-9, atol=1e-12, err_msg=f"{name} of {k}, {s}"
                    )
            edges = np.cumsum([0, *found.bars[s]])
            assert edges[-1] == returns[s].size
            for b in range(10):
                part = returns[s][edges[b] : edges[b + 1]]
                expected = [part.sum(), (part * part).sum()]
                np.testing.assert_allclose(found.block_sums[k, s, b], expected, rtol=1e-9, atol=1e-12)
    assert np.nanmax(found.values["trades"]) > 50.0  # the sets do trade


def test_a_symbol_that_ends_early_is_sold_at_its_last_close() -> None:
    """What is bought and held stays open on symbols that go on, and is closed, with costs, on the one that ends."""
    found = sweep(PANEL, [Rule(Always(True))], COSTS, ("trades", "win_rate"))
    assert np.isnan(found.values["win_rate"][0]).tolist() == [True, True, True, False, True]


@pytest.mark.parametrize("name", ["sma_cross", "rsi_reversion", "macd", "bollinger_reversion", "donchian_breakout"])
def test_built_in_strategies_sweep_as_they_backtest(name: str) -> None:
    bound = builtin(name).bind()
    names = ("total_return", "sharpe", "max_drawdown", "trades")
    found = sweep(PANEL, [bound], COSTS, names)
    answers, _ = engine(bound, PANEL, COSTS, finish_all=False)
    for metric in names:
        expected = [answer[metric] for answer in answers]
        np.testing.assert_allclose(found.values[metric][0], expected, rtol=1e-9, atol=1e-12)


def same_bits(a: SweepBlock, b: SweepBlock) -> None:
    for name, values in a.values.items():
        np.testing.assert_array_equal(values.view(np.int64), b.values[name].view(np.int64))
    np.testing.assert_array_equal(a.block_sums.view(np.int64), b.block_sums.view(np.int64))


def test_chunks_slices_and_neighbours_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = (*LONG_ONLY, *OTHERS)
    whole = sweep(PANEL, sets, COSTS, BY_SEGMENTS, blocks=4)
    order = np.random.default_rng(2).permutation(len(sets))
    mixed = sweep(PANEL, [sets[k] for k in order], COSTS, BY_SEGMENTS, blocks=4)
    back = np.argsort(order)
    same_bits(
        whole, replace(mixed, values={n: v[back] for n, v in mixed.values.items()}, block_sums=mixed.block_sums[back])
    )
    monkeypatch.setattr(sweep_program, "MOST_SETS", 3)
    monkeypatch.setattr(sweeping, "MASKS_BYTES", 1)
    monkeypatch.setattr(sweeping, "LINES_BYTES", 1)
    same_bits(whole, sweep(PANEL, sets, COSTS, BY_SEGMENTS, blocks=4))
    ends = sweeping.ends_early(PANEL)
    for s, symbol in enumerate(PANEL.symbols):
        alone = sweep(PANEL.of(symbol), sets, COSTS, ("sharpe", "fees_paid"), finish=ends[s : s + 1], cash=20_000.0)
        for name, values in alone.values.items():
            np.testing.assert_array_equal(values[:, 0], whole.values[name][:, s])


def many(count: int) -> Iterator[Rule]:
    """Sets that share no comparison, made one by one."""
    for k in range(count):
        yield Rule(Above(30.0 + k * 1e-3, RSI), Above(RSI, 60.0 + k * 1e-3))


def test_memory_does_not_grow_with_the_number_of_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_program, "MOST_SETS", 64)
    panel = PANEL.of("A")

    def peak(count: int) -> int:
        tracemalloc.start()
        best = max(float(np.nanmax(block.values["sharpe"])) for block in sweep_blocks(panel, many(count), COSTS))
        assert math.isfinite(best)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(64)  # what is compiled or cached once
    assert peak(2_560) < 1.5 * peak(256)


def test_the_median_over_symbols_leaves_out_what_is_undefined() -> None:
    values = np.array([[1.0, np.nan, 3.0, 2.0], [np.nan, 4.0, 1.0, np.nan], [np.nan] * 4])
    block = SweepBlock(0, {"sharpe": values}, np.empty((4, 0), np.int64), np.empty((3, 4, 0, 2)))
    np.testing.assert_array_equal(block.median("sharpe"), [2.0, 2.5, np.nan])


def test_an_estimate_grows_with_sets_and_with_work_per_set() -> None:
    few, lots = (cost_estimate(PANEL, LONG_ONLY, total) for total in (1_000, 1_000_000))
    assert lots.seconds == pytest.approx(1_000 * few.seconds)
    assert (lots.peak_bytes, lots.backtests) == (few.peak_bytes, 5_000_000)
    assert cost_estimate(PANEL, OTHERS, 1_000).seconds > few.seconds


@pytest.mark.parametrize(
    ("rules", "names", "options", "said"),
    [
        (COSTS, ("sharp",), {}, "sweep has no metric sharp; it has total_return"),
        (COSTS, (), {}, "no metric at all"),
        (COSTS, ("break_even_bps", "max_drawdown_duration"), {}, "ask for one of them"),
        (replace(COSTS, mode="portfolio"), ("sharpe",), {}, 'leave out mode="portfolio"'),
        (replace(COSTS, annualisation=None), ("sharpe",), {}, "set annualisation, for example 252"),
        (COSTS, ("sharpe",), {"finish": np.ones(2, np.bool_)}, "one truth per symbol"),
        (COSTS, ("sharpe",), {"blocks": 5_000}, "choose between 2 and so many"),
    ],
)
def test_what_cannot_be_swept_is_refused(
    rules: Rules, names: Sequence[str], options: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        sweep(PANEL, LONG_ONLY[:1], rules, names, **options)  # type: ignore[arg-type]


def test_an_empty_grid_and_a_missing_column_say_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="widen the ranges"):
        sweep(PANEL, [], COSTS)
    with pytest.raises(InvalidInput, match="need the column consensus"):
        sweep(PANEL, [Rule(Above(column("consensus"), 0.2))], COSTS)
    given = np.where(np.arange(len(PANEL)) % 2, 1.0, np.nan)
    found = sweep(PANEL, [Rule(Above(column("consensus"), 0.2))], COSTS, columns={"consensus": given})
    assert found.values["trades"][0].tolist() == [1.0, 1.0, 0.0, 1.0, 1.0]
    with pytest.raises(InvalidInput, match="at least one set"):
        cost_estimate(PANEL, [], 10)
