"""Reference values from outside sources, and seeded random bars."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.contracts.arrays import Floats, Ints

GOLDEN = Path(__file__).parents[3] / "golden"


@dataclass(frozen=True)
class Golden:
    """Expected columns of one indicator, and how they relate to ours.

    `since`: first row to compare; `lag`: theirs stand that many rows later; ours = theirs * `scale` + `add`.
    Each of these has its reason in `differences.csv`.
    """

    inputs: tuple[Floats, ...]
    params: dict[str, Any]
    expected: dict[str, Floats]
    since: int
    lag: int
    scale: float
    add: float


@dataclass(frozen=True)
class RandomBars:
    """A seeded random-walk panel of ragged symbols."""

    offsets: Ints
    columns: dict[str, Floats]

    def of(self, symbol: int, names: tuple[str, ...]) -> list[Floats]:
        """Columns of one symbol."""
        return [self.columns[name][self.offsets[symbol] : self.offsets[symbol + 1]] for name in names]


def read_golden(name: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Header and columns of a golden file."""
    lines = (GOLDEN / f"{name}.csv").read_text().splitlines()
    head = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    return head, {title: [row[i] for row in rows[1:]] for i, title in enumerate(rows[0])}


def numbers(texts: list[str]) -> Floats:
    """Numbers of a column."""
    return np.array([float(text) for text in texts])


@pytest.fixture
def quotes() -> dict[str, Floats]:
    """The 502 daily bars the golden files were made from; `other` is the close of a second stock on the same days."""
    _, columns = read_golden("quotes")
    return {name: numbers(columns[name]) for name in ("open", "high", "low", "close", "volume", "other")}


@pytest.fixture
def golden(quotes: dict[str, Floats]) -> Callable[[str], Golden]:
    """Reads the golden file of an indicator; a missing file fails the test that asks for it."""

    def read(name: str) -> Golden:
        head, columns = read_golden(name)
        assert head["tool"], f"{name}.csv must name the tool and version its values come from"
        assert head["licence"], f"{name}.csv must name the licence of its values"
        return Golden(
            inputs=tuple(quotes[column] for column in head["inputs"].split()[1:]),
            params={key: _value(text) for key, text in (pair.split("=") for pair in head.get("params", "").split())},
            expected={title: numbers(texts) for title, texts in columns.items()},
            since=int(head.get("from", "0")),
            lag=int(head.get("lag", "0")),
            scale=float(head.get("scale", "1")),
            add=float(head.get("add", "0")),
        )

    return read


def make_bars(lengths: list[int], seed: int = 7) -> RandomBars:
    """Geometric random walks with gaps overnight; volumes are whole numbers."""
    rng = np.random.default_rng(seed)
    rows = sum(lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    close = 80.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, rows)) % 1.5)
    open_ = close * np.exp(rng.normal(0.0, 0.004, rows))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 0.003, rows)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 0.003, rows)))
    volume = np.floor(rng.lognormal(10.0, 1.0, rows))
    other = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, rows)) % 1.5)
    return RandomBars(
        offsets, {"open": open_, "high": high, "low": low, "close": close, "volume": volume, "other": other}
    )


@pytest.fixture(scope="session")
def bars() -> RandomBars:
    """Twelve ragged symbols: more than one group of lanes, more than one block of rows, some shorter than a warm-up."""
    return make_bars([700, 3, 2600, 40, 257, 256, 1, 300, 1100, 64, 513, 90])


def _value(text: str) -> float | str:
    """A number, or the name of a variant."""
    try:
        return float(text)
    except ValueError:
        return text
