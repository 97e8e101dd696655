"""The metrics of `docs/backtests.md`, from equity curves and trades. Undefined is None with a reason, never 0 or inf.

Sums run in kernels or in `math.fsum`: the same bits on every machine, whatever its vectors' width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.kernels import simulate
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.panel import from_micros

KEYS = (
    "total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "omega", "max_drawdown",
    "max_drawdown_duration", "win_rate", "profit_factor", "expectancy", "sqn", "trades", "exposure", "turnover",
    "fees_paid", "break_even_bps",
)  # fmt: skip
SAME = 1e-12  # a spread below this share of the mean is rounding
BROKE = "the equity fell to zero or below, and bar returns do not exist from there on"
SHARED = "symbols share the cash and have no equity of their own"
NO_CLOSED = "no trade was closed"
HIGHEST_FEE = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Trades:
    """Trades as the kernels leave them: whole (T, 5) and real (T, 6), described in `agents.kernels.simulate`."""

    whole: Ints
    real: Floats

    @property
    def symbol(self) -> Ints:
        """Position of each trade's symbol in the panel, (T,)."""
        return self.whole[:, 0]

    @property
    def closed(self) -> Bools:
        """Whether the position was closed, (T,)."""
        closed: Bools = self.whole[:, 4] != simulate.OPEN
        return closed

    @property
    def pnl(self) -> Floats:
        """Money made, after fees and borrow; of an open position at the last close, (T,)."""
        shares, entry, leave, fees, lent = self.real[:, :5].T
        made: Floats = self.whole[:, 3] * shares * (leave - entry) - fees - lent
        return made

    @property
    def returns(self) -> Floats:
        """`pnl` over the value of the shares at entry, (T,)."""
        return self.pnl / (self.real[:, 0] * self.real[:, 1])


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """Metrics of one curve and the reasons of those that are None."""

    metrics: dict[str, float | None]
    reasons: dict[str, str]

    def put(self, key: str, value: float | None, why_not: str = "") -> None:
        """Set a metric; None needs its reason."""
        if value is None or not math.isfinite(value):
            self.metrics[key], self.reasons[key] = None, why_not or "it is not a finite number"
        else:
            self.metrics[key] = value


def measure(
    equity: Floats,
    offsets: Ints,
    start: Floats,
    trades: Trades,
    owner: Ints,
    exposure: Floats,
    *,
    annualisation: float,
    risk_free: float,
) -> list[Measured]:
    """All metrics but `break_even_bps` of B equity curves that lie end to end.

    Shapes: equity (sum of bars,), offsets (B+1,), start (B,) money before the first bar, owner (T,) the curve of each
            trade, exposure (B,) share of bars with a position. Returns B results.
    """
    sums = np.empty((start.size, 9))
    simulate.curve(equity, offsets, start, sums)
    found, traded = _of_trades(trades, owner, start.size), np.bincount(owner, trades.real[:, 5], start.size)
    for b, measured in enumerate(found):
        final, bars = float(equity[offsets[b + 1] - 1]), int(offsets[b + 1] - offsets[b])
        years = bars / annualisation
        _of_curve(measured, sums[b], final / float(start[b]), bars, annualisation, risk_free)
        measured.put("exposure", float(exposure[b]))
        mean_equity = float(sums[b, 7])
        measured.put(
            "turnover",
            float(traded[b]) / mean_equity / years if mean_equity > 0.0 else None,
            "the mean equity is not above zero",
        )
    return found


def measure_trades(trades: Trades, owner: Ints, count: int) -> list[Measured]:
    """The metrics of symbols that share their cash: those of trades; the others are undefined."""
    found = _of_trades(trades, owner, count)
    for measured in found:
        for key in KEYS:
            if key not in measured.metrics:
                measured.put(key, None, SHARED)
    return found


def ordered(measured: Measured) -> dict[str, float | None]:
    """The metrics in the order of `KEYS`."""
    return {key: measured.metrics[key] for key in KEYS}


