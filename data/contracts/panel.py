"""The Panel: bars of many symbols as one sorted, ragged, columnar block, with a content hash.

It is the unit that is put once into Ray's object store and handed to kernels and agents. All arrays are
plain NumPy, so a pickle (protocol 5) carries them out of band and a reader on the same node maps them
without copying. Arrays may be read-only; nobody writes into a Panel.

A symbol is hashed row by row, so that a history which goes on is hashed on from where it was: `RunningDigests`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from data.contracts.arrays import Bools, Floats, Ints, runs
from data.contracts.errors import InvalidInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume")
_ROW = np.dtype([("ts", "<i8"), *((name, "<f8") for name in COLUMNS), ("gap", "?")])  # what is hashed of a bar
_BLOCK_ROWS = 4096


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of a time-zone-aware moment."""
    if moment.tzinfo is None:
        raise InvalidInput(f"the time {moment} has no time zone; add one, for example {moment.isoformat()}+00:00")
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The aware UTC moment of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=int(micros))


@dataclass(frozen=True, eq=False)
class DatedSeries:
    """Facts that are not bars (VIX, rates, ...), each with the moment it became known.

    Shapes: known_at (M,) int64 microseconds UTC, ascending; every array of `values` (M,) float64.
    """

    name: str
    known_at: Ints
    values: Mapping[str, Floats]

    def index_at(self, ts: Ints) -> Ints:
        """For each moment the index of the newest row with known_at <= ts; -1 where nothing was known yet."""
        return np.searchsorted(self.known_at, ts, side="right").astype(np.int64) - 1

    def until(self, micros: int) -> DatedSeries:
        """Only the rows known at that moment."""
        end = int(np.searchsorted(self.known_at, micros, side="right"))
        return DatedSeries(self.name, self.known_at[:end], {k: v[:end] for k, v in self.values.items()})

    @cached_property
    def digest(self) -> str:
        """SHA-256 over name, times and values."""
        return _digest(self.name, self.known_at, *(a for k in sorted(self.values) for a in (k, self.values[k])))


