"""Decisions to fills, bar by bar, every symbol with its own cash; and what an equity curve comes to.

The rules are those of `docs/backtests.md`. Symbols never meet here: for shared cash see `portfolio`.

Shapes: bars and orders (N,) of S symbols end to end, offsets (S+1,); cash, fees, finish (S,). Times are whole days.
Trades: whole (T, 5) symbol, entry row, exit row, side (1 or -1), reason; real (T, 6) shares, entry price, exit price,
        fees, borrow paid, traded value. An open position is a trade with reason OPEN, its exit at the last close.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Bools, Floats, Ints

OPEN, EXIT, STOP, TRAIL, TARGET, END, RUIN = range(7)
REASONS = ("open", "exit", "stop", "trail", "target", "end", "ruin")
_jit, _part = decorators(__file__)


@_jit
def simulate(
    opened: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    day: Ints,
    offsets: Ints,
    enter: Bools,
    leave: Bools,
    short_enter: Bools,
    short_leave: Bools,
    stop: Floats,
    target: Floats,
    trail: Floats,
    size: Floats,
    cash: Floats,
    fees: Floats,
    finish: Bools,
    slippage: float,
    leverage: float,
    borrow: float,
    per_share: float,
    per_trade: float,
    volume_limit: float,
    at_close: int,
    equity: Floats,
    position: Floats,
    whole: Ints,
    real: Floats,
) -> tuple[int, int, int]:
    """Fill equity and position in shares at each close, and the trades. Returns (trades, entries cut, exits over).

    fees: per side, of the traded value. finish: close at the symbol's last bar. borrow: per day. volume_limit: share
    of the fill bar's volume, inf = none. at_close: 1 fills at the close of the decision, 0 at the next open.
    When there are more trades than rows of `whole`, only that many are written: call again with room for all.
    """
    found = cut = over = 0
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        money, rate, held = cash[s], fees[s], 0.0
        entry, entry_price, paid, lent = lo, 0.0, 0.0, 0.0
        guarded, stop_level, target_level, distance, best = False, 0.0, 0.0, 0.0, 0.0
        for i in range(lo, hi):
            t = i - 1 + at_close
            if i < hi - 1 and t >= lo:  # most bars: nothing to do, and a third of the time when it is seen here
                worth = money + held * close[i]
                if (held == 0.0 and not (enter[t] or short_enter[t])) or (
                    held > 0.0 and not (guarded or leave[t]) and worth > 0.0
                ):
                    equity[i], position[i] = worth, held
                    continue
            if held < 0.0:
                charge = -held * close[i - 1] * borrow * (day[i] - day[i - 1])
                money -= charge
                lent += charge
            for phase in range(
                3
            ):  # orders, then stops; under at_close the bar's stops come before its close; then its end
                reason, value = OPEN, 0.0
                if phase == 2:
                    last = finish[s] and i == hi - 1
                    if held != 0.0 and (last or money + held * close[i] <= 0.0):
                        reason, value = END if last else RUIN, close[i]
                elif phase == at_close:
                    price = close[i] if at_close else opened[i]
                    if t >= lo and ((held > 0.0 and leave[t]) or (held < 0.0 and short_leave[t])):
                        reason, value = EXIT, price
                elif held != 0.0 and guarded:
                    reason, value = _touched(held, opened[i], high[i], low[i], stop_level, target_level, distance, best)
                    best = max(best, high[i]) if held > 0.0 else min(best, low[i])
                if reason != OPEN:
                    slip = 0.0 if reason == TARGET else slippage
                    value *= 1.0 - slip if held > 0.0 else 1.0 + slip
                    fee = abs(held) * (value * rate + per_share) + per_trade
                    over += abs(held) > volume_limit * volume[i]
                    _record(found, s, entry, i, held, reason, entry_price, value, paid + fee, lent, whole, real)
                    money += held * value - fee
                    held = 0.0
                    found += 1
                if phase == at_close and t >= lo and held == 0.0 and enter[t] != short_enter[t]:
                    blocked = leave[t] if enter[t] else short_leave[t]
                    if blocked or (finish[s] and i == hi - 1):
                        continue
                    side = 1.0 if enter[t] else -1.0
                    share = 1.0 if np.isnan(size[t]) else min(size[t], leverage)
                    entry_price = price * (1.0 + side * slippage)
                    shares = (share * money - per_trade) / (entry_price * (1.0 + rate) + per_share)
                    if shares > volume_limit * volume[i]:
                        shares = volume_limit * volume[i]
                        cut += 1
                    if not shares > 0.0:
                        continue
                    held, entry, lent = side * shares, i, 0.0
                    paid = shares * (entry_price * rate + per_share) + per_trade
                    money -= held * entry_price + paid
                    best = entry_price
                    stop_level = entry_price - side * stop[t] if stop[t] > 0.0 else -side * np.inf
                    target_level = entry_price + side * target[t] if target[t] > 0.0 else side * np.inf
                    distance = trail[t] if trail[t] > 0.0 else np.inf
                    guarded = stop[t] > 0.0 or target[t] > 0.0 or trail[t] > 0.0
            equity[i] = money + held * close[i]
            position[i] = held
        if held != 0.0:
            _record(found, s, entry, hi - 1, held, OPEN, entry_price, close[hi - 1], paid, lent, whole, real)
            found += 1
    return found, cut, over


@_jit
def over_sessions(values: Floats, session: Ints, offsets: Ints, before: Floats, out: Floats) -> None:
    """Add up symbols session by session: a symbol counts `before` until its first bar, then its newest value.

    session (N,): position of the row's time among the M sessions; out (M,).
    """
    out[:] = 0.0
    for s in range(offsets.size - 1):
        now, m = before[s], 0
        for i in range(offsets[s], offsets[s + 1]):
            while m < session[i]:
                out[m] += now
                m += 1
            now = values[i]
        while m < out.size:
            out[m] += now
            m += 1


@_jit
def curve(equity: Floats, offsets: Ints, start: Floats, out: Floats) -> None:
    """What each equity curve comes to; out (B, 9) for B curves end to end, `start` (B,) being the money before them.

    Columns: mean return; sum of squares around it; sum of squares of the negative ones; sum of the positive ones;
    sum of the negative ones, as a positive number; deepest drawdown; longest drawdown in bars, from the peak to the
    bar that reaches it again; mean equity; smallest equity that a return was measured from.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        total = gains = losses = down = money = 0.0
        before = least = start[s]
        peak, top, deepest, longest = -np.inf, lo, 0.0, 0
        for i in range(lo, hi):
            change = equity[i] / before - 1.0
            total += change
            gains += max(change, 0.0)
            losses += max(-change, 0.0)
            down += min(change, 0.0) ** 2
            money += equity[i]
            least = min(least, before)
            before = equity[i]
            if equity[i] < peak or i - top > 1:
                longest = max(longest, i - top)
            if equity[i] >= peak:
                peak, top = equity[i], i
            deepest = min(deepest, equity[i] / peak - 1.0)
        mean, before, squares = total / (hi - lo), start[s], 0.0
        for i in range(lo, hi):
            squares += (equity[i] / before - 1.0 - mean) ** 2
            before = equity[i]
        out[s] = np.array([mean, squares, down, gains, losses, deepest, longest, money / (hi - lo), least])


