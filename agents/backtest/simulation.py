"""Orders over a panel under rules, as one simulation that can be run at any fee: what calls the kernels."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from agents.backtest.metrics import Trades
from agents.backtest.orders import Orders
from agents.backtest.rules import Rules
from agents.kernels import portfolio, simulate
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel

DAY = 86_400_000_000  # microseconds
DAYS_OF_A_YEAR = 365.0  # borrow is charged by calendar day
PATIENCE = 5  # days with sessions that a symbol may be missing at the end
FIRST_ROOM = 4_096  # trades


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """What one simulation did.

    equity, gross: (M,) of all symbols together at each session's close.    position: (N,) shares after each bar.
    rows:          (N,) equity of each symbol by itself; empty with shared cash.
    cut:           entries that the volume limit made smaller.    over: exits larger than it.
    no_slot, no_money: entries not made for want of them, with shared cash.
    """

    equity: Floats
    gross: Floats
    position: Floats
    rows: Floats
    trades: Trades
    cut: int
    over: int
    no_slot: int = 0
    no_money: int = 0


@dataclass(frozen=True, eq=False)
class Simulation:
    """Orders over a panel under rules, ready to run at any fee.

    rank:  (N,) values of the expression `rules.rank`, decided at each row's close.
    finish_all: every symbol is closed at its last close, with costs, as at the end of a test fold.
    Raises: InvalidInput when panel, orders and rank do not fit together.
    """

    panel: Panel
    orders: Orders
    rules: Rules
    rank: Floats | None = None
    finish_all: bool = False

    def __post_init__(self) -> None:
        rows = len(self.panel)
        if rows == 0:
            raise InvalidInput("there are no bars to test on; choose symbols and dates that have some")
        if self.orders.enter.size != rows:
            raise InvalidInput(f"the orders are for {self.orders.enter.size} bars, but the panel has {rows}")
        if (self.rules.rank is None) != (self.rank is None) or (self.rank is not None and self.rank.size != rows):
            raise InvalidInput("rules.rank and the array of its values come together, one value per bar")

    @cached_property
    def session(self) -> Ints:
        """Position of each row's time among the sessions, (N,)."""
        return np.searchsorted(self.panel.sessions, self.panel.ts).astype(np.int64)

    @cached_property
    def ends_early(self) -> Bools:
        """Symbols whose bars end more than five days of sessions before the panel's, (S,)."""
        days = np.unique(self.panel.sessions // DAY)
        last = self.panel.ts[self.panel.last_rows] // DAY
        missing: Ints = days.size - np.searchsorted(days, last, side="right")
        return missing > PATIENCE

    @cached_property
    def start(self) -> Floats:
        """Money of each symbol at the start, (S,); with shared cash its even share, for scale only."""
        count = len(self.panel.symbols)
        return np.full(count, self.rules.cash / count)

    def run(self, fees: Floats | float | None = None) -> Run:
        """Simulate; fees replace the rules' own: one rate, or (S,) one per symbol where each has its own cash."""
        given = self.rules.fees if fees is None else fees
        rates = np.array(np.broadcast_to(np.asarray(given, np.float64), self.start.shape))
        entries = int(np.count_nonzero(self.orders.enter) + np.count_nonzero(self.orders.short_enter))
        room = min(entries, max(FIRST_ROOM, len(self.panel) // 16))
        while True:
            trades = Trades(np.empty((room, 5), np.int64), np.empty((room, 6)))
            run, found = self._shared(rates[0], trades) if self._one_purse else self._apart(rates, trades)
            if found <= room:
                return replace(run, trades=Trades(trades.whole[:found].copy(), trades.real[:found].copy()))
            room = found

    def total_returns(self, fees: Floats) -> Floats:
        """(C,) total returns of everything together, at C fees."""
        return np.array([self._ends(np.full_like(self.start, fee)).sum() for fee in fees]) / self.rules.cash - 1.0

    def returns_by_symbol(self, fees: Floats) -> Floats:
        """(S,) total returns of symbols with their own cash, at fees (S,)."""
        return self._ends(fees) / self.start - 1.0

    def _ends(self, rates: Floats) -> Floats:
        """Final equity, (S,); with shared cash (1,). Nothing else is kept, so nothing is allocated."""
        rows, position = self._scratch
        unkept = Trades(np.empty((0, 5), np.int64), np.empty((0, 6)))
        if self._one_purse:
            return self._shared(float(rates[0]), unkept)[0].equity[-1:]
        self._simulate(rates, rows, position, unkept)
        return rows[self.panel.last_rows]

    @cached_property
    def _scratch(self) -> tuple[Floats, Floats]:
        return np.empty(len(self.panel)), np.empty(len(self.panel))

    @property
    def _one_purse(self) -> bool:
        return self.rules.mode == "portfolio"

    @cached_property
    def _market(self) -> tuple[Any, ...]:
        panel = self.panel
        columns = (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.ts // DAY)
        return tuple(_read_only(np.ascontiguousarray(column)) for column in columns)

    @cached_property
    def _decisions(self) -> tuple[Any, ...]:
        return tuple(_read_only(np.ascontiguousarray(getattr(self.orders, field.name))) for field in fields(Orders))

    @cached_property
    def _finish(self) -> Bools:
        finish: Bools = _read_only(np.ones_like(self.ends_early) if self.finish_all else self.ends_early)
        return finish

    @cached_property
    def _costs(self) -> tuple[float, ...]:
        rules = self.rules
        limit = np.inf if rules.volume_limit is None else float(rules.volume_limit)
        return float(rules.borrow) / DAYS_OF_A_YEAR, float(rules.fee_per_share), float(rules.fee_per_trade), limit

    def _apart(self, rates: Floats, trades: Trades) -> tuple[Run, int]:
        panel = self.panel
        rows, position = np.empty(len(panel)), np.empty(len(panel))
        found, cut, over = self._simulate(rates, rows, position, trades)
        offsets, session, none = _read_only(panel.offsets), _read_only(self.session), np.zeros_like(self.start)
        equity, gross = np.empty(panel.sessions.size), np.empty(panel.sessions.size)
        simulate.over_sessions(_read_only(rows), session, offsets, _read_only(self.start), equity)
        value = np.abs(position)
        value *= panel.close
        simulate.over_sessions(_read_only(value), session, offsets, _read_only(none), gross)
        return Run(equity, gross, position, rows, trades, cut, over), found

    def _simulate(self, rates: Floats, rows: Floats, position: Floats, trades: Trades) -> tuple[int, int, int]:
        counts: tuple[int, int, int] = simulate.simulate(
            *self._market,
            _read_only(self.panel.offsets),
            *self._decisions,
            _read_only(self.start),
            _read_only(rates),
            self._finish,
            float(self.rules.slippage),
            float(self.rules.leverage),
            *self._costs,
            int(self.rules.fill == "close"),
            rows,
            position,
            trades.whole,
            trades.real,
        )
        return counts

    def _shared(self, rate: float, trades: Trades) -> tuple[Run, int]:
        panel, rules = self.panel, self.rules
        equity, gross = np.empty(panel.sessions.size), np.empty(panel.sessions.size)
        position = np.empty(len(panel))
        slots = rules.max_positions or len(panel.symbols)
        exposure = float(rules.max_exposure or rules.leverage)
        found, cut, over, no_slot, no_money = portfolio.simulate_portfolio(
            *self._market,
            _read_only(self.session),
            _read_only(panel.offsets),
            *self._decisions,
            _read_only(np.zeros(len(panel)) if self.rank is None else np.ascontiguousarray(self.rank)),
            self._finish,
            float(rules.cash),
            float(rate),
            float(rules.slippage),
            *self._costs,
            int(rules.fill == "close"),
            slots,
            1.0 / slots,
            float(rules.leverage),
            exposure,
            rules.rebalance or 0,
            equity,
            gross,
            position,
            trades.whole,
            trades.real,
        )
        return Run(equity, gross, position, np.empty(0), trades, cut, over, no_slot, no_money), found


def bars_of_a_year(panel: Panel) -> float:
    """252 days a year, 365 where bars fall on all seven weekdays; times the bars of a full session when intraday.

    A full session has as many bars as most days of the panel have.
    """
    days, counts = np.unique(panel.sessions // DAY, return_counts=True)
    year = 365.0 if np.unique((days + 3) % 7).size == 7 else 252.0
    if panel.frame == "1d":
        return year
    sizes, often = np.unique(counts, return_counts=True)
    return year * float(sizes[np.argmax(often)])


def _read_only(values: Any) -> Any:
    """A view that cannot be written to: the one form in which kernels take inputs, so that each is compiled once."""
    view = values.view()
    view.flags.writeable = False
    return view
