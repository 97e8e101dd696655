"""The replay source: plays stored sessions one by one through the whole live path, at a speed people can change.

Where it is stands in the feed's row, so a restarted player goes on where it was; a session that was decided but not
yet counted is decided again, which stores nothing twice.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from datetime import datetime

import structlog
from redis.asyncio import Redis

from data.clock import Clock
from data.contracts.errors import TemporarilyUnavailable
from data.contracts.events import SessionDecided
from data.contracts.panel import Panel, from_micros
from data.contracts.signals import Action
from data.settings import ReplaySettings
from data.store.feed import Feed
from data.store.stores import Stores
from data.stream import prices
from serve_app.orchestrator import Market, Orchestrator

_POLL_S = 0.2
_RETRY_S = 1.0

log = structlog.get_logger(__name__)


class Player:
    """Plays one market."""

    def __init__(self, market: Market, orchestrator: Orchestrator, stores: Stores, redis: Redis, clock: Clock) -> None:
        self._market, self._orchestrator, self._stores = market, orchestrator, stores
        self._redis, self._clock = redis, clock
        self._sessions = [from_micros(int(ts)) for ts in market.panel.sessions]
        self._due = time.monotonic()

    async def run(self) -> None:
        """Play until cancelled. PostgreSQL or agents away: logged, and the same session is tried again."""
        at: datetime | None = None  # the clock that the last decision was for
        while True:
            try:
                feed = await self._stores.feed.get()
                if feed is None or feed.kind != "replay":
                    raise TemporarilyUnavailable("there is no replay to play")
                if feed.clock != at:  # the start, or somebody sent the clock elsewhere
                    if not await self._tell_context(feed):
                        continue
                    # the session people see now, and the one it is compared with
                    for session in [s for s in self._sessions if s <= feed.clock][-2:]:
                        await self._decide(feed, session, count=False)
                    at = feed.clock
                at = await self._step(feed) or at
            except TemporarilyUnavailable as problem:
                log.warning("replay_waits", reason=str(problem))
                await asyncio.sleep(_RETRY_S)

    async def _step(self, feed: Feed) -> datetime | None:
        """Play the next session if it is due; its time when the clock was moved to it."""
        if feed.state != "running" or feed.session_s is None or time.monotonic() < self._due:
            await asyncio.sleep(_POLL_S)
            return None
        after = next((session for session in self._sessions if session > feed.clock), None)
        if after is None:
            await self._stores.feed.advance(feed.version, clock=feed.clock, state="ended", now=self._clock.now())
            return None
        self._due = time.monotonic() + feed.session_s
        return after if await self._decide(feed, after, count=True) else None

    async def _tell_context(self, feed: Feed) -> bool:
        """Write down which context is known at the feed's clock. Whether that still was its clock."""
        context, now = _context(self._market.bars_of(feed.clock)), self._clock.now()
        moved = await self._stores.feed.advance(
            feed.version, clock=feed.clock, state=feed.state, now=now, context=context
        )
        return moved is not None

    async def _publish(self, panel: Panel) -> None:
        try:
            await prices.publish(self._redis, _newest_bars(panel))
        except TemporarilyUnavailable as problem:  # prices are delivery only: the newest ones follow with the next bar
            log.warning("prices_not_published", reason=str(problem))

    async def _decide(self, feed: Feed, session: datetime, *, count: bool) -> bool:
        """Ingest, decide, store and tell one session; `count` also moves the clock to it. Whether it was moved."""
        bars = self._market.bars_of(session)
        correlation_id = str(uuid.uuid4())
        await self._publish(bars)
        found = await self._orchestrator.decide_session(session, correlation_id=correlation_id)
        if not count:
            return False
        said = Counter(one.signal.action for one in found)
        now = self._clock.now()
        told = SessionDecided.of(
            session,
            source=feed.name,
            universe=feed.universe,
            signals=len(found),
            new=sum(one.new for one in found),
            buy=said[Action.BUY],
            hold=said[Action.HOLD],
            sell=said[Action.SELL],
            missing=tuple(sorted({name for one in found for name in one.signal.missing})),
            occurred_at=now,
            correlation_id=correlation_id,
        )
        last = session >= feed.last
        moved = await self._stores.feed.advance(
            feed.version,
            clock=session,
            state="ended" if last else feed.state,
            now=now,
            context=_context(bars),
            event=told,
        )
        return moved is not None


def feed_at_start(
    market: Market, before: Feed | None, settings: ReplaySettings | None, now: datetime, *, again: bool
) -> Feed:
    """The feed a system begins with: a replay goes on where it was if the bars are the same; None: not a replay.

    again: only the compute process was restarted, so a replay that has ended stays so.
    """
    panel = market.panel
    sessions = panel.sessions
    kept = before if before is not None and before.data_hash == panel.content_hash else None
    clock, state = from_micros(int(sessions[-1])), "still"
    session_s = None if settings is None else settings.session_s
    if settings is not None:
        begin = from_micros(int(sessions[max(0, len(sessions) - 1 - settings.sessions)]))
        resumed = kept is not None and kept.kind == "replay" and (again or kept.state != "ended")
        clock = kept.clock if kept is not None and resumed else begin
        state = kept.state if kept is not None and resumed else "running"
        session_s = kept.session_s if kept is not None and resumed else session_s
    return Feed(
        source=market.source,
        kind="still" if settings is None else "replay",
        state=state,  # type: ignore[arg-type]  # one of FeedState by construction
        universe=market.universe,
        frame=panel.frame,
        data_hash=panel.content_hash,
        clock=clock,
        first=from_micros(int(sessions[0])),
        last=from_micros(int(sessions[-1])),
        session_s=session_s,
        quarantined=market.quarantined,
        context=_context(panel.until(clock)),
        updated_at=now,
    )


def _context(panel: Panel) -> dict[str, datetime]:
    """When the newest value of each dated context became known."""
    return {name: from_micros(int(s.known_at[-1])) for name, s in panel.context.items() if len(s.known_at)}


def _newest_bars(panel: Panel) -> list[dict[str, object]]:
    """The bar of each symbol that closed in the panel's newest session."""
    newest = int(panel.ts.max())
    return [
        {
            "symbol": symbol,
            "ts": from_micros(newest).isoformat(),
            "open": float(panel.open[row]),
            "high": float(panel.high[row]),
            "low": float(panel.low[row]),
            "close": float(panel.close[row]),
            "volume": float(panel.volume[row]),
        }
        for symbol, row in zip(panel.symbols, panel.last_rows, strict=True)
        if panel.ts[row] == newest
    ]
