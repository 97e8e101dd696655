"""Finds every agent: each module of this package may declare some, and nothing else needs to know."""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Any

import agents
from agents.agent import Agent
from data.contracts.errors import InvalidInput


@cache
def all_agents() -> dict[str, Agent[Any]]:
    """Every agent by name, in alphabetical order. Raises InvalidInput when two share a name."""
    found: dict[str, Agent[Any]] = {}
    for module in pkgutil.iter_modules(agents.__path__, prefix="agents."):
        if module.ispkg:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if not isinstance(value, Agent):
                continue
            if found.setdefault(value.name, value) is not value:
                raise InvalidInput(f"two agents are called {value.name!r}; rename one")
    return dict(sorted(found.items()))


def roster(names: Sequence[str] | None = None) -> tuple[Agent[Any], ...]:
    """The agents asked for, in alphabetical order; all of them for None. Raises InvalidInput for an unknown name."""
    known = all_agents()
    if names is None:
        return tuple(known.values())
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise InvalidInput(f"there is no agent {', '.join(unknown)}; known: {', '.join(known)}")
    if not names:
        raise InvalidInput("no agent was asked for; leave --agents out to ask all of them")
    return tuple(known[name] for name in sorted(set(names)))
