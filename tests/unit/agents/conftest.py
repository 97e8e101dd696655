"""Seeded panels for the tests of agents: ragged random walks in cents, with a VIX known after the stocks' close."""

from collections.abc import Callable

import numpy as np
import pytest

from data.contracts.arrays import Floats
from data.contracts.panel import DatedSeries, Panel

DAY = 86_400_000_000  # microseconds
CLOSE = 21 * 3_600_000_000  # stocks close at 21:00 UTC
VIX_CLOSE = CLOSE + 900_000_000  # the VIX a quarter of an hour later
FIRST = 16_000 * DAY  # 2013-10-22

MakePanel = Callable[..., Panel]


@pytest.fixture(scope="session")
def make_panel() -> MakePanel:
    """`make_panel(seed, lengths)`: one symbol per length, all ending on the same day; prices in cents."""
    return build


def build(
    seed: int = 7, lengths: tuple[int, ...] = (700, 420, 700), *, vix_days: int = 1200, bursts: bool = True
) -> Panel:
    rng = np.random.default_rng(seed)
    longest = max(lengths)
    days = FIRST + DAY * np.arange(longest, dtype=np.int64)
    columns: dict[str, list[Floats]] = {c: [] for c in "ohlcv"}
    for n in lengths:
        size = 0.006 + 0.02 * (np.sin(np.arange(n) / 40.0) > 0.7) * bursts
        close = np.round(50.0 * np.cumprod(1.0 + rng.normal(0.0003, size, n)), 2)
        opened = np.round(close * (1.0 + rng.normal(0.0, 0.006, n)), 2)
        columns["o"].append(opened)
        columns["h"].append(np.round(np.maximum(opened, close) * (1.0 + 0.004 * rng.random(n)), 2))
        columns["l"].append(np.round(np.minimum(opened, close) * (1.0 - 0.004 * rng.random(n)), 2))
        columns["c"].append(close)
        columns["v"].append(rng.integers(1_000, 90_000, n).astype(np.float64))
    block = {c: np.concatenate(parts) for c, parts in columns.items()}
    known = FIRST + DAY * np.arange(longest - vix_days, longest, dtype=np.int64) + VIX_CLOSE
    spikes = np.where(rng.random(vix_days) > 0.97, 20.0, 0.0)
    level = np.round(15.0 + 10.0 * rng.random(vix_days) + spikes, 2)
    return Panel(
        symbols=tuple(f"S{i:03d}" for i in range(len(lengths))),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ts=np.concatenate([days[longest - n :] + CLOSE for n in lengths]),
        open=block["o"],
        high=block["h"],
        low=block["l"],
        close=block["c"],
        volume=block["v"],
        gap=np.zeros(sum(lengths), dtype=np.bool_),
        context={"vix": DatedSeries("vix", known, {"close": level})},
    )
