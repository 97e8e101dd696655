"""Verbs of jobs: list them, watch one with its rate, cancel, pause and resume it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serve_app.cli.output import AsJson, Out, done, progress_bar, require_format, say, show

if TYPE_CHECKING:
    from data.store.jobs import Job

jobs = typer.Typer(help="Jobs: list, watch, cancel, pause, resume.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(help="Id of a job.")]
_POLL_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.add_typer(jobs, name="jobs")


@jobs.command("list")
def list_jobs(
    state: Annotated[str | None, typer.Option(help="queued, running, paused, cancelled, failed or done.")] = None,
    kind: Annotated[str | None, typer.Option(help="scan or sweep.")] = None,
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
    """Show a job's progress until it ends; exit code 1 when it failed or was cancelled."""
    from data.contracts.errors import GoldenSignalsError
    from serve_app.jobs import watched

    with progress_bar("done") as progress:
        for seen in watched(_settings(), job_id, say=say):
            progress(seen[0].done, seen[0].total)
            time.sleep(_POLL_S if seen[0].state in ("queued", "running") else 0.0)
    job, nodes = seen
    row = {**_row(job), "nodes": nodes, "result": job.result}
    done(row, f"{job.kind} {job.job_id} is {job.state}, {job.done:,} of {job.total:,}", as_json=as_json)
    for node, (chunks, work_s) in nodes.items():
        say(f"{node}: {chunks:,} chunks, {work_s:.1f} s of work")
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
