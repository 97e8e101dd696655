"""Indicators of volatility and prices made of prices, written down plainly from their published definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from data.contracts.arrays import Floats

Bands = tuple[Floats, Floats, Floats]


def starc(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, atr_window: int) -> Bands:
    """Simple average and average true range."""
    middle, reach = _mean(close, window), multiplier * _wilder_range(high, low, close, atr_window)
    return middle + reach, middle, middle - reach


def atr_bands(high: Floats, low: Floats, close: Floats, window: int, multiplier: float) -> tuple[Floats, Floats]:
    """The close and average true range."""
    reach = multiplier * _wilder_range(high, low, close, window)
    return close + reach, close - reach


def aberration(high: Floats, low: Floats, close: Floats, window: int, atr_window: int) -> Bands:
    """Average typical price and average true range."""
    middle, reach = _mean((high + low + close) / 3.0, window), _wilder_range(high, low, close, atr_window)
    return middle + reach, middle, middle - reach


def ulcer(close: Floats, window: int) -> Floats:
    """Each bar's fall from the maximum of its own window, squared, averaged."""
    falls = _over(window, lambda values: (100.0 * (values[-1] - values.max()) / values.max()) ** 2, close)
    return np.asarray(np.sqrt(_mean(falls, window)))


def adr_percent(high: Floats, low: Floats, window: int) -> Floats:
    """Mean of high over low."""
    return 100.0 * (_mean(high / low, window) - 1.0)


def thermometer(high: Floats, low: Floats, window: int) -> tuple[Floats, Floats]:
    """The larger protrusion, none for an inside bar."""
    heat = np.full(high.size, np.nan)
    for i in range(1, high.size):
        heat[i] = max(high[i] - high[i - 1], low[i - 1] - low[i], 0.0)
    return heat, _smoothed(heat, window, 2.0 / (window + 1.0))


