"""P10: what `AgentPool.ask` adds to a raw Ray actor call, and apart from it, what a Serve handle call costs.

Import only after `cluster.connect.prepare_environment`: Ray reads the environment when it is imported.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray import serve

from agents.registry import roster
from benchmarks.measure import Samples, quantile
from cluster.actors import evaluate
from cluster.pools import AgentPool
from data.contracts.panel import Panel
from data.settings import AgentSettings

BARS = 60
ROUNDS = 9
CALLS = 200  # one after the other, per round and side
BURST = 600  # pipelined, per round and side
IN_FLIGHT = 32
DEADLINE_S = 30.0

Call = Callable[[], Awaitable[object]]


@serve.deployment(name="echo", ray_actor_options={"num_cpus": 0.1}, max_ongoing_requests=64)
class Echo:
    """Like OrchestratorDeployment with an orchestrator that has nothing to do."""

    async def decide(self, symbols: list[str], correlation_id: str) -> list[str]:
        """Answers what it was asked."""
        return symbols


async def run(panel: Panel, settings: AgentSettings) -> dict[str, Any]:
    """Rounds in turn over the three sides; latencies in seconds, throughput in calls a second."""
    (agent,) = roster(["trend"])
    pool = AgentPool.ensure(agent, settings.model_copy(update={"actors": 1}), keep=False)
    await pool.ready(deadline_s=120.0)
    (member,) = pool._members
    tiny = panel.slice(0, 1)
    tiny = tiny.until(int(tiny.ts[BARS - 1]))
    ref = ray.put(tiny)
    echo: Any = Echo
    handle = serve.run(echo.bind(), name="benchmark", route_prefix=None)

    async def ask() -> object:
        return await pool.ask(ref, 0, 1, rows="last", deadline_s=DEADLINE_S)

    async def raw() -> object:
        return await member.handle.vote.remote(ref, 0, 1, "last")

    async def work() -> object:
        return evaluate(agent.name, tiny, 0, 1, "last")

    async def served() -> object:
        return await handle.decide.remote(["AAPL"], "benchmark")

    sides: dict[str, Call] = {"ask": ask, "raw": raw, "work": work, "serve": served}
    for call in sides.values():
        await _one_by_one(call, CALLS)
        await _pipelined(call, BURST)
    seen: dict[str, dict[str, list[float]]] = {name: {"p50": [], "p99": [], "throughput": []} for name in sides}
    for number in range(ROUNDS):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        for name in order:
            waits = await _one_by_one(sides[name], CALLS)
            seen[name]["p50"].append(quantile(waits, 0.50))
            seen[name]["p99"].append(quantile(waits, 0.99))
        for name in order:
            seen[name]["throughput"].append(await _pipelined(sides[name], BURST))
    serve.delete("benchmark")
    pool.stop()
    return _report({name: {what: Samples.of(values) for what, values in row.items()} for name, row in seen.items()})


async def _one_by_one(call: Call, calls: int) -> list[float]:
    waits = []
    for _ in range(calls):
        began = time.perf_counter()
        await call()
        waits.append(time.perf_counter() - began)
    return waits


async def _pipelined(call: Call, calls: int) -> float:
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with slots:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(calls)))
    return calls / (time.perf_counter() - began)


def _report(seen: dict[str, dict[str, Samples]]) -> dict[str, Any]:
    labels = {
        "ask": "AgentPool.ask",
        "raw": "raw Ray actor call",
        "work": "  the agent's work in it",
        "serve": "Serve handle call, empty",
    }
    print(f"\nP10  one agent, {BARS} bars; {ROUNDS} rounds of {CALLS} calls, then {BURST} with {IN_FLIGHT} in flight")
    for name, row in seen.items():
        print(f"  {labels[name]:<26} p50 {row['p50'].text(1e3, 'ms')}")
        print(f"  {'':<26} p99 {row['p99'].text(1e3, 'ms')}")
        print(f"  {'':<26} rate {row['throughput'].text(1, '1/s')}")
    ask, raw = seen["ask"], seen["raw"]
    p50, throughput = ask["p50"].over(raw["p50"]), ask["throughput"].over(raw["throughput"])
    print(f"  p50 of ask / raw           {p50.text(1, '×')}   floor: at most 1.3")
    print(f"  throughput of ask / raw    {throughput.text(1, '×')}   floor: at least 0.8")
    document: dict[str, Any] = {
        name: {what: samples.document() for what, samples in row.items()} for name, row in seen.items()
    }
    document["p50_ratio"] = p50.document() | {"floor": 1.3}
    document["throughput_ratio"] = throughput.document() | {"floor": 0.8}
    return document
