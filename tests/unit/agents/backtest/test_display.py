"""Cards: well formed, small, without scripts, a person's text as text, and nothing that differs from run to run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.dom import minidom

import numpy as np
import polars as pl
import pytest

from agents.backtest import charts
from agents.backtest.catalogue import builtin, strategy
from agents.backtest.crossvalidation import CrossValidated
from agents.backtest.display import Chart, result_card, strategy_card
from agents.backtest.display_search import MOST_CELLS, heatmap, paths_card, sweep_card
from agents.backtest.engine import backtest
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from data.contracts.errors import InvalidInput
from tests.unit.agents.backtest.market import flat, orders, panel, weekdays
from tests.unit.agents.backtest.test_report import Checked

HOSTILE = '<script>alert("x")</script> & co'
LARGEST = 60_000  # characters


def checked(card: str) -> Checked:
    found = Checked(card)
    assert len(card) < LARGEST
    assert "script" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href")]
    return found


def a_result(bars: int) -> Result:
    prices = 100.0 + 10.0 * np.sin(np.arange(bars) / 9.0) + 0.02 * np.arange(bars)
    market = panel(flat(*prices), ts=[weekdays(bars)])
    decided = orders(bars, enter=range(5, bars, 57), leave=range(30, bars, 57))
    return backtest(market, decided, Rules(fees=0.0005), name=HOSTILE)


def cells(picture: Chart) -> list[str]:
    """Rectangles of neighbours that have one colour."""
    return re.findall(r"M\d+ \d+h", picture.svg)


def summary(x: int, y: int, metric: str = "sharpe") -> tuple[dict[str, Any], pl.LazyFrame]:
    """A sweep of x times y sets; half of them have no Sharpe ratio."""
    across, up = (column.ravel() for column in np.meshgrid(np.arange(x), np.arange(y)))
    values = np.where((across + up) % 2, np.nan, across * 0.01 - up * 0.02)
    sets = pl.DataFrame({"set": np.arange(x * y), "fast": across, "slow": up, metric: values}).fill_nan(None)
    best = sets.sort(metric, descending=True, nulls_last=True).row(0, named=True)
    context = {"psr": 0.9, "dsr": 0.1, "trials": 99, "min_track_bars": 7, "sharpe_interval_per_bar": None, "pbo": 0.5}
    found = {
        "strategy": HOSTILE,
        "metric": metric,
        "sets": x * y,
        "symbols": 3,
        "ranking": f"median of {metric} over symbols",
        "top": [{**best, "portfolio": {"sharpe": 1.0}}],
        "context": context,
    }
    return found, sets.lazy()


@pytest.mark.parametrize("bars", [2, 400, 6000])
def test_the_card_of_a_backtest_is_small_and_takes_a_person_s_text_as_text(bars: int) -> None:
    result = a_result(bars)
    found = checked(result_card(result))
    assert HOSTILE in found.text
    assert found.tags.count("svg") == 2
    assert result_card(a_result(bars)) == result_card(result)


def test_nothing_in_a_card_or_a_line_depends_on_the_code_or_the_place() -> None:
    """A notebook that is run again after any change elsewhere must show the same."""
    result = a_result(400)
    again = Result(**{**result.__dict__, "result_id": "0123456789abcdef"})
    assert result_card(again) == result_card(result)
    assert repr(again) == repr(result)
    assert len(repr(result)) < 250


def test_a_sweep_shows_its_best_sets_the_map_and_the_luck() -> None:
    found = checked(sweep_card(*summary(45, 36)))
    assert HOSTILE in found.text
    assert found.tags.count("svg") == 1
    assert "Probability of overfitting (PBO)50.0" in found.text


def test_a_sweep_without_two_searched_parameters_has_no_map() -> None:
    assert "svg" not in checked(sweep_card(*summary(45, 1))).tags


def test_a_large_map_is_drawn_by_the_best_of_neighbours() -> None:
    found, sets = summary(4 * MOST_CELLS, 3 * MOST_CELLS)
    picture = heatmap(found, sets, "fast", "slow")
    checked(picture._repr_html_())
    assert ">2.38<" in picture.svg  # the best set of all, at the end of the scale
    assert len(cells(picture)) <= MOST_CELLS * MOST_CELLS


@pytest.mark.parametrize(("metric", "column"), [("sharpe", 4), ("volatility", 0)])
def test_the_ring_is_around_the_best_cell(metric: str, column: int) -> None:
    found, sets = summary(5, 1, metric)
    ring = re.search(r'class="ring" x="([\d.]+)"', heatmap(found, sets, "fast", "slow").svg)
    assert ring is not None
    assert float(ring[1]) == pytest.approx(charts.LEFT + column * charts.CELLS[0] / 5, abs=0.1)


def test_a_parameter_that_was_not_searched_is_refused() -> None:
    with pytest.raises(InvalidInput, match="this sweep has no 'fasst'; it has fast, slow, sharpe"):
        heatmap(*summary(3, 3), "fasst", "slow")


def test_a_metric_that_is_defined_nowhere_says_so() -> None:
    found, sets = summary(3, 3)
    nothing = sets.with_columns(sharpe=pl.lit(None, pl.Float64))
    assert "defined for no set" in checked(heatmap(found, nothing, "fast", "slow")._repr_html_()).text


def test_a_strategy_shows_its_parameters_and_rules() -> None:
    cross = builtin("sma_cross")
    text = checked(strategy_card(cross)).text
    assert "sma(fast) crosses_above sma(slow)" in text
    assert "fast < slow" in text
    bound = cross.bind(fast=7, slow=90)
    assert repr(bound).startswith("sma_cross(fast=7, slow=90) enter: sma(fast) crosses_above")
    assert "90" in checked(bound._repr_html_()).text
    assert "where" not in checked(strategy(enter="close < 3")._repr_html_()).text


def test_a_saved_picture_stands_alone(tmp_path: Path) -> None:
    saved = a_result(400).plot().save(tmp_path / "equity.svg")
    with saved.open("rb") as file:
        root = minidom.parse(file).documentElement  # noqa: S318  our own file
    assert root is not None
    assert root.getAttribute("xmlns") == "http://www.w3.org/2000/svg"
    assert "prefers-color-scheme:dark" in saved.read_text()
    checked(saved.read_text())


def test_a_cross_validation_shows_its_paths() -> None:
    paths = pl.DataFrame({"path": [0, 1, 2], "sharpe": [0.5, -0.25, None], "total_return": [0.1, -0.1, -1.0]})
    splits = pl.DataFrame({"split": [0, 1, 2], "groups": ["0", "1", "2"], "train_score": [1.0, 1.0, 1.0]})
    stats = {"median": 0.125, "smallest": -0.25, "largest": 0.5, "deviation": 0.53, "below_zero": 0.5}
    facts = {"strategy": HOSTILE, "sets": 9, "symbols": 2, "groups": 3, "test_groups": 1, "summary": stats}
    checked_paths = CrossValidated(facts, paths.with_columns(max_drawdown=pl.lit(-0.2)), splits)
    found = checked(paths_card(checked_paths))
    assert HOSTILE in found.text
    assert found.tags.count("circle") == 2  # a path that lost everything has no Sharpe ratio
    assert repr(checked_paths).endswith("3 paths out of sample: median Sharpe 0.12, −0.25 to 0.50")
