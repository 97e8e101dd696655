"""What every indicator promises, asked of every indicator in the registry."""

from __future__ import annotations

import itertools
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import talib

from agents import indicators
from agents.indicators.columns import to_floats
from agents.indicators.docs import pages
from agents.indicators.graph import Line, inputs_of
from agents.indicators.ragged import Ragged, State
from agents.indicators.registry import Choice, Range
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from tests.unit.agents.indicators.conftest import RandomBars

ENTRIES = indicators.registered()
OURS = [name for name, entry in ENTRIES.items() if entry.engine == "numba"]
NAMES = [*OURS, "cdlengulfing", "cdlmorningstar", "minmaxindex", "sin", "add"]  # TA-Lib's share one way of running


def parameter_sets(name: str) -> list[dict[str, Any]]:
    """The defaults, every number moved (windows that are no sum of two powers), and each variant by name."""
    params = ENTRIES[name].params
    moved = {p.name: _moved(p.default, p.range) for p in params if isinstance(p.range, Range)}
    variants = [{p.name: choice} for p in params if isinstance(p.range, Choice) for choice in p.range.names]
    return [{}, *([moved] if moved else []), *(v for v in variants if v != {p.name: p.default for p in params})]


def _moved(value: Any, allowed: Range) -> float:
    return min(value + 3, int(allowed.high)) if isinstance(value, int) else min(value * 1.25, allowed.high)


CASES = [(name, params) for name in NAMES for params in parameter_sets(name)]


def lines(result: Any) -> tuple[Floats, ...]:
    return result if isinstance(result, tuple) else (result,)


def panel_of(bars: RandomBars) -> Panel:
    symbols = bars.offsets.size - 1
    rows = int(bars.offsets[-1])
    return Panel(
        symbols=tuple(f"S{i:02d}" for i in range(symbols)),
        offsets=bars.offsets,
        ts=np.concatenate([np.arange(n, dtype=np.int64) * 86_400_000_000 for n in np.diff(bars.offsets)]),
        gap=np.zeros(rows, np.bool_),
        open=bars.columns["open"],
        high=bars.columns["high"],
        low=bars.columns["low"],
        close=bars.columns["close"],
        volume=bars.columns["volume"],
    )


def frame_of(bars: RandomBars) -> pl.DataFrame:
    counts = np.diff(bars.offsets)
    return pl.DataFrame({"symbol": np.repeat([f"S{i:02d}" for i in range(counts.size)], counts), **bars.columns})


def panel_or_frame(name: str, bars: RandomBars) -> Panel | pl.DataFrame:
    """A panel has no second series; a frame may have one."""
    return frame_of(bars) if "other" in ENTRIES[name].inputs else panel_of(bars)


def same_bits(a: Any, b: Any) -> None:
    for x, y in zip(lines(a), lines(b), strict=True):
        np.testing.assert_array_equal(np.asarray(x).view(np.int64), np.asarray(y).view(np.int64))


@pytest.mark.parametrize("name", NAMES)
def test_no_bars_give_no_values(name: str) -> None:
    entry = indicators.get(name)
    assert all(line.shape == (0,) for line in lines(entry(*[np.empty(0)] * len(entry.inputs))))


@pytest.mark.parametrize("name", NAMES)
def test_one_bar_is_still_warming_up(name: str) -> None:
    entry = indicators.get(name)
    warmups = entry.warmups(entry.bind((), {}))
    for line, warmup in zip(lines(entry(*[np.array([5.0])] * len(entry.inputs))), warmups, strict=True):
        assert line.shape == (1,)
        assert np.isnan(line[0]) == (warmup > 0)


@pytest.mark.parametrize(("name", "params"), CASES)
def test_warm_up_is_the_count_of_leading_nans(name: str, params: dict[str, Any], bars: RandomBars) -> None:
    entry = indicators.get(name)
    warmups = entry.warmups(entry.bind((), params))
    for symbol in range(bars.offsets.size - 1):
        columns = bars.of(symbol, entry.inputs)
        for line, warmup in zip(lines(entry(*columns, **params)), warmups, strict=True):
            missing = np.flatnonzero(np.isnan(line))
            np.testing.assert_array_equal(missing, np.arange(min(warmup, line.size)))


