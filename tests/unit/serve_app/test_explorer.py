"""What the explorer makes of one market: two series brought together, and nothing behind the cursor."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agents.consensus import ConsensusParams
from data.contracts.errors import InvalidInput, NotFound
from data.contracts.panel import Panel, to_micros
from serve_app.explorer import Explorer

CLOSE = datetime(2018, 2, 5, 21, tzinfo=UTC)
DAYS = [to_micros(CLOSE + timedelta(days=day)) for day in range(5)]


@pytest.fixture
def explorer() -> Explorer:
    """A has five bars; B begins a day later, misses one, and goes on a day longer."""
    ts = np.array([*DAYS, *DAYS[1:3], DAYS[4], DAYS[4] + 86_400_000_000])
    close = np.array([10.0, 11.0, 12.0, 13.0, 14.0, 1.0, 2.0, 4.0, 1000.0])
    ones = np.ones(9)
    panel = Panel(("A", "B"), np.array([0, 5, 9]), ts, close, close, close, close, ones, np.zeros(9, np.bool_))
    return Explorer(panel, [], ConsensusParams())


def ask(explorer: Explorer, name: str, symbol: str, other: str | None, until: int | None = None) -> list[float | None]:
    as_of = None if until is None else CLOSE + timedelta(days=until)
    (values,) = explorer.indicator(name, symbol, {}, other=other, start=None, as_of=as_of).outputs.values()
    return values


def test_two_series_meet_at_equal_times_and_a_missing_bar_is_no_value(explorer: Explorer) -> None:
    assert ask(explorer, "sub", "A", "B") == [None, 10.0, 10.0, None, 10.0]
    assert ask(explorer, "sub", "B", "A") == [-10.0, -10.0, -10.0, None]
    assert ask(explorer, "sub", "A", "B", until=2) == [None, 10.0, 10.0]


def test_a_second_symbol_without_any_bar_yet_is_said(explorer: Explorer) -> None:
    with pytest.raises(NotFound, match="B has no bar by 2018-02-05"):
        ask(explorer, "sub", "A", "B", until=0)


def test_one_that_needs_two_symbols_says_so_and_one_that_does_not_refuses_a_second(explorer: Explorer) -> None:
    with pytest.raises(InvalidInput, match="sub compares two symbols; name the second one, as in other=MSFT"):
        ask(explorer, "sub", "A", None)
    with pytest.raises(InvalidInput, match="sma reads one symbol only; leave out other=B"):
        ask(explorer, "sma", "A", "B")


def test_the_names_of_ta_lib_are_understood_and_answered_with_ours(explorer: Explorer) -> None:
    found = explorer.indicator("bbands", "A", {"timeperiod": 2}, other=None, start=None, as_of=None)
    assert (found.name, found.params["window"]) == ("bollinger", 2)


def test_values_that_are_not_finite_become_null(explorer: Explorer) -> None:
    assert ask(explorer, "acos", "A", None) == [None] * 5  # not a number
    assert ask(explorer, "exp", "B", None)[2:] == [np.exp(4.0), None]  # infinite
