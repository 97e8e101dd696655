"""The tear sheet stands alone, says what it rests on, and shows a person's text as text."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.backtest.charts import ticks
from agents.backtest.engine import backtest
from agents.backtest.metrics import KEYS
from agents.backtest.report import HEADLINE, WORDS, number
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from tests.unit.agents.backtest.market import flat, orders, panel, weekdays

VOID = {"meta", "line", "circle", "path", "polyline", "br", "rect"}


class Checked(html.parser.HTMLParser):
    """Collects tags, attributes and text; a tag that is not closed in order fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def wave(bars: int = 400, **rules: Any) -> Result:
    prices = 100.0 + 10.0 * np.sin(np.arange(bars) / 9.0) + 0.02 * np.arange(bars)
    market = panel(flat(*prices), ts=[weekdays(bars)])
    return backtest(
        market,
        orders(bars, enter=range(5, bars, 57), leave=range(30, bars, 57)),
        Rules(fees=0.0005, **rules),
        name='<script>alert("x")</script> & co',
    )


def test_the_page_is_one_file_without_script_or_network() -> None:
    page = Checked(wave().html())
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("src", "href", "srcset", "onclick", "onload")]
    assert "url(" not in wave().html()
    assert "@import" not in wave().html()


def test_a_persons_text_is_shown_as_text() -> None:
    page = wave().html()
    assert "<script" not in page
    assert '<script>alert("x")</script> & co' in Checked(page).text


def test_every_metric_and_every_rule_is_on_the_page() -> None:
    result = wave(slippage=0.0002, fill="close")
    text = Checked(result.html()).text
    for key in KEYS:
        assert WORDS[key][0] in text
        assert number(result.metrics[key], WORDS[key][1]) in text
    for name in ("slippage", "0.0002", "2016-01-04", result.context["data"]["hash"]):
        assert name in text
    for warning in result.warnings:
        assert warning in text
    for title in ("Equity", "Under the last peak", "Return by month", "Trades", "fee per side", "Deepest drawdowns"):
        assert title in text


def test_every_chart_is_drawn_inside_its_frame() -> None:
    """Equity, under water, rolling Sharpe, trades, cost: each has a title, and no coordinate that is no number."""
    page = wave().html()
    checked = Checked(page)
    assert checked.tags.count("svg") == 5
    assert len([value for name, value in checked.attributes if name == "aria-label" and value]) == 5
    points = [value for name, value in checked.attributes if name in ("d", "points") and value]
    numbers = [float(part) for path in points for part in re.split("[MLZ, ]+", path) if part]
    assert np.isfinite(numbers).all()
    assert min(numbers) >= 0.0
    assert max(numbers) <= 1080.0
    assert "nan" not in page.lower().replace("finance", "")


@pytest.mark.parametrize(
    "result",
    [
        lambda: backtest(panel(flat(10.0)), orders(1), Rules()),
        lambda: backtest(panel(flat(10.0, 10.0)), orders(2), Rules(), benchmark=None),
        lambda: backtest(panel(flat(10.0, 10.0, 40.0, 1.0)), orders(4, short=[0]), Rules(cash=1000.0)),
    ],
    ids=["one bar", "no trade, no benchmark", "ruin"],
)
def test_a_result_with_little_in_it_has_a_page_too(result: Any, tmp_path: Path) -> None:
    found: Result = result()
    Checked(found.html())
    saved = json.loads((found.save(tmp_path) / "metrics.json").read_text())
    assert set(saved["metrics"]) == set(KEYS)
    assert "—" in found.html()


def test_saved_facts_are_what_the_result_holds(tmp_path: Path) -> None:
    result = wave()
    folder = result.save(tmp_path / "new" / "folder")
    assert sorted(path.name for path in folder.iterdir()) == [
        "equity.parquet",
        "metrics.json",
        "report.html",
        "trades.parquet",
    ]
    assert json.loads((folder / "metrics.json").read_text()) == json.loads(json.dumps(result.facts()))
    assert (folder / "report.html").read_text(encoding="utf-8") == result.html()


def test_a_long_history_is_drawn_by_its_extremes() -> None:
    """Twenty thousand bars in under 200 KB, and the deepest point is still the lowest one drawn."""
    bars = 20_000
    prices = np.full(bars, 100.0)
    prices[7_777] = 20.0
    found = backtest(panel(flat(*prices), ts=[weekdays(bars)]), orders(bars, enter=[0]), Rules())
    page = found.html()
    assert len(page) < 200_000
    under = next(value for name, value in Checked(page).attributes if name == "d" and value and value.endswith("Z"))
    depths = [float(point.split(",")[1]) for point in under.strip("MZ").split("L")]
    assert max(depths) == 110.0


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "2", "—"),
        (0.1234, "%", "12.3\u202f%"),
        (-0.1234, "%", "−12.3\u202f%"),
        (0.00123, "%2", "0.12\u202f%"),
        (-0.0001, "%", "0.0\u202f%"),
        (-1.5, "2", "−1.50"),
        (1234567.0, "0", "1,234,567"),
    ],
)
def test_numbers_are_written_as_people_read_them(value: float | None, kind: str, text: str) -> None:
    assert number(value, kind) == text


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3.0, 7.0, [-2.0, 0.0, 2.0, 4.0, 6.0]),
        (95_000.0, 131_000.0, [100_000.0, 110_000.0, 120_000.0, 130_000.0]),
        (0.0, 1e-9, [0.0, 2e-10, 4e-10, 6e-10, 8e-10, 1e-9]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_the_headline_shows_the_benchmark_beside_it() -> None:
    result = wave()
    text = Checked(result.html()).text
    assert f"benchmark {number(result.context['benchmark']['total_return'], '%')}" in text
    assert set(HEADLINE) <= set(WORDS)


def test_the_page_says_how_far_the_sharpe_ratio_can_be_believed() -> None:
    from agents.backtest.catalogue import builtin
    from agents.backtest.rules import Rules
    from agents.backtest.single import Question, ask
    from data.contracts.trials import TrialTotal
    from data.market.source import SAMPLE, open_bars

    bars = open_bars(SAMPLE).panel.of("KO")
    tested = ask(Question(builtin("rsi_reversion").bind(), bars, "one", Rules()))
    page = tested.judged(TrialTotal(1234, 0.0, 0.0004)).html()
    assert "1,234" in page
    assert "Chance that it is above luck (DSR)" in page
    assert f"run {tested.result.result_id}" in page
    assert "window=" in page
    assert "nobody has asked" in tested.result.html()
