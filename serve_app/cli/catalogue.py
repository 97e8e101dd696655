"""Verbs that show what there is: `agents list|show|check`, `indicators`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from serve_app.cli.output import AsJson, Out, progress_bar, require_format, show

_CHECK_SYMBOLS = 12
_CHECK_CUTS = 25

agents = typer.Typer(
    name="agents", help="The agents: what they read, how they vote, proof that they do not look ahead."
)

Name = Annotated[str, typer.Argument(help="Name of an agent.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    agents.command("list")(list_agents)
    agents.command("show")(show_agent)
    agents.command("check")(check_agents)
    app.add_typer(agents, no_args_is_help=True)
    app.command("indicators")(indicators)


def list_agents(as_json: AsJson = False, out: Out = None) -> None:
    """Every agent with its inputs and warm-up."""
    from agents.registry import roster

    require_format(out)
    rows = [
        {"name": a.name, "scope": a.scope, "inputs": list(a.inputs), "warmup": a.warmup, "description": a.description}
        for a in roster()
    ]
    table = _table("agent", "scope", "inputs", "warm-up, bars", "what it does")
    for a in roster():
        table.add_row(a.name, a.scope, ", ".join(a.inputs), str(a.warmup), a.description)
    show({"agents": rows}, rows, table, as_json=as_json, out=out)


def show_agent(name: Name, as_json: AsJson = False, out: Out = None) -> None:
    """One agent with its parameters."""
    from dataclasses import asdict

    from agents.registry import roster

    require_format(out)
    a = roster([name])[0]
    params = asdict(a.params)
    facts = {"scope": a.scope, "inputs": list(a.inputs), "warmup": a.warmup, "cost_ns_per_bar": a.cost_ns}
    document = {"name": a.name, "description": a.description, **facts, "params": params}
    table = _table("parameter", "value")
    for key, value in params.items():
        table.add_row(key, str(value))
    lines = Text(f"{a.name}: {a.description}\n{', '.join(f'{k} {v}' for k, v in facts.items())}")
    show(document, [document], Group(lines, table), as_json=as_json, out=out)


def check_agents(
    name: Annotated[str | None, typer.Argument(help="Name of an agent; default: all.")] = None,
    bars: Annotated[str, typer.Option(help="sample, or a path to bars.")] = "sample",
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Prove warm-up and no look-ahead by prefix replay. Exit code 1 when an agent fails."""
    import numpy as np

    from agents.lookahead import check_agent
    from agents.registry import roster
    from data.market.source import open_bars

    require_format(out)
    chosen = roster(None if name is None else [name])
    panel = open_bars(bars).panel
    spread = np.linspace(0, len(panel.symbols) - 1, min(_CHECK_SYMBOLS, len(panel.symbols))).astype(int)
    part = panel.select([panel.symbols[i] for i in spread])
    rows: list[dict[str, object]] = []
    with progress_bar("agents") as progress:
        for done, agent in enumerate(chosen, start=1):
            report = check_agent(agent, part, cuts=_CHECK_CUTS, rng=np.random.default_rng(20180207))
            rows.append({"agent": agent.name, "ok": report.ok, "findings": [str(found) for found in report.findings]})
            progress(done, len(chosen))
    table = _table("agent", "", "findings")
    for row, agent in zip(rows, chosen, strict=True):
        proof = f"{len(part.symbols)} symbols, {_CHECK_CUTS} cuts each: same bits, warm-up {agent.warmup} bars"
        findings = row["findings"]
        assert isinstance(findings, list)
        mark = Text("ok", style="green") if row["ok"] else Text("✗", style="red")
        table.add_row(agent.name, mark, "\n".join(findings) or proof)
    ok = all(row["ok"] for row in rows)
    show({"ok": ok, "agents": rows}, rows, table, as_json=as_json, out=out)
    if not ok:
        raise typer.Exit(1)


def indicators(
    name: Annotated[str | None, typer.Argument(help="One indicator; default: all.")] = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The indicators, or one of them with its parameters and source."""
    from agents.indicators import catalogue, get

    require_format(out)
    rows = [entry for entry in catalogue() if name is None or entry["name"] == get(name).name]
    if name is not None:
        table = _table("", "")
        for key, value in rows[0].items():
            table.add_row(key, _in_words(value))
    else:
        table = _table("indicator", "family", "inputs", "parameters", "outputs", "what it measures")
        for entry in rows:
            params = ", ".join(f"{key} {value['default']:g}" for key, value in entry["params"].items())
            columns = (", ".join(entry["inputs"]), params, ", ".join(entry["outputs"]))
            table.add_row(entry["name"], entry["family"], *columns, entry["description"])
    show({"indicators": rows}, rows, table, as_json=as_json, out=out)


def _in_words(value: object) -> str:
    """A catalogue value as a person reads it."""
    if isinstance(value, dict):
        return "\n".join(f"{name} {r['default']:g}, from {r['low']:g} to {r['high']:g}" for name, r in value.items())
    if isinstance(value, list):
        return ", ".join("unbounded" if item is None else str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in titles:
        table.add_column(title)
    return table
