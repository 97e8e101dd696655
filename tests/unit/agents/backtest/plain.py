"""One symbol's backtest as `docs/backtests.md` tells it, sentence by sentence, without a thought of speed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from agents.backtest.orders import Orders
from agents.backtest.rules import Rules
from data.contracts.panel import Panel

DAY = 86_400_000_000


@dataclass
class Account:
    """Money, a position and the fills so far: (row, shares, price, reason)."""

    money: float
    rules: Rules
    shares: float = 0.0
    fills: list[tuple[int, float, float, str]] = field(default_factory=list)
    levels: dict[str, float] = field(default_factory=dict)

    def trade(self, row: int, shares: float, price: float, reason: str) -> None:
        fee = abs(shares) * price * self.rules.fees + abs(shares) * self.rules.fee_per_share + self.rules.fee_per_trade
        self.money -= shares * price + fee
        self.shares = 0.0 if reason != "entry" else shares
        self.fills.append((row, shares, price, reason))


def backtest(panel: Panel, orders: Orders, rules: Rules) -> tuple[list[float], list[tuple[int, float, float, str]]]:
    """Equity at each close, and the fills."""
    account, equity = Account(rules.cash, rules), []
    for row in range(len(panel)):
        if account.shares < 0.0:
            days = panel.ts[row] // DAY - panel.ts[row - 1] // DAY
            account.money -= -account.shares * panel.close[row - 1] * rules.borrow / 365.0 * days
        if rules.fill == "next_open":
            if row > 0:
                _decide(account, orders, row - 1, row, float(panel.open[row]), panel)
            _stops(account, panel, row)
        else:
            _stops(account, panel, row)
            _decide(account, orders, row, row, float(panel.close[row]), panel)
        worth = account.money + account.shares * panel.close[row]
        if worth <= 0.0 and account.shares != 0.0:
            _leave(account, row, float(panel.close[row]), "ruin", slips=True)
            worth = account.money
        equity.append(worth)
    return equity, account.fills


def _decide(account: Account, orders: Orders, decided: int, row: int, price: float, panel: Panel) -> None:
    enter, leave = orders.enter[decided], orders.exit[decided]
    short, cover = orders.short_enter[decided], orders.short_exit[decided]
    if (account.shares > 0.0 and leave) or (account.shares < 0.0 and cover):
        _leave(account, row, price, "exit", slips=True)
    if account.shares != 0.0 or (enter and short):
        return
    if enter and not leave:
        side = 1.0
    elif short and not cover:
        side = -1.0
    else:
        return
    rules, size = account.rules, orders.size[decided]
    fraction = 1.0 if math.isnan(size) else min(size, rules.leverage)
    filled = price * (1.0 + side * rules.slippage)
    shares = (fraction * account.money - rules.fee_per_trade) / (filled * (1.0 + rules.fees) + rules.fee_per_share)
    if rules.volume_limit is not None:
        shares = min(shares, rules.volume_limit * panel.volume[row])
    if shares <= 0.0:
        return
    account.trade(row, side * shares, filled, "entry")
    distances = {"stop": orders.stop[decided], "target": orders.target[decided], "trail": orders.trail[decided]}
    account.levels = {name: float(d) for name, d in distances.items() if d > 0.0} | {"fill": filled, "best": filled}


def _stops(account: Account, panel: Panel, row: int) -> None:
    """Prices are turned around for a short, so that up is good in both directions."""
    if account.shares == 0.0:
        return
    side = 1.0 if account.shares > 0.0 else -1.0
    opened, highest, lowest = float(panel.open[row]), float(panel.high[row]), float(panel.low[row])
    good, bad = (highest, lowest) if side > 0.0 else (-lowest, -highest)
    opened, fill, best = side * opened, side * account.levels["fill"], account.levels["best"] * side
    below = [fill - account.levels["stop"]] if "stop" in account.levels else []
    below += [best - account.levels["trail"]] if "trail" in account.levels else []
    target = fill + account.levels["target"] if "target" in account.levels else math.inf
    level = max(below, default=-math.inf)
    if opened <= level:
        _leave(account, row, side * opened, "stop", slips=True)
    elif opened >= target:
        _leave(account, row, side * opened, "target", slips=False)
    elif bad <= level:
        _leave(account, row, side * level, "stop", slips=True)
    elif good >= target:
        _leave(account, row, side * target, "target", slips=False)
    account.levels["best"] = side * max(best, good)


def _leave(account: Account, row: int, price: float, reason: str, *, slips: bool) -> None:
    side = 1.0 if account.shares > 0.0 else -1.0
    account.trade(row, -account.shares, price * (1.0 - side * account.rules.slippage * slips), reason)
