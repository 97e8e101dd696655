"""Bar lengths: `1d`, `1h`, `5m`, `30s`. One spelling per length; a length can be read off the spacing of bars."""

import re

import polars as pl

from data.contracts.errors import InvalidInput

SECOND = 1_000_000  # microseconds
DAY = 86_400 * SECOND

_UNITS = {"h": 3_600 * SECOND, "m": 60 * SECOND, "s": SECOND}
_SHORTEST_DAILY = 20 * _UNITS["h"]  # daily closes are 23 to 25 hours apart over a clock change


def length(frame: str) -> int:
    """Microseconds of a frame. Raises InvalidInput for anything but whole hours, minutes, seconds or 1d."""
    if frame == "1d":
        return DAY
    match = re.fullmatch(r"([1-9]\d{0,4})([hms])", frame)
    micros = int(match[1]) * _UNITS[match[2]] if match else DAY
    if micros >= DAY:
        raise InvalidInput(f"there is no frame {frame!r}; use 1d, or a shorter one such as 1h, 15m or 30s", frame=frame)
    return micros


def name(micros: int) -> str:
    """The one spelling of a length: 3,600,000,000 is `1h`, not `60m`; from 20 hours up it is `1d`."""
    if micros >= _SHORTEST_DAILY:
        return "1d"
    for unit, size in _UNITS.items():
        if micros % size == 0 and micros > 0:
            return f"{micros // size}{unit}"
    raise InvalidInput(f"bars {micros} microseconds apart have no frame; bars must be whole seconds long")


def canonical(frame: str) -> str:
    """A frame in its one spelling. Raises InvalidInput for an unknown one."""
    return name(length(frame))


def spacing(symbol: pl.Series, ts: pl.Series) -> tuple[int, int] | None:
    """The commonest distance between neighbouring bars of one symbol, and how often it occurs.

    Shapes: symbol and ts (N,), rows of a symbol in order of time or in reverse; ts Date or Datetime.
    Units:  microseconds, > 0. Of equally common distances the shortest counts.
    Edges:  None when no symbol has two different times.
    """
    bars = pl.DataFrame({"symbol": symbol, "at": ts.cast(pl.Datetime("us")).to_physical()})
    head = pl.col("symbol").ne_missing(pl.col("symbol").shift(1)) | (pl.int_range(pl.len()) == 0)
    if not bars.filter(head)["symbol"].is_unique().all():  # ordered by time, then symbol
        bars = bars.sort("symbol", maintain_order=True)
    steps = bars.select(pl.when(~head).then(pl.col("at").diff().abs()).alias("step")).to_series()
    counts = steps.filter(steps > 0).value_counts().sort("count", "step", descending=[True, False])
    return None if counts.is_empty() else (int(counts["step"][0]), int(counts["count"][0]))
