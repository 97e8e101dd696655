"""Results that lie on a server, read when asked for: the counterparts of what `goldensignals.backtest` … return."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from serve_app.api.research_models import HeatmapView, RunDetail
from serve_app.client.answers import Answer


class Asks(Protocol):
    """Sends a request to the server and gives its answer; see `Http.call`."""

    def __call__(self, method: str, path: str, *, params: dict[str, Any] | None = None) -> Answer:
        """Raises what `Http.call` raises."""


class Run:
    """A result on the server.

    result_id: what the bits stand for, the same as in a process of one's own.
    metrics:   by name; None = undefined.    context: how far they can be believed: trials, psr, dsr, pbo, …
    spec:      all the result depends on.    facts: everything else but the tables.
    """

    def __init__(self, ask: Asks, told: RunDetail) -> None:
        self._ask = ask
        self.result_id, self.kind, self.title = told.result_id, told.kind, told.title
        self.metrics, self.warnings = told.metrics, tuple(told.warnings)
        self.spec: dict[str, Any] = told.spec
        self.facts: dict[str, Any] = told.facts

    @property
    def context(self) -> dict[str, Any]:
        """What the numbers rest on or stand beside."""
        found: dict[str, Any] = self.facts["context"]
        return found

    def rows(
        self,
        table: str,
        *,
        columns: Sequence[str] | None = None,
        sort: Sequence[str] = (),
        filter: Sequence[str] = (),  # noqa: A002  the word of the API
    ) -> pl.DataFrame:
        """A table, or what is chosen of it: `run.rows("sets", sort=["-sharpe"], filter=["fast:le:20"])`.

        Raises InvalidInput for columns and filters it does not have, NotFound for a table.
        """
        params: dict[str, Any] = {"filter": list(filter), "format": "arrow"}
        params |= {"columns": None if columns is None else ",".join(columns), "sort": ",".join(sort) or None}
        answer = self._ask("GET", f"{self._path}/tables/{table}", params=params)
        return pl.read_ipc(io.BytesIO(answer.body))

    def __repr__(self) -> str:
        return f"<{self.kind} {self.result_id[:12]} on the server: {self.title}>"

    @property
    def _path(self) -> str:
        return f"/v1/runs/{self.result_id}"


class _Curve(Run):
    """A result with an equity curve."""

    @property
    def equity(self) -> pl.DataFrame:
        """A row per session: ts, equity, drawdown, exposure, benchmark."""
        return self.rows("equity")

    @property
    def trades(self) -> pl.DataFrame:
        """A row per trade, ordered by entry, then symbol."""
        return self.rows("trades")

    @property
    def by_symbol(self) -> dict[str, dict[str, float | None]]:
        """Symbol -> the metrics."""
        found: dict[str, dict[str, float | None]] = self.facts["by_symbol"]
        return found

    def report(self, path: str | Path) -> Path:
        """Write the tear sheet, one page that needs nothing else; returns where it lies."""
        target = Path(path)
        target.write_bytes(self._ask("GET", f"{self._path}/report").body)
        return target


class Backtest(_Curve):
    """One strategy on past bars."""


class WalkForward(_Curve):
    """A strategy that was chosen on past bars and tested on those after; equity and trades are out of sample."""

    @property
    def folds(self) -> pl.DataFrame:
        """A row per fold: its sessions, what was chosen, what it came to."""
        return self.rows("folds")

    @property
    def drift(self) -> pl.DataFrame:
        """A row per parameter: how the choice moved."""
        return self.rows("drift")


class Sweep(Run):
    """Many sets of parameters."""

    @property
    def table(self) -> pl.DataFrame:
        """A row per set: set, its parameters, the median over symbols of each metric."""
        return self.rows("sets")

    @property
    def trials(self) -> pl.DataFrame:
        """A row per set and symbol."""
        return self.rows("trials")

    @property
    def pbo(self) -> float | None:
        """Probability of backtest overfitting; None where it is undefined."""
        found: float | None = self.context["pbo"]
        return found

    def best(self) -> dict[str, Any]:
        """Parameters and metrics of the set that ranks first."""
        found: dict[str, Any] = self.facts["top"][0]
        return found

    def heatmap(self, x: str, y: str, metric: str | None = None) -> pl.DataFrame:
        """Best value of the metric for every pair of two parameters' values: a row per y, a column per x."""
        params = {"x": x, "y": y, "metric": metric or self.facts["metric"]}
        found = self._ask("GET", f"{self._path}/heatmap", params=params).read(HeatmapView)
        rows = pl.DataFrame(found.values, schema=[str(value) for value in found.x], orient="row")
        return rows.insert_column(0, pl.Series(y, found.y))


_KINDS: dict[str, type[Run]] = {"backtest": Backtest, "sweep": Sweep, "walkforward": WalkForward}


def run_of(ask: Asks, told: RunDetail) -> Run:
    """The result as what it is."""
    return _KINDS.get(told.kind, Run)(ask, told)
