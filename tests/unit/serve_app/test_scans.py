"""A request becomes a specification: the right symbols, nothing later than its moment, worth sending away or not."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from agents.consensus import decide
from agents.registry import roster
from cluster.plan import LOCAL_BELOW_S
from data.contracts.errors import InvalidInput
from data.contracts.panel import from_micros
from data.market.sample import BARS, path_of
from data.market.source import SAMPLE, Bars, Stamps, open_bars
from serve_app.scans import ScanRequest, needs_ray, plan_scan
from tests.unit.serve_app.conftest import SYMBOLS


@pytest.fixture(scope="module")
def bars(few_bars: Path) -> Bars:
    return open_bars(str(few_bars))


def test_by_default_every_symbol_every_agent_and_the_newest_session(bars: Bars) -> None:
    spec = plan_scan(bars, ScanRequest())
    assert spec.panel.symbols == SYMBOLS
    assert spec.agents == roster()
    assert spec.as_of == from_micros(int(bars.panel.ts.max())) == datetime(2018, 2, 7, 21, tzinfo=UTC)
    assert spec.source == "few.csv"


def test_a_universe_is_only_its_symbols(bars: Bars) -> None:
    few = plan_scan(bars, ScanRequest(universe="XOM,AAPL"))
    assert few.panel.symbols == ("AAPL", "XOM")
    assert few.universe != plan_scan(bars, ScanRequest()).universe
    assert few.universe == plan_scan(bars, ScanRequest(universe="AAPL, XOM")).universe


def test_as_of_a_date_nothing_later_is_in_the_panel(bars: Bars) -> None:
    spec = plan_scan(bars, ScanRequest(as_of="2018-02-05"))
    close = datetime(2018, 2, 5, 21, tzinfo=UTC)
    assert spec.as_of == close
    assert from_micros(int(spec.panel.context["vix"].known_at[-1])) < close  # known a quarter of an hour after it


def test_a_day_without_a_session_means_the_one_before(bars: Bars) -> None:
    saturday = plan_scan(bars, ScanRequest(as_of="2018-02-03"))
    friday = plan_scan(bars, ScanRequest(as_of="2018-02-02"))
    assert saturday.identity() == friday.identity()


def test_a_date_means_a_session_of_the_calendar_the_bars_were_read_with(tmp_path: Path) -> None:
    """A Saturday is a session of a market that never closes; it ends at midnight UTC."""
    file = tmp_path / "coin.csv"
    rows = [f"COIN,2018-02-{day:02d},1,2,0.5,1.5,10" for day in range(1, 10)]
    file.write_text("symbol,date,open,high,low,close,volume\n" + "\n".join(rows))
    bars = open_bars(str(file), Stamps(calendar="24/7"))
    spec = plan_scan(bars, ScanRequest(as_of="2018-02-03", calendar="24/7"))
    assert spec.as_of == datetime(2018, 2, 4, tzinfo=UTC)
    assert len(spec.panel) == 3


def test_agents_are_those_asked_for(bars: Bars) -> None:
    assert [agent.name for agent in plan_scan(bars, ScanRequest(agents=("volume", "trend"))).agents] == [
        "trend",
        "volume",
    ]


@pytest.mark.parametrize(
    "request_",
    [
        ScanRequest(universe="NOPE"),
        ScanRequest(universe="@dax"),
        ScanRequest(agents=("nobody",)),
        ScanRequest(as_of="2031-01-01"),
    ],
)
def test_what_is_not_there_is_refused(bars: Bars, request_: ScanRequest) -> None:
    with pytest.raises(InvalidInput):
        plan_scan(bars, request_)


def test_little_work_stays_in_this_process_and_a_market_goes_to_ray(bars: Bars) -> None:
    few, sample = plan_scan(bars, ScanRequest()), plan_scan(open_bars(SAMPLE), ScanRequest())
    assert len(sample.panel) > 500_000
    assert LOCAL_BELOW_S > 0
    assert not needs_ray(few.agents, few)
    assert needs_ray(sample.agents, sample)


def test_a_symbol_that_misses_the_newest_session_has_no_signal_in_a_universe_of_its_own(tmp_path: Path) -> None:
    """The current session is the market's, not that of the symbols somebody happens to ask about."""
    file = tmp_path / "two.csv"
    days = pl.read_parquet(path_of(BARS)).filter(pl.col("symbol").is_in(["KO", "XOM"]))
    last = pl.col("date") == pl.col("date").max()
    days.filter(~((pl.col("symbol") == "KO") & last)).write_csv(file)
    spec = plan_scan(open_bars(str(file)), ScanRequest(universe="KO"))
    assert spec.as_of == datetime(2018, 2, 7, 21, tzinfo=UTC)
    blocks = [agent.evaluate(spec.panel).take(spec.panel.last_rows) for agent in spec.agents]
    decision = decide(
        spec.panel,
        blocks,
        rows=spec.panel.last_rows,
        asked=spec.agents,
        missing=(),
        universe=spec.universe,
        params=spec.consensus,
        session=spec.session,
    )
    assert (decision.signals, list(decision.skipped)) == ([], ["KO"])


def test_context_that_became_known_after_the_newest_bar_changes_nothing(bars: Bars) -> None:
    at_close, at_night = ScanRequest(as_of="2018-02-05"), ScanRequest(as_of="2018-02-05T23:00:00-05:00")
    known = [plan_scan(bars, request).panel.context["vix"].digest for request in (at_close, at_night)]
    assert known[0] == known[1]


def test_only_quarantined_rows_of_these_symbols_until_then_are_counted() -> None:
    sample = open_bars(SAMPLE)
    assert sum(plan_scan(sample, ScanRequest()).quarantined.values()) == sample.quarantined.total
    assert plan_scan(sample, ScanRequest(universe="AAPL")).quarantined == {}
    assert plan_scan(sample, ScanRequest(universe="AOS", as_of="2014-05-16")).quarantined == {}
    assert plan_scan(sample, ScanRequest(universe="AOS")).quarantined == {"high_below_low": 1}


def test_members_of_a_universe_without_bars_are_named_with_the_reason(bars: Bars) -> None:
    of_the_index = plan_scan(bars, ScanRequest(universe="@sp500"))
    assert of_the_index.panel.symbols == SYMBOLS
    assert len(of_the_index.absent) == 505 - len(SYMBOLS)
    assert of_the_index.absent["NFLX"] == "these bars do not hold it"
    early = plan_scan(open_bars(SAMPLE), ScanRequest(universe="AAPL,APTV", as_of="2014-05-16"))
    assert (early.panel.symbols, early.absent) == (("AAPL",), {"APTV": "it has no bar by then"})
