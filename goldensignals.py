"""What a quant imports: `import goldensignals as gs`.

gs.load_bars(...)                   bars from files or frames, as one Polars frame
gs.rsi("close", 14)                 every indicator as a Polars expression …
gs.indicators.rsi(close, 14)        … and as a function of NumPy arrays or Polars Series
gs.signals(bars, agents=["trend"])  the consensus of the agents, per symbol, with their votes

Names are resolved at first use: importing this module loads nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from agents import indicators as indicators
    from data.contracts.errors import GoldenSignalsError as GoldenSignalsError
    from data.contracts.errors import InvalidInput as InvalidInput
    from data.contracts.errors import TemporarilyUnavailable as TemporarilyUnavailable
    from data.market.load import load_bars as load_bars

_HOMES = {
    "load_bars": "data.market.load",
    "GoldenSignalsError": "data.contracts.errors",
    "InvalidInput": "data.contracts.errors",
    "TemporarilyUnavailable": "data.contracts.errors",
}
_COLUMNS = (
    *("symbol", "as_of", "action", "score", "probability", "calibrated", "strength", "agreement", "votes"),
    *("entry", "stop", "target", "warnings", "signal_id", "input_hash"),
)
__all__ = ["GoldenSignalsError", "InvalidInput", "TemporarilyUnavailable", "indicators", "load_bars", "signals"]


def signals(bars: object, agents: Sequence[str] | None = None) -> pl.DataFrame:
    """The consensus of the agents at the newest bar of every symbol, computed in this process.

    bars:    what `load_bars` returns, or daily bars that it accepts (a path, a Polars, pandas or Arrow frame).
    agents:  names; None asks all of them.
    Returns: one row per symbol, the strongest first: symbol, as_of, action, score, probability (null until calibrated),
             calibrated, strength, agreement, votes (agent, score, confidence, weight), entry, stop, target, warnings,
             signal_id, input_hash. Symbols without a bar in the newest session are left out.
    Raises:  InvalidInput for unknown agents and bars that cannot be used.
    """
    import polars as pl

    from agents.consensus import ConsensusParams, decide, ranked
    from agents.registry import roster
    from data.market.load import load_bars
    from data.market.quality import is_loaded
    from data.market.source import choose_universe, with_context

    asked = roster(agents)
    found = with_context("frame", bars if is_loaded(bars) else load_bars(bars))
    panel = found.panel.until(int(found.panel.ts.max()))
    decision = decide(
        panel,
        [agent.evaluate(panel).take(panel.last_rows) for agent in asked],
        rows=panel.last_rows,
        asked=asked,
        missing=(),
        universe=choose_universe(found, None).id,
        params=ConsensusParams(),
    )
    kinds: dict[str, Any] = dict.fromkeys(_COLUMNS, pl.Float64) | {  # columns have their type also without any row
        "symbol": pl.String,
        "as_of": pl.Datetime("us", "UTC"),
        "action": pl.String,
        "calibrated": pl.Boolean,
        "votes": pl.List(
            pl.Struct({"agent": pl.String, "score": pl.Float64, "confidence": pl.Float64, "weight": pl.Float64})
        ),
        "warnings": pl.List(pl.String),
        "signal_id": pl.String,
        "input_hash": pl.String,
    }
    rows = [signal.model_dump(include=set(_COLUMNS)) for signal in ranked(decision.signals)]
    return pl.DataFrame([row | {"action": row["action"].value} for row in rows], schema=kinds)


def __getattr__(name: str) -> Any:
    if name == "indicators":
        return importlib.import_module("agents.indicators")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    expressions = importlib.import_module("agents.indicators").expressions
    try:
        return getattr(expressions, name)
    except AttributeError:
        raise AttributeError(f"goldensignals has no {name!r}; indicators: {', '.join(dir(expressions))}") from None


def __dir__() -> list[str]:
    return sorted([*__all__, *dir(importlib.import_module("agents.indicators").expressions)])
