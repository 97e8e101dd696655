"""Answers as Polars frames. A table has its columns and types also without any row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from pydantic import BaseModel

from data.contracts.signals import Signal
from serve_app.api.models import BarsView, EventView, IndicatorSeries, SignalView

_TIME = pl.Datetime("us", "UTC")
_VOTES = pl.List(pl.Struct({"agent": pl.String, "score": pl.Float64, "confidence": pl.Float64, "weight": pl.Float64}))
SIGNALS: dict[str, Any] = {
    "symbol": pl.String,
    "as_of": _TIME,
    "action": pl.String,
    "score": pl.Float64,
    "probability": pl.Float64,
    "calibrated": pl.Boolean,
    "strength": pl.Float64,
    "agreement": pl.Float64,
    "votes": _VOTES,
    "entry": pl.Float64,
    "stop": pl.Float64,
    "target": pl.Float64,
    "warnings": pl.List(pl.String),
    "signal_id": pl.String,
    "input_hash": pl.String,
}
STORED = SIGNALS | {"revision": pl.Int64, "missing": pl.List(pl.String)}
AGENTS: dict[str, Any] = {
    "name": pl.String,
    "scope": pl.String,
    "inputs": pl.List(pl.String),
    "warmup": pl.Int64,
    "description": pl.String,
    "state": pl.String,
    "actors": pl.Int64,
    "alive": pl.Int64,
    "calls": pl.Int64,
    "errors": pl.Int64,
    "restarts": pl.Int64,
    "p50_ms": pl.Float64,
    "p99_ms": pl.Float64,
    "last_error": pl.String,
    "seen_at": _TIME,
}
JOBS: dict[str, Any] = {
    "job_id": pl.String,
    "kind": pl.String,
    "state": pl.String,
    "owner": pl.String,
    "priority": pl.Int64,
    "done": pl.Int64,
    "total": pl.Int64,
    "rate": pl.Float64,
    "eta_s": pl.Float64,
    "error": pl.String,
    "created_at": _TIME,
    "updated_at": _TIME,
    "spec": pl.String,
}
RUNS: dict[str, Any] = {
    "result_id": pl.String,
    "kind": pl.String,
    "title": pl.String,
    "owner": pl.String,
    "job_id": pl.String,
    "created_at": _TIME,
    "metrics": pl.String,
    "context": pl.String,
    "warnings": pl.List(pl.String),
}
INDICATORS: dict[str, Any] = {
    "name": pl.String,
    "family": pl.String,
    "inputs": pl.List(pl.String),
    "outputs": pl.List(pl.String),
    "units": pl.List(pl.String),
    "warmup": pl.Int64,
    "params": pl.String,
    "description": pl.String,
    "formula": pl.String,
}
INSTRUMENTS: dict[str, Any] = {
    "symbol": pl.String,
    "name": pl.String,
    "sector": pl.String,
    "first": _TIME,
    "last": _TIME,
    "bars": pl.Int64,
}
EVENTS: dict[str, Any] = {
    "seq": pl.Int64,
    "routing_key": pl.String,
    "type": pl.String,
    "as_of": _TIME,
    "occurred_at": _TIME,
    "correlation_id": pl.String,
    "body": pl.String,
}


def table(rows: Iterable[BaseModel], schema: dict[str, Any]) -> pl.DataFrame:
    """One row a model, in the order given; what is a JSON object in a model is its text here."""
    wanted = set(schema)
    found = [_plain(row.model_dump(include=wanted), schema) for row in rows]
    return pl.DataFrame(found, schema=schema)


def signal_table(signals: Sequence[Signal] | Sequence[SignalView], *, stored: bool = False) -> pl.DataFrame:
    """Signals in the order given, with their votes; `stored` adds revision and missing agents."""
    return table(signals, STORED if stored else SIGNALS)


def event_table(events: Iterable[EventView]) -> pl.DataFrame:
    """Events in the order given; `body` is the whole event as JSON."""
    return table(events, EVENTS)


def bars_table(found: BarsView) -> pl.DataFrame:
    """One symbol's bars as `load_bars` gives them, oldest first, with `gap`."""
    columns: dict[str, Any] = {"ts": pl.Series(found.ts, dtype=_TIME)}
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = pl.Series(getattr(found, name), dtype=pl.Float64)
    columns["gap"] = pl.Series(found.gap, dtype=pl.Boolean)
    frame = pl.DataFrame(columns).select(pl.lit(found.symbol).alias("symbol"), pl.all())
    return frame if found.adjust == "splits" else frame.with_columns(adjust=pl.lit(found.adjust))


def indicator_table(found: IndicatorSeries) -> pl.DataFrame:
    """`ts` and one column an output; NaN while warming up, as the functions give it."""
    outputs = {name: pl.Series(values, dtype=pl.Float64) for name, values in found.outputs.items()}
    frame = pl.DataFrame({"ts": pl.Series(found.ts, dtype=_TIME), **outputs})
    return frame.with_columns(pl.col(*outputs).fill_null(float("nan")))


def _plain(row: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A row in the order of the schema."""
    return {name: _text(row[name]) if kind == pl.String else row[name] for name, kind in schema.items()}


def _text(value: Any) -> str | None:
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return None if value is None else str(value)  # an enum's str is its value
