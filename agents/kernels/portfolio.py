"""Decisions to fills with one purse for all symbols, session by session. The rules are those of `docs/backtests.md`.

Shapes, reasons and trades as in `simulate`; session (N,) is the position of a row's time among the M sessions. A
position that was resized is one trade: shares bought (sold short) in all, average prices on both sides.
Symbols are taken in their order wherever nothing else decides, so equal inputs give equal fills.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Bools, Floats, Ints

OPEN, EXIT, STOP, TRAIL, TARGET, END, RUIN = range(7)  # as in `simulate`: compiled code is kept file by file
DUST = 1e-9  # of equity: less than this is not traded
# one row of `book` per symbol: shares held (short: negative), last price, fraction of equity wanted, shares opened in
# all, what was paid for them, shares closed, what came back, fees, borrow paid, stop, target, trailing distance, best
HELD, MARK, SHARE, IN, VALUE_IN, OUT, VALUE_OUT, FEES, LENT, STOP_AT, TARGET_AT, DISTANCE, BEST = range(13)
_jit, _part = decorators(__file__)


@_jit
def simulate_portfolio(
    opened: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    day: Ints,
    session: Ints,
    offsets: Ints,
    enter: Bools,
    leave: Bools,
    short_enter: Bools,
    short_leave: Bools,
    stop: Floats,
    target: Floats,
    trail: Floats,
    size: Floats,
    rank: Floats,
    finish: Bools,
    cash: float,
    rate: float,
    slippage: float,
    borrow: float,
    per_share: float,
    per_trade: float,
    volume_limit: float,
    at_close: int,
    slots: int,
    default_share: float,
    most_share: float,
    most_exposure: float,
    rebalance: int,
    equity: Floats,
    gross: Floats,
    position: Floats,
    whole: Ints,
    real: Floats,
) -> tuple[int, int, int, int, int]:
    """Fill equity and gross value of positions (M,), position (N,) and trades.

    slots: positions at one time. rank: largest first, NaN never. rebalance: sessions between resizings, 0 = none.
    Returns (trades, orders cut by volume, exits over the volume limit, entries without a slot, without money).
    """
    symbols = offsets.size - 1
    book = np.zeros((symbols, 13))
    entry, next_row = np.zeros(symbols, np.int64), offsets[:-1].copy()
    now, wanted = np.empty(symbols, np.int64), np.empty(symbols, np.int64)
    money = cash
    found = cut = over = no_slot = no_room = 0
    for m in range(equity.size):
        here = 0
        for s in range(symbols):
            if next_row[s] < offsets[s + 1] and session[next_row[s]] == m:
                now[here] = s
                here += 1
        for k in range(here):
            s = now[k]
            i = next_row[s]
            if book[s, HELD] < 0.0:
                charge = -book[s, HELD] * close[i - 1] * borrow * (day[i] - day[i - 1])
                money -= charge
                book[s, LENT] += charge
        for phase in range(3):  # orders, then stops, or under at_close the other way round; then the end of the bar
            for k in range(here):
                s = now[k]
                i = next_row[s]
                t = i - 1 + at_close
                held = book[s, HELD]
                reason, value = OPEN, 0.0
                if phase == 2:
                    book[s, MARK] = close[i]
                    if held != 0.0 and finish[s] and i == offsets[s + 1] - 1:
                        reason, value = END, close[i]
                elif phase == at_close:
                    book[s, MARK] = close[i] if at_close else opened[i]
                    if t >= offsets[s] and ((held > 0.0 and leave[t]) or (held < 0.0 and short_leave[t])):
                        reason, value = EXIT, book[s, MARK]
                elif held != 0.0:
                    reason, value = _touched(book[s], opened[i], high[i], low[i])
                    book[s, BEST] = max(book[s, BEST], high[i]) if held > 0.0 else min(book[s, BEST], low[i])
                if reason != OPEN:
                    slip = 0.0 if reason == TARGET else slippage
                    value *= 1.0 - slip if held > 0.0 else 1.0 + slip
                    over += abs(held) > volume_limit * volume[i]
                    money += _trade(book[s], -held, value, rate, per_share, per_trade)
                    _record(found, s, entry[s], i, reason, book[s], whole, real)
                    found += 1
            if phase != at_close:
                continue
            worth, exposed, holding = _worth(book, money)
            if rebalance > 0 and m > 0 and m % rebalance == 0 and holding > 0:
                goal = worth
                for growing in range(2):  # what is too large makes room for what is too small
                    for k in range(here):
                        s = now[k]
                        held, mark = book[s, HELD], book[s, MARK]
                        if held == 0.0:
                            continue
                        side = 1.0 if held > 0.0 else -1.0
                        missing = book[s, SHARE] * goal - abs(held) * mark
                        if growing:
                            missing = min(missing, most_exposure * worth - exposed)
                        if abs(missing) <= DUST * goal or (missing > 0.0) != (growing == 1):
                            continue
                        value = mark * (1.0 + side * slippage if growing else 1.0 - side * slippage)
                        shares = missing / mark
                        if growing:
                            shares = (missing - per_trade) / (value * (1.0 + rate) + per_share)
                            if shares <= 0.0:
                                continue
                        limit = volume_limit * volume[next_row[s]]
                        if abs(shares) > limit:
                            shares = limit if growing else -limit
                            cut += 1
                        money += _trade(book[s], side * shares, value, rate, per_share, per_trade)
                        worth, exposed, holding = _worth(book, money)
            candidates = 0
            for k in range(here):
                s = now[k]
                t = next_row[s] - 1 + at_close
                if t < offsets[s] or book[s, HELD] != 0.0 or enter[t] == short_enter[t] or np.isnan(rank[t]):
                    continue
                blocked = leave[t] if enter[t] else short_leave[t]
                if not blocked and not (finish[s] and next_row[s] == offsets[s + 1] - 1):
                    wanted[candidates] = s
                    candidates += 1
            goal = worth
            room = most_exposure * worth - exposed
            while candidates > 0:
                if holding >= slots:
                    no_slot += candidates
                    break
                if room <= DUST * goal:
                    no_room += candidates
                    break
                first = 0  # of equal ranks the earlier symbol
                for k in range(1, candidates):
                    if rank[next_row[wanted[k]] - 1 + at_close] > rank[next_row[wanted[first]] - 1 + at_close]:
                        first = k
                s = wanted[first]
                candidates -= 1
                for k in range(first, candidates):
                    wanted[k] = wanted[k + 1]
                i = next_row[s]
                t = i - 1 + at_close
                share = default_share if np.isnan(size[t]) else min(size[t], most_share)
                side = 1.0 if enter[t] else -1.0
                value = book[s, MARK] * (1.0 + side * slippage)
                shares = (min(share * goal, room) - per_trade) / (value * (1.0 + rate) + per_share)
                if shares > volume_limit * volume[i]:
                    shares = volume_limit * volume[i]
                    cut += 1
                if not shares > 0.0:
                    continue
                book[s, SHARE:] = 0.0
                book[s, SHARE] = share
                money += _trade(book[s], side * shares, value, rate, per_share, per_trade)
                room -= shares * value + book[s, FEES]
                holding += 1
                entry[s] = i
                book[s, STOP_AT] = value - side * stop[t] if stop[t] > 0.0 else -side * np.inf
                book[s, TARGET_AT] = value + side * target[t] if target[t] > 0.0 else side * np.inf
                book[s, DISTANCE] = trail[t] if trail[t] > 0.0 else np.inf
                book[s, BEST] = value
        worth, exposed, holding = _worth(book, money)
        if worth <= 0.0 and holding > 0:
            for s in range(symbols):
                if book[s, HELD] != 0.0:
                    held = book[s, HELD]
                    value = book[s, MARK] * (1.0 - slippage if held > 0.0 else 1.0 + slippage)
                    money += _trade(book[s], -held, value, rate, per_share, per_trade)
                    today = next_row[s] < offsets[s + 1] and session[next_row[s]] == m
                    _record(found, s, entry[s], next_row[s] - (not today), RUIN, book[s], whole, real)
                    found += 1
            worth, exposed, holding = _worth(book, money)
        equity[m], gross[m] = worth, exposed
        for k in range(here):
            position[next_row[now[k]]] = book[now[k], HELD]
            next_row[now[k]] += 1
    for s in range(symbols):
        if book[s, HELD] != 0.0:
            _record(found, s, entry[s], offsets[s + 1] - 1, OPEN, book[s], whole, real)
            found += 1
    return found, cut, over, no_slot, no_room


@_part
def _worth(book: Floats, money: float) -> tuple[float, float, int]:
    """Equity at the last prices, gross value of positions, and their number."""
    worth, exposed, holding = money, 0.0, 0
    for s in range(book.shape[0]):
        if book[s, HELD] != 0.0:
            value = book[s, HELD] * book[s, MARK]
            worth += value
            exposed += abs(value)
            holding += 1
    return worth, exposed, holding


@_part
def _trade(book: Floats, shares: float, price: float, rate: float, per_share: float, per_trade: float) -> float:
    """Buy (or, below 0, sell) shares and book it. Returns what that adds to the cash."""
    fee = abs(shares) * (price * rate + per_share) + per_trade
    if book[HELD] == 0.0 or (shares > 0.0) == (book[HELD] > 0.0):
        book[IN] += abs(shares)
        book[VALUE_IN] += abs(shares) * price
    else:
        book[OUT] += abs(shares)
        book[VALUE_OUT] += abs(shares) * price
    book[HELD] = 0.0 if shares == -book[HELD] else book[HELD] + shares
    book[FEES] += fee
    return -shares * price - fee


@_part
def _touched(book: Floats, opened: float, high: float, low: float) -> tuple[int, float]:
    """Which level this bar touches first as far as one can know, and its price before slippage; as in `simulate`."""
    stop, target, distance, best = book[STOP_AT], book[TARGET_AT], book[DISTANCE], book[BEST]
    if book[HELD] > 0.0:
        level = max(stop, best - distance)
        if opened <= level or (low <= level and opened < target):
            return TRAIL if best - distance > stop else STOP, min(opened, level)
        if high >= target:
            return TARGET, max(opened, target)
    else:
        level = min(stop, best + distance)
        if opened >= level or (high >= level and opened > target):
            return TRAIL if best + distance < stop else STOP, max(opened, level)
        if low <= target:
            return TARGET, min(opened, target)
    return OPEN, 0.0


@_part
def _record(at: int, symbol: int, entry: int, leave: int, reason: int, book: Floats, whole: Ints, real: Floats) -> None:
    if at >= whole.shape[0]:
        return
    back = book[VALUE_OUT] + abs(book[HELD]) * book[MARK]  # what is still held counts at its last price
    whole[at, 0], whole[at, 1], whole[at, 2], whole[at, 4] = symbol, entry, leave, reason
    # shares held are none by now, but the levels still tell a long from a short
    whole[at, 3] = 1 if book[TARGET_AT] > book[STOP_AT] else -1
    real[at, 0], real[at, 1], real[at, 2] = book[IN], book[VALUE_IN] / book[IN], back / book[IN]
    real[at, 3], real[at, 4], real[at, 5] = book[FEES], book[LENT], book[VALUE_IN] + book[VALUE_OUT]
