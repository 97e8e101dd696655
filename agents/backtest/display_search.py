"""How a sweep and a walk-forward show themselves in a notebook; see `agents.backtest.display`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from agents.backtest import charts
from agents.backtest.display import WIDTH, Chart, belief_tiles, card, head, headline, plain, spaced, span, value_of
from agents.backtest.report import WORDS, equity_chart, number, table, tile, tiles
from agents.backtest.sweep_metrics import METRICS
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.metrics import larger_is_better

if TYPE_CHECKING:
    from agents.backtest.crossvalidation import CrossValidated
    from agents.backtest.walkforward import WalkForward

FOLDS = 24  # shown of a walk-forward
PATHS = 12  # shown of a cross-validation
PATH_METRICS = ("sharpe", "total_return", "max_drawdown")
MOST_CELLS = 60  # of a heatmap in each direction; a larger one is drawn by the best of neighbours


def walk_card(walked: WalkForward) -> str:
    """A walk-forward: the stitched curve with the first bar of every test, the folds, how the choice drifted."""
    facts, stitched = walked.context["walkforward"], walked.stitched
    lengths = f"{facts['folds']} folds: {facts['train']} sessions to choose on, {facts['test']} to test on"
    between = facts["purge"] + facts["embargo"]
    lengths += f", {between} left out between" if between else ""
    shown = walked.folds.head(FOLDS)
    more = f"<p>and {walked.folds.height - FOLDS} more in .folds</p>" if walked.folds.height > FOLDS else ""
    return card(
        head(stitched.name, f"{lengths}; {span(stitched)}", walked.warnings),
        tiles(stitched),
        equity_chart(stitched, width=WIDTH, marks=fold_edges(walked)),
        "<h5>Chosen on the train, tested on what followed</h5>",
        table(_fold_head(walked), _fold_rows(walked, shown)),
        more,
        _drift(walked),
        belief_tiles(
            walked.context,
            ("Efficiency: yearly return of the tests over the trains'", number(facts["efficiency"], "2")),
        ),
    )


def walk_line(walked: WalkForward) -> str:
    """A walk-forward in one line."""
    facts = walked.context["walkforward"]
    earned = number(facts["efficiency"], "2")
    return f"{walked.stitched.name}, {facts['folds']} folds: {headline(walked.metrics)}; efficiency {earned}"


def walk_chart(walked: WalkForward) -> Chart:
    """The stitched curve beside the benchmark's, with the first session of every test."""
    return Chart(equity_chart(walked.stitched, width=WIDTH, marks=fold_edges(walked)))


def paths_card(checked: CrossValidated) -> str:
    """A cross-validation: the Sharpe ratio of every path out of sample."""
    facts, found, paths = checked.facts, checked.summary, checked.paths
    about = (
        f"{facts['sets']:,} sets on {facts['symbols']:,} symbols; {facts['groups']} stretches, {facts['test_groups']} "
        f"of them tested in each of {checked.splits.height} splits; {paths.height} paths"
    )
    kinds = {"median": "2", "smallest": "2", "largest": "2", "deviation": "2", "below_zero": "%"}
    said = "".join(tile(spaced(name).capitalize(), number(found[name], kind)) for name, kind in kinds.items())
    sharpes = paths["sharpe"].drop_nulls().to_numpy()
    marks = charts.strip(sharpes, text=lambda v: f"{v:g}", title="Sharpe ratio of every path") if sharpes.size else ""
    rows = (
        [str(row["path"]), *(value_of(name, row[name]) for name in PATH_METRICS)]
        for row in paths.head(PATHS).iter_rows(named=True)
    )
    return card(
        head(f"{facts['strategy']}, cross-validated", about, ()),
        "<h5>Sharpe ratio of the paths</h5>",
        f'<div class="tiles">{said}</div>',
        marks,
        table(("path", *(WORDS[name][0] for name in PATH_METRICS)), rows),
    )


def paths_line(checked: CrossValidated) -> str:
    """A cross-validation in one line."""
    found = checked.summary
    between = f"{number(found['smallest'], '2')} to {number(found['largest'], '2')}"
    return (
        f"{checked.facts['strategy']}, {checked.paths.height} paths out of sample: median Sharpe "
        f"{number(found['median'], '2')}, {between}"
    )


def fold_edges(walked: WalkForward) -> list[int]:
    """Positions in the stitched curve of the first session of every test but the first."""
    found = walked.equity["ts"].search_sorted(walked.folds["test_first"])
    return sorted({int(at) for at in found.to_list()} - {0})


def sweep_card(summary: Mapping[str, Any], sets: pl.LazyFrame) -> str:
    """A sweep: the best sets, how much of the best is luck, and a picture where one or two parameters were searched.

    sets: a row per set: its parameters and metrics.
    """
    metric, context = summary["metric"], summary["context"]
    about = f"{summary['sets']:,} sets on {summary['symbols']:,} symbols, ranked by the {spaced(summary['ranking'])}"
    searched = _searched(summary, sets)
    picture = ""
    if len(searched) == 2:
        picture = f"<h5>{WORDS[metric][0]}, median over symbols</h5>" + heatmap(summary, sets, *searched).svg
    return card(
        head(summary["strategy"], about, ()),
        "<h5>The best sets</h5>",
        _best(summary),
        picture,
        belief_tiles(context),
    )


