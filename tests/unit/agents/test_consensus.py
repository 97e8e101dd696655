"""Votes are fused by weight, silence is not zero, and a signal's identity follows what it was made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from agents.agent import Agent, Reason, Scope, Values, VoteBlock, agent
from agents.consensus import BUY, HOLD, SELL, ConsensusParams, Decision, decide, fuse, ranked, top_reason
from agents.indicators import compute
from data.contracts.arrays import Floats
from data.contracts.errors import GoldenSignalsError, InvalidInput
from data.contracts.panel import DatedSeries, Panel
from data.contracts.signals import Action
from tests.unit.agents.conftest import MakePanel

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Bias:
    """Parameters of a constant agent."""

    score: float = 0.5


def constant(
    name: str, *, scope: Scope = "symbol", inputs: tuple[str, ...] = ("bars",), bias: float = 0.5
) -> Agent[Any]:
    def evaluate(panel: Panel, values: Values, params: Bias) -> VoteBlock:
        return VoteBlock(name, np.full(len(panel), params.score), np.ones(len(panel)))

    def explain(panel: Panel, params: Bias, symbol: str, ts: datetime) -> Reason:
        return Reason("it always says so")

    return agent(
        name,
        params=lambda: Bias(bias),
        scope=scope,
        inputs=inputs,
        warmup=lambda params: 0,
        cost_ns=1.0,
        evaluate=evaluate,
        explain=explain,
        description="Always the same.",
    )


def block(name: str, scores: Sequence[float], confidences: Sequence[float]) -> VoteBlock:
    return VoteBlock(name, np.array(scores), np.array(confidences))


def ask(
    panel: Panel,
    agents: Sequence[Agent[Any]],
    *,
    missing: Sequence[str] = (),
    universe: str = "all",
    params: ConsensusParams | None = None,
) -> Decision:
    rows = panel.last_rows
    blocks = [a.evaluate(panel).take(rows) for a in agents if a.name not in missing]
    params = params or ConsensusParams()
    return decide(panel, blocks, rows=rows, asked=agents, missing=missing, universe=universe, params=params)


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(2, (60, 40, 50))


# -- fusing -----------------------------------------------------------------------------------------------------


def test_the_score_is_the_mean_weighted_by_agent_weight_and_confidence() -> None:
    fused = fuse(np.array([[0.8], [-0.4]]), np.array([[0.5], [1.0]]), np.array([2.0, 0.5]))
    assert fused.score[0] == pytest.approx((0.8 * 1.0 - 0.4 * 0.5) / 1.5)
    assert fused.strength[0] == abs(fused.score[0])
    assert fused.agreement[0] == pytest.approx(1.0 / 1.5)


def test_an_abstention_has_no_part_in_the_mean() -> None:
    fused = fuse(np.array([[0.6], [NAN]]), np.array([[0.3], [NAN]]), np.ones(2))
    assert fused.score[0] == pytest.approx(0.6)
    assert fused.agreement[0] == 1.0


@pytest.mark.parametrize(
    ("score", "confidence", "weight"),
    [(NAN, NAN, 1.0), (0.9, 0.0, 1.0), (0.9, 1.0, 0.0)],
    ids=["silent", "unsure", "weightless"],
)
def test_silence_has_no_score_and_is_not_zero(score: float, confidence: float, weight: float) -> None:
    fused = fuse(np.array([[score]]), np.array([[confidence]]), np.array([weight]))
    assert np.isnan(fused.score[0])
    assert np.isnan(fused.strength[0])
    assert np.isnan(fused.agreement[0])
    assert fused.action[0] == HOLD


def test_action_turns_exactly_at_the_threshold() -> None:
    scores = np.array([[0.2, np.nextafter(0.2, 0.0), 0.0, -np.nextafter(0.2, 0.0), -0.2]])
    fused = fuse(scores, np.ones((1, 5)), np.ones(1), threshold=0.2)
    assert fused.action.tolist() == [BUY, HOLD, HOLD, HOLD, SELL]


def test_a_bar_has_the_same_bits_alone_and_among_many() -> None:
    rng = np.random.default_rng(4)
    scores, confidences = rng.uniform(-1, 1, (5, 1001)), rng.random((5, 1001))
    silent = rng.random((5, 1001)) < 0.2
    scores[silent] = confidences[silent] = np.nan
    weights = rng.random(5)
    whole = fuse(scores, confidences, weights)
    for i in range(0, 1001, 13):
        alone = fuse(scores[:, i : i + 1], confidences[:, i : i + 1], weights)
        assert alone.score.tobytes() == whole.score[i : i + 1].tobytes()
        assert alone.agreement.tobytes() == whole.agreement[i : i + 1].tobytes()


def test_fused_numbers_never_leave_their_bounds() -> None:
    rng = np.random.default_rng(5)
    scores = np.where(rng.random((7, 20_000)) < 0.5, 1.0, rng.choice([-1.0, 1.0], 20_000))
    fused = fuse(scores, rng.random((7, 20_000)), rng.random(7))
    assert np.abs(fused.score).max() <= 1.0
    assert fused.agreement.min() >= 0.0
    assert fused.agreement.max() <= 1.0


# -- deciding ---------------------------------------------------------------------------------------------------


def test_there_is_one_signal_per_symbol_in_order(panel: Panel) -> None:
    decision = ask(panel, [constant("a", bias=0.5), constant("b", bias=0.1)])
    assert [s.symbol for s in decision.signals] == ["S000", "S001", "S002"]
    assert decision.skipped == {}
    assert {s.action for s in decision.signals} == {Action.BUY}
    assert decision.signals[0].score == pytest.approx(0.3)
    assert [vote.agent for vote in decision.signals[0].votes] == ["a", "b"]


def test_levels_stand_on_the_side_of_the_action(panel: Panel) -> None:
    atr = compute("atr", panel, window=14)[panel.last_rows]
    close = panel.close[panel.last_rows]
    for bias, side in ((0.5, 1.0), (-0.5, -1.0)):
        for i, signal in enumerate(ask(panel, [constant("a", bias=bias)]).signals):
            assert signal.entry == close[i]
            assert signal.stop == pytest.approx(close[i] - side * 2.0 * atr[i])
            assert signal.target == pytest.approx(close[i] + side * 3.0 * atr[i])


def test_hold_has_no_levels(panel: Panel) -> None:
    signal = ask(panel, [constant("a", bias=0.1)]).signals[0]
    assert (signal.action, signal.entry, signal.stop, signal.target) == (Action.HOLD, None, None, None)


def test_levels_are_null_in_the_warmup_of_the_atr(make_panel: MakePanel) -> None:
    signal = ask(make_panel(2, (10,)), [constant("a")]).signals[0]
    assert signal.entry is not None
    assert (signal.stop, signal.target) == (None, None)


def test_a_level_that_would_not_be_above_zero_is_null(panel: Panel) -> None:
    signal = ask(panel, [constant("a")], params=ConsensusParams(stop_atr=1000.0)).signals[0]
    assert signal.stop is None
    assert signal.target is not None


@pytest.mark.parametrize("bias", [0.5, -0.5])
def test_a_level_beyond_the_largest_number_is_null(panel: Panel, bias: float) -> None:
    signal = ask(
        panel, [constant("a", bias=bias)], params=ConsensusParams(stop_atr=1.7e308, target_atr=1.7e308)
    ).signals[0]
    assert signal.entry is not None
    assert (signal.stop, signal.target) == (None, None)


def test_a_symbol_without_the_newest_session_is_skipped_with_the_reason(panel: Panel) -> None:
    ts = panel.ts.copy()
    ts[panel.offsets[1] : panel.offsets[2]] -= 86_400_000_000
    decision = ask(replace(panel, ts=ts), [constant("a")])
    assert [s.symbol for s in decision.signals] == ["S000", "S002"]
    assert "not of the current session" in decision.skipped["S001"]


def test_a_symbol_on_which_no_agent_voted_is_skipped_and_not_held(panel: Panel) -> None:
    quiet = block("a", [0.5, NAN, 0.5], [1.0, NAN, 1.0])
    decision = decide(
        panel,
        [quiet],
        rows=panel.last_rows,
        asked=[constant("a")],
        missing=(),
        universe="all",
        params=ConsensusParams(),
    )
    assert [s.symbol for s in decision.signals] == ["S000", "S002"]
    assert decision.skipped == {"S001": "no agent voted on this bar"}


def test_an_abstention_is_a_vote_without_a_score_and_a_missing_agent_is_named(panel: Panel) -> None:
    blocks = [block("a", [0.5] * 3, [1.0] * 3), block("b", [NAN] * 3, [NAN] * 3), block("c", [NAN] * 3, [NAN] * 3)]
    agents = [constant(name) for name in "abcd"]
    decision = decide(
        panel, blocks, rows=panel.last_rows, asked=agents, missing=["d"], universe="all", params=ConsensusParams()
    )
    signal = decision.signals[0]
    assert [(v.agent, v.score, v.weight) for v in signal.votes] == [("a", 0.5, 1.0), ("b", None, 0.0), ("c", None, 0.0)]
    assert signal.missing == ("d",)
    assert "2 of 3 agents abstained" in signal.warnings


def test_a_quarantined_row_before_the_bar_is_a_warning(panel: Panel) -> None:
    gap = panel.gap.copy()
    gap[panel.last_rows[0]] = True
    first, second, _ = ask(replace(panel, gap=gap), [constant("a")]).signals
    assert first.warnings == ("the row before this bar was quarantined",)
    assert second.warnings == ()


def test_uncalibrated_signals_have_no_probability(panel: Panel) -> None:
    assert {(s.probability, s.calibrated) for s in ask(panel, [constant("a")]).signals} == {(None, False)}


def test_blocks_that_do_not_fit_the_question_are_a_bug(panel: Panel) -> None:
    with pytest.raises(GoldenSignalsError, match="one block or be missing"):
        decide(
            panel, [], rows=panel.last_rows, asked=[constant("a")], missing=(), universe="all", params=ConsensusParams()
        )
    whole = constant("a").evaluate(panel)
    with pytest.raises(GoldenSignalsError, match="150 votes for 3 symbols"):
        decide(
            panel,
            [whole],
            rows=panel.last_rows,
            asked=[constant("a")],
            missing=(),
            universe="all",
            params=ConsensusParams(),
        )


# -- identity ---------------------------------------------------------------------------------------------------


def test_the_same_question_on_the_same_bars_gives_the_same_signal(panel: Panel) -> None:
    copy = replace(panel, close=panel.close.copy())
    assert ask(panel, [constant("a")]) == ask(copy, [constant("a")])


def test_the_order_of_agents_changes_nothing(panel: Panel) -> None:
    a, b = constant("a", bias=0.7), constant("b", bias=-0.2)
    assert ask(panel, [a, b]) == ask(panel, [b, a])


def test_a_signal_keeps_its_id_from_release_to_release(panel: Panel) -> None:
    """Stored signals are found again by this id: change it only together with CONSENSUS_VERSION."""
    assert ask(panel, [constant("a")]).signals[0].signal_id[:16] == "9060070a964a745b"


@pytest.mark.parametrize(
    "change",
    [
        {"universe": "other"},
        {"params": ConsensusParams(threshold=0.3)},
        {"params": ConsensusParams(weights={"a": 2.0})},
        {"agents": [constant("a", bias=0.6)]},
        {"agents": [constant("a"), constant("b")]},
        {"frame": "1h"},
    ],
    ids=["universe", "threshold", "weights", "agent parameters", "agents asked", "frame"],
)
def test_another_question_has_another_signal_id(panel: Panel, change: dict[str, Any]) -> None:
    before = ask(panel, [constant("a")]).signals[0]
    agents = change.pop("agents", [constant("a")])
    asked_of = replace(panel, frame=change.pop("frame", "1d"))
    after = ask(asked_of, agents, **change).signals[0]
    assert after.signal_id != before.signal_id


def test_other_bars_are_another_input_to_the_same_signal_of_their_symbol_only(panel: Panel) -> None:
    volume = panel.volume.copy()
    volume[0] += 1.0
    before = ask(panel, [constant("a")]).signals
    after = ask(replace(panel, volume=volume), [constant("a")]).signals
    assert [b.signal_id for b in before] == [a.signal_id for a in after]
    assert [b.input_hash == a.input_hash for b, a in zip(before, after, strict=True)] == [False, True, True]


def test_a_universe_agent_ties_every_symbol_to_all_bars(panel: Panel) -> None:
    volume = panel.volume.copy()
    volume[0] += 1.0
    agents = [constant("a"), constant("u", scope="universe")]
    before, after = ask(panel, agents).signals, ask(replace(panel, volume=volume), agents).signals
    assert all(b.input_hash != a.input_hash for b, a in zip(before, after, strict=True))
    assert len({s.input_hash for s in before}) == 1


def test_a_missing_agent_is_another_input_to_the_same_signal(panel: Panel) -> None:
    agents = [constant("a"), constant("b")]
    whole, partial = ask(panel, agents).signals[0], ask(panel, agents, missing=["b"]).signals[0]
    assert whole.signal_id == partial.signal_id
    assert whole.input_hash != partial.input_hash


def test_context_counts_as_input_only_when_an_agent_reads_it(panel: Panel) -> None:
    vix = panel.context["vix"]
    other = replace(panel, context={"vix": DatedSeries("vix", vix.known_at, {"close": vix.values["close"] + 1.0})})
    reads, ignores = [constant("a", inputs=("bars", "vix"))], [constant("a")]
    assert ask(panel, reads).signals[0].input_hash != ask(other, reads).signals[0].input_hash
    assert ask(panel, ignores).signals[0].input_hash == ask(other, ignores).signals[0].input_hash


# -- reading ----------------------------------------------------------------------------------------------------


def test_ranking_is_by_strength_then_symbol(panel: Panel) -> None:
    votes = block("a", [0.3, -0.9, 0.3], [1.0, 1.0, 1.0])
    decision = decide(
        panel,
        [votes],
        rows=panel.last_rows,
        asked=[constant("a")],
        missing=(),
        universe="all",
        params=ConsensusParams(),
    )
    assert [s.symbol for s in ranked(decision.signals)] == ["S001", "S000", "S002"]


def test_the_top_reason_pushes_hardest_in_the_direction_of_the_score(panel: Panel) -> None:
    blocks = [block("a", [0.4] * 3, [0.9] * 3), block("b", [0.9] * 3, [0.5] * 3), block("c", [-1.0] * 3, [0.7] * 3)]
    agents = [constant(name) for name in "abc"]
    decision = decide(
        panel, blocks, rows=panel.last_rows, asked=agents, missing=(), universe="all", params=ConsensusParams()
    )
    assert decision.signals[0].score > 0
    assert top_reason(decision.signals[0]) == "b"


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.0},
        {"threshold": 1.1},
        {"horizon": 0},
        {"atr_window": 0},
        {"stop_atr": -1.0},
        {"weights": {"a": -1.0}},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ConsensusParams(**wrong)


def test_an_empty_question_has_an_empty_answer() -> None:
    none: Floats = np.empty(0)
    empty = Panel((), np.zeros(1, np.int64), np.empty(0, np.int64), none, none, none, none, none, np.empty(0, np.bool_))
    assert ask(empty, [constant("a")]) == Decision([], {})
