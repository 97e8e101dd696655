"""Research at a command line: opens bars, asks, keeps the result under its id, and finds it again.

A result whose id is known is not computed again. Its tables lie in `runs/ID` of the home; that it exists, and how many
trials were made, stands in PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from agents.backtest.record import bound as bound_of
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.single import Question, Tested, ask
from agents.backtest.strategy import Bound
from agents.backtest.walkforward import WalkForward
from data.clock import Clock
from data.contracts.errors import GoldenSignalsError, InvalidInput, NotFound
from data.contracts.panel import Panel
from data.contracts.trials import TrialTotal
from data.ledger import FileLedger
from data.market.source import Bars, Stamps, choose_universe, open_bars
from data.settings import Settings
from data.store.runs import Run
from data.store.stores import Stores, open_stores
from serve_app.services import open_services
from serve_app.stack import Say

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Where bars come from, and which of them; enough to open them again."""

    bars: str
    symbols: str | None = None
    stamps: Stamps = field(default_factory=Stamps)

    def open(self) -> tuple[Bars, Panel, str]:
        """The bars, those of the chosen symbols, and the universe's id. Raises InvalidInput for unknown symbols."""
        loaded = open_bars(self.bars, self.stamps)
        universe = choose_universe(loaded, self.symbols)
        panel = loaded.panel.select([symbol for symbol in universe.symbols if symbol in set(loaded.panel.symbols)])
        if not len(panel):
            raise InvalidInput(f"none of the symbols {self.symbols or 'asked for'} has bars in {self.bars}")
        return loaded, panel.until(int(panel.ts.max())), universe.id

    def facts(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Source:
        """What `facts` said."""
        return cls(facts["bars"], facts["symbols"], Stamps(**facts["stamps"]))


@dataclass(frozen=True)
class Asked:
    """A result with what people want to know beside it."""

    result: Result
    data_hash: str
    known: bool  # it was computed before


def run_backtest(settings: Settings, bound: Bound, source: Source, rules: Rules, *, clock: Clock, say: Say) -> Asked:
    """Test a strategy, or find the result of the very same test, and keep it. Raises InvalidInput before any work."""
    _, panel, universe = source.open()
    question = Question(bound, panel, universe, rules)

    async def run(stores: Stores) -> Asked:
        known = await stores.runs.get(question.result_id)
        folder = folder_of(settings, question.result_id)
        if known is not None and folder.exists():
            return Asked(Result.load(folder), panel.content_hash, True)
        tested = ask(question)
        result = tested.judged(await _counted(stores, tested))
        keep(result, folder)
        spec = {**question.spec, "source": source.facts()}
        title = f"{bound.strategy.name} on {source.symbols or universe}"
        metrics = {"metrics": result.metrics, "warnings": list(result.warnings)}
        await stores.runs.add(Run(question.result_id, "backtest", title, spec, metrics, "local", None, clock.now()))
        return Asked(result, panel.content_hash, False)

    return with_stores(settings, run, say=say)


def find_run(settings: Settings, result_id: str, *, say: Say) -> Run:
    """The run of an id, or of its first digits. Raises NotFound."""

    async def find(stores: Stores) -> Run:
        found = await stores.runs.get(result_id)
        if found is None:
            raise NotFound(f"there is no one run {result_id!r}; `goldensignals runs list` shows them with their ids")
        return found

    return with_stores(settings, find, say=say)


def list_runs(settings: Settings, *, kind: str | None, limit: int, say: Say) -> list[Run]:
    """The newest runs first."""
    return with_stores(settings, lambda stores: stores.runs.listing(kind=kind, limit=limit), say=say)


def verify(settings: Settings, run: Run) -> list[str]:
    """Compute a run again; what is not the same to the bit, nothing if all is. It counts no trial and keeps nothing.

    Raises InvalidInput when its bars are no longer what they were.
    """
    question = _asked_again(run)
    if question.result_id != run.result_id:
        return ["the id: another version of the code made it, or a machine that calculates differently"]
    again, before = ask(question).result, Result.load(folder_of(settings, run.result_id))
    differing = [name for name in ("metrics", "by_symbol", "warnings") if getattr(again, name) != getattr(before, name)]
    return differing + [name for name in ("equity", "trades") if not getattr(again, name).equals(getattr(before, name))]


def folder_of(settings: Settings, result_id: str) -> Path:
    """Where the tables of a result lie."""
    return settings.home / "runs" / result_id


def with_stores(settings: Settings, use: Callable[[Stores], Awaitable[T]], *, say: Say) -> T:
    """What `use` gives, on the running system's stores or on some that live as long as it takes.

    Trials that were counted in a file while there was no server are taken over first.
    """
    with open_services(settings, ray=False, say=say) as services:

        async def run() -> T:
            async with open_stores(settings.postgres, services.postgres_url) as stores:
                await stores.trials.count(FileLedger(settings.home).read())
                return await use(stores)

        return asyncio.run(run())


async def _counted(stores: Stores, tested: Tested) -> TrialTotal:
    """The trials of the family, with this one."""
    await stores.trials.count([tested.trial] if tested.trial else [])
    return await stores.trials.total(*tested.question.family)


def keep(result: Result | WalkForward, folder: Path) -> None:
    """Write the files of a result, all or none: they are made beside and moved."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        result.save(draft)
        draft.replace(folder)
    except OSError as problem:
        shutil.rmtree(draft, ignore_errors=True)
        if not folder.exists():  # else somebody was quicker, with the same bits
            raise GoldenSignalsError(f"cannot keep the result in {folder}: {problem.strerror or problem}") from problem


def _asked_again(run: Run) -> Question:
    spec = run.spec
    _, panel, universe = Source.of(spec["source"]).open()
    if panel.content_hash != spec["data"]:
        raise InvalidInput(f"the bars of run {run.result_id[:12]} are no longer what they were; it cannot be verified")
    return Question(bound_of(spec), panel, universe, Rules(**spec["rules"]))