@_part
def _touched(
    held: float,
    opened: float,
    high: float,
    low: float,
    stop_level: float,
    target_level: float,
    distance: float,
    best: float,
) -> tuple[int, float]:
    """Which level this bar touches first as far as one can know, and its price before slippage.

    The open comes first, whatever level it is beyond; within the bar a stop is taken before a target.
    """
    if held > 0.0:
        level = max(stop_level, best - distance)
        if opened <= level or (low <= level and opened < target_level):
            return TRAIL if best - distance > stop_level else STOP, min(opened, level)
        if high >= target_level:
            return TARGET, max(opened, target_level)
    else:
        level = min(stop_level, best + distance)
        if opened >= level or (high >= level and opened > target_level):
            return TRAIL if best + distance < stop_level else STOP, max(opened, level)
        if low <= target_level:
            return TARGET, min(opened, target_level)
    return OPEN, 0.0


@_part
def _record(
    at: int,
    symbol: int,
    entry: int,
    leave: int,
    held: float,
    reason: int,
    entry_price: float,
    exit_price: float,
    fees: float,
    lent: float,
    whole: Ints,
    real: Floats,
) -> None:
    if at >= whole.shape[0]:
        return
    shares = abs(held)
    whole[at, 0], whole[at, 1], whole[at, 2], whole[at, 4] = symbol, entry, leave, reason
    whole[at, 3] = 1 if held > 0.0 else -1
    real[at, 0], real[at, 1], real[at, 2], real[at, 3], real[at, 4] = shares, entry_price, exit_price, fees, lent
    real[at, 5] = shares * (entry_price + (0.0 if reason == OPEN else exit_price))
