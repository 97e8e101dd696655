"""Where strategies come from: the built-in files beside this module, YAML of a user, or expressions typed ad hoc.

A file is one mapping; every error says file, key and what to do.

    name: sma_cross
    description: Long while the fast average stands above the slow one.
    source: Brock, Lakonishok and LeBaron (1992)
    params:
      fast: {default: 10, low: 1, high: 500, description: bars of the fast average}
      other: {kind: symbol}
    where: fast < slow
    enter: sma(fast) crosses_above sma(slow)
    exit: sma(fast) crosses_below sma(slow)
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from agents.backtest.strategy import DECISIONS, LEVELS, Param, Strategy
from agents.expr import Expression, parse
from agents.expr.documents import MAX_BYTES, mapping, only, words
from data.contracts.errors import InvalidInput, NotFound

_RULES = (*DECISIONS, *LEVELS, "where")
_KEYS = ("name", "description", "source", "params", *_RULES)
_PARAM_KEYS = ("default", "low", "high", "whole", "kind", "description")
_SUFFIXES = (".yaml", ".yml")


@cache
def builtins() -> dict[str, Strategy]:
    """Every built-in strategy by name, in alphabetical order."""
    folder = resources.files("agents.backtest") / "strategies"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    found = [load(file.read_text(encoding="utf-8"), origin=file.name) for file in files]
    return {one.name: one for one in found}


def builtin(name: str) -> Strategy:
    """A built-in strategy. Raises NotFound naming close ones."""
    known = builtins()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}."
        raise NotFound(f"there is no strategy {name!r}; {hint} A file's name ends in .yaml", strategy=name)
    return known[name]


def find(name_or_path: str) -> Strategy:
    """A built-in by name, or a YAML file by its path. Raises InvalidInput for what is neither or cannot be used."""
    if not name_or_path.endswith(_SUFFIXES):
        return builtin(name_or_path)
    path = Path(name_or_path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"{path}: a strategy has at most {MAX_BYTES // 1024} KiB; this is no strategy file")
        written = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the strategy {path}: {error}") from None
    return load(written, origin=path.name)


def load(written: str, *, origin: str = "strategy") -> Strategy:
    """A strategy from YAML text; `origin` names it in errors. Raises InvalidInput naming file, key and what to do."""
    return load_mapping(mapping(written, origin), origin=origin)


def load_mapping(content: Mapping[str, Any], *, origin: str) -> Strategy:
    """The same from the mapping that the text holds."""
    only(content, _KEYS, origin, "")
    name = words(content, "name", origin)
    if not name:
        raise InvalidInput(f"{origin}: name is missing; say what the strategy is called")
    params = _params(content.get("params") or {}, origin)
    try:
        return _made(name, content, params, origin)
    except InvalidInput as error:
        if str(error).startswith(origin):
            raise
        raise InvalidInput(f"{origin}: {error}", **error.facts) from None


def strategy(
    *,
    enter: str | None = None,
    exit: str | None = None,  # noqa: A002  the word of the field
    short_enter: str | None = None,
    short_exit: str | None = None,
    stop: str | None = None,
    target: str | None = None,
    trail: str | None = None,
    size: str | None = None,
    where: str | None = None,
    name: str = "custom",
    **values: object,
) -> Strategy:
    """A strategy from expressions: `strategy(enter="sma(fast) crosses_above sma(slow)", exit="…", fast=10, slow=30)`.

    values: a default for every free name: a number (whole numbers stay whole) or a symbol.
    Raises: InvalidInput for expressions that cannot be used and names that are used nowhere.
    """
    params = tuple(_ad_hoc(key, value) for key, value in values.items())
    decisions = dict(zip(DECISIONS, (enter, exit, short_enter, short_exit), strict=True))
    levels = dict(zip(LEVELS, (stop, target, trail, size), strict=True))
    return _made(name, {**decisions, **levels, "where": where}, params, name)


def _made(name: str, content: Mapping[str, Any], params: tuple[Param, ...], origin: str) -> Strategy:
    rules = {key: _rule(content, key, params, origin) for key in _RULES}
    return Strategy(
        name=name,
        enter=rules["enter"],
        exit=rules["exit"],
        short_enter=rules["short_enter"],
        short_exit=rules["short_exit"],
        stop=rules["stop"],
        target=rules["target"],
        trail=rules["trail"],
        size=rules["size"],
        where=rules["where"],
        params=params,
        description=words(content, "description", origin),
        source=words(content, "source", origin),
    )


def _rule(content: Mapping[str, Any], key: str, params: tuple[Param, ...], origin: str) -> Expression | None:
    value = content.get(key)
    if value is None:
        return None
    if isinstance(value, bool | int | float):  # YAML reads `true` and `0.5` as what they are
        value = str(value).lower()
    try:
        return parse(value, params=[param.name for param in params])
    except InvalidInput as error:
        raise InvalidInput(f"{origin}: {key}: {error}", **error.facts) from None


def _params(content: Any, origin: str) -> tuple[Param, ...]:
    if not isinstance(content, dict):
        raise InvalidInput(f"{origin}: params must be a mapping such as fast: {{default: 10, low: 1, high: 500}}")
    return tuple(_param(str(name), given, origin) for name, given in content.items())


def _param(name: str, given: Any, origin: str) -> Param:
    if not isinstance(given, dict):
        raise InvalidInput(f"{origin}: params.{name} must be a mapping such as {{default: 10, low: 1, high: 500}}")
    only(given, _PARAM_KEYS, origin, f"params.{name}.")
    kind = given.get("kind", "number")
    if kind not in ("number", "symbol"):
        raise InvalidInput(f"{origin}: params.{name}.kind must be number or symbol, not {kind!r}")
    description = words(given, "description", origin)
    default = given.get("default")
    if kind == "symbol":
        for key in ("low", "high", "whole"):
            if key in given:
                raise InvalidInput(f"{origin}: params.{name} is a symbol; it has no {key}")
        return Param(name, default, kind="symbol", description=description)
    low, high = _edge(given, "low", name, origin), _edge(given, "high", name, origin)
    if low > high:
        raise InvalidInput(f"{origin}: params.{name}.low is above its high; swap them")
    whole = given.get("whole", isinstance(default, int) and not isinstance(default, bool))
    if not isinstance(whole, bool):
        raise InvalidInput(f"{origin}: params.{name}.whole must be true or false, not {whole!r}")
    return Param(name, default, low, high, whole, description=description)


def _edge(given: Mapping[str, Any], key: str, name: str, origin: str) -> float:
    value = given.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise InvalidInput(f"{origin}: params.{name}.{key} must be a number, the {key}est value it may have")
    return value


def _ad_hoc(name: str, value: object) -> Param:
    if isinstance(value, str):
        return Param(name, value, kind="symbol")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{name} must be a number or a symbol, not {value!r}; the keys of a strategy are {_RULES}")
    return Param(name, value, whole=isinstance(value, int))