@pytest.mark.parametrize(("name", "params"), CASES)
def test_values_stay_within_the_declared_bounds(name: str, params: dict[str, Any], bars: RandomBars) -> None:
    entry = indicators.get(name)
    low, high = entry.bounds or (-np.inf, np.inf)
    spiky = [column * np.where(np.arange(column.size) % 97 == 0, 50.0, 1.0) for column in bars.of(2, entry.inputs)]
    for columns in (bars.of(2, entry.inputs), spiky, [np.arange(1.0, 600.0)] * len(entry.inputs)):
        for line in lines(entry(*columns, **params)):
            assert np.nanmin(line) >= low
            assert np.nanmax(line) <= high


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_left_untouched_and_may_be_read_only(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    columns = [column.copy() for column in bars.of(0, entry.inputs)]
    before = [column.copy() for column in columns]
    writeable = entry(*columns)
    for column in columns:
        column.flags.writeable = False
    same_bits(writeable, entry(*columns))
    same_bits(tuple(columns), tuple(before))


@pytest.mark.parametrize(("name", "params"), CASES)
def test_no_value_looks_ahead(name: str, params: dict[str, Any], bars: RandomBars) -> None:
    entry = indicators.get(name)
    columns = bars.of(2, entry.inputs)
    whole = lines(entry(*columns, **params))
    for cut in np.random.default_rng(3).integers(1, 2600, 25):
        prefix = entry(*[column[:cut] for column in columns], **params)
        same_bits(prefix, tuple(line[:cut] for line in whole))


@pytest.mark.parametrize(("name", "params"), CASES)
def test_a_symbol_has_the_same_bits_alone_and_in_a_panel(name: str, params: dict[str, Any], bars: RandomBars) -> None:
    entry = indicators.get(name)
    together = lines(indicators.compute(name, panel_or_frame(name, bars), **params))
    for symbol in range(bars.offsets.size - 1):
        lo, hi = bars.offsets[symbol], bars.offsets[symbol + 1]
        same_bits(entry(*bars.of(symbol, entry.inputs), **params), tuple(line[lo:hi] for line in together))


@pytest.mark.parametrize(("name", "params"), CASES)
def test_a_history_in_pieces_has_the_same_bits_as_at_once(name: str, params: dict[str, Any], bars: RandomBars) -> None:
    entry = indicators.get(name)
    columns = bars.of(4, entry.inputs)
    whole = entry(*columns, **params)
    rng = np.random.default_rng(11)
    for _ in range(2):
        cuts = np.unique(np.concatenate([[0, columns[0].size], rng.integers(0, columns[0].size, 9)]))
        state, pieces = None, []
        for number, (lo, hi) in enumerate(itertools.pairwise(cuts)):
            values, state = indicators.resume(name, state, *[column[lo:hi] for column in columns], **params)
            state = State.restore(state.snapshot()) if number == 3 else state
            pieces.append(lines(values))
        same_bits(tuple(np.concatenate(part) for part in zip(*pieces, strict=True)), whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_panel_in_uneven_pieces_has_the_same_bits(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    whole = lines(indicators.compute(name, panel_or_frame(name, bars)))
    counts = np.diff(bars.offsets)
    rng = np.random.default_rng(5)
    fed, state = np.zeros_like(counts), None
    parts: list[list[list[Floats]]] = [[[] for _ in counts] for _ in entry.outputs]
    while (fed < counts).any():
        take = np.minimum(rng.integers(0, 500, counts.size) * rng.integers(0, 2, counts.size), counts - fed)
        rows = [np.arange(bars.offsets[s] + fed[s], bars.offsets[s] + fed[s] + take[s]) for s in range(counts.size)]
        edges = np.concatenate([[0], np.cumsum(take)])
        columns = [bars.columns[name_][np.concatenate(rows)] for name_ in entry.inputs]
        values, state = indicators.resume(name, state, *columns, offsets=edges)
        for line, part in zip(lines(values), parts, strict=True):
            for s in range(counts.size):
                part[s].append(line[edges[s] : edges[s + 1]])
        fed += take
    same_bits(tuple(np.concatenate([x for symbol in part for x in symbol]) for part in parts), whole)


@pytest.mark.parametrize("name", NAMES)
def test_resuming_leaves_the_old_state_as_it_was(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    columns = bars.of(0, entry.inputs)
    _, state = indicators.resume(name, None, *[column[:300] for column in columns])
    first, _ = indicators.resume(name, state, *[column[300:] for column in columns])
    again, _ = indicators.resume(name, state, *[column[300:] for column in columns])
    same_bits(first, again)


@pytest.mark.parametrize(("name", "params"), CASES)
def test_the_expression_over_symbols_equals_the_panel(name: str, params: dict[str, Any], bars: RandomBars) -> None:
    entry = indicators.get(name)
    build = getattr(indicators.expressions, name)
    frame = frame_of(bars)
    together = lines(indicators.compute(name, frame, **params))
    positional = frame.select(build(*entry.inputs, *entry.bind((), params).values()).over("symbol").alias("x"))["x"]
    by_name = frame.lazy().select(build(**params).over("symbol").alias("x")).collect()["x"]
    for column in (positional, by_name):
        found = tuple(column.struct.field(o) for o in entry.outputs) if len(together) > 1 else (column,)
        same_bits(tuple(line.to_numpy() for line in found), together)


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_and_a_panel_give_the_same_bits(name: str, bars: RandomBars) -> None:
    same_bits(indicators.compute(name, frame_of(bars)), indicators.compute(name, panel_or_frame(name, bars)))


@pytest.mark.parametrize("name", NAMES)
def test_integers_floats_and_polars_give_the_same_bits(name: str) -> None:
    entry = indicators.get(name)
    whole = np.random.default_rng(2).integers(50, 60, 120)
    columns = [np.sort(np.stack([whole, whole + i]), axis=0)[0] for i in range(len(entry.inputs))]
    from_ints = entry(*columns)
    same_bits(from_ints, entry(*[column.astype(np.float64) for column in columns]))
    same_bits(from_ints, entry(*[pl.Series(column) for column in columns]))
    same_bits(from_ints, entry(*[np.repeat(column, 2)[::2] for column in columns]))


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_price_gives_values_that_stand_still_or_climb_evenly(name: str) -> None:
    """Rounding dust would read as a move."""
    entry = indicators.get(name)
    for line in lines(entry(*[np.full(400, 10.1)] * len(entry.inputs))):
        steps = np.diff(line[-50:])
        if np.isfinite(steps).all():
            np.testing.assert_allclose(steps, steps[-1], rtol=1e-9, atol=1e-15 * np.abs(line[-1]))


SCALED = {"price": (4.0, 1.0), "move": (4.0, 1.0), "variance": (16.0, 1.0), "volume": (1.0, 4.0), "money": (4.0, 4.0)}
PRICES = ("open", "high", "low", "close", "other")


@pytest.mark.parametrize("name", OURS)
def test_values_scale_with_prices_and_volumes_as_their_unit_says(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    columns = bars.of(2, entry.inputs)
    before = lines(entry(*columns))
    for kind, chosen in enumerate((PRICES, ("volume",))):
        after = lines(entry(*[c * 4.0 if n in chosen else c for n, c in zip(entry.inputs, columns, strict=True)]))
        for unit, line, scaled in zip(entry.units, before, after, strict=True):
            if unit != "mixed":
                factor = SCALED.get(unit, (1.0, 1.0))[kind]
                np.testing.assert_allclose(scaled, line * factor, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", OURS)
def test_levels_shift_with_prices_and_moves_do_not(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    columns = bars.of(2, entry.inputs)
    before = lines(entry(*columns))
    after = lines(entry(*[c + 64.0 if n in PRICES else c for n, c in zip(entry.inputs, columns, strict=True)]))
    for unit, line, shifted in zip(entry.units, before, after, strict=True):
        if unit in ("price", "move", "variance"):
            np.testing.assert_allclose(shifted, line + (64.0 if unit == "price" else 0.0), rtol=1e-7, atol=1e-7)


def kept(line: Line, name: str) -> bool:
    """Whether that input reaches the line through a memory."""
    if line.node.kind == "memory":
        return name in inputs_of((line,))
    return any(kept(part, name) for part in line.node.inputs)


@pytest.mark.parametrize("name", NAMES)
def test_a_nan_is_forgotten_by_windows_and_kept_by_memories(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    plan = entry.plan(entry.bind((), {}))
    after = 202 + sum(node.reach for node in plan.nodes)  # bars until it has left, or reached, every window
    for spoiled, title in enumerate(entry.inputs):
        columns = [column.copy() for column in bars.of(0, entry.inputs)]
        clean = lines(entry(*columns))
        columns[spoiled][200] = np.nan
        spoilt = 0
        for made, line, before in zip(plan.lines, lines(entry(*columns)), clean, strict=True):
            same_bits(line[:200], before[:200])
            if not np.isnan(line[200:]).any():  # an output that does not read this input, as an upper band the low
                same_bits(line, before)
                continue
            spoilt += 1
            if kept(made, title):
                assert np.isnan(line[after:]).all()
            else:
                same_bits(line[after:], before[after:])
        assert spoilt


@pytest.mark.parametrize("name", NAMES)
def test_the_newest_values_alone_are_those_of_the_whole_history(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    plan = entry.plan(entry.bind((), {}))
    data = Ragged.of([to_floats(bars.columns[title]) for title in plan.inputs], bars.offsets)
    same_bits(tuple(plan.last(data)), tuple(plan.run(data)[:, bars.offsets[1:] - 1]))


@pytest.mark.parametrize("name", NAMES)
def test_a_reused_output_holds_the_same_bits(name: str, bars: RandomBars) -> None:
    entry = indicators.get(name)
    out = np.full((len(entry.outputs), int(bars.offsets[-1])), 77.0)
    values = lines(indicators.compute(name, panel_or_frame(name, bars), out=out))
    assert all(np.shares_memory(line, out) for line in values)
    same_bits(values, indicators.compute(name, panel_or_frame(name, bars)))


def test_the_catalogue_is_json_and_names_every_field() -> None:
    rows = json.loads(json.dumps(indicators.catalogue(), allow_nan=False))
    assert [row["name"] for row in rows] == sorted(ENTRIES)
    for row in rows:
        assert set(row) == {
            *("name", "family", "inputs", "params", "outputs", "warmup", "bounds"),
            *("units", "engine", "repaints", "source", "description", "formula", "notes"),
        }
        assert row["description"].endswith(".")
        assert row["formula"], row["name"]
        for param in row["params"].values():
            if param["choices"]:
                assert param["default"] in param["choices"]
            else:
                assert param["low"] <= param["default"] <= param["high"]


def test_the_pages_in_docs_are_the_generated_ones() -> None:
    docs = Path(__file__).parents[4] / "docs"
    for path, text in pages().items():
        assert (docs / path).read_text() == text, "run: make docs"
    drawn = {file.stem for file in (docs / "indicators" / "pictures").glob("*.svg")}
    assert drawn == set(ENTRIES), "run: make docs"


def test_every_function_of_talib_is_reachable_by_its_name() -> None:
    missing = []
    names: list[str] = [name for group in talib.__function_groups__.values() for name in group]
    for name in names:
        try:
            indicators.get(name.lower())
        except InvalidInput:
            missing.append(name)
    assert not missing


def test_an_indicator_survives_a_process_border_by_name() -> None:
    entry = indicators.get("rsi")
    assert pickle.loads(pickle.dumps(entry)) is entry  # noqa: S301  (our own bytes)


def test_no_symbols_at_all_give_no_values() -> None:
    for entry in indicators.registered().values():
        empty = Ragged.of([to_floats(np.empty(0))] * len(entry.inputs), np.array([0]))
        assert all(line.size == 0 for line in lines(entry.run(empty, entry.bind((), {}))))
