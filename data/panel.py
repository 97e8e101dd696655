"""Bars to a Panel and back, without copying prices where they are already in order.

The Panel type itself is `data.contracts.panel.Panel`.
"""

from collections.abc import Iterable

import numpy as np
import polars as pl

from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, DatedSeries, Panel
from data.market import frames
from data.market.dates import TS
from data.market.quality import Quarantined, check


def build(
    bars: pl.DataFrame, *, frame: str | None = None, adjust: str | None = None, context: Iterable[DatedSeries] = ()
) -> tuple[Panel, Quarantined]:
    """Check bars, sort them and lay them out as a Panel; the rows that failed come back beside it.

    Shapes: bars as `load_bars` returns them, N rows, any order -> panel of at most N bars. Clean bars in order (by
            symbol, then time) are shared with the frame, not copied; the arrays are then read-only.
    frame:  None reads it off the spacing; bars with no two times of one symbol are taken as daily.
    adjust: None takes the `adjust` column where `load_bars` has left one, else "splits".
    gap:    as `data.market.quality.check` marks it, over what a `gap` column (of `to_frame`) already says.
    Raises: InvalidInput when no usable row is left, when a bar became known after its close (`known_at`), or when
            bars or context cannot be what they say.
    """
    if "known_at" in bars.columns and bars.select((pl.col("known_at") > pl.col("ts")).any()).item():
        raise InvalidInput(
            "some bars became known after their close (known_at > ts), and a panel would use them too early; "
            "leave those rows out, or drop known_at if it does not matter"
        )
    checked = check(bars)
    clean, quarantined = checked.bars, checked.quarantined
    if clean.is_empty():
        raise InvalidInput(f"no usable bar among {bars.height} rows; quarantined: {quarantined.by_reason}")
    first = clean.select((pl.col("symbol") != pl.col("symbol").shift(1)).fill_null(value=True)).to_series().to_numpy()
    starts = np.flatnonzero(first)
    if frame is None:
        step = frames.spacing(clean["symbol"], clean["ts"])
        frame = frames.name(step[0] if step else frames.DAY)
    panel = Panel(
        symbols=tuple(clean["symbol"].gather(starts).to_list()),
        offsets=np.append(starts, clean.height).astype(np.int64),
        ts=clean["ts"].to_physical().to_numpy(),
        **{name: clean[name].to_numpy() for name in COLUMNS},
        gap=clean["gap"].to_numpy(),
        frame=frames.canonical(frame),
        adjust=adjust or _adjustment(clean),
        context=_by_name(context),
    )
    return panel, quarantined


def to_frame(panel: Panel) -> pl.DataFrame:
    """A Panel as bars in long format: symbol, ts, open, high, low, close, volume, gap; times and prices are shared.

    `build(to_frame(panel))` gives a panel of the same content hash (for a frame that spacing can tell).
    """
    owner = np.repeat(np.arange(len(panel.symbols)), np.diff(panel.offsets))
    bars = pl.DataFrame(
        {
            "symbol": pl.Series(panel.symbols, dtype=pl.String).gather(owner),
            "ts": pl.Series(panel.ts).cast(TS),
            **{name: pl.Series(getattr(panel, name)) for name in COLUMNS},
            "gap": pl.Series(panel.gap),
        }
    )
    return bars if panel.adjust == "splits" else bars.with_columns(adjust=pl.lit(panel.adjust))


def _adjustment(bars: pl.DataFrame) -> str:
    if "adjust" not in bars.columns:
        return "splits"
    kinds = bars["adjust"].unique().to_list()
    if len(kinds) != 1:
        raise InvalidInput(f"these bars mix adjustments {sorted(map(str, kinds))}; build one panel for each")
    return str(kinds[0])


def _by_name(context: Iterable[DatedSeries]) -> dict[str, DatedSeries]:
    named: dict[str, DatedSeries] = {}
    for series in context:
        if named.setdefault(series.name, series) is not series:
            raise InvalidInput(f"two context series are called {series.name!r}; rename one")
    return named
