"""Which state a market is in: trending or not, calm or wild, bull or bear, changed or as before.

No state is smoothed: each bar's answer rests on bars up to it and is never revised.
"""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.statistics import percent_rank, variance_ratio
from agents.indicators.families.trend import adx
from agents.indicators.families.volatility import stddev
from agents.indicators.graph import Line, carried, change, log, sign
from agents.indicators.registry import LONGEST, LongWindow, Range, indicator
from agents.kernels import regimes
from data.contracts.errors import InvalidInput

Share = Annotated[float, Range(0.0001, 0.9999)]
Percent = Annotated[float, Range(0.0, 100.0)]
Sigma = Annotated[float, Range(1e-9, 10.0)]


@indicator(
    family="regime", unit="none", bounds=(-1.0, 1.0), source="Wilder (1978): trade the direction while ADX is above 25"
)
def trend_regime(high: Line, low: Line, close: Line, window: LongWindow = 14, threshold: Percent = 25.0) -> Line:
    """1 in an up trend, -1 in a down trend, 0 without a trend.

    Formula: sign(+DI - -DI) where ADX(window) >= threshold, else 0.
    """
    strength, plus, minus = adx(high, low, close, window)
    return sign(plus - minus) * (strength >= threshold)


def _low_below_high(window: int, history: int, low: float, high: float) -> None:
    if low >= high:
        raise InvalidInput(f"volatility_regime low must be below high; {low:g} and {high:g} are not")


@indicator(
    family="regime",
    unit="none",
    outputs=("regime", "rank"),
    bounds=(-1.0, 100.0),
    source="percentile regimes of realised volatility, as in Sinclair, Volatility Trading (2008), ch. 3",
    check=_low_below_high,
)
def volatility_regime(
    close: Line,
    window: LongWindow = 20,
    history: Annotated[int, Range(2, LONGEST)] = 252,
    low: Percent = 20.0,
    high: Percent = 80.0,
) -> tuple[Line, ...]:
    """-1 in calm times, 1 in wild ones, 0 between; and the rank in per cent that says so.

    Formula: rank = percent rank of stddev(log return, window) among the `history` before; 1 at high or above,
    -1 at low or below.
    """
    rank: Line = percent_rank(stddev(change(log(close)), window), history)
    return (rank >= high) - (rank <= low), rank


@indicator(
    family="regime", unit="none", bounds=(-1.0, 1.0), source="Lo and MacKinlay, Review of Financial Studies 1 (1988)"
)
def random_walk_regime(
    close: Line,
    window: Annotated[int, Range(4, LONGEST)] = 120,
    horizon: Annotated[int, Range(2, LONGEST)] = 5,
    threshold: Annotated[float, Range(0.0, 100.0)] = 1.96,
) -> Line:
    """1 where returns run on (momentum), -1 where they turn back (mean reversion), 0 where a random walk would do.

    Formula: variance_ratio's z >= threshold, <= -threshold, or neither.
    """
    _, z = variance_ratio(close, window, horizon)
    return (z >= threshold) - (z <= -threshold)


@indicator(
    family="regime",
    unit=("none", "mixed"),
    outputs=("state", "extreme"),
    source="Lunde and Timmermann, Journal of Business & Economic Statistics 22 (2004), with 20 per cent both ways",
)
def market_state(close: Line, rise: Share = 0.2, fall: Share = 0.2) -> tuple[Line, ...]:
    """1 in a bull market, -1 in a bear market, 0 before the first is known; and the peak or trough it is measured from.

    Formula: a bear begins at the bar that closes `fall` below the bull's peak, a bull at the one that closes `rise`
    above the bear's trough.

    The date of the turn is the bar at which it was known, not that of the peak: nothing is dated back.
    """
    return carried(regimes.market_state, close, rise, fall, carry=4, outputs=2, guarded=True)


@indicator(
    family="regime",
    unit=("none", "bars", "none"),
    outputs=("depth", "bars", "worst"),
    source="underwater curve; Magdon-Ismail and Atiya, Risk 17:10 (2004)",
)
def underwater(close: Line) -> tuple[Line, ...]:
    """Drawdown from the highest close so far, bars since that close, and the deepest point since it.

    Formula: depth = close / peak - 1, 0 at a new peak (or one reached again); worst = lowest depth since the peak.
    """
    return carried(regimes.underwater, close, carry=4, outputs=3, guarded=True)


def _calm_below_wild(calm: float, wild: float, stay_calm: float, stay_wild: float) -> None:
    if calm >= wild:
        raise InvalidInput(f"hidden_regime calm must be below wild; {calm:g} and {wild:g} are not")


@indicator(
    family="regime",
    unit="none",
    bounds=(0.0, 1.0),
    source="Hamilton, Econometrica 57 (1989), 357-384, the filter with given parameters",
    check=_calm_below_wild,
)
def hidden_regime(
    close: Line, calm: Sigma = 0.008, wild: Sigma = 0.02, stay_calm: Share = 0.98, stay_wild: Share = 0.95
) -> Line:
    """Probability of the wild one of two hidden states of volatility, given the bars so far.

    Formula: log returns are N(0, calm^2) or N(0, wild^2); the state stays with stay_calm or stay_wild from bar to bar;
    Bayes' rule at each bar, from the stationary probability.

    calm and wild are deviations of one bar's log return: give those of your bars. Filtered, not smoothed.
    """
    return carried(regimes.two_states, change(log(close)), calm, wild, stay_calm, stay_wild, carry=2, guarded=True)


@indicator(
    family="regime",
    unit="none",
    bounds=(-1.0, 1.0),
    source="López de Prado, Advances in Financial Machine Learning (2018), sec. 2.5.2.1",
)
def cusum_filter(close: Line, threshold: Annotated[float, Range(0.0, 10.0)] = 0.05) -> Line:
    """1 or -1 where log returns have run up or down by more than `threshold` since the last event, else 0.

    Formula: up = max(0, up + r), down = min(0, down + r); an event beyond the threshold sets its own sum to 0.
    """
    return carried(regimes.cusum, change(log(close)), threshold, carry=3, guarded=True)


@indicator(
    family="regime",
    unit="none",
    outputs=("alarm", "up", "down"),
    source="Page, Biometrika 41 (1954); Hinkley, Biometrika 58 (1971)",
)
def structural_break(
    close: Line,
    slack: Annotated[float, Range(0.0, 10.0)] = 0.001,
    threshold: Annotated[float, Range(0.0, 10.0)] = 0.05,
) -> tuple[Line, ...]:
    """Page and Hinkley's test on log returns: 1 where their mean has risen, -1 where it has fallen, 0 elsewhere.

    Formula: m = mean of r since the last alarm; up = max(0, up + r - m - slack), down = max(0, down - (r - m) - slack);
    an alarm beyond the threshold; all begin anew after one.
    """
    return carried(regimes.page_hinkley, change(log(close)), slack, threshold, carry=5, outputs=3, guarded=True)
