"""Whatever is typed, the answer is an expression or InvalidInput, and it comes quickly."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.expr import parse
from agents.expr.parser import MAX_DEPTH
from agents.expr.syntax import MAX_TEXT
from data.contracts.errors import InvalidInput

MOST_CPU_S = 1.0  # far above what is needed, far below what an unbounded parser takes

WORDS = (
    *("close", "open", "volume", "rsi", "sma", "macd", "bollinger", "agent", "consensus", "symbol", "rank", "count"),
    *("and", "or", "not", "crosses_above", "crosses_below", "where", "max", "abs", "fast", "other", "true", "_", "if"),
    *("lambda", "__class__", "import", "None", "in", "is", ".signal", ".upper", ".close", "(", ")", "[", "]", ",", "."),
    *("=", "==", "!=", "<", ">=", "+", "-", "*", "/", "**", "%", ":", ";", "'", '"', '"SPY"', "'trend'", "\\", "\n"),
    *("0", "1", "14", "30.5", "1e9", "1e400", "-1", "9" * 30, "0x1", "é", "\u202e", "\x00", "１４", "{", "}", "#", "@"),
)

HOSTILE = {
    "a million characters": "close + " * 125_000 + "close",
    "a long number": "9" * (MAX_TEXT - 1),
    "a huge exponent": "1e999999999",
    "many brackets": "(" * 2_000 + "close" + ")" * 2_000,
    "brackets that stay open": "(" * MAX_TEXT,
    "many indices": "close" + "[1]" * 1_000,
    "many signs": "-" * 4_000 + "close",
    "many nots": "not " * 1_000 + "true",
    "a long sum": "close" + "+close" * 700,
    "a long product of numbers": "*".join(["999999999999999"] * 300) + " > close",
    "nested calls": "sma(" * 90 + "close" + ", 2)" * 90,
    "nested ranks": "rank(" * 60 + "close" + ")" * 60,
    "chains in chains": "where(1<" * 30 + "close" + "<2,close,open)" * 30,
    "chains that double": "count(0 < " * 35 + "close" + " < 9, 2)" * 35,
    "a long chain": "close" + " < close" * 600,
    "many ands": " and ".join(["close > open"] * 380),
    "empty texts": "''" * 2_000,
    "only spaces": " " * MAX_TEXT,
    "quotes that do not end": '"' * 4_001,
    "digits and underscores": "1_" * 2_400,
    "names that never end": "a" * MAX_TEXT,
    "commas": "max(" + "," * 4_000 + ")",
    "many values": "max(" + "close," * 700 + "close)",
    "keywords": "rsi(" + ",".join(f"window={i}" for i in range(400)) + ")",
    "compares everything": "close" + " crosses_above close" * 240,
    "right-to-left letters": "\u202eclose > 3",
    "full-width letters": "ｃｌｏｓｅ > ３",
    "a null byte": "close\0 > 3",
    "a backslash": "close \\\n > 3",
    "a subclass walk": "().__class__.__bases__[0].__subclasses__()",
    "a comprehension": "[x for x in (1,)]",
    "a walrus": "(x := close)",
    "a star": "max(*close)",
    "an await": "await close",
    "a yield": "(yield close)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused_quickly(text: str) -> None:
    started = time.process_time()
    with pytest.raises(InvalidInput):
        parse(text)
    assert time.process_time() - started < MOST_CPU_S


def test_what_is_long_but_sound_is_taken() -> None:
    assert parse(" and ".join(["close > open"] * 100)).kind == "truth"
    assert parse("close" + " + close" * (MAX_DEPTH - 2)).kind == "number"
    assert parse("(" * 60 + "close" + ")" * 60).text == "close"


@settings(max_examples=400, deadline=2_000)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join))
def test_words_in_any_order_are_parsed_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        found = parse(text, params=("fast", "other"))
        again = parse(found.text, params=found.params)
        assert (again, again.text) == (found, found.text)


@settings(max_examples=300, deadline=2_000)
@given(st.text(max_size=60))
def test_any_characters_are_parsed_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert parse(text).text


NUMBERS = st.recursive(
    st.sampled_from(["close", "high", "volume", "fast", "3", "0.25", "rsi(14)", "macd(5, 9, 3).signal", "sma(fast)"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda x: f"({x[0]}) {x[1]} ({x[2]})"),
        inner.map(lambda x: f"-({x})"),
        inner.map(lambda x: f"abs({x})"),
        inner.map(lambda x: f"max({x}, close)"),
        inner.map(lambda x: f"rank(({x}) + close)"),
        inner.map(lambda x: f"(({x}) - open)[2]"),
    ),
    max_leaves=6,
)
TRUTHS = st.recursive(
    st.tuples(NUMBERS, st.sampled_from(["<", ">=", "==", "!=", "crosses_above", "crosses_below"]), NUMBERS).map(
        lambda x: f"({x[0]}) {x[1]} ({x[2]})"
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or", "==", "!="]), inner).map(lambda x: f"({x[0]}) {x[1]} ({x[2]})"),
        inner.map(lambda x: f"not ({x})"),
        inner.map(lambda x: f"count(close > open and ({x}), 3) > 1"),
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=2_000)
@given(TRUTHS)
def test_every_sound_expression_survives_its_own_canonical_text(text: str) -> None:
    found = parse(text, params=("fast",))
    again = parse(found.text, params=("fast",))
    assert again == found
    assert again.shape == found.shape
