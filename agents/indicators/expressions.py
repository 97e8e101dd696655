"""Every indicator as a builder of Polars expressions: `expressions.rsi("close", 14).over("symbol")`."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from agents.indicators.registry import registered


def __getattr__(name: str) -> Callable[..., pl.Expr]:
    found = registered().get(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found.expression


def __dir__() -> list[str]:
    return list(registered())
