"""Every bar is kept or quarantined with a reason; none is repaired.

The first reason that applies, in the order of `REASONS`, is the one given. Comparisons are exact: a close one
float above the high is outside. NaN means missing, as null does (pandas knows no other). Of bars with one time
the first in the source's order is kept, and the others are quarantined even when they are equal to it.
A bar is out of order when its time is earlier than that of the row of its symbol right before it in the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

import numpy as np
import polars as pl

from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, PRICES
from data.market.dates import TS

REASONS = (
    "null",
    "non_finite",
    "price_not_positive",
    "high_below_low",
    "open_outside_range",
    "close_outside_range",
    "negative_volume",
    "duplicate_time",
    "out_of_order",
    "not_a_session",
)
SCHEMA: dict[str, pl.DataType] = {"symbol": pl.String(), "ts": TS, **dict.fromkeys(COLUMNS, pl.Float64())}

_RULES = {
    "null": pl.any_horizontal(pl.col(*SCHEMA).is_null(), pl.col(*COLUMNS).is_nan()),
    "non_finite": pl.any_horizontal(pl.col(*COLUMNS).is_infinite()),
    "price_not_positive": pl.any_horizontal(pl.col(*PRICES) <= 0.0),
    "high_below_low": pl.col("high") < pl.col("low"),
    "open_outside_range": ~pl.col("open").is_between("low", "high"),
    "close_outside_range": ~pl.col("close").is_between("low", "high"),
    "negative_volume": pl.col("volume") < 0.0,
}
# All value rules at once, for the common case of clean bars. NaN and null fail it: Polars orders NaN above inf.
_SOUND = pl.all_horizontal(
    pl.col("symbol").is_not_null(),
    pl.col("low") > 0.0,
    pl.col("low") <= pl.col("open"),
    pl.col("low") <= pl.col("close"),
    pl.col("open") <= pl.col("high"),
    pl.col("close") <= pl.col("high"),
    pl.col("high") < float("inf"),
    pl.col("volume") >= 0.0,
    pl.col("volume") < float("inf"),
)
_HEAD = pl.col("symbol").ne_missing(pl.col("symbol").shift(1)) | (pl.int_range(pl.len()) == 0)
_RISING = (_HEAD | (pl.col("ts") > pl.col("ts").shift(1))).fill_null(value=False) & pl.col("ts").is_not_null()


@dataclass(frozen=True, eq=False)
class Quarantined:
    """Rows that were taken out: symbol, ts, reason, open, high, low, close, volume; by symbol, then in source order."""

    frame: pl.DataFrame

    @property
    def total(self) -> int:
        """How many rows were taken out."""
        return self.frame.height

    @cached_property
    def by_reason(self) -> dict[str, int]:
        """Rows per reason, by name of the reason."""
        return _counts(self.frame["reason"])

    @cached_property
    def by_symbol(self) -> dict[str, int]:
        """Rows per symbol, by symbol; rows without a symbol count under the empty text."""
        return _counts(self.frame["symbol"].fill_null(""))

    def of(self, symbols: Sequence[str], until: int) -> Quarantined:
        """Only rows of these symbols at or before that time (microseconds UTC); rows without a time count as before."""
        then = pl.col("ts").to_physical() <= until
        return Quarantined(self.frame.filter(pl.col("symbol").is_in(symbols), then | pl.col("ts").is_null()))

    def summary(self) -> dict[str, object]:
        """The counts as one JSON object."""
        return {"total": self.total, "by_reason": self.by_reason, "by_symbol": self.by_symbol}


@dataclass(frozen=True, eq=False)
class Checked:
    """Bars that passed, sorted by symbol, then time, with a Boolean column `gap`; and those that did not pass.

    `gap` marks a bar when a row at an earlier time, which no kept bar has, was quarantined right before it.
    """

    bars: pl.DataFrame
    quarantined: Quarantined


def is_loaded(bars: object) -> TypeGuard[pl.DataFrame]:
    """Whether these are bars as `load_bars` gives them: the columns and types of `SCHEMA`."""
    return isinstance(bars, pl.DataFrame) and SCHEMA.items() <= dict(bars.schema).items()


def check(bars: pl.DataFrame) -> Checked:
    """Part bars into sound ones and quarantined ones.

    Shapes: bars with the columns of `SCHEMA`, in the source's order; other columns stay with their row. An optional
            Boolean `is_session` False (from `load_bars`) says that the bar's date is no session; it is used up here.
            A `gap` column that is there already is kept and added to.
    Edges:  bars that are clean and sorted come back as the same columns, not copied.
    Raises: InvalidInput when a column is missing or has another type.
    """
    _require(bars)
    bars = _grouped(bars)
    ascending = bool(bars.select(_RISING).to_series().all())
    sound = bars.select(_SOUND if "is_session" not in bars.columns else _SOUND & pl.col("is_session")).to_series()
    sound = sound.fill_null(value=False)
    if ascending and sound.all():
        clean, bad = bars, bars.clear().with_columns(reason=pl.lit(None, pl.String), at=pl.col("ts"))
    else:
        clean, bad = _part(bars, sound, ascending=ascending)
    clean = clean.drop("is_session", strict=False).rechunk()
    return Checked(_mark_gaps(clean, bad), Quarantined(bad.select("symbol", "ts", "reason", *COLUMNS)))


def _grouped(bars: pl.DataFrame) -> pl.DataFrame:
    """Rows of each symbol together, symbols ascending, in the source's order within each."""
    if bars["symbol"].is_sorted():
        return bars
    starts = np.flatnonzero(bars.select(_HEAD).to_series().to_numpy())
    heads = bars["symbol"].gather(starts)
    if not heads.is_unique().all():
        return bars.sort("symbol", maintain_order=True)
    ends = np.append(starts[1:], bars.height)  # whole blocks are moved: much cheaper than sorting rows
    return bars[np.concatenate([np.arange(starts[block], ends[block]) for block in heads.arg_sort().to_list()])]