def break_even(returns_at: Callable[[Floats], Floats], count: int) -> tuple[Floats, list[str]]:
    """The fee per side, in basis points, at which each of `count` total returns is zero.

    returns_at: total returns (count,) of a simulation with these fees (count,); they fall as fees rise.
    Returns the fees, NaN where there is none, and why not ("" where there is one). Roots are bracketed, then closed in
    on by Ridders' method (IEEE Trans. Circuits Syst. 26, 1979), all at once.
    """
    low, high, found = np.zeros(count), np.full(count, 1e-3), np.zeros(count)
    at_low = returns_at(low)
    gains = at_low > 0.0
    at_high = returns_at(high)
    while np.any(gains & (at_high > 0.0) & (high < HIGHEST_FEE)):
        low = np.where(at_high > 0.0, high, low)
        high = np.where(at_high > 0.0, np.minimum(4.0 * high, HIGHEST_FEE), high)
        at_high = returns_at(high)
    at_low = returns_at(low)
    solvable = gains & (at_high <= 0.0)
    for _ in range(60):
        middle = (low + high) / 2.0
        at_middle = returns_at(middle)
        with np.errstate(invalid="ignore", divide="ignore"):
            step = (middle - low) * at_middle / np.sqrt(at_middle**2 - at_low * at_high)
        found = np.where(np.isfinite(step), np.clip(middle + step, low, high), middle)
        at_found = returns_at(found)
        if np.all(~solvable | (np.abs(at_found) < 1e-14) | (high - low < 1e-15)):
            break
        for fee, value in ((middle, at_middle), (found, at_found)):
            gained, lost = (value > 0.0) & (fee > low), (value <= 0.0) & (fee < high)
            low, at_low = np.where(gained, fee, low), np.where(gained, value, at_low)
            high, at_high = np.where(lost, fee, high), np.where(lost, value, at_high)
    never = f"a fee of {HIGHEST_FEE:.0%} would still gain"
    reasons = np.where(solvable, "", np.where(gains, never, "it gains nothing even free of fees"))
    return np.where(solvable, found * 1e4, np.nan), reasons.tolist()


def compare(
    equity: Floats, start: float, benchmark: Floats, benchmark_start: float, *, annualisation: float, risk_free: float
) -> dict[str, Any]:
    """The benchmark's own figures and what the strategy did beside it, over the same M sessions.

    Shapes: equity, benchmark (M,). beta and correlation are of session returns; alpha is Jensen's, per year;
    tracking_error and information_ratio are per year. None where it is undefined; `reasons` says why.
    """
    none = Trades(np.empty((0, 5), np.int64), np.empty((0, 6)))
    own = measure(
        benchmark,
        np.array([0, benchmark.size]),
        np.array([benchmark_start]),
        none,
        np.empty(0, np.int64),
        np.ones(1),
        annualisation=annualisation,
        risk_free=risk_free,
    )[0]
    beside = Measured({}, {})
    for key in ("total_return", "cagr", "volatility", "sharpe", "max_drawdown"):
        beside.put(key, own.metrics[key], own.reasons.get(key, ""))
    beside.put("excess_return", float(equity[-1]) / start - float(benchmark[-1]) / benchmark_start)
    keys = ("beta", "alpha", "correlation", "tracking_error", "information_ratio")
    if equity.size < 2 or min(equity.min(), benchmark.min()) <= 0.0:
        for key in keys:
            beside.put(key, None, "it needs two sessions and equities above zero")
        return {**beside.metrics, "reasons": beside.reasons}
    ours, theirs = bar_returns(equity, start), bar_returns(benchmark, benchmark_start)
    mean, mean_theirs, free = _mean(ours), _mean(theirs), risk_free / annualisation
    both = math.fsum((ours - mean) * (theirs - mean_theirs))
    spread, spread_theirs = math.fsum((ours - mean) ** 2), math.fsum((theirs - mean_theirs) ** 2)
    apart = ours - theirs
    error = math.sqrt(math.fsum((apart - _mean(apart)) ** 2) / (apart.size - 1))
    beta = both / spread_theirs if spread_theirs > 0.0 else None
    still = "the benchmark does not vary"
    beside.put("beta", beta, still)
    beside.put("alpha", None if beta is None else (mean - free - beta * (mean_theirs - free)) * annualisation, still)
    varies = spread > 0.0 and spread_theirs > 0.0
    beside.put("correlation", both / math.sqrt(spread * spread_theirs) if varies else None, "one of them does not vary")
    beside.put("tracking_error", error * math.sqrt(annualisation))
    beside.put(
        "information_ratio",
        _mean(apart) / error * math.sqrt(annualisation) if error > 0.0 else None,
        "it is the benchmark itself",
    )
    return {**beside.metrics, "reasons": beside.reasons}


def bar_returns(equity: Floats, start: float) -> Floats:
    """Returns from bar to bar, the first against the money before it, (N,)."""
    gains: Floats = equity / np.concatenate([[start], equity[:-1]]) - 1.0
    return gains


def drawdowns(equity: Floats, ts: Ints, top: int = 5) -> list[dict[str, Any]]:
    """The `top` deepest stretches under an earlier peak, deepest first.

    Each: peak, trough, recovery (null = not yet) as UTC times, depth (below 0), bars from the peak to the recovery.
    """
    peaks = np.maximum.accumulate(equity)
    under = equity < peaks
    starts = np.flatnonzero(under & ~np.concatenate([[False], under[:-1]])) - 1
    found = []
    for peak in starts:
        after = np.flatnonzero(~under[peak + 1 :])
        end = int(peak) + 1 + int(after[0]) if after.size else None
        trough = int(peak) + 1 + int(np.argmin(equity[peak + 1 : end]))
        found.append((float(equity[trough] / equity[peak] - 1.0), int(peak), trough, end))
    return [
        {
            "peak": _moment(ts[peak]),
            "trough": _moment(ts[trough]),
            "recovery": None if end is None else _moment(ts[end]),
            "depth": depth,
            "bars": (equity.size - 1 if end is None else end) - peak,
        }
        for depth, peak, trough, end in sorted(found)[:top]
    ]


