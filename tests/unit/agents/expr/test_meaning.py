"""What expressions are worth, against truth tables, the definitions in the design, and Polars and pandas."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from agents.consensus import ConsensusParams, decide
from agents.expr import AgentVotes, condition, evaluate, fill, heads, newest, number, parse, ragged
from agents.expr.conditions import Always, And, Crosses
from agents.expr.evaluate import lower
from agents.indicators.graph import Line
from agents.indicators.plans import Plan
from agents.registry import roster
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, Panel
from data.panel import to_frame
from tests.unit.agents.conftest import MakePanel

UNKNOWN = np.nan
SIDES = {"a": 'agent("trend") > 0', "b": 'agent("volume") > 0'}


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(3, (260, 90, 260, 40))


def no_votes(term: str) -> Floats:
    raise AssertionError(f"nobody may be asked for {term}")


def value(text: str, panel: Panel, **values: Any) -> Floats:
    return evaluate({"x": parse(text, params=tuple(values))}, panel, values, no_votes)["x"]


def by_hand(panel: Panel, *expressions: pl.Expr) -> Floats:
    """Polars over each symbol; null becomes NaN."""
    found = to_frame(panel).select(*(one.over("symbol").alias(str(i)) for i, one in enumerate(expressions)))
    return np.asarray(found["0"].cast(pl.Float64).fill_null(np.nan).to_numpy())


def same(ours: Floats, theirs: Floats, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-12)


# -- three-valued logic -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "table"),  # rows a = 1, 0, unknown; columns b the same
    [
        ("({a}) and ({b})", [1, 0, UNKNOWN, 0, 0, 0, UNKNOWN, 0, UNKNOWN]),
        ("({a}) or ({b})", [1, 1, 1, 1, 0, UNKNOWN, 1, UNKNOWN, UNKNOWN]),
        ("not ({a})", [0, 0, 0, 1, 1, 1, UNKNOWN, UNKNOWN, UNKNOWN]),
        ("({a}) == ({b})", [1, 0, UNKNOWN, 0, 1, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]),
        ("({a}) != ({b})", [0, 1, UNKNOWN, 1, 0, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]),
        ("({a}) and true", [1, 1, 1, 0, 0, 0, UNKNOWN, UNKNOWN, UNKNOWN]),
        ("({a}) and false", [0] * 9),
        ("({a}) or true", [1] * 9),
        ("false or ({a})", [1, 1, 1, 0, 0, 0, UNKNOWN, UNKNOWN, UNKNOWN]),
        ("not (0 / 0 > 1)", [UNKNOWN] * 9),
        ("not (close > 0 / 0) or 0 / 0 == 0 / 0", [UNKNOWN] * 9),
        ("({a}) or 0 / 0 > 1", [1, 1, 1, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN]),
    ],
)
def test_logic_is_kleenes(make_panel: MakePanel, text: str, table: list[float]) -> None:
    nine = make_panel(1, (9,))
    pairs = np.array(list(product([1.0, -1.0, np.nan], repeat=2)))
    columns = {"trend.score": pairs[:, 0].copy(), "volume.score": pairs[:, 1].copy()}
    found = evaluate({"x": parse(text.format(**SIDES))}, nine, {}, columns.__getitem__)["x"]
    np.testing.assert_array_equal(found, np.array(table, dtype=np.float64))


@pytest.mark.parametrize("op", ["<", "<=", ">", ">=", "==", "!="])
def test_a_comparison_with_the_unknown_is_unknown(make_panel: MakePanel, op: str) -> None:
    column = {"trend.score": np.array([np.nan, -1.0, 0.0, 1.0])}
    found = evaluate({"x": parse(f'agent("trend") {op} 0')}, make_panel(1, (4,)), {}, column.__getitem__)["x"]
    truth = {"<": [1, 0, 0], "<=": [1, 1, 0], ">": [0, 0, 1], ">=": [0, 1, 1], "==": [0, 1, 0], "!=": [1, 0, 1]}
    np.testing.assert_array_equal(found, [np.nan, *truth[op]])


def test_a_crossing_needs_all_four_values(make_panel: MakePanel) -> None:
    """a[t] > b[t] and a[t-1] <= b[t-1], all four finite; the mirror for below; nothing before the first bar."""
    a = np.array([2.0, 0.0, 0.0, 1.0, 2.0, np.nan, 2.0, 0.0, 1.0, -1.0, -1.0, 1.0])
    two = make_panel(1, (6, 6))
    columns = {"trend.score": a, "volume.score": np.full(12, 0.0)}
    wanted = {
        "up": parse('agent("trend") crosses_above agent("volume")'),
        "down": parse('crosses_below(agent("trend"), 0)'),
    }
    found = evaluate(wanted, two, {}, columns.__getitem__)
    nan = np.nan
    np.testing.assert_array_equal(found["up"], [nan, 0, 0, 1, 0, nan, nan, 0, 1, 0, 0, 1])
    np.testing.assert_array_equal(found["down"], [nan, 0, 0, 0, 0, nan, nan, 0, 0, 1, 0, 0])


# -- numbers ----------------------------------------------------------------------------------------------------

C, O, H, L, V = (pl.col(name) for name in ("close", "open", "high", "low", "volume"))  # noqa: E741


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("close", C),
        ("(high + low) / 2 - close * 3", (H + L) / 2 - C * 3),
        ("1 - close", 1 - C),
        ("100 / close", 100 / C),
        ("close / open", C / O),
        ("-close", -C),
        ("abs(close - open)", (C - O).abs()),
        ("sqrt(close) + exp(-close / 10) + sign(close - open)", C.sqrt() + (-C / 10).exp() + (C - O).sign()),
        ("log(close / close[1])", (C / C.shift(1)).log()),
        ("max(close, open, 51)", pl.max_horizontal(C, O, pl.lit(51.0))),
        ("min(close, open)", pl.min_horizontal(C, O)),
        ("where(close > open, high, -1)", pl.when(C > O).then(H).otherwise(-1.0)),
        ("change(close, 3)", C - C.shift(3)),
        ("close[5]", C.shift(5)),
        ("sma(20)", C.rolling_mean(20)),
        ("sma(volume, 20)[2]", V.rolling_mean(20).shift(2)),
        ("highest(high, 7) - lowest(low, 7)", H.rolling_max(7) - L.rolling_min(7)),
        ("close > open", C > O),
        ("close[1] <= open", C.shift(1) <= O),
        ("(close > open)[2]", (C > O).shift(2)),
        ("count(close > open, 5)", (C > O).cast(pl.Float64).rolling_sum(5)),
        ("50 < close < 52", (C > 50) & (C < 52)),
        ("close > open and volume > 30000 or high == close", ((C > O) & (V > 30_000)) | (H == C)),
        ("close crosses_above sma(5)", (C.rolling_mean(5) < C) & (C.shift(1) <= C.rolling_mean(5).shift(1))),
    ],
)
def test_numbers_and_truths_are_those_of_polars(panel: Panel, text: str, expression: pl.Expr) -> None:
    theirs = by_hand(panel, expression)
    ours = value(text, panel)
    if "crosses" in text:  # Polars calls it false where the average is still unknown
        known = ~np.isnan(ours)
        assert known.sum() == len(panel) - 5 * len(panel.symbols)
        ours, theirs = ours[known], theirs[known]
    same(ours, theirs)


def test_a_count_of_truths_is_a_whole_number(panel: Panel) -> None:
    for bars in (3, 7, 10, 30):
        found = value(f"count(close > open, {bars})", panel)
        np.testing.assert_array_equal(found, np.round(found))


def test_bars_since_counts_from_the_last_true_bar(make_panel: MakePanel) -> None:
    a = np.array([np.nan, -1, -1, 1, -1, -1, 1, 1, -1, np.nan, -1, 1, 1, -1, -1])
    found = evaluate(
        {"x": parse('bars_since(agent("trend") > 0)')}, make_panel(1, (13, 2)), {}, {"trend.score": a}.__getitem__
    )
    n = np.nan  # unknown before the first true bar, and from an unknown one on; a new symbol starts anew
    np.testing.assert_array_equal(found["x"], [n, n, n, 0, 1, 2, 0, 0, 1, n, n, 0, 0, n, n])


@pytest.mark.parametrize(
    "text",
    ["close / (open - open)", "close / 0", "1 / (close - close)", "0 / 0 + close", "log(-close)", "sqrt(-close)"],
)
def test_what_has_no_value_is_unknown(panel: Panel, text: str) -> None:
    assert np.isnan(value(text, panel)).all()
    assert np.isnan(value(f"{text} > 0", panel)).all()


def test_ranks_are_those_of_pandas_session_by_session(panel: Panel) -> None:
    frame = pd.DataFrame({"ts": panel.ts, "x": np.round(by_hand(panel, C / C.shift(3) - 1), 2)})  # rounded: with ties
    columns = {"trend.score": frame["x"].to_numpy()}
    wanted = {"rank": parse('rank(agent("trend"))'), "share": parse('percentile_rank(agent("trend"))')}
    found = evaluate(wanted, panel, {}, columns.__getitem__)
    sessions = frame.groupby("ts")["x"]
    same(found["rank"], sessions.rank(method="min", ascending=False).to_numpy())
    same(found["share"], sessions.rank(pct=True).to_numpy())


def test_ranks_of_ranks_are_taken_from_the_inside_out(panel: Panel) -> None:
    found = value("rank(sma(rank(roc(5)), 4))", panel)
    frame = pd.DataFrame(
        {"ts": panel.ts, "symbol": to_frame(panel)["symbol"].to_list(), "x": by_hand(panel, C / C.shift(5))}
    )
    frame["x"] = frame.groupby("ts")["x"].rank(method="min", ascending=False)
    frame["x"] = frame.groupby("symbol")["x"].transform(lambda x: x.rolling(4).mean())
    same(found, frame.groupby("ts")["x"].rank(method="min", ascending=False).to_numpy())


def test_another_symbol_is_read_on_the_bars_of_the_same_time(panel: Panel) -> None:
    found = value('close / symbol("S001").close', panel)
    frame = to_frame(panel)
    joined = frame.join(frame.filter(pl.col("symbol") == "S001").select("ts", other="close"), on="ts", how="left")
    same(found, (joined["close"] / joined["other"]).fill_null(np.nan).to_numpy())
    same(value("close / other.close", panel, other="S001"), found)
    with pytest.raises(InvalidInput, match="no symbol 'SPY'"):
        value('symbol("SPY").close', panel)


def test_a_second_series_is_an_indicators_other_input(panel: Panel) -> None:
    first, second = panel.of("S000"), panel.of("S002")
    found = value('correlation(close, symbol("S002").close, 30)', panel)[: len(first)]
    theirs = pd.Series(first.close).rolling(30).corr(pd.Series(second.close))
    same(found, theirs.to_numpy(), rtol=1e-8)


# -- votes ------------------------------------------------------------------------------------------------------


def test_votes_are_the_agents_own_and_their_consensus_is_the_live_one(make_panel: MakePanel) -> None:
    panel = make_panel(5, (700, 420))
    wanted = {
        "one": parse('agent("trend")'),
        "sure": parse('agent("trend").confidence'),
        "all": parse("consensus()"),
        "agreed": parse("consensus().agreement"),
    }
    found = newest(wanted, panel, {}, AgentVotes(panel))
    blocks = [agent.evaluate(panel).take(panel.last_rows) for agent in roster()]
    trend = next(block for block in blocks if block.agent == "trend")
    np.testing.assert_array_equal(found["one"], trend.score)
    np.testing.assert_array_equal(found["sure"], trend.confidence)
    decided = decide(
        panel, blocks, rows=panel.last_rows, asked=roster(), missing=(), universe="u", params=ConsensusParams()
    )
    assert found["all"].tolist() == [signal.score for signal in decided.signals]
    assert found["agreed"].tolist() == [signal.agreement for signal in decided.signals]


def test_an_agent_is_asked_once_and_only_when_it_is_spoken_of(panel: Panel) -> None:
    asked: list[str] = []

    def votes(term: str) -> Floats:
        asked.append(term)
        return np.ones(len(panel))

    wanted = {"x": parse('agent("trend") > 0'), "y": parse('agent("trend") > 0.5 and agent("trend").confidence > 0')}
    evaluate(wanted, panel, {}, votes)
    assert sorted(asked) == ["trend.confidence", "trend.score"]


# -- plans ------------------------------------------------------------------------------------------------------

VARIED = [
    "rsi(14) < 30 and close > sma(50)",
    "rank(roc(20)) <= 2",
    "percentile_rank(sma(20) / close)[1]",
    "bars_since(close crosses_above ema(10))",
    "count(close > open or rsi(5) > 60, 4)",
    'zscore(log(close / symbol("S001").close), 20)',
    'agent("trend") > 0.1',
    "3 + 4",
    "true",
]


def test_the_newest_values_are_the_last_of_all(make_panel: MakePanel) -> None:
    panel = make_panel(9, (400, 330, 400))
    wanted = {text: parse(text) for text in VARIED}
    votes = AgentVotes(panel)
    whole, last = evaluate(wanted, panel, {}, votes), newest(wanted, panel, {}, votes)
    assert list(last) == VARIED
    for text in VARIED:
        np.testing.assert_array_equal(whole[text][panel.last_rows], last[text], err_msg=text)


def test_together_and_alone_give_the_same_bits(panel: Panel) -> None:
    texts = [text for text in VARIED if "agent" not in text]
    together = evaluate({text: parse(text) for text in texts}, panel, {}, no_votes)
    for text in texts:
        np.testing.assert_array_equal(value(text, panel), together[text], err_msg=text)


def test_no_value_depends_on_later_bars(make_panel: MakePanel) -> None:
    panel = make_panel(11, (420, 420, 350))
    wanted = {text: parse(text) for text in VARIED}
    whole = evaluate(wanted, panel, {}, AgentVotes(panel))
    for moment in panel.sessions[[60, 200, 333, 418]]:
        past = panel.until(int(moment))
        cut = evaluate(wanted, past, {}, AgentVotes(past))
        for text in VARIED:
            np.testing.assert_array_equal(cut[text], whole[text][panel.ts <= moment], err_msg=text)


def test_a_condition_is_data_and_equal_parts_are_one_object() -> None:
    cross = parse("sma(fast) crosses_above sma(slow)", params=("fast", "slow"))
    assert condition(cross, {"fast": 5, "slow": 10}) == condition(cross, {"fast": 5, "slow": 10})
    assert isinstance(condition(cross, {"fast": 5, "slow": 10}), Crosses)
    assert condition(parse("true and fast < 3", params=("fast",)), {"fast": 2}) == Always(True)
    assert isinstance(condition(parse("close > 1 and close < 2"), {}), And)
    assert number(parse("2 * fast + 1", params=("fast",)), {"fast": 3}) == 7
    assert isinstance(number(parse("2 * fast", params=("fast",)), {"fast": 3}), int)


def test_a_parameter_may_be_computed_from_others(panel: Panel) -> None:
    same(value("sma(slow / 2)", panel, slow=10), value("sma(5)", panel))
    with pytest.raises(InvalidInput, match="sma window must be a whole number"):
        value("sma(slow / 2)", panel, slow=11)
    with pytest.raises(InvalidInput, match="would look ahead"):
        value("close[slow - 4]", panel, slow=1)


def test_a_missing_value_and_a_wrong_kind_are_named() -> None:
    with pytest.raises(InvalidInput, match="needs a value for fast"):
        number(parse("sma(fast)", params=("fast",)), {})
    with pytest.raises(InvalidInput, match="is true or false, but a number is needed"):
        number(parse("close > 1"), {})
    with pytest.raises(InvalidInput, match="is a number, but true or false is needed"):
        condition(parse("close"), {})


def test_heads_carry_the_values_of_parameters_in_their_names(panel: Panel) -> None:
    ranked = parse("rank(roc(window)) <= 3", params=("window",))
    ten, twenty = (heads([ranked], {"window": window}) for window in (10, 20))
    assert [head.name for head in (*ten, *twenty)] == ["rank(roc(10))", "rank(roc(20))"]
    filled = fill((*ten, *twenty), panel, no_votes)
    assert not np.array_equal(filled["rank(roc(10))"], filled["rank(roc(20))"], equal_nan=True)


def test_a_history_in_pieces_gives_the_bits_of_the_whole(panel: Panel) -> None:
    one = panel.of("S000")
    texts = ("count(close > sma(5), 4)", "bars_since(close > sma(5))", "close crosses_above sma(5) or close[1] == open")
    lines = lower({text: parse(text) for text in texts}, {})
    plan = Plan([line for line in lines.values() if isinstance(line, Line)])
    whole = plan.run(ragged(plan, one, {}))
    state, pieces = None, []
    for lo, hi in pairwise((0, 1, 3, 4, 30, 31, 200, len(one))):
        part = Panel(
            one.symbols,
            np.array([0, hi - lo]),
            ts=one.ts[lo:hi],
            gap=one.gap[lo:hi],
            **{name: getattr(one, name)[lo:hi] for name in COLUMNS},
        )
        found, state = plan.resume(state, ragged(plan, part, {}))
        pieces.append(found)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