def volatility_ratio(high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    """True range over the average before."""
    before = np.concatenate([[np.nan], _wilder_range(high, low, close, window)[:-1]])
    return np.array([now / mean for now, mean in zip(_true_range(high, low, close), before, strict=True)])


def gapo(high: Floats, low: Floats, window: int) -> Floats:
    """Logarithm of the range to the base of the window."""
    top, bottom = _over(window, np.max, high), _over(window, np.min, low)
    return np.array([np.log(wide) / np.log(window) for wide in top - bottom])


def historical_volatility(close: Floats, window: int, periods: float, divisor: str, returns: str) -> Floats:
    """Sample deviation of log returns."""
    assert (divisor, returns) == ("sample", "log")
    return _over(window, lambda moves: moves.std(ddof=1) * np.sqrt(periods), _moves(close))


def realised_volatility(close: Floats, window: int, periods: float) -> Floats:
    """Root mean square of log returns."""
    return _over(window, lambda moves: np.sqrt(periods * np.mean(moves**2)), _moves(close))


def ewma_volatility(close: Floats, decay_factor: float, periods: float) -> Floats:
    """The recursion of RiskMetrics."""
    squares = _moves(close) ** 2
    out = np.full(close.size, np.nan)
    out[1] = squares[1]
    for i in range(2, close.size):
        out[i] = decay_factor * out[i - 1] + (1.0 - decay_factor) * squares[i]
    return np.sqrt(periods * out)


def parkinson(high: Floats, low: Floats, window: int, periods: float) -> Floats:
    """Range estimator."""
    return np.sqrt(periods * _mean(np.log(high / low) ** 2 / (4.0 * np.log(2.0)), window))


def garman_klass(
    open_: Floats, high: Floats, low: Floats, close: Floats, window: int, periods: float, overnight: str
) -> Floats:
    """Range less body."""
    assert overnight == "ignored"
    daily = 0.5 * np.log(high / low) ** 2 - (2.0 * np.log(2.0) - 1.0) * np.log(close / open_) ** 2
    return np.sqrt(periods * _mean(daily, window))


def rogers_satchell(open_: Floats, high: Floats, low: Floats, close: Floats, window: int, periods: float) -> Floats:
    """u (u - c) + d (d - c) of log prices against the open."""
    u, d, c = np.log(high) - np.log(open_), np.log(low) - np.log(open_), np.log(close) - np.log(open_)
    return np.sqrt(periods * _mean(u * (u - c) + d * (d - c), window))


def semi_deviation(close: Floats, window: int, periods: float) -> Floats:
    """Only moves below the mean count."""

    def below(moves: Floats) -> float:
        short = moves[moves < moves.mean()] - moves.mean()
        return float(np.sqrt(periods * (short**2).sum() / window))

    return _over(window, below, _moves(close))


def downside_volatility(close: Floats, window: int, target: float, periods: float) -> Floats:
    """Only moves below the target count."""
    return _over(
        window,
        lambda moves: np.sqrt(periods * sum((m - target) ** 2 for m in moves if m < target) / window),
        _moves(close),
    )


def max_drawdown(close: Floats, window: int) -> Floats:
    """Every pair of bars of the window."""
    return _over(window, lambda values: (values / np.maximum.accumulate(values) - 1.0).min(), close)


def true_range_percent(high: Floats, low: Floats, close: Floats) -> Floats:
    """Against the close before."""
    ranges = _true_range(high, low, close)
    return np.array([np.nan, *(100.0 * ranges[i] / close[i - 1] for i in range(1, close.size))])


def log_return(close: Floats, window: int) -> Floats:
    """Difference of logarithms."""
    return np.concatenate([np.full(window, np.nan), np.log(close[window:]) - np.log(close[:-window])])


def percent_return(close: Floats, window: int) -> Floats:
    """Relative difference."""
    return np.concatenate([np.full(window, np.nan), (close[window:] - close[:-window]) / close[:-window]])


def cumulative_return(close: Floats) -> Floats:
    """Against the first bar."""
    return np.array([now / close[0] - 1.0 for now in close])


def drawdown(close: Floats) -> Floats:
    """Against the record so far."""
    return np.array([(now - max(close[: i + 1])) / max(close[: i + 1]) for i, now in enumerate(close)])


def overnight_return(open_: Floats, close: Floats) -> Floats:
    """From close to open."""
    return np.concatenate([[np.nan], (open_[1:] - close[:-1]) / close[:-1]])


def intraday_return(open_: Floats, close: Floats) -> Floats:
    """From open to close."""
    return (close - open_) / open_


def renko(close: Floats, brick: float, start: str) -> tuple[Floats, ...]:
    """One brick at a time."""
    assert start == "multiple"
    return _bricks(close, np.full(close.size, brick), float(round(close[0] / brick) * brick), 0)


def renko_atr(high: Floats, low: Floats, close: Floats, window: int) -> tuple[Floats, ...]:
    """One brick at a time, of the range of its bar."""
    return _bricks(close, _wilder_range(high, low, close, window), close[window], window)


def _bricks(close: Floats, sizes: Floats, edge: float, first: int) -> tuple[Floats, ...]:
    rows = np.full((4, close.size), np.nan)
    last, side = (edge, edge), 0
    for i in range(first, close.size):
        made = 0
        while close[i] >= max(last) + sizes[i]:
            last, side, made = (max(last), max(last) + sizes[i]), 1, made + 1
        while close[i] <= min(last) - sizes[i]:
            last, side, made = (min(last), min(last) - sizes[i]), -1, made - 1
        rows[:, i] = *last, side, made
    return tuple(rows)


def _over(window: int, value: Callable[[Floats], float], column: Floats) -> Floats:
    """A function of the window's values, for every window without NaN."""
    out = np.full(column.size, np.nan)
    for i in range(window - 1, out.size):
        if np.isfinite(column[i - window + 1 : i + 1]).all():
            out[i] = value(column[i - window + 1 : i + 1])
    return out


def _mean(column: Floats, window: int) -> Floats:
    return _over(window, np.mean, column)


def _moves(close: Floats) -> Floats:
    return np.concatenate([[np.nan], np.diff(np.log(close))])


def _true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    ranges = [max(high[i], close[i - 1]) - min(low[i], close[i - 1]) for i in range(1, close.size)]
    return np.array([np.nan, *ranges])


def _wilder_range(high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    return _smoothed(_true_range(high, low, close), window, 1.0 / window)


def _smoothed(values: Floats, window: int, share: float) -> Floats:
    """Exponential smoothing from the mean of the first `window` values on."""
    first = int(np.flatnonzero(np.isfinite(values))[0])
    out = np.full(values.size, np.nan)
    out[first + window - 1] = values[first : first + window].mean()
    for i in range(first + window, values.size):
        out[i] = share * values[i] + (1.0 - share) * out[i - 1]
    return out
