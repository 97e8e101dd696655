"""Small ragged panels, and agents that do something simple."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from agents.agent import Agent, Reason, Scope, VoteBlock
from agents.agent import agent as declare
from data.contracts.panel import Panel
from tests.unit.agents.conftest import build

MakeAgent = Callable[..., Agent[Any]]


@dataclass(frozen=True, slots=True)
class NoParams:
    """Nothing to set."""


@pytest.fixture(scope="session")
def panel() -> Panel:
    return build(3, (320, 280, 300, 290, 310))


@pytest.fixture(scope="session")
def make_agent() -> MakeAgent:
    """`make_agent("name", scope, cost_ns)`: votes the sign of each bar's body; registered nowhere."""

    def make(name: str = "body", scope: Scope = "symbol", cost_ns: float = 1.0) -> Agent[Any]:
        return declare(
            name,
            params=NoParams,
            scope=scope,
            inputs=("bars",),
            warmup=lambda params: 0,
            cost_ns=cost_ns,
            evaluate=lambda bars, values, params: VoteBlock(name, np.sign(bars.close - bars.open), np.ones(len(bars))),
            explain=lambda panel, params, symbol, ts: Reason("the body of the bar"),
            description="Sides with the body of the bar.",
        )

    return make
