"""Watches the live pools between requests: tells how every agent is, and restarts actors that hang."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping

from cluster.actors import Vitals
from cluster.pools import AgentPool, Silence
from data.clock import Clock
from data.store.agents import AgentStatus

_LOOK_S = 3.0
_BUSY_S = 20.0  # an actor that works is not down; one call of live serving is far shorter


class Monitor:
    """Looks at pools again and again; keeps what one look cannot know: restarts, and since when an actor is silent."""

    def __init__(self, pools: Mapping[str, AgentPool], clock: Clock, *, hung_after_s: float) -> None:
        self._pools, self._clock, self._hung_after_s = pools, clock, hung_after_s
        self._pids: dict[tuple[str, int], int] = {}
        self._silent_since: dict[tuple[str, int], float] = {}
        self._last: dict[tuple[str, int], Vitals] = {}
        self._restarts: dict[str, int] = dict.fromkeys(pools, 0)

    async def look(self) -> list[AgentStatus]:
        """How every agent is now, by name; takes a few seconds at most."""
        names = sorted(self._pools)
        found = await asyncio.gather(*(self._pools[name].look(deadline_s=_LOOK_S) for name in names))
        return [self._judge(name, vitals) for name, vitals in zip(names, found, strict=True)]

    def _judge(self, name: str, answers: list[Vitals | Silence]) -> AgentStatus:
        vitals = [self._vitals((name, number), answer) for number, answer in enumerate(answers)]
        up = [seen for seen in vitals if seen is not None]
        seconds = sorted(second for seen in up for second in seen.seconds)
        agent = self._pools[name].agent
        return AgentStatus(
            name=name,
            scope=agent.scope,
            inputs=agent.inputs,
            warmup=agent.warmup,
            description=agent.description,
            state="up" if len(up) == len(vitals) else "degraded" if up else "down",
            actors=len(vitals),
            alive=len(up),
            pids=tuple(seen.pid for seen in up),
            nodes=tuple(sorted({seen.node for seen in up})),
            calls=sum(seen.calls for seen in up),
            errors=sum(seen.errors for seen in up),
            restarts=self._restarts[name],
            p50_ms=_percentile_ms(seconds, 0.50),
            p99_ms=_percentile_ms(seconds, 0.99),
            last_error=next((seen.error for seen in up if seen.error), None),
            seen_at=self._clock.now(),
        )

    def _vitals(self, key: tuple[str, int], answer: Vitals | Silence) -> Vitals | None:
        """How one actor is, or was when it last had time to say so; None for one that is down."""
        name, number = key
        now = time.monotonic()
        if isinstance(answer, str):
            since = self._silent_since.setdefault(key, now)
            if now - since > self._hung_after_s:
                self._pools[name].restart(number)
                self._silent_since[key] = now  # it is given as long to come back
            return self._last.get(key) if answer == "busy" and now - since <= _BUSY_S else None
        self._silent_since.pop(key, None)
        self._last[key] = answer
        if self._pids.setdefault(key, answer.pid) != answer.pid:
            self._pids[key] = answer.pid
            self._restarts[name] += 1
        return answer


def _percentile_ms(ascending: list[float], share: float) -> float | None:
    """The smallest time that at least this share of the calls did not exceed."""
    if not ascending:
        return None
    return 1000.0 * ascending[max(0, math.ceil(share * len(ascending)) - 1)]