def sweep_line(summary: Mapping[str, Any]) -> str:
    """A sweep in one line."""
    best, metric = summary["top"][0], summary["metric"]
    values = ", ".join(f"{name}={best[name]}" for name in _parameters(summary))
    luck = number(summary["context"]["pbo"], "%")
    return (
        f"{summary['strategy']}: {summary['sets']:,} sets on {summary['symbols']:,} symbols; best {values}: "
        f"{WORDS[metric][0]} {value_of(metric, best[metric])}; probability of overfitting {luck}"
    )


def heatmap(summary: Mapping[str, Any], sets: pl.LazyFrame, x: str, y: str, metric: str | None = None) -> Chart:
    """The best value of a metric for every pair of values of two parameters.

    Raises: InvalidInput for a parameter or a metric that the sweep does not have.
    """
    shown, columns = metric or summary["metric"], sets.collect_schema().names()
    for name in (x, y, shown):
        if name not in columns:
            raise InvalidInput(f"this sweep has no {name!r}; it has {', '.join(columns[1:])}")
    larger = larger_is_better(shown)
    pairs = sets.group_by(x, y).agg(pl.col(shown).max() if larger else pl.col(shown).min()).sort(x, y).collect()
    across, up = (pairs[name].unique().sort().to_list() for name in (x, y))
    places = ({value: at for at, value in enumerate(values)} for values in (up, across))
    up_at, across_at = (
        pairs[name].replace_strict(place).to_numpy() for name, place in zip((y, x), places, strict=True)
    )
    values = np.full((len(up), len(across)), np.nan)
    values[up_at, across_at] = pairs[shown].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if not np.isfinite(values).any():
        return Chart("<p>The metric is defined for no set.</p>")
    down, right = -(-len(up) // MOST_CELLS), -(-len(across) // MOST_CELLS)
    values = _coarse(values, down, right, larger=larger)
    best = int(np.nanargmax(values) if larger else np.nanargmin(values))
    title = f"{WORDS[shown][0]} over {x} and {y}; the best cell is ringed"
    svg = charts.heatmap(
        across[::right],
        up[::down],
        values,
        names=(x, y),
        best=divmod(best, values.shape[1]),
        text=lambda value: value_of(shown, value),
        title=title,
    )
    return Chart(svg)


def _parameters(summary: Mapping[str, Any]) -> list[str]:
    return [name for name in summary["top"][0] if name not in (*METRICS, "set", "portfolio")]


def _searched(summary: Mapping[str, Any], sets: pl.LazyFrame) -> list[str]:
    """Parameters that have more than one value."""
    names = _parameters(summary)
    counts = sets.select(pl.col(names).n_unique()).collect().row(0) if names else ()
    return [name for name, count in zip(names, counts, strict=True) if count > 1]


def _best(summary: Mapping[str, Any]) -> str:
    top = [row for row in summary["top"] if "portfolio" in row]  # those that were tested as one portfolio too
    names = _parameters(summary)
    metrics = [name for name in top[0] if name in METRICS]
    head = [*map(escape, names), *(WORDS[name][0] for name in metrics), "Sharpe of all together"]
    rows = (
        [
            *(plain(row[name]) for name in names),
            *(value_of(name, row[name]) for name in metrics),
            number(row["portfolio"]["sharpe"], "2"),
        ]
        for row in top
    )
    return table(head, rows)


def _coarse(values: Floats, down: int, right: int, *, larger: bool) -> Floats:
    """The best of every `down` x `right` neighbours; NaN where all of them are."""
    best = np.fmax if larger else np.fmin
    rows = best.reduceat(values, np.arange(0, values.shape[0], down), axis=0)
    found: Floats = best.reduceat(rows, np.arange(0, values.shape[1], right), axis=1)
    return found


def _fold_head(walked: WalkForward) -> list[str]:
    score = WORDS[walked.context["walkforward"]["metric"]][0]
    names = walked.drift["parameter"].to_list()
    return ["Test", *map(escape, names), f"{score} of the train", "Sharpe", "Return", "Trades"]


def _fold_rows(walked: WalkForward, folds: pl.DataFrame) -> Iterable[list[str]]:
    score, names = walked.context["walkforward"]["metric"], walked.drift["parameter"].to_list()
    for row in folds.iter_rows(named=True):
        yield [
            f"{row['test_first']:%Y-%m-%d} to {row['test_last']:%Y-%m-%d}{' (partial)' if row['partial'] else ''}",
            *(plain(row[name]) for name in names),
            value_of(score, row["train_score"]),
            number(row["test_sharpe"], "2"),
            number(row["test_total_return"], "%"),
            number(row["test_trades"], "0"),
        ]


def _drift(walked: WalkForward) -> str:
    words = (
        f"{row['parameter']}: {row['distinct']} values chosen in {walked.folds.height} folds, {row['changes']} changes"
        for row in walked.drift.iter_rows(named=True)
    )
    return "".join(f"<p>{escape(text)}</p>" for text in words)
