"""`python -m benchmarks.live`: what a new session costs when its history is followed, against evaluating it whole.

The sample's newest sessions one after the other, both sides in turn: first the agents in this process, one thread,
then all of a decision but its writing through the pools of a local Ray, started in a temporary home. The votes and the
signals of both sides are equal to the bit in every round, or the run fails.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from agents.agent import Agent, VoteBlock
from agents.consensus import ConsensusParams, Decision, conclude
from agents.following import begin, follow
from agents.newest import Newest, NewestFollower
from agents.registry import roster
from benchmarks.measure import Samples, machine, write
from cluster.connect import ONE_THREAD, prepare_environment
from data.contracts.panel import Panel
from data.home import RAY_TOKEN, Home

if TYPE_CHECKING:
    from cluster.voters import PoolVoters

T = TypeVar("T")
_SESSIONS = 12  # the first one warms
_PARAMS = ConsensusParams()


def main() -> None:
    """Run everything, print a table, write the results."""
    from data.market.source import SAMPLE, open_bars

    facts = machine(("numpy", "numba", "ray", "ta-lib"))
    os.environ.update(ONE_THREAD)
    for name in [name for name in os.environ if name.startswith("GS_")]:
        del os.environ[name]
    panel = open_bars(SAMPLE).panel
    rows = {agent.name: _agent(agent, panel) for agent in roster()} | {"consensus": _consensus(panel)}
    rows["in one process"] = {side: _sum(row[side] for row in rows.values()) for side in ("whole", "followed")}
    with TemporaryDirectory(prefix="gs-bench-") as folder:
        rows["through the pools"] = _through_ray(Home(Path(folder) / "home"), panel)
    symbols = len(panel.symbols)
    print(f"one session of {symbols} symbols after {panel.sessions.size - 1:,} sessions")
    for name, row in rows.items():
        ratio = row["whole"].over(row["followed"]).median
        each = 1e6 * row["followed"].median / symbols
        print(f"  {name:<18} whole {row['whole'].text(1e3, 'ms')}  followed {row['followed'].text(1e3, 'ms')}", end="")
        print(f"  ×{ratio:.0f}, {each:.1f} µs a symbol")
    document: dict[str, object] = {"machine": facts, "symbols": symbols, "bars": len(panel)}
    for name, row in rows.items():
        document[name.replace(" ", "_")] = {
            "whole_s": row["whole"].document(),
            "followed_s": row["followed"].document(),
            "ratio": row["whole"].over(row["followed"]).median,
            "followed_us_per_symbol": 1e6 * row["followed"].median / symbols,
        }
    print(write("live", document))


def _agent(agent: Agent[Any], panel: Panel) -> dict[str, Samples]:
    """CPU seconds of one agent's votes on a session, both ways."""
    seen: dict[str, list[float]] = defaultdict(list)
    moments = panel.sessions[-_SESSIONS - 1 :].tolist()
    _, standing = begin(agent, panel.until(moments[0]))
    for before, moment in pairwise(moments):
        whole, new = panel.until(moment), panel.between(before, moment)
        every = _timed(seen["whole"], agent.evaluate, whole)
        block, standing = _timed(seen["followed"], follow, agent, standing, new)
        _equal(block, every.take(whole.last_rows))
    return {side: Samples.of(values[1:]) for side, values in seen.items()}


def _consensus(panel: Panel) -> dict[str, Samples]:
    """CPU seconds of what the consensus needs of the bars: ATR, hashes, the newest rows, and the bars themselves."""
    seen: dict[str, list[float]] = defaultdict(list)
    moments = panel.sessions[-_SESSIONS - 1 :].tolist()
    follower = NewestFollower(panel.until(moments[0]), atr_window=_PARAMS.atr_window)
    for before, moment in pairwise(moments):
        whole = _timed(seen["whole"], _newest, panel, moment)
        _timed(seen["followed"], _take_in, follower, panel, before, moment)
        if whole.digests != follower.newest.digests:
            raise AssertionError("the hashes of followed bars differ")
    return {side: Samples.of(values[1:]) for side, values in seen.items()}


def _through_ray(home: Home, panel: Panel) -> dict[str, Samples]:
    """Wall seconds of a session's decision through two actors an agent, both ways; nothing is stored."""
    os.environ |= {"GS_HOME": str(home.path), "GS_AGENTS__ACTORS": "2", "GS_AGENTS__DEADLINE_S": "30"}
    home.prepare()
    home.secret(RAY_TOKEN)
    prepare_environment(home.secrets / RAY_TOKEN, local=True)
    from cluster.warm import warm_node
    from data.settings import Settings
    from serve_app.bootstrap import open_pools
    from serve_app.stack import Stack

    settings = Settings.load()
    warm_node()
    stack = Stack(settings, home)
    try:
        stack.start_ray(say=lambda text: None)

        async def run() -> dict[str, Samples]:
            return await _decisions(await open_pools(roster(), settings, keep=False), panel)

        return asyncio.run(run())
    finally:
        stack.stop()
        for scratch in (home.scratch, home.scratch.with_name(f"{home.scratch.name}-pg")):
            shutil.rmtree(scratch, ignore_errors=True)


async def _decisions(voters: PoolVoters, panel: Panel) -> dict[str, Samples]:
    from cluster.course import Course

    seen: dict[str, list[float]] = defaultdict(list)
    course = Course(panel, atr_window=_PARAMS.atr_window)
    for session in panel.sessions[-_SESSIONS - 1 :].tolist():
        began = time.perf_counter()
        whole = panel.until(session)
        votes = await voters.live_votes(whole, roster())
        first = _concluded(Newest.of(whole, atr_window=_PARAMS.atr_window), votes)
        middle = time.perf_counter()
        step = course.at(session)
        second = _concluded(step.newest, await voters.session_votes(step, roster()))
        seen["whole"].append(middle - began)
        seen["followed"].append(time.perf_counter() - middle)
        if first.signals != second.signals or not first.signals:
            raise AssertionError("the signals of a followed session differ from those of the whole")
    return {side: Samples.of(values[2:]) for side, values in seen.items()}  # the first one begins, the second warms


def _concluded(newest: Newest, votes: list[Any]) -> Decision:
    blocks = [vote for vote in votes if isinstance(vote, VoteBlock)]
    return conclude(newest, blocks, asked=roster(), missing=(), universe="benchmark", params=_PARAMS)


def _newest(panel: Panel, moment: int) -> Newest:
    return Newest.of(panel.until(moment), atr_window=_PARAMS.atr_window)


def _take_in(follower: NewestFollower, panel: Panel, before: int, moment: int) -> None:
    follower.follow(panel.between(before, moment))


def _timed(seconds: list[float], work: Callable[..., T], *inputs: Any) -> T:
    began = time.process_time()
    found = work(*inputs)
    seconds.append(time.process_time() - began)
    return found


def _equal(a: VoteBlock, b: VoteBlock) -> None:
    if a.score.tobytes() != b.score.tobytes() or a.confidence.tobytes() != b.confidence.tobytes():
        raise AssertionError(f"{a.agent}: the votes of a followed session differ from those of the whole")


def _sum(samples: Any) -> Samples:
    return Samples.of([sum(values) for values in zip(*(one.values for one in samples), strict=True)])


if __name__ == "__main__":
    main()
