"""Verbs that show what there is: `agents list|show|check`, `indicators`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from serve_app.cli.output import AsJson, Out, progress_bar, require_format, show

if TYPE_CHECKING:
    from agents.indicators import Indicator

_CHECK_SYMBOLS = 12
_CHECK_CUTS = 25
_SHOWN, _SECOND = "AAPL", "MSFT"
_GLANCE = 60  # bars
_BLOCKS = "▁▂▃▄▅▆▇█"

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
    facts = {
        "scope": a.scope,
        "inputs": list(a.inputs),
        "warmup": a.warmup,
        "reach": a.reach,
        "cost_ns_per_bar": a.cost_ns,
    }
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
        bars = "" if agent.reach is None else ", also bar by bar"
        proof = f"{len(part.symbols)} symbols, {_CHECK_CUTS} cuts each: same bits{bars}, warm-up {agent.warmup} bars"
        findings = row["findings"]
        assert isinstance(findings, list)
        mark = Text("ok", style="green") if row["ok"] else Text("✗", style="red")
        table.add_row(agent.name, mark, "\n".join(findings) or proof)
    ok = all(row["ok"] for row in rows)
    show({"ok": ok, "agents": rows}, rows, table, as_json=as_json, out=out)
    if not ok:
        raise typer.Exit(1)


def indicators(
    name: Annotated[str | None, typer.Argument(help="One indicator, also by TA-Lib's name; default: all.")] = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The indicators, or one of them with its formula, parameters and a glance at it."""
    from agents.indicators import catalogue, get

    require_format(out)
    if name is not None:
        entry = get(name)
        row = entry.row()
        seen = not as_json and (out is None or out.suffix.lower() == ".html")
        show({"indicators": [row]}, [row], _page(entry, row) if seen else "", as_json=as_json, out=out)
        return
    rows = catalogue()
    table = _table("indicator", "family", "inputs", "parameters", "outputs", "what it measures")
    for row in rows:
        params = ", ".join(f"{key} {_short(value['default'])}" for key, value in row["params"].items())
        columns = (", ".join(row["inputs"]), params, ", ".join(row["outputs"]))
        table.add_row(row["name"], row["family"], *columns, Text(row["description"]))
    show({"indicators": rows}, rows, table, as_json=as_json, out=out)


def _page(entry: Indicator, row: dict[str, Any]) -> Group:
    """One indicator as a person reads it."""
    units = dict(zip(row["outputs"], row["units"], strict=True))
    facts = {
        "formula": row["formula"],
        "notes": row["notes"],
        "family": row["family"],
        "inputs": ", ".join(row["inputs"]),
        "parameters": "\n".join(f"{key} = {_short(p['default'])} ({_allowed(p)})" for key, p in row["params"].items()),
        "outputs": ", ".join(f"{output} ({unit})" for output, unit in units.items()),
        "warm-up": f"{row['warmup']} bars with these parameters",
        "bounds": " to ".join("unbounded" if edge is None else f"{edge:g}" for edge in row["bounds"] or ()),
        "repaints": "a value may speak of an earlier bar than its own" if row["repaints"] else "",
        "TA-Lib": ", ".join(entry.talib),
        "source": row["source"],
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for title, words in facts.items():
        if words:
            table.add_row(title, Text(words))
    glance = _table(f"last {_GLANCE} bars of {_SHOWN}", "", "lowest", "highest", "last")
    for output, values in _computed(entry).items():
        glance.add_row(output, *sparkline(values[-_GLANCE:]))
    return Group(Text(f"{row['name']}: {row['description']}\n"), table, Text(), glance)


def _computed(entry: Indicator) -> dict[str, Sequence[float]]:
    """Each output over the bundled bars; a second series is another stock's closes, which has the same sessions."""
    import polars as pl

    from data import panel as panels
    from data.market.sample import sample_bars

    panel, _ = panels.build(sample_bars().filter(pl.col("symbol").is_in([_SHOWN, _SECOND])))
    first, second = panel.of(_SHOWN), panel.of(_SECOND)
    found = entry(*(second.close if title == "other" else getattr(first, title) for title in entry.inputs))
    lines = found if isinstance(found, tuple) else (found,)
    return dict(zip(entry.outputs, lines, strict=True))


def sparkline(values: Sequence[float]) -> tuple[str, str, str, str]:
    """Values as blocks between their lowest and highest, a blank where there is none; then lowest, highest, last."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "no value", "", "", ""
    low, high = min(known), max(known)
    step = (high - low) / (len(_BLOCKS) - 1)
    blocks = (
        (_BLOCKS[round((value - low) / step)] if step else _BLOCKS[0]) if math.isfinite(value) else " "
        for value in values
    )
    last = f"{values[-1]:,.6g}" if math.isfinite(values[-1]) else "none"
    return "".join(blocks), f"{low:,.6g}", f"{high:,.6g}", last


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _allowed(spec: dict[str, Any]) -> str:
    return ", ".join(spec["choices"]) if spec["choices"] else f"{spec['low']:g} to {spec['high']:g}"


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in titles:
        table.add_column(title)
    return table
