"""What `goldensignals check` is asked about: a strategy by name or file, strategies in a Python file, or an agent."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from agents.agent import Agent
from agents.backtest.catalogue import builtins, find
from agents.backtest.check import Decider
from agents.backtest.strategy import Bound, Strategy
from agents.registry import all_agents
from data.contracts.errors import InvalidInput, NotFound


def deciders(target: str, values: Mapping[str, object]) -> dict[str, Decider]:
    """The strategies that a target names, ready to decide.

    target: a built-in, a .yaml file, or a .py file, which is run: all objects at its top that have `evaluate(panel,
            votes)`, and every `gs.strategy(...)`. values: parameters of a strategy that has some.
    Raises: InvalidInput for a file that cannot be run or holds no strategy, and parameters that do not fit; NotFound.
    """
    if not target.endswith(".py"):
        strategy = find(target)
        return {strategy.name: strategy.bind(**values)}
    found: dict[str, Decider] = {}
    for name, value in vars(_module(Path(target))).items():
        if isinstance(value, Strategy):
            found[value.name] = value.bind(**values)
        elif isinstance(value, Bound):
            found[value.strategy.name] = value
        elif not isinstance(value, type | ModuleType) and callable(getattr(value, "evaluate", None)):
            found[str(getattr(value, "name", name))] = value
    if not found:
        raise InvalidInput(f"{target} holds no strategy; give it an object with evaluate(panel, votes) -> Orders")
    return found


def agent_of(target: str) -> Agent[Any] | None:
    """The agent of this name, unless a strategy has it. Raises NotFound when there is neither."""
    if target.endswith((".py", ".yaml", ".yml")) or target in builtins():
        return None
    known = all_agents()
    if target not in known:
        raise NotFound(
            f"there is no strategy and no agent {target!r}; strategies: {', '.join(builtins())}; agents: "
            f"{', '.join(known)}; or give a .yaml or .py file"
        )
    return known[target]


def _module(path: Path) -> ModuleType:
    if not path.is_file():
        raise InvalidInput(f"cannot read {path}: there is no such file")
    spec = importlib.util.spec_from_file_location(f"strategies_of_{path.stem}", path)
    assert spec is not None  # a .py file has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the names in their annotations
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        raise InvalidInput(f"{path} cannot be run: {type(problem).__name__}: {problem}") from problem
    return module
