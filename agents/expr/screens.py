"""Scans by expression: for which symbols it is true at the newest bar, what it compared, and what changed.

found = screen(parse("rsi(14) < 30 and close > sma(200)"), panel, votes, by=parse("rsi(14)"))
preset("oversold").when                  well-known screens are files beside this module, one YAML file each
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from agents.expr import tree
from agents.expr.documents import mapping, only, words
from agents.expr.evaluate import newest
from agents.expr.expression import Expression, parse
from agents.expr.tree import Compare, Constant, Negative, Shift
from agents.expr.votes import Votes
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput, NotFound
from data.contracts.panel import Panel

_KEYS = ("name", "description", "source", "when", "by")


@dataclass(frozen=True)
class Preset:
    """A well-known screen: what to look for, and what its hits are ranked by, the largest first."""

    name: str
    description: str
    source: str
    when: Expression
    by: Expression | None


@dataclass(frozen=True, eq=False)
class Screened:
    """What a scan found in the newest session.

    symbols: those for which it is true: by `by`, the largest first, then by name.
    new:     per hit, whether it was not true on the symbol's bar before.
    values:  per number that was compared (and `by`, unless it is the negative of one), by its text: one value per hit;
             NaN = unknown.
    left:    symbols for which it was true on the bar before and no longer is.
    unknown: symbols for which the answer is not known (warm-up, abstention, a missing bar of another symbol).
    stale:   symbols without a bar in the newest session.
    """

    symbols: tuple[str, ...]
    new: tuple[bool, ...]
    values: dict[str, tuple[float, ...]]
    left: tuple[str, ...]
    unknown: tuple[str, ...]
    stale: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Answers:
    """What each symbol of a panel answers at its newest bar, whatever the others say; all columns are (S,).

    newest:      time of that bar, microseconds UTC.
    now, before: 1 = true, 0 = false, NaN = unknown, at that bar and at the one before it.
    values:      as in `Screened`, for every symbol.
    """

    symbols: tuple[str, ...]
    newest: Ints
    now: Floats
    before: Floats
    values: dict[str, Floats]


def screen(
    when: Expression, panel: Panel, votes: Votes, *, by: Expression | None = None, session: int | None = None
) -> Screened:
    """Ask every symbol of a panel at its newest bar.

    session: bar time of the newest session, for a panel that is part of a larger one; None: the panel's own.
    Raises: InvalidInput when `when` is a number or `by` is none, and as `newest`.
    """
    return pick(answers(when, panel, votes, by=by), by=by, session=session)


def answers(when: Expression, panel: Panel, votes: Votes, *, by: Expression | None = None) -> Answers:
    """What every symbol says; see `screen`."""
    check_questions(when, by)
    wanted = {"now": when, **{one.text: one for one in compared(when)}}
    if when.varies:
        wanted["before"] = Expression(Shift(when.tree, Constant(1)))
    if by is not None:
        wanted[by.text] = by
    found = newest(wanted, panel, {}, votes)
    now, before = found.pop("now"), found.pop("before", np.full(len(panel.symbols), np.nan))
    return Answers(panel.symbols, panel.ts[panel.last_rows], now, before, found)


def pick(found: Answers, *, by: Expression | None, session: int | None = None) -> Screened:
    """The hits among answers, ranked; `by` is what the symbols were asked to be ranked by."""
    symbols, now, before = found.symbols, found.now, found.before
    values = dict(found.values)
    fresh = found.newest == (found.newest.max() if session is None else session)
    hits = np.flatnonzero(fresh & (now == 1.0))
    if by is not None:
        key = -values[by.text][hits]  # NaN sorts last
        hits = hits[np.argsort(key, kind="stable")]
        if isinstance(by.tree, Negative) and tree.text(by.tree.of) in values:
            del values[by.text]  # the smallest first: the column stands there already
    return Screened(
        _names(symbols, hits),
        tuple((before[hits] != 1.0).tolist()),
        {name: tuple(column[hits].tolist()) for name, column in values.items()},
        _names(symbols, np.flatnonzero(fresh & (before == 1.0) & (now != 1.0))),
        _names(symbols, np.flatnonzero(fresh & np.isnan(now))),
        _names(symbols, np.flatnonzero(~fresh)),
    )


def check_questions(when: Expression, by: Expression | None) -> None:
    """Raise InvalidInput unless a scan can ask for `when` and rank by `by`."""
    if when.kind != "truth":
        raise InvalidInput(f"a scan asks for something true or false; compare {when.text!r} with something")
    if by is not None and by.kind != "number":
        raise InvalidInput(f"hits are ranked by a number; {by.text!r} is true or false")


def compared(expression: Expression) -> tuple[Expression, ...]:
    """The numbers that it compares and that vary, in order of appearance."""
    found = [
        Expression(side)
        for node in tree.walk(expression.tree)
        if isinstance(node, Compare) and tree.kind(node.a) == "number"
        for side in (node.a, node.b)
        if tree.varies(side)
    ]
    return tuple({one.text: one for one in found}.values())


@cache
def presets() -> dict[str, Preset]:
    """Every screen by name, in alphabetical order."""
    folder = resources.files("agents.expr") / "screens"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    found = [_load(file.read_text(encoding="utf-8"), file.name) for file in files]
    return {one.name: one for one in found}


def preset(name: str) -> Preset:
    """A screen by its name, with or without @. Raises NotFound naming close ones."""
    known = presets()
    name = name.removeprefix("@")
    if name not in known:
        close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
        hint = f"did you mean @{' or @'.join(close)}?" if close else f"there are @{', @'.join(known)}"
        raise NotFound(f"there is no screen @{name}; {hint}", screen=name)
    return known[name]


def _load(written: str, origin: str) -> Preset:
    content = mapping(written, origin)
    only(content, _KEYS, origin, "")
    name, description, source, when, by = (words(content, key, origin) for key in _KEYS)
    return Preset(name, description, source, parse(when), parse(by) if by else None)


def _names(symbols: tuple[str, ...], rows: Ints) -> tuple[str, ...]:
    return tuple(symbols[int(row)] for row in rows)
