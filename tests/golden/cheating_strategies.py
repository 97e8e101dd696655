"""Strategies that cheat on purpose: `goldensignals check` must refuse every one of them.

They are what people write by mistake: pandas one-liners and filters that are run over the whole history at once. Right
shapes otherwise, and good enough in a backtest to be believed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agents.backtest.orders import Orders
from agents.expr import Votes
from data.contracts.arrays import Bools, Floats
from data.contracts.panel import Panel

WINDOW = 10  # bars, even: as many after as before
Signals = Callable[[Floats], tuple[Bools, Bools]]


@dataclass(frozen=True)
class Cheat:
    """A rule on the closes of one symbol, for every symbol by itself."""

    name: str
    signals: Signals
    scope: str = "symbol"

    def evaluate(self, panel: Panel, votes: Votes) -> Orders:
        """Decisions of every bar."""
        found = [self.signals(close) for close in np.split(panel.close, panel.offsets[1:-1])]
        return Orders.of(*(np.concatenate(column) for column in zip(*found, strict=True)))


def shift_back(close: Floats) -> tuple[Bools, Bools]:
    """shift(-1): buys what rises tomorrow."""
    rises = np.append(close[1:], close[-1]) > close
    return rises, ~rises


def centred_window(close: Floats) -> tuple[Bools, Bools]:
    """rolling(center=True): half of its window lies ahead."""
    smooth = _means(close, before=WINDOW // 2, after=WINDOW // 2)
    return close < smooth, close > smooth


def full_sample_zscore(close: Floats) -> tuple[Bools, Bools]:
    """Mean and deviation of the whole history, its future included."""
    z = (close - close.mean()) / (close.std() + 1.0)
    return z < -1.0, z > 0.0


def back_fill(close: Floats) -> tuple[Bools, Bools]:
    """bfill: where it has no value yet it takes the next one there will be."""
    change = np.append(np.nan, np.diff(close)) / close
    change[np.abs(change) < 0.01] = np.nan  # quiet days say nothing
    for i in range(close.size - 2, -1, -1):
        if np.isnan(change[i]):
            change[i] = change[i + 1]
    return change > 0.0, change < 0.0


def smoothed_regime(close: Floats) -> tuple[Bools, Bools]:
    """Two regimes of returns, up and down, by the smoothed (forward-backward) probabilities instead of the filtered."""
    up = forward_backward(np.diff(np.log(close), prepend=np.log(close[0])), means=(0.002, -0.002))
    return up > 0.5, up < 0.5


def forward_backward(
    returns: Floats, *, means: Sequence[float], deviation: float = 0.015, stay: float = 0.97
) -> Floats:
    """Probability of the first of two hidden states given all returns. Source: Rabiner (1989), sec. III."""
    density = np.exp(-0.5 * ((returns[:, None] - np.array(means)) / deviation) ** 2)
    move = np.array([[stay, 1.0 - stay], [1.0 - stay, stay]])
    ahead, back = np.empty_like(density), np.ones_like(density)
    state = np.full(2, 0.5)
    for t in range(returns.size):
        state = (state @ move) * density[t]
        state /= state.sum()
        ahead[t] = state
    for t in range(returns.size - 2, -1, -1):
        back[t] = move @ (density[t + 1] * back[t + 1])
        back[t] /= back[t].sum()
    both = ahead * back
    smoothed: Floats = both[:, 0] / both.sum(axis=1)
    return smoothed


def _means(values: Floats, *, before: int, after: int) -> Floats:
    return np.array([values[max(i - before, 0) : i + after + 1].mean() for i in range(values.size)])


SHIFT_BACK = Cheat("shift_back", shift_back)
CENTRED_WINDOW = Cheat("centred_window", centred_window)
FULL_SAMPLE_ZSCORE = Cheat("full_sample_zscore", full_sample_zscore)
BACK_FILL = Cheat("back_fill", back_fill)
SMOOTHED_REGIME = Cheat("smoothed_regime", smoothed_regime)
CHEATS = (SHIFT_BACK, CENTRED_WINDOW, FULL_SAMPLE_ZSCORE, BACK_FILL, SMOOTHED_REGIME)
