"""What the client sends of a question is what the engine knows."""

from dataclasses import fields

import numpy as np
import pytest

import goldensignals as gs
from agents.backtest.catalogue import builtins, load_mapping
from agents.backtest.record import definition
from agents.backtest.rules import Rules
from data.contracts.errors import InvalidInput
from data.contracts.rules import RULES
from serve_app.api.research_models import StrategyRules
from serve_app.client.research import _plain, _told


def test_the_client_knows_every_rule_by_name() -> None:
    assert set(RULES) == {field.name for field in fields(Rules)}


def test_a_strategy_is_sent_whole() -> None:
    own = gs.strategy(enter="rsi(n) < 30", exit="rsi(n) > 60", n=14)
    for strategy in (own, *builtins().values()):
        sent = StrategyRules.model_validate(_told(strategy))
        read = load_mapping(sent.model_dump(exclude_none=True), origin=sent.name)
        assert definition(read) == definition(strategy)


def test_values_are_sent_as_json_knows_them() -> None:
    assert _plain(range(3)) == [0, 1, 2]
    assert _plain(np.arange(2)) == [0, 1]
    assert _plain((np.int64(3), 0.5)) == [3, 0.5]
    assert _plain("5:9") == "5:9"
    with pytest.raises(InvalidInput, match="no number"):
        _plain([float("nan")])
