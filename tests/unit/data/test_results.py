"""Tables of finished runs answer as Polars would, whatever is typed, and not for ever."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data.contracts.errors import GoldenSignalsError, InvalidInput, NotFound, TemporarilyUnavailable
from data.results import MOST_VALUES, Results

SWEEP, BACKTEST, OTHER = "5" * 32, "b" * 32, "c" * 32
SYMBOLS = ("A", "B")


@pytest.fixture(scope="module")
def sets() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    axes = (range(2, 12), range(20, 60, 10), [0.1, 0.2])
    fast, slow, stop = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))
    sharpe = rng.normal(size=fast.size).round(1)  # with ties
    sharpe[(fast == 3) & (slow == 20)] = np.nan
    return pl.DataFrame(
        {"set": np.arange(fast.size), "fast": fast, "slow": slow, "stop": stop, "sharpe": sharpe,
         "turnover": rng.random(fast.size)}
    ).with_columns(pl.col("sharpe").fill_nan(None))  # fmt: skip


@pytest.fixture(scope="module")
def trials(sets: pl.DataFrame) -> pl.DataFrame:
    both = [sets.select("set", pl.lit(name).alias("symbol"), "sharpe", "turnover") for name in SYMBOLS]
    return pl.concat(both).sort("set", "symbol")


@pytest.fixture(scope="module")
def equity() -> pl.DataFrame:
    ts = pl.datetime_range(
        datetime(2018, 1, 2, 21, tzinfo=UTC), datetime(2018, 1, 11, 21, tzinfo=UTC), timedelta(days=1), eager=True
    )
    values = pl.Series([*range(8), float("nan"), None], dtype=pl.Float64, strict=False)
    return pl.DataFrame({"ts": ts, "equity": values, "up": [True, False] * 5})


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, sets: pl.DataFrame, trials: pl.DataFrame, equity: pl.DataFrame
) -> Path:
    home = tmp_path_factory.mktemp("a home")
    for name, frame, rows in (("sets", sets, 33), ("trials", trials, 64)):
        folder = home / "runs" / SWEEP / name
        folder.mkdir(parents=True)
        for number, first in enumerate(range(0, frame.height, rows)):
            frame[first : first + rows].write_parquet(folder / f"part-{number:05}.parquet")
    (home / "runs" / SWEEP / "summary.json").write_text(json.dumps({"metric": "sharpe"}))
    (home / "runs" / BACKTEST).mkdir()
    (home / "runs" / BACKTEST / "metrics.json").write_text(json.dumps({"metrics": {"sharpe": 1.5}}))
    equity.write_parquet(home / "runs" / BACKTEST / "equity.parquet")
    (home / "runs" / OTHER / "sets").mkdir(parents=True)  # a sweep that is still being done
    return home


@pytest.fixture(scope="module")
def results(home: Path) -> Results:
    return Results(home)


def test_facts_and_tables_of_every_kind_of_run_are_found(results: Results) -> None:
    assert results.facts(SWEEP) == {"metric": "sharpe"}
    assert results.facts(BACKTEST)["metrics"] == {"sharpe": 1.5}
    assert [(info.name, info.rows) for info in results.tables(SWEEP)] == [("sets", 80), ("trials", 160)]
    (found,) = results.tables(BACKTEST)
    assert [(column.name, column.type) for column in found.columns] == [
        ("ts", "time"), ("equity", "number"), ("up", "boolean"),
    ]  # fmt: skip


def test_sorting_filtering_and_paging_give_the_rows_that_polars_gives(results: Results, sets: pl.DataFrame) -> None:
    asked = results.frame(
        SWEEP, "sets", columns=["sharpe", "set", "fast"], sort=["-sharpe", "fast"],
        filters=["fast:ge:3", "slow:ne:40", "turnover:lt:0.9"], limit=17, offset=5,
    )  # fmt: skip
    kept = sets.filter(pl.col("fast") >= 3, pl.col("slow") != 40, pl.col("turnover") < 0.9)
    ranked = kept.sort("sharpe", "fast", descending=[True, False], nulls_last=True, maintain_order=True)
    assert_frame_equal(asked, ranked.select("sharpe", "set", "fast")[5:22])
    page = results.table(SWEEP, "sets", filters=["fast:ge:3", "slow:ne:40", "turnover:lt:0.9"], limit=3)
    assert page.total == kept.height
    assert page.rows == kept.head(3).rows()
    assert [column.type for column in page.columns] == ["integer"] * 3 + ["number"] * 3


@pytest.mark.parametrize("sort", [[], ["sharpe"], ["-sharpe"], ["symbol", "-sharpe"], ["-turnover", "set"]])
def test_every_order_is_that_of_polars_ties_in_the_order_of_the_files(
    results: Results, trials: pl.DataFrame, sort: list[str]
) -> None:
    names, down = [name.lstrip("-") for name in sort], [name.startswith("-") for name in sort]
    expected = trials.sort(names, descending=down, nulls_last=True, maintain_order=True) if sort else trials
    assert_frame_equal(results.frame(SWEEP, "trials", sort=sort), expected)


def test_nulls_pass_their_own_filter_only(results: Results) -> None:
    def total(*filters: str) -> int:
        return results.table(SWEEP, "sets", filters=filters).total

    assert total("sharpe:null") == 2
    assert total("sharpe:notnull") == 78
    assert total("sharpe:ne:0.25") == 78
    assert total("sharpe:lt:inf") == 78
    assert total("sharpe:null", "fast:eq:4") == 0


def test_times_texts_and_truths_are_compared_as_such(results: Results) -> None:
    page = results.table(BACKTEST, "equity", filters=["ts:gt:2018-01-03", "ts:le:2018-01-05T16:00-05:00", "up:eq:true"])
    assert page.rows == [(datetime(2018, 1, 4, 21, tzinfo=UTC), 2.0, True)]
    assert results.table(SWEEP, "trials", filters=["symbol:eq:B", "set:eq:7"]).total == 1


def test_a_page_holds_no_number_that_json_cannot(results: Results) -> None:
    assert [row[1] for row in results.table(BACKTEST, "equity").rows] == [*range(8), None, None]


def test_a_heatmap_shows_the_best_or_the_middle_of_every_cell(results: Results, sets: pl.DataFrame) -> None:
    for metric, by, value in (
        ("sharpe", "best", pl.col("sharpe").max()),
        ("turnover", "best", pl.col("turnover").min()),  # little turnover is better
        ("sharpe", "median", pl.col("sharpe").median()),
    ):
        found = results.heatmap(SWEEP, "fast", "slow", metric, by)  # type: ignore[arg-type]
        cells = {(fast, slow): cell for fast, slow, cell in sets.group_by("fast", "slow").agg(value).rows()}
        assert (found.x, found.y) == (list(range(2, 12)), [20, 30, 40, 50])
        for slow, row in zip(found.y, found.values, strict=True):
            assert row == pytest.approx([cells[fast, slow] for fast in found.x])


def test_slices_show_quartiles_of_every_parameter(results: Results, sets: pl.DataFrame) -> None:
    found = {one.parameter: one for one in results.slices(SWEEP, "sharpe")}
    assert list(found) == ["fast", "slow", "stop"]
    for name, one in found.items():
        column = pl.col("sharpe")
        expected = sets.group_by(name).agg(
            column.quantile(0.25, "linear").alias("low"), column.median().alias("median"),
            column.quantile(0.75, "linear").alias("high"), column.max().alias("best"), pl.len().alias("sets"),
        ).sort(name)  # fmt: skip
        assert one.values == expected[name].to_list()
        for key in ("low", "median", "high", "best", "sets"):
            assert getattr(one, key) == pytest.approx(expected[key].to_list()), key


def test_a_histogram_counts_every_row_once(results: Results, trials: pl.DataFrame) -> None:
    found = results.histogram(SWEEP, "turnover", 12, "trials")
    counts, edges = np.histogram(trials["turnover"].to_numpy(), 12)
    assert (found.edges, found.counts, found.undefined) == (edges.tolist(), counts.tolist(), 0)
    ties = results.histogram(SWEEP, "sharpe", 12, "trials")
    assert (sum(ties.counts), ties.undefined) == (156, 4)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"columns": ["sharpe; DROP TABLE x"]}, "no column in sets"),
        ({"columns": ['a" FROM x --']}, "no column in sets"),
        ({"columns": ["set", "set"]}, "each once"),
        ({"sort": ["--sharpe"]}, "no column in sets"),
        ({"filters": ["sharpe"]}, "no column|cannot read the filter"),
        ({"filters": ["sharpe:like:1"]}, "op one of lt"),
        ({"filters": ["sharpe:gt"]}, "cannot read the filter"),
        ({"filters": ["sharpe:null:1"]}, "cannot read the filter"),
        ({"filters": ["sharpe:gt:1 OR 1=1"]}, "holds a number"),
        ({"filters": ["nothing:gt:1"]}, "there are: set, fast"),
        ({"limit": -1}, "0 or more"),
    ],
)
def test_bad_input_says_what_to_change(results: Results, asked: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        results.table(SWEEP, "sets", **asked)  # type: ignore[arg-type]


def test_drawings_of_what_is_no_parameter_or_no_metric_are_refused(results: Results) -> None:
    with pytest.raises(InvalidInput, match="no parameter 'set'; there are: fast, slow, stop"):
        results.heatmap(SWEEP, "set", "slow", "sharpe")
    with pytest.raises(InvalidInput, match="two different"):
        results.heatmap(SWEEP, "slow", "slow", "sharpe")
    with pytest.raises(InvalidInput, match="is no number"):
        results.histogram(SWEEP, "symbol", table="trials")
    with pytest.raises(InvalidInput, match="between 1 and"):
        results.histogram(SWEEP, "sharpe", 0)


def test_a_run_or_table_that_is_not_here_is_not_found(results: Results) -> None:
    for wrong in (OTHER, "0" * 32, "../" + SWEEP, "", SWEEP[:6]):
        with pytest.raises(NotFound, match="not on this machine"):
            results.facts(wrong)
    with pytest.raises(NotFound, match="it has: equity"):
        results.table(BACKTEST, "sets")
    with pytest.raises(NotFound, match=r"no table '\.\./sets'"):
        results.table(SWEEP, "../sets")


def test_what_takes_too_long_is_stopped_also_when_it_begins_late(home: Path) -> None:
    """An interrupt that comes before a statement runs is not heard by it: once, a page never came back."""
    slow = Results(home, deadline_s=0.05)
    endless = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    with pytest.raises(TemporarilyUnavailable, match="no answer within"), slow._asking() as ask:
        ask(endless)

    def begin_late() -> None:
        with slow._asking() as ask:
            late = ask.connection.sql(endless)
            assert ask.over.wait(10.0)
            late.to_arrow_table()

    with pytest.raises(TemporarilyUnavailable, match="no answer within"):
        begin_late()
    assert Results(home).table(SWEEP, "sets").total == 80


def test_many_threads_may_ask_at_once(results: Results) -> None:
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: results.table(SWEEP, "sets", sort=["-sharpe"]).rows, range(20)))
    assert all(page == pages[0] for page in pages)


def test_more_than_one_answer_can_hold_is_refused(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.results.MOST_CELLS", 100)
    with pytest.raises(InvalidInput, match="80 rows of 6 columns are too many at once"):
        results.frame(SWEEP, "sets")
    assert results.frame(SWEEP, "sets", limit=10, columns=["set"]).height == 10
    assert results.frame(SWEEP, "sets", filters=["fast:eq:4"]).height == 8


def test_an_axis_too_long_to_draw_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / SWEEP
    rows = MOST_VALUES + 1
    for name in ("sets", "trials"):
        (folder / name).mkdir(parents=True)
    frame = pl.DataFrame({"set": range(rows), "fast": range(rows), "slow": [1] * rows, "sharpe": [0.0] * rows})
    frame.write_parquet(folder / "sets" / "part-00000.parquet")
    frame.select("set", "sharpe").write_parquet(folder / "trials" / "part-00000.parquet")
    (folder / "summary.json").write_text("{}")
    with pytest.raises(InvalidInput, match="fast has 2,001 values, too many to draw"):
        Results(tmp_path).heatmap(SWEEP, "fast", "slow", "sharpe")
    assert Results(tmp_path).histogram(SWEEP, "sharpe", 4).counts == [0, 0, rows, 0]


def test_a_broken_file_is_an_error_not_an_empty_table(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / BACKTEST
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text("{}")
    (folder / "equity.parquet").write_bytes(b"no parquet")
    with pytest.raises(GoldenSignalsError, match="cannot be read"):
        Results(tmp_path).table(BACKTEST, "equity")
