"""The relay: numbers stored events in PostgreSQL and copies them, in that order, to a Redis stream.

What the stream holds is always a piece of PostgreSQL's order without a gap: a script adds entries only behind the very
entry they follow, so a repeat, a frozen relay that wakes up or a Redis that lost its tail can do no harm. Where Redis
is, is read from Redis: an empty one is filled again with the newest `keep` events; one that fell far behind or holds
another history (PostgreSQL was restored from a backup) is replaced in one step, and readers of another history are told
by a new value of `LINE`. Numbering goes on while Redis is away.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from data.clock import Clock
from data.contracts.errors import TemporarilyUnavailable
from data.store.events import EventLog
from data.store.stream import Overtaken, Sequencer, Term
from data.stream.reader import LINE, STREAM, newest_entry
from data.stream.redis import reason

_BATCH = 1000
_TICK_S = 1.0  # how often an idle relay renews its lease and looks whether Redis still has everything
_STANDBY_S = 0.5
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0

# Adds entries behind ARGV[1] = the last number the stream must have (0: it must be empty). ARGV[2] '1': it is emptied
# first. ARGV[3]: how many entries are kept. ARGV[4]: a new LINE, or ''. Then, per entry: number, key, type, body.
# Returns 1, or 0 when the last number is another: nothing was changed then. Commands of Redis 6.2.
_ADD = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local last = newest[1] and string.match(newest[1][1], '^%d+') or '0'
if last ~= ARGV[1] then return 0 end
if ARGV[2] == '1' then redis.call('DEL', KEYS[1]) end
if ARGV[4] ~= '' then redis.call('SET', KEYS[2], ARGV[4]) end
for i = 5, #ARGV, 4 do
    redis.call('XADD', KEYS[1], ARGV[i] .. '-0', 'k', ARGV[i + 1], 't', ARGV[i + 2], 'b', ARGV[i + 3])
end
redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[3])
return 1
"""

_log: Final = structlog.get_logger()


@dataclass(frozen=True)
class _Place:
    """What the relay believes of the stream."""

    last: int  # number of its last entry; 0: it is empty
    at: int  # number behind which it is to go on
    replace: bool = False  # what it holds must go first
    line: str = ""  # the name of its new history, when it held another


class Relay:
    """One relay; of several on one database one leads and the others stand by.

    keep: how many of the newest events the stream holds. lease_s: see `Sequencer.lead`; Redis's deadline for a command
    should be below it, or a relay that waits for Redis may be overtaken meanwhile (which harms nothing).
    """

    def __init__(
        self, sequencer: Sequencer, log: EventLog, redis: Redis, *, keep: int, lease_s: float, clock: Clock
    ) -> None:
        self._sequencer, self._log, self._redis = sequencer, log, redis
        self._keep, self._lease_s, self._clock = keep, lease_s, clock
        self._add = redis.register_script(_ADD)
        self._place: _Place | None = None  # None: Redis has to be asked
        self._no_postgres, self._no_redis = Outage("PostgreSQL", clock), Outage("Redis", clock)
        self._redis_again = 0.0  # in the event loop's seconds
        self._stepped = time.monotonic()

    @property
    def silent_s(self) -> float:
        """Seconds since the last step. Every step ends within its deadlines, also when a server is away."""
        return time.monotonic() - self._stepped

    async def run(self) -> None:
        """Relay until cancelled. PostgreSQL or Redis away: logged, and tried again until they are back."""
        while True:
            self._stepped = time.monotonic()
            try:
                async with self._sequencer.lead(self._lease_s) as term:
                    self._no_postgres.over()
                    if term is None:
                        await asyncio.sleep(_STANDBY_S)
                    else:
                        await self._serve(term)
            except TemporarilyUnavailable as problem:
                await asyncio.sleep(self._no_postgres.failed(str(problem)))
            except Overtaken as problem:
                _log.warning("relay stands by", reason=str(problem))

    async def _serve(self, term: Term) -> None:
        _log.info("relay leads", epoch=term.epoch)
        self._place = None
        while True:
            self._stepped = time.monotonic()
            numbered = await term.sequence(_BATCH)
            more = await self._deliver()
            if not more and numbered < _BATCH:
                await term.wait(_TICK_S)

    async def _deliver(self) -> bool:
        """Make one step towards a stream that holds everything, unless Redis is away; whether to go on at once."""
        now = asyncio.get_running_loop().time()
        if now < self._redis_again:
            return False
        try:
            more = await self._step()
        except (RedisError, OSError) as problem:  # also a full disk or memory: nothing but its operator can help Redis
            self._place = None  # the step may have been done all the same
            self._redis_again = now + self._no_redis.failed(reason(problem))
            return False
        self._no_redis.over()
        return more

    async def _step(self) -> bool:
        place = self._place or await self._find()
        batch = await self._log.after(place.at, limit=_BATCH)
        told = [part for event in batch for part in (event.seq, event.routing_key, event.type, event.body)]
        head = (place.last, int(place.replace), self._keep, place.line)
        if not await self._add(keys=(STREAM, LINE), args=(*head, *told)):
            self._place = None
            return True
        at = place.at + len(batch)
        # An emptied stream that gets no entry now stays empty, whatever its next number.
        self._place = _Place(last=at if batch or not place.replace else 0, at=at)
        return len(batch) == _BATCH

    async def _find(self) -> _Place:
        """Where the stream is, and whether it holds a piece of our history that can be continued."""
        newest = await newest_entry(self._redis)
        start = max(await self._log.top() - self._keep, 0)
        if newest is None:
            return _Place(last=0, at=start)
        ours = await self._log.after(newest.seq - 1, limit=1)
        if not ours or ours[0].seq != newest.seq or ours[0].body.encode() != newest.body:
            _log.warning("the stream in Redis holds another history and is replaced", newest=newest.seq)
            return _Place(newest.seq, start, replace=True, line=self._clock.now().isoformat())
        if newest.seq < start:
            return _Place(newest.seq, start, replace=True)
        return _Place(newest.seq, newest.seq)


class Outage:
    """Counts how often a server was asked in vain: logs the first time and the end, and says how long to pause."""

    def __init__(self, server: str, clock: Clock) -> None:
        self._server, self._clock = server, clock
        self._failures, self._since = 0, clock.now()

    def failed(self, reason: str) -> float:
        """Seconds to pause: longer each time, up to two."""
        if self._failures == 0:
            self._since = self._clock.now()
            _log.warning(f"relay waits for {self._server}", reason=reason)
        self._failures += 1
        return min(_FIRST_PAUSE_S * 2.0 ** (self._failures - 1), _LONGEST_PAUSE_S)

    def over(self) -> None:
        """It answered."""
        if self._failures:
            away_s = (self._clock.now() - self._since).total_seconds()
            _log.warning(f"{self._server} is back", away_s=round(away_s, 1), attempts=self._failures)
            self._failures = 0
