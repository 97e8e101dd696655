"""A scan over files that do not fit into memory together: each is read, asked and forgotten by whoever works on it.

`ask_file` is the whole of the work and needs no Ray; `through_ray_data` runs it over many files. What flows through Ray
Data are names of files, not bars: its own reader may cut a file anywhere, and a symbol's history must come whole. What
comes back are a few numbers per symbol, which is all that the driver holds.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from agents.backtest.past_hits import PastHits, past_hits
from agents.expr import AgentVotes, Expression, evaluate
from agents.expr.screens import Answers, answers
from cluster.connect import ONE_THREAD
from cluster.process import last_line, let_others_first
from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.contracts.panel import Panel, content_hash
from data.market.dates import check_moment
from data.market.load import load_bars
from data.market.quality import Quarantined, check
from data.market.source import Stamps, open_bars

DEADLINE_S = 600.0  # without an answer of any file
_END_S = 20.0  # for Ray Data to end when nobody wants more
_WAITING = 4  # answers that have come and were not asked for yet
_END = object()

Progress = Callable[[int, int], None]  # files done, of how many
BadRows = Counter[tuple[str, str, int | None]]


@dataclass(frozen=True)
class ShardQuestion:
    """What every file is asked.

    moment: bars after it are not there, microseconds UTC; None = all are. wanted: the symbols to ask; None = all.
    """

    when: Expression
    by: Expression | None
    stamps: Stamps
    moment: int | None = None
    wanted: frozenset[str] | None = None
    history: bool = False


@dataclass(frozen=True, eq=False)
class FileAnswer:
    """What one file holds and says, with the bits of a scan of all files together.

    symbols:     every symbol of it with a sound bar, asked or not.
    first, last: times of the first and the last sound bar; frame, adjust: of what kind bars are.
    newest:      time of the newest bar by the moment, of all symbols; None when there is none.
    answers:     of the symbols asked that have a bar by the moment; None when there is none. digests, counts (None
                 unless past hits were asked for): a row for each of them.
    bad:         quarantined rows of these symbols by symbol, reason and time, but times up to the newest bar of these
                 symbols are None: only later ones are left to be judged when the newest bar of all files is known.
    """

    file: str
    symbols: tuple[str, ...]
    first: int
    last: int
    frame: str
    adjust: str
    newest: int | None
    answers: Answers | None
    digests: tuple[str, ...]
    counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]] | None
    bad: BadRows


@dataclass(frozen=True, eq=False)
class Gathered:
    """What the files of a folder say together.

    symbols: every symbol with a sound bar, ascending.
    session: time of the newest bar by the moment. answers: ascending by symbol. past: None unless it was asked for.
    """

    symbols: tuple[str, ...]
    session: int
    answers: Answers
    quarantined: dict[str, object]
    data_hash: str
    past: PastHits | None


def ask_file(question: ShardQuestion, file: str) -> FileAnswer | None:
    """Read one file and ask its symbols; None where no bar of it is sound. Raises InvalidInput for an unusable file."""
    try:
        bars = open_bars(file, question.stamps)
    except InvalidInput:
        if _nothing_sound(question, file):  # the bars of other files may be
            return None
        raise
    whole = bars.panel
    panel = whole if question.moment is None else whole.until(question.moment)
    newest = int(panel.ts.max()) if len(panel) else None
    if question.wanted is not None:
        panel = panel.select([symbol for symbol in panel.symbols if symbol in question.wanted])
    found, counts = None, None
    if len(panel):
        votes = AgentVotes(panel)
        found = answers(question.when, panel, votes, by=question.by)
        if question.history:
            counts = past_hits(evaluate({"now": question.when}, panel, {}, votes)["now"], panel).counts
    return FileAnswer(
        file=file,
        symbols=whole.symbols,
        first=int(whole.ts.min()),
        last=int(whole.ts.max()),
        frame=whole.frame,
        adjust=whole.adjust,
        newest=newest,
        answers=found,
        digests=panel.digests,
        counts=counts,
        bad=_bad_rows(bars.quarantined, panel, question.moment) if len(panel) else BadRows(),
    )


def gather(answered: Sequence[FileAnswer | None], moment: datetime | None) -> Gathered | None:
    """The answers of all files as one scan; None where no symbol asked has a bar by the moment.

    Raises: InvalidInput when no file has a sound bar, the bars of two files differ in kind, or the moment lies outside
            all of them.
    """
    parts = sorted((part for part in answered if part is not None), key=lambda part: part.file)
    if not parts:
        raise InvalidInput(f"no usable bar in any of {len(answered)} files; `goldensignals data check` says why")
    for part in parts:
        if (part.frame, part.adjust) != (parts[0].frame, parts[0].adjust):
            raise InvalidInput(
                f"{parts[0].file} holds bars of {parts[0].frame}, adjusted for {parts[0].adjust}, and {part.file} of "
                f"{part.frame}, adjusted for {part.adjust}; scan them apart, or say with --frame how long a bar is"
            )
    if moment is not None:
        check_moment(moment, min(part.first for part in parts), max(part.last for part in parts), parts[0].frame)
    some = [(part, part.answers) for part in parts if part.answers is not None]
    if not some:
        return None
    session = max(part.newest for part in parts if part.newest is not None)
    names = [symbol for _, found in some for symbol in found.symbols]
    order = sorted(range(len(names)), key=names.__getitem__)
    digests = [digest for part, _ in some for digest in part.digests]
    counts = [part.counts for part, _ in some if part.counts is not None]
    bad = Counter[tuple[str, str]]()
    for part, _ in some:
        for (symbol, reason, late), rows in part.bad.items():
            if late is None or late <= session:
                bad[symbol, reason] += rows
    return Gathered(
        tuple(sorted(symbol for part in parts for symbol in part.symbols)),
        session,
        Answers(
            tuple(names[row] for row in order),
            np.concatenate([found.newest for _, found in some])[order],
            np.concatenate([found.now for _, found in some])[order],
            np.concatenate([found.before for _, found in some])[order],
            {name: np.concatenate([found.values[name] for _, found in some])[order] for name in some[0][1].values},
        ),
        _summary(bad),
        content_hash(parts[0].frame, parts[0].adjust, [digests[row] for row in order]),
        PastHits(np.concatenate(counts)[order]) if counts else None,
    )


def through_ray_data(
    question: ShardQuestion, files: Sequence[Path], *, largest_bytes: int, pin_threads: bool, progress: Progress
) -> Iterator[FileAnswer | None]:
    """`ask_file` of every file on the cluster this process has joined, in any order.

    One file a processor at once, or fewer where the largest one does not fit so often into the cluster's memory; behind
    live work. What a worker leaves when it dies is done again.
    pin_threads: False on a cluster of our own, whose processes have one thread anyway.
    Raises: InvalidInput as `ask_file`; TemporarilyUnavailable when no file is done for `DEADLINE_S` seconds;
            GoldenSignalsError with the reason when the work fails.
    """
    import ray
    import ray.data
    from ray.exceptions import RayError

    ray.data.DataContext.get_current().enable_progress_bars = False
    cluster: Any = ray.cluster_resources  # untyped in Ray
    resources = cluster()
    fit = int(resources.get("memory", 0.0) // max(largest_bytes, 1))
    at_once = max(1, min(int(resources.get("CPU", 1.0)), fit, len(files)))
    options: dict[str, Any] = {"runtime_env": {"env_vars": dict(ONE_THREAD)}} if pin_threads else {}
    task: Any = _tell  # Ray's types know functions of one argument only
    names = ray.data.from_items([{"file": str(file)} for file in files], override_num_blocks=len(files))
    flow = names.map(
        task,
        fn_args=(question,),
        compute=ray.data.TaskPoolStrategy(size=at_once),
        num_cpus=0,  # live agents hold the processors; a worker takes what they leave
        **options,
    )
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # it tells of every run; its files know the rest
    done = 0
    try:
        with closing(_in_time(lambda: iter(flow.iter_rows()))) as rows:
            for row in rows:
                told: FileAnswer | InvalidInput | None = row["told"].answer
                if isinstance(told, InvalidInput):
                    raise told
                done += 1
                progress(done, len(files))
                yield told
    except RayError as problem:
        raise GoldenSignalsError(f"the scan of {len(files)} files failed: {_reason(problem)}") from problem


@dataclass(frozen=True, eq=False)
class _Told:
    """A value for Ray Data's table, always of one type."""

    answer: FileAnswer | InvalidInput | None