def _part(bars: pl.DataFrame, sound: pl.Series, *, ascending: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Kept rows, by symbol and time; and the others, with their reason and `at`, the time that is now missing."""
    holiday = [pl.when(~pl.col("is_session")).then(pl.lit("not_a_session"))] if "is_session" in bars.columns else []
    value = [pl.when(rule).then(pl.lit(reason)) for reason, rule in _RULES.items()]
    if ascending:  # then no row is repeated or late, and the rules need only look at the unsound rows
        bad = bars.filter(~sound).with_columns(reason=pl.coalesce(*value, *holiday), at=pl.col("ts"))
        return bars.filter(sound), bad
    usable = pl.coalesce(*value).is_null()
    repeated = usable & pl.struct("symbol", "ts", usable.alias("usable")).is_first_distinct().not_()
    late = ~_HEAD & (pl.col("ts") < pl.col("ts").shift(1))
    order = [pl.when(repeated).then(pl.lit("duplicate_time")), pl.when(late).then(pl.lit("out_of_order"))]
    # A row without a time stands just after the row before it.
    moment = pl.coalesce("ts", pl.col("ts").forward_fill().over("symbol") + pl.duration(microseconds=1))
    marked = bars.with_columns(reason=pl.coalesce(*value, *order, *holiday), at=moment)
    kept = marked.filter(pl.col("reason").is_null()).drop("reason", "at").sort("symbol", "ts")
    return kept, marked.filter(pl.col("reason").is_not_null())


def _mark_gaps(clean: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """Add `gap`: the next bar after each quarantined row, unless a kept bar has that row's time."""
    gap = clean["gap"].to_numpy().copy() if "gap" in clean.columns else np.zeros(clean.height, np.bool_)
    lost = bad.select("symbol", ts="at").drop_nulls().sort("ts")
    if not lost.is_empty():
        rows = clean.select("symbol", "ts", row=pl.int_range(pl.len()), time="ts")
        kept = rows.filter(pl.col("symbol").is_in(lost["symbol"].unique().to_list())).sort("ts")
        following = lost.join_asof(kept, on="ts", by="symbol", strategy="forward", check_sortedness=False)
        gap[following.filter(pl.col("time") > pl.col("ts"))["row"].to_numpy()] = True
    return clean.with_columns(gap=pl.Series(gap))


def _require(bars: pl.DataFrame) -> None:
    missing = [name for name in SCHEMA if name not in bars.columns]
    if missing:
        raise InvalidInput(f"these bars have no column {', '.join(missing)}; read them with load_bars")
    for name, dtype in SCHEMA.items():
        if bars.schema[name] != dtype:
            raise InvalidInput(f"column {name} is {bars.schema[name]} and not {dtype}; read these bars with load_bars")


def _counts(names: pl.Series) -> dict[str, int]:
    return dict(sorted(names.alias("name").value_counts().iter_rows()))
