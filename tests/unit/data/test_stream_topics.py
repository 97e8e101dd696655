"""Patterns select keys as AMQP's topic rules say, in Python as in the expression PostgreSQL is given."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.contracts.errors import InvalidInput
from data.stream.topics import expression, matches, rooms_of

WORDS = st.lists(st.sampled_from(["a", "b", "a+", "B-1"]), min_size=1, max_size=5)
PATTERNS = st.lists(st.sampled_from(["a", "b", "a+", "*", "#"]), min_size=1, max_size=5).filter(
    lambda words: words.count("#") <= 3
)


def selects(pattern: list[str], key: list[str]) -> bool:
    """The rules again, word by word."""
    if not pattern:
        return not key
    if pattern[0] == "#":
        return any(selects(pattern[1:], key[taken:]) for taken in range(len(key) + 1))
    return bool(key) and pattern[0] in ("*", key[0]) and selects(pattern[1:], key[1:])


@given(PATTERNS, WORDS)
def test_a_pattern_selects_what_the_rules_say(pattern: list[str], key: list[str]) -> None:
    assert matches(".".join(pattern), ".".join(key)) == selects(pattern, key)
    assert bool(re.search(expression(".".join(pattern)), f".{'.'.join(key)}")) == selects(pattern, key)


@pytest.mark.parametrize(
    ("pattern", "key", "selected"),
    [
        ("signals.*.AAPL", "signals.consensus.AAPL", True),
        ("signals.*", "signals.consensus.AAPL", False),
        ("signals.#", "signals.consensus.BRK.B", True),
        ("signals.consensus.*", "signals.consensus.BRK.B", False),
        ("signals.#", "signals", True),
        ("#", "market.session", True),
        ("jobs.*.progress", "jobs.4f.progress", True),
        ("jobs.x|y.progress", "jobs.x.progress", False),
        ("market.session", "market.sessions", False),
        ("market.session", "market.session\n", False),
    ],
)
def test_examples(pattern: str, key: str, selected: bool) -> None:
    assert matches(pattern, key) is selected


@pytest.mark.parametrize("pattern", ["", ".", "a.", ".a", "a..b", "#.#.#.#", "a" * 201, "a\0"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="a pattern is words"):
        matches(pattern, "a")


@pytest.mark.parametrize(
    ("key", "rooms"),
    [
        ("signals.consensus.AAPL", ("signals", "signals.AAPL")),
        ("signals.consensus.BRK.B", ("signals", "signals.BRK.B")),
        ("jobs.4f2a.progress", ("jobs", "jobs.4f2a")),
        ("agents.trend.state", ("agents",)),
        ("market.session", ("market",)),
        ("prices.BRK.B", ("prices", "prices.BRK.B")),
    ],
)
def test_an_event_is_shown_in_the_room_of_its_kind_and_in_its_own(key: str, rooms: tuple[str, ...]) -> None:
    assert rooms_of(key) == rooms
