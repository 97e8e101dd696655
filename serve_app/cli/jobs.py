"""Verbs of jobs: list them, watch one with its rate on every machine, cancel, pause and resume it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serve_app.cli.output import AsJson, Out, done, notes, require_format, say, show

if TYPE_CHECKING:
    from data.store.jobs import Job
    from serve_app.jobs import Seen

jobs = typer.Typer(help="Jobs: list, watch, cancel, pause, resume.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(help="Id of a job.")]
_POLL_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.add_typer(jobs, name="jobs")


@jobs.command("list")
def list_jobs(
    state: Annotated[str | None, typer.Option(help="queued, running, paused, cancelled, failed or done.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="scan, backtest, sweep, walkforward, crossvalidation or verify.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The newest jobs."""
    from serve_app.jobs import STATES
    from serve_app.jobs import list_jobs as found_in

    require_format(out)
    if state is not None and state not in STATES:
        from data.contracts.errors import InvalidInput

        raise InvalidInput(f"--state is one of {', '.join(STATES)}, not {state!r}")
    rows = [_row(job) for job in found_in(_settings(), state=state, kind=kind, limit=limit, say=say)]
    show({"jobs": rows}, rows, _table(rows), as_json=as_json, out=out)


@jobs.command("watch")
def watch(job_id: JobId, as_json: AsJson = False) -> None:
    """Show how far a job is, how fast, and who does it, until it ends; exit code 1 when it failed or was cancelled."""
    from data.contracts.errors import GoldenSignalsError
    from serve_app.jobs import watched

    with _shown() as show_it:
        for seen in watched(_settings(), job_id, say=say):
            show_it(seen)
            time.sleep(_POLL_S if seen.job.state in ("queued", "running") else 0.0)
    job = seen.job
    nodes = {node.node: (node.chunks, node.work_s) for node in seen.nodes}
    row = {**_row(job), "nodes": nodes, "result": job.result}
    done(row, f"{job.kind} {job.job_id} is {job.state}, {job.done:,} of {job.total:,}", as_json=as_json)
    for line in node_lines(seen):
        say(line)
    if job.state in ("failed", "cancelled"):
        raise GoldenSignalsError(job.error or f"job {job.job_id} was cancelled")


@jobs.command("cancel")
def cancel(job_id: JobId, as_json: AsJson = False) -> None:
    """Stop a job; what it has done is kept."""
    _changed(job_id, "cancel", as_json)


@jobs.command("pause")
def pause(job_id: JobId, as_json: AsJson = False) -> None:
    """Stop a job until it is resumed."""
    _changed(job_id, "pause", as_json)


@jobs.command("resume")
def resume(job_id: JobId, as_json: AsJson = False) -> None:
    """Let a paused job go on, on the running system."""
    _changed(job_id, "resume", as_json)


def job_line(seen: Seen) -> str:
    """How far a job is, how fast it goes, and what is left."""
    job = seen.job
    share = f", {job.done / job.total:.0%}" if job.total else ""
    rate = "" if seen.rate is None else f", {_rate(seen.rate)}"
    left = "" if seen.left_s is None else f", about {_duration(seen.left_s)} left"
    return f"{job.kind} {job.job_id[:12]} {job.state}: {job.done:,} of {job.total:,}{share}{rate}{left}"


def node_lines(seen: Seen) -> list[str]:
    """What each machine did of it."""
    found = []
    for node in seen.nodes:
        rate = seen.rate_of(node)
        fast = "" if rate is None else f", {_rate(rate)}"
        chunks = "1 chunk" if node.chunks == 1 else f"{node.chunks:,} chunks"
        found.append(
            f"{node.node}: {chunks}, {seen.share_of(node):.0%} of what is done{fast}, {node.work_s:.1f} s of work"
        )
    return found


@contextmanager
def _shown() -> Iterator[Callable[[Seen], None]]:
    """Lines that are written over on a terminal; elsewhere a line whenever the job has moved a tenth further."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    if notes.is_terminal:
        with Live(console=notes, transient=True, auto_refresh=False) as live:
            yield lambda seen: live.update(Group(*map(Text, (job_line(seen), *node_lines(seen)))), refresh=True)
        return
    told = ("", -1)

    def tell(seen: Seen) -> None:
        nonlocal told
        now = (seen.job.state, int(10 * seen.job.done / seen.job.total) if seen.job.total else 0)
        if now != told and seen.job.state in ("queued", "running"):
            say(job_line(seen))
            told = now

    yield tell


def _rate(units: float) -> str:
    return f"{units:,.0f}/s" if units >= 10.0 else f"{units:.2g}/s"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _changed(job_id: str, how: str, as_json: bool) -> None:
    from serve_app.jobs import change

    job, hint = change(_settings(), job_id, how, say=say)
    done(_row(job), f"{job.kind} {job.job_id} is {job.state}{hint}", as_json=as_json)


def _settings() -> Any:
    from data.settings import Settings
    from serve_app.logs import configure_logging

    configure_logging()
    return Settings.load()


def _row(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "owner": job.owner,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "error": job.error,
        "created_at": job.created_at.isoformat(),
    }


def _table(rows: Sequence[dict[str, Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return Text("there are no jobs")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("job", "kind", "state", "done", "of", "owner", "since", "error"):
        table.add_column(title, justify="right" if title in ("done", "of") else "left", no_wrap=title != "error")
    for row in rows:
        counts = f"{row['done']:,}", f"{row['total']:,}"
        table.add_row(
            row["job_id"], row["kind"], row["state"], *counts, row["owner"], row["created_at"][:16], row["error"]
        )
    return table
