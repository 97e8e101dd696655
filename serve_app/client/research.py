"""Questions of research to a server, in the words of `goldensignals.backtest`, `sweep` and `walk_forward`."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import polars as pl

from data.contracts.errors import InvalidInput
from data.contracts.rules import RULES
from serve_app.api.models import JobView, UploadView
from serve_app.api.research_models import RunDetail, RunView
from serve_app.client import tables
from serve_app.client.http import Http
from serve_app.client.runs import Backtest, Run, Sweep, WalkForward, run_of

WAIT_S = 600.0
OnProgress = Callable[[JobView], None]
T = TypeVar("T")
_LARGEST = sys.float_info.max  # stands for no limit: JSON knows no infinity
_VERIFY_S = 3600.0


class Research(ABC):
    """The calls of research; the client is one, with all its other calls."""

    _http: Http

    def backtest(
        self,
        strategy: object,
        bars: object = None,
        *,
        symbols: str | None = None,
        priority: int | None = None,
        timeout_s: float = WAIT_S,
        on_progress: OnProgress | None = None,
        **words: Any,
    ) -> Backtest:
        """As `goldensignals.backtest`, to the bit, computed on the server.

        strategy:    a name that the server knows, or `gs.strategy(...)`.
        bars:        what `load_bars` gives or takes, sent once; None = the server's own, up to its feed's clock.
        symbols:     "A,B" or "@sp500"; None = the feed's universe, or all of `bars`.
        words:       the strategy's parameters and the rules (fees, slippage, fill, cash, mode …).
        on_progress: told the job whenever it has changed.
        Raises:      InvalidInput before any work, naming what cannot be used; else as `wait`.
        """
        question, params = self._question(strategy, bars, symbols, priority, words)
        found = self._asked("backtests", {**question, "params": params}, timeout_s, on_progress)
        assert isinstance(found, Backtest)
        return found

    def sweep(
        self,
        strategy: object,
        bars: object = None,
        *,
        symbols: str | None = None,
        where: str | None = None,
        metric: str = "sharpe",
        sample: int | None = None,
        seed: int = 0,
        search: str = "grid",
        trials: int | None = None,
        priority: int | None = None,
        timeout_s: float = WAIT_S,
        on_progress: OnProgress | None = None,
        **words: Any,
    ) -> Sweep:
        """As `goldensignals.sweep`, on the server; bars, symbols and the rest as in `backtest`.

        words: for each parameter the values to try (a range, a list, one value, or a text such as "5:50"), and rules.
        """
        question, grid = self._question(strategy, bars, symbols, priority, words)
        choice = {"where": where, "metric": metric, "sample": sample, "seed": seed}
        body = {**question, "grid": grid, **choice, "search": search, "trials": trials}
        found = self._asked("sweeps", body, timeout_s, on_progress)
        assert isinstance(found, Sweep)
        return found

    def walk_forward(
        self,
        strategy: object,
        bars: object = None,
        *,
        train: int,
        test: int,
        purge: int = 0,
        embargo: int = 0,
        anchored: bool = False,
        symbols: str | None = None,
        where: str | None = None,
        metric: str = "sharpe",
        sample: int | None = None,
        seed: int = 0,
        priority: int | None = None,
        timeout_s: float = WAIT_S,
        on_progress: OnProgress | None = None,
        **words: Any,
    ) -> WalkForward:
        """As `goldensignals.walk_forward`, on the server; bars, symbols and the rest as in `sweep`."""
        question, grid = self._question(strategy, bars, symbols, priority, words)
        choice = {"where": where, "metric": metric, "sample": sample, "seed": seed}
        lengths = {"train": train, "test": test, "purge": purge, "embargo": embargo, "anchored": anchored}
        found = self._asked("walkforwards", {**question, "grid": grid, **choice, **lengths}, timeout_s, on_progress)
        assert isinstance(found, WalkForward)
        return found

    def runs(self, *, kind: str | None = None, limit: int | None = 100) -> pl.DataFrame:
        """The newest results first; `metrics` and `context` as JSON. kind: backtest, sweep or walkforward."""
        return tables.table(self._rows(RunView, "/v1/runs", {"kind": kind}, limit), tables.RUNS)

    def run(self, result_id: str) -> Run:
        """A result by its id, or its first digits (six or more). Raises NotFound."""
        if not result_id.isalnum():
            raise InvalidInput(f"{result_id!r} is no id of a run; runs() lists them")
        return run_of(self._http.call, self._http.call("GET", f"/v1/runs/{result_id}").read(RunDetail))

    def verify(
        self, result_id: str, *, timeout_s: float = _VERIFY_S, on_progress: OnProgress | None = None
    ) -> list[str]:
        """Let the server compute a result again: the names of what is not the same to the bit; empty when all is."""
        path = f"/v1/runs/{self.run(result_id).result_id}/verify"
        job = self._http.call("POST", path).read(JobView)
        done = self.wait(job.job_id, timeout_s=timeout_s, on_progress=on_progress)
        differing: Any = (done.result or {})["differing"]
        return [str(name) for name in differing]

    # what the client is beside this

    @abstractmethod
    def upload(self, bars: object) -> UploadView:
        """See `Client.upload`."""

    @abstractmethod
    def wait(self, job_id: str, *, timeout_s: float = WAIT_S, on_progress: OnProgress | None = None) -> JobView:
        """See `Client.wait`."""

    @abstractmethod
    def _rows(self, kind: type[T], path: str, params: dict[str, Any], limit: int | None) -> list[T]:
        """See `Client`."""

    # private

    def _question(
        self, strategy: object, bars: object, symbols: str | None, priority: int | None, words: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What all questions have in common, and the words that are about parameters."""
        asked = {
            "strategy": strategy if isinstance(strategy, str) else _told(strategy),
            "bars": None if bars is None else self.upload(bars).data_hash,
            "symbols": symbols,
            "rules": {name: _plain(value) for name, value in words.items() if name in RULES},
            "priority": priority,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return given, {name: _plain(value) for name, value in words.items() if name not in RULES}

    def _asked(self, path: str, body: dict[str, Any], timeout_s: float, on_progress: OnProgress | None) -> Run:
        """Safe to repeat: the same question is the same job."""
        given = {name: value for name, value in body.items() if value is not None}
        job = self._http.call("POST", f"/v1/{path}", json=given).read(JobView)
        self.wait(job.job_id, timeout_s=timeout_s, on_progress=on_progress)
        return run_of(self._http.call, self._http.call("GET", f"/v1/{path}/{job.job_id}/result").read(RunDetail))


def _told(strategy: Any) -> dict[str, Any]:
    """A strategy of `gs.strategy(...)` in the words of the API. Raises InvalidInput for anything else."""
    try:
        rules = {key: expression.text for key, expression in strategy.expressions.items()}
        params = {param.name: _param(param) for param in strategy.params}
        return {
            "name": strategy.name,
            "description": strategy.description,
            "source": strategy.source,
            "params": params,
            **rules,
        }
    except AttributeError:
        raise InvalidInput(
            f'a strategy is a name that the server knows or gs.strategy(enter="…"), not {type(strategy).__name__}'
        ) from None


def _param(param: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": param.kind, "description": param.description}
    if param.default is not None:
        told["default"] = param.default
    if param.kind == "number":
        low, high = (float(min(max(edge, -_LARGEST), _LARGEST)) for edge in (param.low, param.high))
        told |= {"low": low, "high": high, "whole": param.whole}
    return told


def _plain(value: Any) -> Any:
    """A value, or values to try, as JSON: also a range and an array of NumPy."""
    if isinstance(value, str | bool | None):
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"{value} is no number that can be sent")
    return value if isinstance(value, int | float) else [_plain(one) for one in value]
