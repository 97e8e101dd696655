"""The walk-forward service: asks, keeps the result under its id, finds it again, and computes it anew to compare."""

from __future__ import annotations

from dataclasses import dataclass

from agents.backtest.grid import Grid
from agents.backtest.record import defined
from agents.backtest.rules import Rules
from agents.backtest.walkforward import Lengths, Walk, WalkForward, walk_forward
from data.clock import Clock
from data.contracts.errors import InvalidInput
from data.settings import Settings
from data.store.runs import Run
from data.store.stores import Stores
from serve_app.runs import Source, folder_of, keep, with_stores
from serve_app.stack import Say

_COMPARED = ("metrics", "warnings")
_TABLES = ("equity", "trades", "folds", "drift")


@dataclass(frozen=True)
class Walked:
    """A result, and whether it was computed before."""

    result: WalkForward
    known: bool


def run_walk_forward(settings: Settings, walk: Walk, source: Source, *, clock: Clock, say: Say) -> Walked:
    """Walk a strategy forward, or find the result of the very same question, and keep it."""

    async def run(stores: Stores) -> Walked:
        folder = folder_of(settings, walk.result_id)
        if await stores.runs.get(walk.result_id) is not None and folder.exists():
            return Walked(WalkForward.load(folder), True)
        walked = walk_forward(walk)
        await stores.trials.count(walked.trials)
        result = walked.judged(await stores.trials.total(*walk.family))
        keep(result, folder)
        title = f"{walk.grid.strategy.name}: {len(walk.folds)} folds on {source.symbols or walk.universe}"
        spec = {**walk.spec, "source": source.facts()}
        found = {"metrics": result.metrics, "warnings": list(result.warnings)}
        await stores.runs.add(Run(walk.result_id, "walkforward", title, spec, found, "local", None, clock.now()))
        return Walked(result, False)

    return with_stores(settings, run, say=say)


def verify(settings: Settings, run: Run) -> list[str]:
    """Compute a run again; what is not the same to the bit, nothing if all is. It counts no trial and keeps nothing.

    Raises InvalidInput when its bars are no longer what they were.
    """
    walk = _asked_again(settings, run)
    if walk.result_id != run.result_id:
        return ["the id: another version of the code made it, or a machine that calculates differently"]
    again, before = walk_forward(walk).result, WalkForward.load(folder_of(settings, run.result_id))
    differing = [name for name in _COMPARED if getattr(again, name) != getattr(before, name)]
    return differing + [name for name in _TABLES if not getattr(again, name).equals(getattr(before, name))]


def _asked_again(settings: Settings, run: Run) -> Walk:
    spec = run.spec
    _, panel, universe = Source.of(spec["source"]).open(settings.home)
    if panel.content_hash != spec["data"]:
        raise InvalidInput(f"the bars of run {run.result_id[:12]} are no longer what they were; it cannot be verified")
    grid = Grid.of(defined(spec["strategy"]), spec["grid"])
    return Walk(grid, panel, universe, Rules(**spec["rules"]), Lengths(**spec["lengths"]), spec["metric"])