def _tell(row: dict[str, Any], question: ShardQuestion) -> dict[str, _Told]:
    """One file. A refusal is an answer too, so it comes back as it was said, and at once."""
    let_others_first()
    try:
        return {"told": _Told(ask_file(question, row["file"]))}
    except InvalidInput as problem:
        return {"told": _Told(problem)}


def _in_time(rows: Callable[[], Iterator[Any]]) -> Generator[Any, None, None]:
    """What an iterator gives that may hang: in a thread of its own, which is left behind when it does.

    Close it: Ray Data goes on until its iterator is let go.
    """
    arrived: queue.Queue[Any] = queue.Queue(_WAITING)
    stopped = threading.Event()

    def hand_over(item: Any) -> None:
        while not stopped.is_set():
            try:
                arrived.put(item, timeout=1.0)
                return
            except queue.Full:
                continue

    def run() -> None:
        try:
            for row in rows():
                hand_over(row)
                if stopped.is_set():
                    return
            hand_over(_END)
        except BaseException as problem:  # noqa: BLE001  raised again below, in the caller's thread
            hand_over(problem)

    thread = threading.Thread(target=run, name="shards", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = arrived.get(timeout=DEADLINE_S)
            except queue.Empty:
                raise TemporarilyUnavailable(
                    f"no file was done for {DEADLINE_S:g} s; `goldensignals doctor` looks for the reason"
                ) from None
            if item is _END:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join(_END_S)


def _reason(problem: Exception) -> str:
    """The error itself: Ray Data adds advice about retries behind it."""
    return last_line(Exception(str(problem).partition("\n\nThe above exception was")[0]))


def _nothing_sound(question: ShardQuestion, file: str) -> bool:
    read = question.stamps
    bars = load_bars(Path(file), frame=read.frame, stamp=read.stamp, tz=read.tz, calendar=read.calendar)
    return check(bars).bars.is_empty()


def _bad_rows(quarantined: Quarantined, panel: Panel, moment: int | None) -> BadRows:
    newest = int(panel.ts.max())
    micros = pl.col("ts").to_physical()
    rows = quarantined.frame.filter(pl.col("symbol").is_in(panel.symbols))
    if moment is not None:
        rows = rows.filter(micros.is_null() | (micros <= moment))
    late = pl.when(micros > newest).then(micros).alias("late")
    groups = rows.group_by("symbol", "reason", late).len()
    return BadRows({(symbol, reason, when): n for symbol, reason, when, n in groups.iter_rows()})


def _summary(bad: Counter[tuple[str, str]]) -> dict[str, object]:
    """As `Quarantined.summary`."""
    by_reason, by_symbol = Counter[str](), Counter[str]()
    for (symbol, reason), rows in bad.items():
        by_reason[reason] += rows
        by_symbol[symbol] += rows
    return {
        "total": bad.total(),
        "by_reason": dict(sorted(by_reason.items())),
        "by_symbol": dict(sorted(by_symbol.items())),
    }