def monthly(equity: Floats, start: float, ts: Ints) -> list[dict[str, Any]]:
    """The return of each calendar month (UTC) that has a bar: year, month, return; the first against `start`.

    None for a month that began with no money.
    """
    moments = [from_micros(int(micros)) for micros in ts]
    ends = [i for i in range(len(moments)) if i + 1 == len(moments) or moments[i].month != moments[i + 1].month]
    values = [start, *(float(equity[i]) for i in ends)]
    return [
        {"year": moments[i].year, "month": moments[i].month, "return": after / before - 1.0 if before > 0.0 else None}
        for i, before, after in zip(ends, values, values[1:], strict=False)
    ]


def _of_a_year(growth: float, years: float) -> tuple[float | None, str]:
    """Growth a year, and why it is undefined."""
    if growth <= 0.0:
        return None, "the equity ended at or below zero"
    try:
        return growth**years - 1.0, ""
    except OverflowError:
        return None, "too few bars to speak of a year"


def _of_curve(measured: Measured, sums: Floats, growth: float, bars: int, annualisation: float, free: float) -> None:
    mean, squares, down, gains, losses, deepest, longest, _, least = (float(value) for value in sums)
    year = math.sqrt(annualisation)
    measured.put("total_return", growth - 1.0)
    measured.put("cagr", *_of_a_year(growth, annualisation / bars))
    if least <= 0.0 or bars < 2:
        why = BROKE if least <= 0.0 else "one bar has no spread of returns"
        for key in ("volatility", "sharpe", "sortino", "omega"):
            measured.put(key, None, why)
    else:
        deviation = math.sqrt(squares / (bars - 1))
        measured.put("volatility", deviation * year)
        varies = deviation > SAME * abs(mean)
        excess = mean - free / annualisation
        measured.put("sharpe", excess / deviation * year if varies else None, "the bar returns do not vary")
        measured.put("sortino", mean / math.sqrt(down / bars) * year if down > 0.0 else None, "no bar lost")
        measured.put("omega", gains / losses if losses > 0.0 else None, "no bar lost")
    cagr = measured.metrics["cagr"]
    measured.put("max_drawdown", deepest)
    measured.put("max_drawdown_duration", int(longest))
    measured.put(
        "calmar",
        cagr / -deepest if cagr is not None and deepest < 0.0 else None,
        "there was no drawdown" if deepest == 0.0 else measured.reasons.get("cagr", ""),
    )


def _of_trades(trades: Trades, owner: Ints, count: int) -> list[Measured]:
    """Sums per owner run in the order of the trades."""

    def per_owner(values: Floats, where: Bools) -> Floats:
        return np.bincount(owner[where], values[where], count).astype(np.float64)  # no weights at all make it whole

    closed, pnl, gain = trades.closed, trades.pnl, trades.returns
    ones, every = np.ones(owner.size), np.ones(owner.size, np.bool_)
    n = per_owner(ones, closed)
    wins, won = per_owner(ones, closed & (pnl > 0.0)), per_owner(pnl, closed & (pnl > 0.0))
    lost = -per_owner(pnl, closed & (pnl < 0.0))
    mean = per_owner(gain, closed) / np.maximum(n, 1.0)
    spread = per_owner((gain - mean[owner]) ** 2, closed)
    fees, made = per_owner(trades.real[:, 3], every), np.bincount(owner, minlength=count)
    found = []
    for b in range(count):
        measured = Measured({}, {})
        measured.put("trades", int(made[b]))
        measured.put("fees_paid", float(fees[b]))
        measured.put("win_rate", float(wins[b] / n[b]) if n[b] else None, NO_CLOSED)
        measured.put("expectancy", float(mean[b]) if n[b] else None, NO_CLOSED)
        measured.put(
            "profit_factor",
            float(won[b] / lost[b]) if lost[b] > 0.0 else None,
            "no closed trade lost" if n[b] else NO_CLOSED,
        )
        deviation = math.sqrt(spread[b] / (n[b] - 1.0)) if n[b] > 1.0 else 0.0
        quality = math.sqrt(n[b]) * float(mean[b]) / deviation if deviation > SAME * abs(mean[b]) else None
        measured.put(
            "sqn", quality, "the returns of closed trades do not vary" if n[b] > 1 else "fewer than two closed trades"
        )
        found.append(measured)
    return found


def _mean(values: Floats) -> float:
    return math.fsum(values) / values.size


def _moment(micros: int) -> str:
    return from_micros(micros).isoformat()
