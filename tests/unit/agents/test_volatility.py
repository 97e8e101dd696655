"""The volatility agent ranks exactly, and knows of the VIX only what was known at the bar."""

from dataclasses import replace

import numpy as np
import pytest

from agents.volatility import DAY, VOLATILITY, VolatilityParams, _judge, _rank
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.panel import DatedSeries, Panel, from_micros
from tests.unit.agents.conftest import MakePanel


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(7, (500, 300))


def with_vix(panel: Panel, *, known_at: Ints | None = None, close: Floats | None = None) -> Panel:
    vix = panel.context["vix"]
    series = DatedSeries(
        "vix",
        vix.known_at if known_at is None else known_at,
        {"close": vix.values["close"] if close is None else close},
    )
    return replace(panel, context={"vix": series})


def test_the_rank_counts_the_values_below_and_half_of_the_equal_ones() -> None:
    values = np.array([1.0, 5.0, 3.0, 3.0, 9.0, 3.0, 0.0])
    np.testing.assert_array_equal(_rank(values, np.arange(4, 7), 4, 1), [1.0, 0.25, 0.0])
    np.testing.assert_array_equal(_rank(values, np.arange(4, 7), 4, 2), [1.0, 0.25, 0.0])


@pytest.mark.parametrize("every", [1, 2, 3, 700], ids=lambda every: f"every {every} rows")
def test_the_rank_equals_a_plain_count_across_its_blocks(every: int) -> None:
    values = np.round(np.random.default_rng(3).random(9000), 2)
    rows = np.arange(250, 9000, every)
    for row, rank in zip(rows.tolist(), _rank(values, rows, 250, 5), strict=True):
        past = values[row - 250 : row : 5]
        assert past.size == 50
        assert rank == ((past < values[row]).sum() + (past <= values[row]).sum()) / 100.0


def test_calm_is_liked_fear_disliked_and_extreme_fear_bought() -> None:
    def score(rank: float, eased: float, vix_rank: float) -> float:
        return float(_judge(np.array([rank]), np.array([eased]), np.array([vix_rank]), VolatilityParams())[0][0])

    assert score(0.1, 0.2, 0.1) > 0.4
    assert score(0.9, -0.4, 0.85) < -0.4
    assert score(0.9, -0.4, 1.0) > score(0.9, -0.4, 0.9) + 0.8
    assert score(0.5, 0.0, 0.5) == 0.0


def test_the_vix_close_of_the_same_day_is_not_known_at_the_bar(panel: Panel) -> None:
    """The VIX closes a quarter of an hour after the stocks: a change of today's value must not change today's vote."""
    close = panel.context["vix"].values["close"].copy()
    close[-1] += 40.0
    before, after = VOLATILITY.evaluate(panel), VOLATILITY.evaluate(with_vix(panel, close=close))
    np.testing.assert_array_equal(before.score, after.score)
    close[-2] += 40.0
    later = VOLATILITY.evaluate(with_vix(panel, close=close))
    last = panel.last_rows
    assert (later.score[last] != before.score[last]).all()
    np.testing.assert_array_equal(np.delete(later.score, last), np.delete(before.score, last))


def test_without_a_known_vix_it_abstains(panel: Panel) -> None:
    assert np.isnan(VOLATILITY.evaluate(replace(panel, context={})).score).all()
    future = with_vix(panel, known_at=panel.context["vix"].known_at + 10_000 * DAY)
    assert np.isnan(VOLATILITY.evaluate(future).score).all()
    reason = VOLATILITY.explain(future, "S000", from_micros(panel.ts[499]))
    assert reason.text.endswith("no current VIX is known")


def test_a_vix_that_stopped_is_used_for_five_days_only(panel: Panel) -> None:
    vix = panel.context["vix"]
    stopped = DatedSeries("vix", vix.known_at[:-20], {"close": vix.values["close"][:-20]})
    silent = np.isnan(VOLATILITY.evaluate(replace(panel, context={"vix": stopped})).score)
    age = (panel.ts - stopped.known_at[-1]) / DAY
    np.testing.assert_array_equal(silent[480:500], (age > 5.0)[480:500])


def test_a_vix_without_a_year_of_history_gives_no_rank(panel: Panel) -> None:
    vix = panel.context["vix"]
    young = DatedSeries("vix", vix.known_at[-300:], {"close": vix.values["close"][-300:]})
    silent = np.isnan(VOLATILITY.evaluate(replace(panel, context={"vix": young})).score[:500])
    at = young.index_at(panel.ts[:500])
    np.testing.assert_array_equal(silent, (at < 250) | (np.arange(500) < VOLATILITY.warmup))


def test_confidence_never_exceeds_one_half(panel: Panel) -> None:
    assert np.nanmax(VOLATILITY.evaluate(panel).confidence) <= 0.5


def test_the_explanation_gives_the_ranks_of_the_score(panel: Panel) -> None:
    block = VOLATILITY.evaluate(panel)
    for row in (300, 400, 499):
        facts = VOLATILITY.explain(panel, "S000", from_micros(panel.ts[row])).facts
        unusual = 0.5 * (abs(1.0 - 2.0 * facts["rank"]) + abs(1.0 - 2.0 * facts["vix_rank"]))
        assert block.confidence[row] == 0.5 * unusual


@pytest.mark.parametrize(
    "wrong", [{"window": 1}, {"year": 251}, {"step": 0}, {"vix_year": 0}, {"extreme": 1.0}, {"max_age_days": 0.0}]
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        VolatilityParams(**wrong)  # type: ignore[arg-type]
