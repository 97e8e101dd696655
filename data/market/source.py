"""Where a run's bars come from: the bundled sample or a path; checked, laid out, with the dated context agents read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from data import panel as panels
from data.contracts.panel import Panel
from data.market import sample
from data.market.load import load_bars
from data.market.quality import Quarantined
from data.market.universe import Universe, resolve

SAMPLE = "sample"


@dataclass(frozen=True)
class Stamps:
    """How to read a file's times; see `load_bars`. Daily bars of US stocks need none of it."""

    frame: str | None = None
    stamp: Literal["open", "close"] | None = None
    tz: str | None = None
    calendar: str = "XNYS"


@dataclass(frozen=True)
class Bars:
    """Checked bars with their context, and the rows that could not be used."""

    source: str
    panel: Panel
    quarantined: Quarantined


def open_bars(source: str, stamps: Stamps | None = None) -> Bars:
    """Bars of "sample" or of a path. Raises InvalidInput saying what to do when they cannot be used."""
    if source == SAMPLE:
        return with_context(SAMPLE, sample.sample_bars())
    read = stamps or Stamps()
    frame = load_bars(Path(source), frame=read.frame, stamp=read.stamp, tz=read.tz, calendar=read.calendar)
    return with_context(Path(source).name, frame, frame_name=read.frame)


def with_context(source: str, bars: pl.DataFrame, *, frame_name: str | None = None) -> Bars:
    """Bars of `load_bars` as a checked panel that knows the VIX."""
    panel, quarantined = panels.build(bars, frame=frame_name, context=[sample.vix()])
    return Bars(source, panel, quarantined)


def choose_universe(bars: Bars, text: str | None) -> Universe:
    """The universe asked for; by default the S&P 500 in the sample, and every symbol of a file."""
    return resolve("@sp500" if text is None and bars.source == SAMPLE else text, bars.panel.symbols)
