"""Research in this process: what was interrupted goes on where it was, also where an event loop runs already."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import goldensignals as gs
from agents.backtest.search import Search
from agents.backtest.walkforward import Walk, WalkForward
from cluster.sweep import Swept
from data.ledger import FileLedger
from serve_app import local
from serve_app.progress import Report

GRID: dict[str, Any] = {"fast": range(5, 50), "slow": range(60, 100, 5), "fees": "5bps"}
Research = Callable[[], object]


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return gs.sample_bars().filter(pl.col("symbol").is_in(["GE", "KO"]))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and pieces so small that even quick work has many."""
    monkeypatch.setenv("GS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(local, "Search", partial(Search, chunk_s=1e-4))
    monkeypatch.setattr(local, "Walk", partial(Walk, chunk_s=1e-4))
    return tmp_path / "home"


def ctrl_c_after(pieces: int, reports: list[int]) -> Callable[..., Any]:
    """A progress line at which somebody presses Ctrl-C when so many pieces are done, and sees it taken."""
    main = threading.main_thread().ident
    assert main is not None
    taken = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        taken.set()
        raise KeyboardInterrupt

    @contextmanager
    def shown(what: str, units: str, wanted: bool) -> Iterator[Report]:
        def report(done: int, total: int) -> None:
            reports.append(done)
            if len(reports) == pieces + 1:  # the first one comes before any piece
                signal.pthread_kill(main, signal.SIGINT)
                assert taken.wait(10.0)

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield report
        finally:
            signal.signal(signal.SIGINT, before)

    return shown


def interrupted(research: Research, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    reports: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(local, "shown", ctrl_c_after(2, reports))
        with pytest.raises(KeyboardInterrupt):
            research()
    assert "research" not in {thread.name for thread in threading.enumerate()}
    return reports


def resumed(research: Research, monkeypatch: pytest.MonkeyPatch) -> tuple[object, list[int]]:
    reports: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(local, "shown", ctrl_c_after(10**9, reports))
        return research(), reports


def test_an_interrupted_sweep_goes_on_and_counts_every_trial_once(
    bars: pl.DataFrame, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = interrupted(lambda: gs.sweep("sma_cross", bars, **GRID), monkeypatch)
    swept, after = resumed(lambda: gs.sweep("sma_cross", bars, **GRID), monkeypatch)
    assert isinstance(swept, Swept)
    assert after[0] >= before[2] > 0
    assert after[-1] == swept.summary["sets"] == 45 * 8
    assert sum(one.trials for one in FileLedger(home).read()) == swept.context["trials"] == 45 * 8


def test_an_interrupted_walk_forward_goes_on_and_ends_as_an_undisturbed_one(
    bars: pl.DataFrame, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk() -> object:
        return gs.walk_forward("sma_cross", bars, train=504, test=252, **GRID)

    before = interrupted(walk, monkeypatch)
    walked, after = resumed(walk, monkeypatch)
    assert after[0] >= before[2] > 0
    with monkeypatch.context() as patch:
        patch.setenv("GS_HOME", str(home.with_name("other")))
        whole = walk()
    assert isinstance(walked, WalkForward)
    assert isinstance(whole, WalkForward)
    assert walked.folds.equals(whole.folds)
    assert walked.equity.equals(whole.equity)
    assert walked.context["trials"] == whole.context["trials"]
    assert repr(walk()) == repr(walked)  # found, not computed again


async def test_it_works_inside_an_event_loop_as_a_notebook_has_one(bars: pl.DataFrame, home: Path) -> None:
    swept = gs.sweep("sma_cross", bars, fast=[5, 10], slow=[50, 60])
    assert swept.summary["sets"] == 4


def test_refusals_come_as_they_are(bars: pl.DataFrame, home: Path) -> None:
    with pytest.raises(gs.InvalidInput, match="sma_cross has no parameter 'quick'"):
        gs.sweep("sma_cross", bars, quick=[1, 2])
    assert not (home / "runs").exists()


def test_a_guided_sweep_tries_few_sets_and_is_found_when_asked_again(bars: pl.DataFrame, home: Path) -> None:
    first, again = (gs.sweep("sma_cross", bars, search="optuna", trials=30, progress=False, **GRID) for _ in range(2))
    assert first.summary == again.summary
    assert first.summary["sets"] == sum(one.trials for one in FileLedger(home).read()) == 30
    with pytest.raises(gs.InvalidInput, match="trials go with"):
        gs.sweep("sma_cross", bars, trials=30, **GRID)
    with pytest.raises(gs.InvalidInput, match="by grid or optuna, not by 'tpe'"):
        gs.sweep("sma_cross", bars, search="tpe", trials=30, **GRID)
