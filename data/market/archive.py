"""Bars for reading: those of the feed, opened once when somebody first asks, and those that clients uploaded.

Nothing is computed here, so neither Numba nor Ray is needed: the gateway reads bars with it too.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

import numpy as np
import polars as pl
import pyarrow as pa

from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput, NotFound, TemporarilyUnavailable
from data.contracts.panel import Panel, from_micros, to_micros
from data.market.load import load_bars
from data.market.quality import is_loaded
from data.market.sample import companies
from data.market.source import Bars, open_bars, with_context
from data.market.unpack import unpack

FEED = "feed"  # source of a scan: the bars of the feed
UPLOAD = "upload:"  # source of a scan: "upload:" and the hash of the bytes


@dataclass(frozen=True)
class Listed:
    """A symbol of the bars, with its first and newest bar and how many there are; name and sector where known."""

    symbol: str
    name: str | None
    sector: str | None
    first: datetime
    last: datetime
    bars: int


@dataclass(frozen=True, eq=False)
class Closes:
    """Closes of S symbols (ascending) at T sessions.

    Shapes: ts (T,) int64 microseconds UTC, ascending; close (S, T) float64, NaN where a symbol has no bar.
    """

    symbols: tuple[str, ...]
    ts: Ints
    close: Floats


class Archive:
    """The bars of one source. `find` says which source that is; another answer opens the other one."""

    def __init__(self, find: Callable[[], Awaitable[str]]) -> None:
        self._find = find
        self._opening = asyncio.Lock()
        self._opened: tuple[str, Bars] | None = None

    async def bars(self) -> Bars:
        """All of them, opened at the first call, off the event loop. Raises InvalidInput when they cannot be used."""
        source = await self._find()
        async with self._opening:
            if self._opened is None or self._opened[0] != source:
                self._opened = source, await asyncio.to_thread(_open, source)
            return self._opened[1]

    async def of(self, symbol: str, *, until: datetime | None) -> Panel:
        """One symbol's bars closed by then, as views. Raises NotFound for a symbol without any."""
        whole = (await self.bars()).panel
        try:
            panel = whole.of(symbol)
        except InvalidInput as problem:
            raise NotFound(str(problem), symbol=symbol) from None
        return panel if until is None else panel.until(until)

    async def session_at(self, moment: datetime) -> datetime | None:
        """The newest session closed by then; None before the first one."""
        sessions = (await self.bars()).panel.sessions
        place = int(np.searchsorted(sessions, to_micros(moment), side="right"))
        return from_micros(int(sessions[place - 1])) if place else None

    async def instruments(self, *, until: datetime | None) -> list[Listed]:
        """Every symbol that has a bar by then, in alphabetical order."""
        panel = (await self.bars()).panel
        keep = np.ones(len(panel), np.int64) if until is None else (panel.ts <= to_micros(until)).astype(np.int64)
        counts = np.add.reduceat(keep, panel.offsets[:-1])
        facts = company_facts()
        return [
            Listed(
                symbol,
                *facts.get(symbol, (None, None)),
                first=from_micros(int(panel.ts[start])),
                last=from_micros(int(panel.ts[start + count - 1])),
                bars=int(count),
            )
            for symbol, start, count in zip(panel.symbols, panel.offsets[:-1], counts, strict=True)
            if count
        ]

    async def closes(self, sessions: int, *, until: datetime | None) -> Closes:
        """Closes of the newest so many sessions by then, of every symbol that has a bar in them."""
        panel = (await self.bars()).panel
        stop = None if until is None else int(np.searchsorted(panel.sessions, to_micros(until), side="right"))
        window = panel.sessions[:stop][-sessions:]
        if not window.size:
            return Closes((), window, np.empty((0, 0)))
        rows = np.flatnonzero((panel.ts >= window[0]) & (panel.ts <= window[-1]))
        owners, columns = np.unique(np.searchsorted(panel.offsets, rows, side="right") - 1, return_inverse=True)
        table = np.full((owners.size, window.size), np.nan)
        table[columns, np.searchsorted(window, panel.ts[rows])] = panel.close[rows]
        return Closes(tuple(panel.symbols[owner] for owner in owners), window, table)

    async def day_returns(self, session: datetime) -> dict[str, float]:
        """Close over the close before, less 1, of every symbol with a bar at exactly that session and one before."""
        panel = (await self.bars()).panel
        rows = np.flatnonzero(panel.ts == to_micros(session))
        owners = np.searchsorted(panel.offsets, rows, side="right") - 1
        inner = rows > panel.offsets[owners]
        rows, owners = rows[inner], owners[inner]
        returns = panel.close[rows] / panel.close[rows - 1] - 1.0
        return {panel.symbols[owner]: float(value) for owner, value in zip(owners, returns, strict=True)}


