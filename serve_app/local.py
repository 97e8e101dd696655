"""Research in this process, for a notebook or a script: `gs.backtest`, `gs.sweep`, `gs.walk_forward`; no server starts.

Results are kept under their ids in the home, where the command line finds them too; trials are counted in a file there,
which the next server takes over. What takes longer than a second says how far it is, on a terminal and in a notebook;
`progress=False` keeps it quiet. Ctrl-C leaves what is done of a search: asked again, it goes on from there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from agents.backtest.catalogue import find
from agents.backtest.crossvalidation import CrossValidated, CrossValidation, Groups
from agents.backtest.grid import Axis, Grid
from agents.backtest.picking import Guide
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from agents.backtest.single import Question, ask
from agents.backtest.strategy import Strategy
from agents.backtest.walkforward import Lengths, Walk, WalkForward
from cluster import crossvalidation
from cluster.books import FileBook
from cluster.sweep import Swept, run_sweep
from cluster.walkforward import is_whole, run_walk
from cluster.workers import LocalWorkers
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from data.ledger import FileLedger
from data.market.load import load_bars
from data.market.quality import is_loaded
from data.market.source import choose_universe, with_context
from data.settings import Settings
from serve_app.progress import shown

T = TypeVar("T")
_RULES = frozenset(field.name for field in fields(Rules))


def backtest(
    strategy: str | Strategy, bars: object, *, symbols: str | None = None, progress: bool = True, **words: Any
) -> Result:
    """Test a strategy: `gs.backtest("sma_cross", bars, fast=10, slow=30, fees=0.0005)`.

    strategy: a built-in name, a YAML file, or `gs.strategy(...)`.
    bars:     what `load_bars` returns, or what it accepts.    symbols: "A,B"; None = every symbol of the bars.
    words:    the strategy's parameters and the rules (fees, slippage, fill, cash, mode ...; docs/backtests.md).
    Returns:  metrics, by_symbol, equity, trades, context (trials, psr, dsr ...), `.report("r.html")`, `.plot()`.
    Raises:   InvalidInput naming the parameter, rule or symbol that cannot be used.
    """
    rules, values = _sorted_out(words)
    bound = _strategy(strategy).bind(**values)
    with shown(f"backtest {bound.strategy.name}", "", progress):
        panel, universe = _panel(bars, symbols)
        tested = ask(Question(bound, panel, universe, rules))
    ledger = FileLedger(Settings.load().home)
    ledger.count([tested.trial] if tested.trial else [])
    return tested.judged(ledger.total(*tested.question.family))


def sweep(
    strategy: str | Strategy,
    bars: object,
    *,
    symbols: str | None = None,
    where: str | None = None,
    metric: str = "sharpe",
    sample: int | None = None,
    seed: int = 0,
    search: str = "grid",
    trials: int | None = None,
    progress: bool = True,
    **words: Any,
) -> Swept:
    """Try many sets of parameters: `gs.sweep("sma_cross", bars, fast=range(5, 50), slow=range(20, 200, 5))`.

    words:   for each parameter the values to try (a range, a list, one value, or a text such as "5:50"), and rules.
    where:   which sets to try.    metric: what they are ranked by, the median over symbols.
    sample:  only so many sets, chosen by `seed`.
    search:  "optuna" tries only `trials` sets, each batch where those before it say that the best is to be expected.
    Returns: table (LazyFrame), trials, best(), heatmap("fast", "slow"), plot("fast", "slow"), pbo, context, result_id.
    Raises:  InvalidInput before any work, naming what cannot be used.
    """
    rules, values = _sorted_out(words)
    axes = tuple(Axis.of(name, given) for name, given in values.items())
    grid = Grid(_strategy(strategy), axes, where, sample, seed)
    guide = Guide.of(search, trials)
    with shown(f"sweep {grid.strategy.name}", "sets", progress) as report:
        panel, universe = _panel(bars, symbols)
        asked = Search(grid, panel, universe, rules, metric, guide=guide)
        home = Settings.load().home
        folder = home / "runs" / asked.result_id
        if not (folder / "summary.json").exists():
            book = FileBook(FileLedger(home), _done(folder, ".sets.parquet"))
            _finished(run_sweep(asked, LocalWorkers(), book, folder, report))
    return Swept(folder)


def walk_forward(
    strategy: str | Strategy,
    bars: object,
    *,
    train: int,
    test: int,
    purge: int = 0,
    embargo: int = 0,
    anchored: bool = False,
    symbols: str | None = None,
    where: str | None = None,
    metric: str = "sharpe",
    sample: int | None = None,
    seed: int = 0,
    progress: bool = True,
    **words: Any,
) -> WalkForward:
    """Choose on past bars, test on those after, move on: `gs.walk_forward("sma_cross", bars, fast=range(5, 50), …)`.

    train, test: sessions to choose on and to test on.    purge, embargo: sessions left out between them.
    anchored:    every train begins at the first session.    words, where, metric, sample, seed: as in `sweep`.
    Returns:     folds, drift, equity, trades, metrics, context (efficiency, trials, dsr ...), `.report("w.html")`.
    Raises:      InvalidInput before any work, naming what cannot be used.
    """
    rules, values = _sorted_out(words)
    axes = tuple(Axis.of(name, given) for name, given in values.items())
    grid = Grid(_strategy(strategy), axes, where, sample, seed)
    with shown(f"walk-forward {grid.strategy.name}", "sets in folds", progress) as report:
        panel, universe = _panel(bars, symbols)
        walk = Walk(grid, panel, universe, rules, Lengths(train, test, purge, embargo, anchored), metric)
        home = Settings.load().home
        folder = home / "runs" / walk.result_id
        if is_whole(folder):
            return WalkForward.load(folder)
        book = FileBook(FileLedger(home), _done(folder, ".json"))
        return _finished(run_walk(walk, LocalWorkers(), book, folder, report))


def cross_validate(
    strategy: str | Strategy,
    bars: object,
    *,
    groups: int = 6,
    test_groups: int = 2,
    purge: int = 0,
    embargo: int = 0,
    symbols: str | None = None,
    where: str | None = None,
    sample: int | None = None,
    seed: int = 0,
    progress: bool = True,
    **words: Any,
) -> CrossValidated:
    """Choose on every combination of stretches, test on the others: `gs.cross_validate("sma_cross", bars, fast=…)`.

    groups, test_groups: stretches the bars are cut into, and how many of them every split tests.
    purge, embargo:      sessions left out on either side of a test, and after it.    words, where, sample, seed: as in
                         `sweep`; sets are chosen by their Sharpe ratio.
    Returns:             paths (a Sharpe ratio for each), splits (what was chosen), summary, context (trials).
    Raises:              InvalidInput before any work, naming what cannot be used.
    """
    rules, values = _sorted_out(words)
    axes = tuple(Axis.of(name, given) for name, given in values.items())
    grid = Grid(_strategy(strategy), axes, where, sample, seed)
    with shown(f"cross-validation {grid.strategy.name}", "sets in splits", progress) as report:
        panel, universe = _panel(bars, symbols)
        asked = CrossValidation(grid, panel, universe, rules, Groups(groups, test_groups, purge, embargo))
        home = Settings.load().home
        folder = home / "runs" / asked.result_id
        if crossvalidation.is_whole(folder):
            return CrossValidated.load(folder)
        book = FileBook(FileLedger(home), _done(folder, ".json"))
        return _finished(crossvalidation.run_cross_validation(asked, LocalWorkers(), book, folder, report))


def _sorted_out(words: Mapping[str, Any]) -> tuple[Rules, dict[str, Any]]:
    """Rules and parameters."""
    rules = {name: value for name, value in words.items() if name in _RULES}
    return Rules.of(rules), {name: value for name, value in words.items() if name not in _RULES}


def _strategy(given: str | Strategy) -> Strategy:
    if not isinstance(given, str | Strategy):
        raise InvalidInput(f'a strategy is a name, a YAML file or gs.strategy(enter="…"), not {type(given).__name__}')
    return find(given) if isinstance(given, str) else given


def _panel(bars: object, symbols: str | None) -> tuple[Panel, str]:
    loaded = with_context("frame", bars if is_loaded(bars) else load_bars(bars))
    universe = choose_universe(loaded, symbols)
    panel = loaded.panel.select(universe.symbols)
    if not len(panel):
        raise InvalidInput("there are no bars to test on; choose symbols and dates that have some")
    return panel.until(int(panel.ts.max())), universe.id


def _done(folder: Path, suffix: str) -> list[str]:
    """Chunks whose files an interrupted search has left."""
    return [path.name.removesuffix(suffix) for path in (folder / "chunks").glob(f"*{suffix}")]


def _finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, done in a thread of its own: in a notebook an event loop runs in this one already.

    Ctrl-C cancels it and returns when the chunk that is under way has ended.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="research")
    thread.start()
    doing = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        return doing.result()
    finally:
        doing.cancel()  # nothing, where it has ended
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
