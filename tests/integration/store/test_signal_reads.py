"""What is read of signals at one moment, against the same question asked of all of them in Python."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from data.contracts.signals import Action
from data.store.signals import Revision, SignalStore
from tests.integration.store.samples import FIRST_BAR, NOW, signal

DAYS = range(0, 40, 2)
UNIVERSES = ("sp500", "tech")
SYMBOLS = tuple(f"S{number}" for number in range(9))
ACTIONS = {-1: Action.SELL, 0: Action.HOLD, 1: Action.BUY}


def day(number: int) -> datetime:
    return FIRST_BAR + timedelta(days=number)


async def fill(store: SignalStore) -> list[tuple[Revision, datetime]]:
    """Many signals with holes, revisions and missing agents; each with the moment it became known."""
    chance = random.Random(7)
    kept: list[tuple[Revision, datetime]] = []
    for step in range(260):
        symbol, universe = chance.choice(SYMBOLS), chance.choice(UNIVERSES)
        newest = 12 if symbol == "S0" else 40  # S0 ends early
        score = chance.choice((-0.5, -0.3, 0.0, 0.25, 0.7))
        made = signal(
            symbol,
            day=chance.choice([number for number in DAYS if number < newest]),
            inputs=str(step),
            universe=universe,
            score=score,
            missing=chance.choice(((), (), ("news",))),
        ).model_copy(update={"action": ACTIONS[(score > 0.1) - (score < -0.1)]})
        now = NOW + timedelta(seconds=step)
        (stored,) = await store.add_all([made], clock_now=now, correlation_id="test")
        kept.append((Revision(made, stored.revision), now))
    return kept


def current(kept: Iterable[tuple[Revision, datetime]]) -> list[tuple[Revision, datetime]]:
    """The revision that counts of each signal."""
    best: dict[str, tuple[Revision, datetime]] = {}
    for row in kept:
        held = best.get(row[0].signal.signal_id)
        if held is None or rank(row) > rank(held):
            best[row[0].signal.signal_id] = row
    return list(best.values())


def rank(row: tuple[Revision, datetime]) -> tuple[bool, int]:
    return not row[0].signal.missing, row[0].revision


def newest(kept: list[tuple[Revision, datetime]], universe: str | None, until: datetime | None) -> dict[str, Revision]:
    """The newest signal of each symbol, the slow way."""
    found: dict[str, tuple[Revision, datetime]] = {}
    for row in current(kept):
        s = row[0].signal
        if universe not in (None, s.universe) or (until is not None and s.as_of > until):
            continue
        held = found.get(s.symbol)
        if held is None or order(row) > order(held):
            found[s.symbol] = row
    return {symbol: row[0] for symbol, row in sorted(found.items())}


def order(row: tuple[Revision, datetime]) -> tuple[datetime, bool, datetime]:
    return row[0].signal.as_of, not row[0].signal.missing, row[1]


async def test_every_read_agrees_with_the_same_question_asked_of_all_signals(signals: SignalStore) -> None:
    kept = await fill(signals)
    for universe in (None, *UNIVERSES, "none"):
        for until in (None, *(day(number) for number in (-1, 0, 5, 11, 12, 25, 38, 90))):
            expected = newest(kept, universe, until)
            found = await signals.latest(universe, until=until)
            assert found == list(expected.values())
            for symbol in (*SYMBOLS[:3], "NONE"):
                assert await signals.newest(symbol, universe, until=until) == expected.get(symbol)
            if universe is not None:
                await compare_sessions(signals, kept, universe, until)


async def compare_sessions(
    signals: SignalStore, kept: list[tuple[Revision, datetime]], universe: str, until: datetime | None
) -> None:
    sessions = sorted(
        {
            row.signal.as_of
            for row, _ in kept
            if row.signal.universe == universe and (until is None or row.signal.as_of <= until)
        }
    )
    at = {
        session: {s: row for s, row in newest(kept, universe, session).items() if row.signal.as_of == session}
        for session in sessions
    }
    breadth = await signals.breadth(universe, sessions=3, until=until)
    assert [point.as_of for point in breadth] == sessions[-3:]
    for point in breadth:
        said = [row.signal.action for row in at[point.as_of].values()]
        counts = [said.count(action) for action in (Action.BUY, Action.HOLD, Action.SELL)]
        assert [point.buy, point.hold, point.sell] == counts
    changes = await signals.changes(universe, until=until)
    if len(sessions) < 2:
        assert (changes.before, changes.items) == (None, [])
        return
    was, now = (at[session] for session in sessions[-2:])
    assert (changes.before, changes.as_of) == (sessions[-2], sessions[-1])
    expected = {s: row for s, row in now.items() if s in was and was[s].signal.action != row.signal.action}
    assert {change.now.signal.symbol: change.now for change in changes.items} == expected
    assert all(change.was_score == was[change.now.signal.symbol].signal.score for change in changes.items)
    assert await signals.actions(universe, sessions[-1]) == {s: row.signal.action for s, row in now.items()}


async def test_filters_choose_among_the_newest_signals(signals: SignalStore) -> None:
    kept = await fill(signals)
    rows = list(newest(kept, "sp500", None).values())
    strong = await signals.latest("sp500", min_strength=0.3)
    assert strong == [row for row in rows if row.signal.strength >= 0.3]
    sells = await signals.latest("sp500", actions=[Action.SELL, Action.HOLD])
    assert sells == [row for row in rows if row.signal.action is not Action.BUY]
    two = await signals.latest("sp500", symbols=["S0", "S3", "NONE"])
    assert two == [row for row in rows if row.signal.symbol in ("S0", "S3")]
    ranked = sorted(rows, key=lambda row: (-row.signal.strength, row.signal.symbol))
    assert await signals.latest("sp500", strongest=True) == ranked
    for place in range(len(ranked)):
        key = (ranked[place].signal.strength, ranked[place].signal.symbol)
        assert await signals.latest("sp500", strongest=True, after=key, limit=2) == ranked[place + 1 : place + 3]
        assert await signals.latest("sp500", after=(0.0, rows[place].signal.symbol)) == rows[place + 1 :]


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_of_a_history_pass_over_nothing_where_several_signals_share_a_bar(
    signals: SignalStore, limit: int
) -> None:
    kept = await fill(signals)
    expected = sorted(
        (row for row, _ in current(kept) if row.signal.symbol == "S1" and row.signal.as_of <= day(30)),
        key=lambda row: (-row.signal.as_of.timestamp(), row.signal.signal_id),
    )
    read = await signals.history("S1", until=day(30), limit=limit)
    while True:
        last = read[-1].signal
        page = await signals.history("S1", until=day(30), before=last.as_of, after=last.signal_id, limit=limit)
        if not page:
            break
        read += page
    assert read == expected


async def test_many_come_back_in_the_order_asked(signals: SignalStore) -> None:
    rows = [row for row, _ in await fill(signals) if row.signal.as_of == day(10)]
    wanted = [(row.signal.signal_id, row.revision) for row in reversed(rows)]
    assert await signals.many([*wanted, ("none", 1)], day(10)) == list(reversed(rows))
    assert await signals.many([], day(10)) == []


async def test_the_version_changes_with_every_event_stored_or_delivered(signals: SignalStore) -> None:
    versions = [await signals.version()]
    for number in (1, 2):
        await signals.add_all([signal(day=number)], clock_now=NOW, correlation_id="test")
        versions.append(await signals.version())
    await signals.add_all([signal(day=2)], clock_now=NOW, correlation_id="test")  # known: nothing is told
    assert await signals.version() == versions[-1]
    assert len(set(versions)) == 3


async def test_a_rebuild_finds_the_symbols_again(signals: SignalStore) -> None:
    kept = await fill(signals)
    await signals.rebuild()
    assert await signals.latest() == list(newest(kept, None, None).values())
