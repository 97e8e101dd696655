"""The page of the language names everything there is, and what it shows can be asked."""

import re
from pathlib import Path

import pytest

from agents.backtest.catalogue import builtins, load
from agents.expr import parse
from agents.expr.parser import FUNCTIONS
from data.contracts.errors import InvalidInput

PAGE = (Path(__file__).parents[4] / "docs" / "expressions.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_function_and_built_in_strategy_is_named() -> None:
    for name in (*FUNCTIONS, *builtins()):
        assert re.search(rf"\b{name}\b", PAGE), name


def test_the_examples_are_expressions() -> None:
    for line in BLOCKS[0][1].splitlines():
        assert parse(line).kind == "truth"


def test_the_example_of_a_file_is_the_built_in() -> None:
    written = next(text for language, text in BLOCKS if language == "yaml")
    shown, kept = load(written), builtins()["sma_cross"]
    assert (shown.expressions, shown.params) == (kept.expressions, kept.params)


def test_the_refusal_that_is_shown_is_the_one_that_is_given() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("close > 1 and sme(20) > 2")
    assert f"`{refused.value}`" in PAGE