@dataclass(frozen=True, eq=False)
class Panel:
    """Bars of S symbols, N rows in all, sorted by symbol, then time.

    Shapes: offsets (S+1,) int64, symbol s owns rows offsets[s]:offsets[s+1]; ts (N,) int64 microseconds UTC of
            the bar's close; open, high, low, close, volume (N,) float64; gap (N,) bool.
    Units:  prices in quote currency, volume in units traded; no NaN: bad rows were quarantined before.
    gap:    True where rows right before this one were quarantined.
    Every symbol has at least one bar; symbols are in ascending order.
    """

    symbols: tuple[str, ...]
    offsets: Ints
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    gap: Bools
    frame: str = "1d"
    adjust: str = "splits"
    context: Mapping[str, DatedSeries] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.ts.size)

    # -- parts of a panel: views, nothing is copied unless said --------------------------------------------

    def index(self, symbol: str) -> int:
        """Position of a symbol. Raises InvalidInput naming the symbol when the panel does not hold it."""
        position = int(np.searchsorted(self._symbol_array, symbol))
        if position == len(self.symbols) or self.symbols[position] != symbol:
            raise InvalidInput(
                f"there is no symbol {symbol!r} in these bars ({len(self.symbols)} symbols)", symbol=symbol
            )
        return position

    def slice(self, first: int, last: int) -> Panel:
        """Symbols first..last (exclusive) as a panel of views."""
        lo, hi = int(self.offsets[first]), int(self.offsets[last])
        return replace(
            self,
            symbols=self.symbols[first:last],
            offsets=self.offsets[first : last + 1] - lo,
            ts=self.ts[lo:hi],
            gap=self.gap[lo:hi],
            **{name: getattr(self, name)[lo:hi] for name in COLUMNS},
        )

    def of(self, symbol: str) -> Panel:
        """The panel of one symbol, as views."""
        position = self.index(symbol)
        return self.slice(position, position + 1)

    def select(self, symbols: Sequence[str]) -> Panel:
        """The panel of these symbols, in this panel's order (a copy unless they stand side by side)."""
        wanted = sorted(self.index(symbol) for symbol in set(symbols))
        if wanted and wanted[-1] - wanted[0] + 1 == len(wanted):
            return self.slice(wanted[0], wanted[-1] + 1)
        counts = np.diff(self.offsets)[wanted]
        keep = np.concatenate(
            [np.arange(self.offsets[s], self.offsets[s + 1]) for s in wanted] or [np.empty(0, np.int64)]
        )
        return self._take(tuple(self.symbols[s] for s in wanted), counts, keep)

    def until(self, moment: datetime | int) -> Panel:
        """Only bars closed at or before the moment (and context known then); symbols left empty are dropped."""
        micros = moment if isinstance(moment, int) else to_micros(moment)
        context = {name: series.until(micros) for name, series in self.context.items()}
        keep = self.ts <= micros
        if keep.all():
            return replace(self, context=context)
        counts = np.add.reduceat(keep, self.offsets[:-1], dtype=np.int64) if len(self) else np.zeros(0, np.int64)
        symbols = tuple(s for s, n in zip(self.symbols, counts, strict=True) if n)
        if len(self.symbols) == 1:  # a prefix: stay a view
            end = int(counts[0])
            return replace(self._take_slice(symbols, end), context=context)
        return replace(self._take(symbols, counts[counts > 0], np.flatnonzero(keep)), context=context)

    def between(self, after: int, until: int) -> Panel:
        """Only bars closed after one moment and until another, in microseconds, and the context known by then.

        Symbols without such a bar are dropped. The cost does not depend on the number of bars before.
        """
        lo, hi = self._rows_until(after), self._rows_until(until)
        some = np.flatnonzero(hi > lo)
        symbols, counts = tuple(self.symbols[s] for s in some), (hi - lo)[some]
        context = {name: series.until(until) for name, series in self.context.items()}
        return replace(self._take(symbols, counts, runs(lo[some], counts)), context=context)

    # -- facts about a panel -------------------------------------------------------------------------------

    @cached_property
    def sessions(self) -> Ints:
        """The shared session index: every distinct bar time of the panel, ascending."""
        return np.unique(self.ts)

    @cached_property
    def last_rows(self) -> Ints:
        """Row of each symbol's newest bar, (S,)."""
        return self.offsets[1:] - 1

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """One SHA-256 per symbol over its name and its bars: times, prices, volume and gap marks."""
        running = RunningDigests()
        running.add(self)
        return running.of(self.symbols)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over frame, adjustment and the digests of all symbols: the identity of these bars."""
        return content_hash(self.frame, self.adjust, self.digests)

    @cached_property
    def _symbol_array(self) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
        return np.array(self.symbols, dtype=np.str_)

    def _rows_until(self, micros: int) -> Ints:
        """Row after the last one closed by then, of each symbol."""
        lo, hi = self.offsets[:-1], self.offsets[1:]
        while (apart := lo < hi).any():  # all symbols halve their rows together
            middle = (lo + hi) // 2
            due = self.ts[np.where(apart, middle, 0)] <= micros
            lo, hi = np.where(apart & due, middle + 1, lo), np.where(apart & ~due, middle, hi)
        return lo

    def _take(self, symbols: tuple[str, ...], counts: Ints, rows: Ints) -> Panel:
        return replace(
            self,
            symbols=symbols,
            offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)]),
            ts=self.ts[rows],
            gap=self.gap[rows],
            **{name: getattr(self, name)[rows] for name in COLUMNS},
        )

    def _take_slice(self, symbols: tuple[str, ...], end: int) -> Panel:
        return replace(
            self,
            symbols=symbols,
            offsets=np.array([0, end] if symbols else [0], dtype=np.int64),
            ts=self.ts[:end],
            gap=self.gap[:end],
            **{name: getattr(self, name)[:end] for name in COLUMNS},
        )


class RunningDigests:
    """The digest of every symbol of a history that goes on: a new bar costs the same after any number of bars."""

    def __init__(self) -> None:
        self._shas: dict[str, Any] = {}  # hashlib's objects have no public type

    def add(self, panel: Panel) -> None:
        """Bars that follow those added before."""
        edges, first = panel.offsets.tolist(), 0
        for last in range(1, len(panel.symbols) + 1):  # whole symbols, so many that a block stays in the cache
            if edges[last] - edges[first] >= _BLOCK_ROWS or last == len(panel.symbols):
                self._add(panel, first, edges[first : last + 1])
                first = last

    def _add(self, panel: Panel, first: int, edges: list[int]) -> None:
        """The bars of a few symbols, laid out row by row."""
        rows = np.empty(edges[-1] - edges[0], _ROW)
        for name in _ROW.names or ():
            rows[name] = getattr(panel, name)[edges[0] : edges[-1]]
        text = rows.view(np.uint8).data
        for number, (lo, hi) in enumerate(pairwise(edges), start=first):
            symbol = panel.symbols[number]
            if symbol not in self._shas:
                label = symbol.encode()
                self._shas[symbol] = hashlib.sha256(f"s{len(label)};".encode() + label)
            self._shas[symbol].update(text[(lo - edges[0]) * _ROW.itemsize : (hi - edges[0]) * _ROW.itemsize])

    def of(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """The digests of these symbols, as `Panel.digests` of all bars added so far."""
        return tuple(self._shas[symbol].hexdigest() for symbol in symbols)


def content_hash(frame: str, adjust: str, digests: Sequence[str]) -> str:
    """SHA-256 over frame, adjustment and the digests of symbols in order: `Panel.content_hash` of their bars."""
    return _digest(frame, adjust, *digests)


def _digest(*parts: object) -> str:
    """SHA-256 of a sequence of texts and arrays; each part's length is hashed too, so parts cannot run together."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            block = np.ascontiguousarray(part)
            sha.update(f"{block.dtype.str}{block.size};".encode())
            sha.update(block.view(np.uint8).data)
        else:
            text = str(part).encode()
            sha.update(f"s{len(text)};".encode() + text)
    return sha.hexdigest()
