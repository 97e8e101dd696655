"""What the verbs of research ask alike: a strategy, what to try, bars, costs. Read here once, for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from agents.backtest.grid import Grid
    from agents.backtest.rules import Rules
    from agents.backtest.strategy import Strategy

StrategyWords = Annotated[
    list[str],
    typer.Argument(
        help='A built-in name, a YAML file, or enter="…" exit="…" and if you like stop="…" target="…" size="…".',
        show_default=False,
    ),
]
SweptWords = Annotated[
    list[str],
    typer.Argument(
        metavar="STRATEGY NAME=VALUES...",
        help="A strategy, then what to try: fast=5:50 slow=20:200:5 window=10,20,50. 5:50 means 5 up to 49; what is "
        "not named has its default.",
        show_default=False,
    ),
]
BarsPath = Annotated[str | None, typer.Option("--bars", help="Parquet, CSV or a folder; default: the bundled sample.")]
Symbols = Annotated[str | None, typer.Option(help="A,B,C, @sp500 or a file with one symbol a line.")]
ParamWords = Annotated[list[str] | None, typer.Option("--param", help="A parameter, as name=value; repeat it.")]
Where = Annotated[str | None, typer.Option(help='Which sets to try, such as "fast < slow".')]
Metric = Annotated[str, typer.Option(help="What sets are ranked by.")]
Sample = Annotated[int | None, typer.Option(min=1, help="Try only so many sets, chosen at random.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the random choice.")]
Fees = Annotated[str, typer.Option(help="Per side: 5bps, 0.05% or 0.0005.")]
Slippage = Annotated[str, typer.Option(help="Against the trader: 2bps, 0.02% or 0.0002.")]
Fill = Annotated[Literal["next_open", "close"], typer.Option(help="Price of a fill.")]
Cash = Annotated[float, typer.Option(help="Money at the start.")]
RuleWords = Annotated[
    list[str] | None,
    typer.Option("--rule", help="Another rule as name=value: mode=portfolio, max_positions=20, borrow=1% …"),
]


def rules_of(fees: str, slippage: str, fill: str, cash: float, rule: Sequence[str] | None) -> Rules:
    """The rules that these options say. Raises InvalidInput naming what cannot be used."""
    from agents.backtest.rules import Rules

    given = {"fees": fees, "slippage": slippage, "fill": fill, "cash": cash, **pairs(rule, "--rule")}
    return Rules.of({name: plain(value) for name, value in given.items()})


def grid_of(words: Sequence[str], where: str | None, sample: int | None, seed: int) -> Grid:
    """The sets that these words and options say. Raises InvalidInput naming what cannot be tried."""
    from agents.backtest.grid import Axis, Grid

    strategy, given = split_words(words, swept=True)
    return Grid(strategy, tuple(Axis.of(name, text) for name, text in given.items()), where, sample, seed)


def split_words(words: Sequence[str], *, swept: bool = False) -> tuple[Strategy, dict[str, str]]:
    """The strategy that the words name or spell out, and the name=text words that are no part of it.

    swept: those are values to try, and a spelled-out strategy takes the first ones as its defaults.
    Raises: InvalidInput for words that are neither.
    """
    from agents.backtest.catalogue import find, strategy
    from agents.backtest.grid import Axis
    from agents.backtest.strategy import DECISIONS, LEVELS
    from data.contracts.errors import InvalidInput

    given = pairs([word for word in words if _is_pair(word)], "the word")
    rules = {key: given.pop(key) for key in (*DECISIONS, *LEVELS, "where") if key in given}
    names = [word for word in words if not _is_pair(word)]
    if len(names) + bool(rules) != 1:
        raise InvalidInput(
            f'cannot read the strategy in {" ".join(words)!r}; give one name, one file, or enter="…" exit="…"'
        )
    if names:
        return find(names[0]), given
    values = {key: Axis.of(key, text).values[0] for key, text in given.items()}
    return strategy(**rules, **values), given if swept else {}  # type: ignore[arg-type]


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """name=value texts as a mapping. Raises InvalidInput for anything else, and for a name given twice."""
    from data.contracts.errors import InvalidInput

    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InvalidInput(f"{option} {text!r} is not name=value; write for example {option} fast=10")
        if name.strip() in found:
            raise InvalidInput(f"{option} {name.strip()} is given twice; give it once")
        found[name.strip()] = value.strip()
    return found


def plain(value: object) -> object:
    """A number where the text is one."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def _is_pair(word: str) -> bool:
    key, equals, _ = word.partition("=")
    return bool(equals) and key.isidentifier()
