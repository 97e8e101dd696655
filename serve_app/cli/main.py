"""Entry point: registers every verb and turns errors into a sentence and an exit code.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 unavailable, 130 after Ctrl-C (Typer's).

Verb modules import heavy things inside their functions, so that `--help` answers at once.
"""

import sys
from typing import Annotated

import typer

from data.contracts.errors import GoldenSignalsError
from data.home import RAY_TOKEN
from serve_app.cli import (
    accounts,
    catalogue,
    cluster,
    crossvalidation,
    datasets,
    jobs,
    research,
    signals,
    sweeps,
    system,
    validation,
)

app = typer.Typer(
    name="goldensignals",
    help="Trading signals from a cluster of agents. Start with: goldensignals up",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
system.register(app)
signals.register(app)
research.register(app)
sweeps.register(app)
validation.register(app)
crossvalidation.register(app)
jobs.register(app)
catalogue.register(app)
datasets.register(app)
cluster.register(app)
accounts.register(app)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"goldensignals {version('goldensignals')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Trading signals from a cluster of agents."""
    from cluster.connect import prepare_environment
    from data.home import Home
    from data.settings import Settings

    settings = Settings.load()
    prepare_environment(Home(settings.home).secrets / RAY_TOKEN, local=settings.ray.address is None)


def main() -> None:
    """Run the command line of this process."""
    try:
        app()
    except GoldenSignalsError as problem:
        print(f"goldensignals: {problem}", file=sys.stderr)  # noqa: T201  the one place errors are shown
        raise SystemExit(problem.exit_code) from None
