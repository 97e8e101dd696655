"""What the services of research have in common: where bars come from, where results lie, how a question becomes a run.

A service is a module with a `Plan` (a question that may be asked), `work` (answers it, fenced by its job) and `verify`.
Tables of a result lie in `runs/ID` of the home; that it exists, and how many trials were made, stands in PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from data.clock import Clock
from data.contracts.errors import GoldenSignalsError, InvalidInput, NotFound, TemporarilyUnavailable
from data.contracts.panel import Panel
from data.ledger import FileLedger
from data.market.archive import UPLOAD, open_upload
from data.market.source import Bars, Stamps, choose_universe, open_bars
from data.settings import Settings
from data.store.jobs import Job
from data.store.runs import Run
from data.store.stores import Stores, open_stores
from serve_app.services import open_services
from serve_app.stack import Say

T = TypeVar("T")
Progress = Callable[[int, int], None]  # done, of how many

LOCAL = "local"  # owner of what is typed at a command line
PRIORITY = 5  # behind scans
_LEASE_S = 60.0
ANOTHER_ID = "the id: another version of the code made it, or a machine that calculates differently"


@dataclass(frozen=True)
class Source:
    """Where bars come from, and which of them; enough to open them again.

    bars: "sample", a path, or "upload:HASH".    until: the last session used, ISO; None = all.
    """

    bars: str
    symbols: str | None = None
    stamps: Stamps = field(default_factory=Stamps)
    until: str | None = None

    def open(self, home: Path) -> tuple[Bars, Panel, str]:
        """The bars, those of the chosen symbols, and the universe's id. Raises as `load` and `chosen`."""
        loaded = self.load(home)
        return loaded, *self.chosen(loaded)

    def load(self, home: Path) -> Bars:
        """All bars. Raises InvalidInput, NotFound when they are not there or cannot be used."""
        if self.bars.startswith(UPLOAD):
            return open_upload(home, self.bars.removeprefix(UPLOAD))
        return open_bars(self.bars, self.stamps)

    def chosen(self, loaded: Bars) -> tuple[Panel, str]:
        """Of these bars, those of the chosen symbols up to `until`, and the universe's id.

        Raises: InvalidInput for unknown symbols, and when none of them has a bar by then.
        """
        universe = choose_universe(loaded, self.symbols)
        held = set(loaded.panel.symbols)
        panel = loaded.panel.select([symbol for symbol in universe.symbols if symbol in held])
        if self.until is not None:
            panel = panel.until(datetime.fromisoformat(self.until))
        if not len(panel):
            by = "" if self.until is None else f" by {self.until}"
            raise InvalidInput(f"none of the symbols {self.symbols or 'asked for'} has bars in {self.bars}{by}")
        return panel.until(int(panel.ts.max())), universe.id

    def facts(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Source:
        """What `facts` said."""
        return cls(facts["bars"], facts["symbols"], Stamps(**facts["stamps"]), facts.get("until"))


class Plan(Protocol):
    """A question that may be asked; making one has checked it.

    spec:    the job's specification, plain JSON: enough to plan it again anywhere that sees the same bars.
    total:   units of progress.    seconds: of one core, predicted.
    """

    @property
    def source(self) -> Source:
        """Where its bars come from."""

    @property
    def spec(self) -> dict[str, Any]:
        """See above."""

    @property
    def result_id(self) -> str:
        """See `agents.backtest.record`."""

    @property
    def total(self) -> int:
        """See above."""

    @property
    def title(self) -> str:
        """A line for people."""

    @property
    def seconds(self) -> float:
        """See above."""


P = TypeVar("P", bound=Plan)


class Work(Protocol[P]):  # type: ignore[misc]  # of a callback, the plan is an input
    """`work` of a service: answers a question whose job this process holds, and finishes the job."""

    async def __call__(
        self, settings: Settings, stores: Stores, plan: P, job: Job, *, ray: bool, clock: Clock, progress: Progress
    ) -> None:
        """Raises GoldenSignalsError with the reason; what is done stays done."""


def reopened(settings: Settings, spec: Mapping[str, Any]) -> tuple[Source, Panel, str]:
    """Source, bars and universe of a specification. Raises InvalidInput when the bars are no longer what they were."""
    source = Source.of(spec["source"])
    _, panel, universe = source.open(settings.home)
    if panel.content_hash != spec["data"]:
        raise InvalidInput(f"the bars of this {spec['kind']} are no longer what they were; start it again")
    return source, panel, universe


def work_here(
    settings: Settings, kind: str, plan: P, work: Work[P], *, ray: bool, clock: Clock, say: Say, progress: Progress
) -> bool:
    """Answer a question on the running system, or on servers that live as long as it takes. Whether it was known.

    ray: whether it is worth sending away. A job that was interrupted goes on where it was.
    """
    kept = _facts_of(folder_of(settings, plan.result_id))  # then it is known, most likely, and needs no cluster
    if kept and with_stores(settings, lambda stores: is_known(settings, stores, plan.result_id), say=say):
        return True
    with open_services(settings, ray=ray, say=say) as services:

        async def run() -> bool:
            async with open_stores(settings.postgres, services.postgres_url) as stores:
                await stores.trials.count(FileLedger(settings.home).read())
                if await is_known(settings, stores, plan.result_id):  # somebody was quicker
                    return True
                job = await stores.jobs.start(
                    kind, plan.spec, owner=LOCAL, priority=PRIORITY, total=plan.total, lease_s=_LEASE_S
                )
                try:
                    await work(settings, stores, plan, job, ray=ray, clock=clock, progress=progress)
                except TemporarilyUnavailable:
                    raise
                except GoldenSignalsError as problem:
                    await _failed(stores, job, str(problem))
                    raise
                return False

        return asyncio.run(run())


async def is_known(settings: Settings, stores: Stores, result_id: str) -> bool:
    """Whether a result was kept before, and its files are on this machine."""
    return await stores.runs.get(result_id) is not None and _facts_of(folder_of(settings, result_id))


async def finish(
    stores: Stores, kind: str, plan: Plan, metrics: Mapping[str, Any], *, owner: str, job: Job | None, clock: Clock
) -> None:
    """Keep that there is a result, and end its job with it. metrics: what stands in a list of runs."""
    job_id = None if job is None else job.job_id
    await stores.runs.add(Run(plan.result_id, kind, plan.title, plan.spec, metrics, owner, job_id, clock.now()))
    if job is not None:
        await stores.jobs.finish(job.fence, {"result_id": plan.result_id})


def folder_of(settings: Settings, result_id: str) -> Path:
    """Where the tables of a result lie."""
    return settings.home / "runs" / result_id


def find_run(settings: Settings, result_id: str, *, say: Say) -> Run:
    """The run of an id, or of its first digits. Raises NotFound."""
    return with_stores(settings, lambda stores: run_of(stores, result_id), say=say)


async def run_of(stores: Stores, result_id: str) -> Run:
    """The same on open stores."""
    found = await stores.runs.get(result_id)
    if found is None:
        raise NotFound(f"there is no one run {result_id!r}; `goldensignals runs list` shows them with their ids")
    return found


def list_runs(settings: Settings, *, kind: str | None, limit: int, say: Say) -> list[Run]:
    """The newest runs first."""
    return with_stores(settings, lambda stores: stores.runs.listing(kind=kind, limit=limit), say=say)


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


class Savable(Protocol):
    """A result that writes its files into a folder."""

    def save(self, folder: Path) -> object:
        """Every file."""


def keep(result: Savable, folder: Path) -> None:
    """Write the files of a result, all or none: they are made beside and moved."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        result.save(draft)
        draft.replace(folder)
    except OSError as problem:
        shutil.rmtree(draft, ignore_errors=True)
        if not folder.exists():  # else somebody was quicker, with the same bits
            raise GoldenSignalsError(f"cannot keep the result in {folder}: {problem.strerror or problem}") from problem


def _facts_of(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("metrics.json", "summary.json"))


async def _failed(stores: Stores, job: Job, reason: str) -> None:
    found = await stores.jobs.get(job.job_id)
    if found is not None and (found.state, found.epoch) == ("running", job.epoch):  # else it is no longer ours
        await stores.jobs.fail(job.fence, reason)
