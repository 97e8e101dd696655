"""How each agent is, as its supervisor last saw it: written on the cluster, read by everybody, also without Ray."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from data.contracts.events import AgentState
from data.store.pool import Pool, transaction

_PUT = """INSERT INTO agent_state (name, body, seen_at) VALUES (%s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET body = excluded.body, seen_at = excluded.seen_at
    WHERE agent_state.seen_at <= excluded.seen_at"""
_GONE = "DELETE FROM agent_state WHERE name <> ALL(%s) AND seen_at < %s"
_ALL = "SELECT body, seen_at FROM agent_state ORDER BY name"


@dataclass(frozen=True)
class AgentStatus:
    """An agent and its actors. Times in milliseconds over the last asks; None: not measured yet.

    state: None while nobody has looked. calls and errors count since the actors started.
    """

    name: str
    scope: Literal["symbol", "universe"]
    inputs: tuple[str, ...]
    warmup: int
    description: str
    state: AgentState | None
    actors: int
    alive: int
    pids: tuple[int, ...]
    nodes: tuple[str, ...]
    calls: int
    errors: int
    restarts: int
    p50_ms: float | None
    p99_ms: float | None
    last_error: str | None
    seen_at: datetime


class AgentStateStore:
    """The newest state of every agent."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def put_all(self, states: Sequence[AgentStatus]) -> None:
        """Write down one look at all agents. An older look changes nothing; agents that are not in it are forgotten."""
        if not states:
            return
        rows = []
        for state in states:
            body = asdict(state)
            seen_at = body.pop("seen_at")
            rows.append((state.name, Jsonb(body), seen_at))
        async with transaction(self._pool, self._write_s) as connection:
            async with connection.cursor() as cursor:
                await cursor.executemany(_PUT, rows)
            await connection.execute(_GONE, ([s.name for s in states], min(s.seen_at for s in states)))

    async def all(self) -> list[AgentStatus]:
        """Every agent that was ever seen, by name."""
        async with transaction(self._pool, self._read_s) as connection:
            rows = await (await connection.execute(_ALL)).fetchall()
        return [_status(body, seen_at) for body, seen_at in rows]


def _status(body: Mapping[str, Any], seen_at: datetime) -> AgentStatus:
    lists = {name: tuple(body[name]) for name in ("inputs", "pids", "nodes")}
    return AgentStatus(**{**body, **lists}, seen_at=seen_at)