@cache
def company_facts() -> dict[str, tuple[str | None, str | None]]:
    """Symbol -> name, sector, of the companies the project knows."""
    return {symbol: (name, sector) for symbol, name, sector in companies().iter_rows()}


def read_upload(body: bytes) -> Bars:
    """Uploaded bars, checked: Parquet, or an Arrow IPC file or stream, told by their first bytes.

    Columns as `data.market.load.load_bars` takes them; bars shorter than a day in its long format (`ts` = close of the
    bar, UTC, microseconds; prices and volume float64). Raises InvalidInput saying what to do, also for bytes that would
    unpack to far more than any bars (`data.market.unpack`).
    """
    try:
        table = unpack(body)
    except (pa.ArrowException, ValueError, IndexError, OSError, EOFError, MemoryError, struct.error) as problem:
        line = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise InvalidInput(
            f"the body cannot be read as bars ({line[:200]}); send a Parquet file, or an Arrow IPC file or stream"
        ) from None
    frame = _polars(table)
    return with_context("upload", frame if is_loaded(frame) else load_bars(frame))


def uploads_folder(home: Path) -> Path:
    """Where the bytes of uploads lie, each under its hash."""
    return home / "lake" / "uploads"


def keep_upload(home: Path, data_hash: str, body: bytes) -> None:
    """Put uploaded bytes into the lake; whole or not at all, also when the machine stops.

    Raises TemporarilyUnavailable when the disk does not take them.
    """
    folder = uploads_folder(home)
    draft = folder / f".{data_hash}.{uuid4().hex}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with draft.open("xb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(folder / data_hash)
    except OSError as problem:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise TemporarilyUnavailable(f"the bars cannot be kept now ({problem.strerror}); try again later") from problem


def drop_upload(home: Path, data_hash: str) -> None:
    """Take the bytes of an upload that was not accepted out of the lake."""
    with suppress(OSError):  # they are in nobody's way but the disk's
        (uploads_folder(home) / data_hash).unlink(missing_ok=True)


def has_upload(home: Path, data_hash: str) -> bool:
    """Whether the bytes of an upload are in the lake."""
    return (uploads_folder(home) / data_hash).is_file()


def open_upload(home: Path, data_hash: str) -> Bars:
    """Bars that were uploaded before. Raises NotFound when they are not there, InvalidInput when they were changed."""
    try:
        body = (uploads_folder(home) / data_hash).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there are no uploaded bars {data_hash}; send them with PUT /v1/bars/{data_hash}") from None
    if hash_of(body) != data_hash:
        raise InvalidInput(f"the uploaded bars {data_hash} were changed on disk; upload them again")
    return read_upload(body)


def hash_of(body: bytes) -> str:
    """SHA-256 of uploaded bytes, as hex digits."""
    return hashlib.sha256(body).hexdigest()


def _open(source: str) -> Bars:
    bars = open_bars(source)
    _ = bars.panel.content_hash, bars.panel.sessions  # both take a while the first time
    return bars


def _polars(table: pa.Table) -> pl.DataFrame:
    try:
        frame = pl.from_arrow(table)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, TypeError, ValueError) as e:
        raise InvalidInput(f"a column of the body has a type that bars cannot have ({str(e)[:200]})") from None
    assert isinstance(frame, pl.DataFrame)  # of a table, never of an array
    return frame
