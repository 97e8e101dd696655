"""What the language accepts, what it means by it, and how it says no."""

import pickle

import pytest

from agents.expr import Expression, parse
from agents.indicators import registered
from data.contracts.errors import InvalidInput

CANONICAL = [
    ("rsi(14) < 30 and close > sma(200)", "rsi(14) < 30 and close > sma(200)"),
    ("  rsi( 14 )<30\n  and   close>sma(200) ", "rsi(14) < 30 and close > sma(200)"),
    ("rsi() < 30.0", "rsi(14) < 30"),
    ("rsi(window=5)", "rsi(5)"),
    ("rsi(timeperiod=5)", "rsi(5)"),
    ("sma(close, 20)", "sma(20)"),
    ("sma(volume, 20)", "sma(volume, 20)"),
    ("ema(rsi(14), 9)", "ema(rsi(14), 9)"),
    ("atr(high, low, close, 14)", "atr(14)"),
    ('ma(20, "ema")', 'ma(20, "ema")'),
    ("macd(12, 26, 9) > 0", "macd(12, 26, 9).macd > 0"),
    ("macd(12, 26, 9).signal", "macd(12, 26, 9).signal"),
    ("bollinger(20, 2).upper", "bollinger(20, 2).upper"),
    ("close[1]", "close[1]"),
    ("lag(close, 1)", "close[1]"),
    ("close[0]", "close[0]"),
    ("(close - open)[2]", "(close - open)[2]"),
    ("(close > open)[1]", "(close > open)[1]"),
    ("change(close)", "change(close, 1)"),
    ("close crosses_above sma(50)", "close crosses_above sma(50)"),
    ("close crosses_above(sma(50))", "close crosses_above sma(50)"),
    ("crosses_below(close, sma(50))", "close crosses_below sma(50)"),
    ("not close crosses_below 5 or true", "not close crosses_below 5 or true"),
    ("30 < rsi(14) < 70", "30 < rsi(14) and rsi(14) < 70"),
    ("close > open > low and true", "close > open and open > low and true"),
    ("true and (true and false)", "true and (true and false)"),
    ("(true or false) and true", "(true or false) and true"),
    ("not (true and false)", "not (true and false)"),
    ("True", "true"),
    ("a - (b - close)", "a - (b - close)"),
    ("a - b - close", "a - b - close"),
    ("close / (a * b)", "close / (a * b)"),
    ("-(close + 1)", "-(close + 1)"),
    ("- -close", "--close"),
    ("-close[1]", "-close[1]"),
    ("(-close)[1]", "(-close)[1]"),
    ("+close", "close"),
    ("1e3 + 1_000 + .5 + 5.", "1000 + 1000 + 0.5 + 5"),
    ("max(open, close, 3)", "max(open, close, 3)"),
    ("where(close > open, high, low)", "where(close > open, high, low)"),
    ("count(close > open, 5) >= 3", "count(close > open, 5) >= 3"),
    ("bars_since(close > open) != 2", "bars_since(close > open) != 2"),
    ("(close > open) == (high > low)", "(close > open) == (high > low)"),
    ("rank(roc(20)) <= a", "rank(roc(20)) <= a"),
    ("agent('volatility') > 0.3", 'agent("volatility") > 0.3'),
    ("agent('volatility').score", 'agent("volatility")'),
    ("agent('volatility').confidence", 'agent("volatility").confidence'),
    ("consensus().agreement", "consensus().agreement"),
    ("symbol('SPY').close", 'symbol("SPY").close'),
    ("other.close / close", "other.close / close"),
    ("beta(close, symbol('SPY').close, 60)", 'beta(close, symbol("SPY").close, 60)'),
    ("sma(a + 1)", "sma(a + 1)"),
    ("highest(close, a)[b]", "highest(a)[b]"),
]

REFUSED = [
    ("", "empty"),
    ("   ", "empty"),
    ("rsi(14) <", "at character 10: the expression ends too early"),
    ("rsi(14", "at character 4 ('('): this '(' is never closed"),
    ("close)", "at character 6 (')'): this ')' closes nothing"),
    ("close[1)", "closes nothing that is open"),
    ("rsi 14", "('rsi 14'): this cannot be read"),
    ("rssi(14) < 3", "called 'rssi'; did you mean rsi"),
    ("clse > 3", "called 'clse'; did you mean close"),
    ("qqqqqqq > 3", "the columns are open, high, low, close, volume"),
    ("rsi < 30", "rsi is an indicator; call it: rsi(14)"),
    ("rank < 3", "rank is a function"),
    ("close[-1]", "at character 7 ('-1'): a look back of -1 bars would look ahead"),
    ("lag(close, -3)", "would look ahead"),
    ("close[1.5]", "a whole number of bars"),
    ("close[1000000]", "between 0 and 100,000"),
    ("close[open]", "must be the same on every bar"),
    ("close[1:2]", "(':'): this character"),
    ("close[1, 2]", "one number of bars"),
    ("5[1]", "only what varies has a past"),
    ("5%", "write a fraction: 0.05, not 5%"),
    ("close ** 2", "write a product"),
    ("close // 2", "'//' is not part of the language; write /"),
    ("true & false", "write and"),
    ("true && false", "write and"),
    ("true | false", "write or"),
    ("!true", "write not"),
    ("close = 3", "write == to compare"),
    ("close if true else open", "'if' is not part of the language"),
    ("lambda: 3", "'lambda' is not part"),
    ("close is open", "'is' is not part"),
    ("close in open", "'in' is not part"),
    ("x := 3", "not part of the language"),
    ("[1, 2]", "this form is not part"),
    ("{1: 2}", "this character is not part"),
    ("'abc'", "a text in quotes names"),
    ("rsi(14) < 'abc'", "a text in quotes names"),
    ("f'{close}'", "not part of the language"),
    ("'abc", "this text has no end"),
    ("1j", "this is not a number"),
    ("0x10", "this is not a number"),
    ("3o > 1", "this is not a number"),
    ("close > 1e999", "a number must lie between"),
    ("close > 1e16", "a number must lie between"),
    ("“rsi”", "U+201C"),
    ("сlose > 3", "U+0441"),  # a Cyrillic letter
    ("close\x00", "U+0000"),
    ("close > 3 # hi", "('#')"),
    ("close; open", "(';')"),
    ("bollinger(20, 2) > 3", "choose one: bollinger(20, 2).upper, bollinger(20, 2).middle"),
    ("bollinger(20, 2).uper > close", "it gives upper, middle, lower"),
    ("rsi(14).rsi", "it gives one value"),
    ("abs(close).x", "abs gives one value"),
    ("close.__class__", "only an indicator's, an agent's or a symbol's value has parts"),
    ("__import__('os')", "called '__import__'"),
    ("rsi(14)(3)", "only the language's functions"),
    ("rsi(0) < 3", "rsi window must lie between 1 and 100000 bars, not 0"),
    ("rsi(1e9)", "must lie between"),
    ("rsi(2.5)", "must be a whole number"),
    ("rsi(2 - 2)", "must lie between 1"),
    ("rsi(14, 'wilder', 16)", "rsi takes 2 parameters, not 3"),
    ("rsi(windw=3)", "no parameter 'windw'; it has: window"),
    ("rsi(5, window=6)", "given window twice"),
    ("rsi(*close)", "not part of the language"),
    ("rsi(14, close)", "must be the same on every bar"),
    ("rsi(close > open)", "an indicator needs a number"),
    ("ma(20, a)", "kind is one of sma, ema"),
    ("ma(20, 'emma')", "must be one of"),
    ("atr(close, 14)", "atr works on high, low, close"),
    ("beta(60)", 'beta(close, symbol("SPY").close'),
    ("rsi(14) and close > 3", "('rsi(14)'): and needs something true or false"),
    ("not close", "not needs something true or false"),
    ("close + (close > 3)", "('close > 3'): + needs a number"),
    ("close == (close > 3)", "== needs a number"),
    ("(close > 3) < (open > 3)", "< needs a number"),
    ("-(close > 3)", "a sign needs a number"),
    ("close crosses_above open crosses_above low", "a crossing stands alone"),
    ("crosses_above", "is a function"),
    ("abs()", "abs takes 1 values, not 0"),
    ("max(close)", "max takes 2 values, not 1"),
    ("abs(x=close)", "by position"),
    ("count(close, 5)", "count needs something true or false"),
    ("count(close > open, 0)", "between 1 and"),
    ("rank(5)", "needs something that varies"),
    ("change(5)", "needs something that varies"),
    ("agent('volatilty') > 0", "did you mean volatility"),
    ("agent('zzz') > 0", "the agents are mean_reversion"),
    ("agent(volatility)", 'agent takes one name in quotes, such as agent("…")'),
    ("agent('trend').scor", "agent has no 'scor'; it has score, confidence"),
    ("consensus(3)", "takes nothing"),
    ("symbol('SPY')", "say which column: symbol('SPY').close"),
    ("symbol('SPY').adjusted", "a symbol has the columns"),
    ("symbol('').close", "one name in quotes"),
]


@pytest.mark.parametrize(("written", "canonical"), CANONICAL)
def test_an_expression_has_one_canonical_text_that_means_the_same(written: str, canonical: str) -> None:
    found = parse(written, params=("a", "b", "other"))
    assert found.text == canonical
    assert parse(found.text, params=found.params) == found


@pytest.mark.parametrize(("written", "fragment"), REFUSED)
def test_what_is_not_understood_is_refused_with_place_and_remedy(written: str, fragment: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(written, params=("a", "b"))
    assert fragment in str(refused.value)


def test_a_refusal_points_at_the_character() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("close > 1 and sme(20) > 2")
    assert refused.value.facts["position"] == 15
    assert str(refused.value).startswith("at character 15 ('sme')")


def test_every_indicator_is_a_function_of_the_language() -> None:
    for name, entry in registered().items():
        if name in ("crosses", "crosses_above", "crosses_below", "lag", "sqrt", "exp"):
            continue  # the language has its own form of these
        sources = 'close, symbol("SPY").close' if "other" in entry.inputs else ""
        output = "" if len(entry.outputs) == 1 else f".{entry.outputs[-1]}"
        found = parse(f"{name}({sources}){output}")
        assert found.indicators == (name,)
        assert parse(found.text) == found


def test_kind_scope_and_needs_are_read_off_the_tree() -> None:
    plain = parse("rsi(14) < low", params=("low",))
    assert (plain.kind, plain.scope, plain.params, plain.indicators, plain.agents) == (
        *("truth", "symbol", ("low",)),
        *(("rsi",), ()),
    )
    assert parse("rank(close)").scope == "universe"
    assert parse("other.close", params=("other",)).scope == "universe"
    assert parse("other.close", params=("other",)).symbol_params == {"other"}
    assert parse('agent("trend") > agent("volume").confidence').agents == ("trend", "volume")
    assert "patterns" in parse("consensus()").agents
    assert parse("fast + 2", params=("fast",)).varies is False


def test_a_declared_parameter_wins_over_a_column_of_its_name() -> None:
    assert parse("low", params=("low",)).params == ("low",)
    assert parse("low").params == ()


@pytest.mark.parametrize("name", ["and", "crosses_above", "true", "1a", "a b", "é"])
def test_a_parameter_cannot_take_a_word_of_the_language(name: str) -> None:
    with pytest.raises(InvalidInput, match="a parameter cannot be called"):
        parse("close", params=(name,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rsi(14) < 30", "rsi(2) < 5"),
        ("sma(10) crosses_above sma(30)", "sma(fast) crosses_above sma(2 * fast)"),
        ("close > close[1] * 1.02", "close > close[5] * 0.9"),
        ("close > -0.5", "close > 1 / 3"),
        ('symbol("SPY").close > 1', 'symbol("QQQ").close > 2'),
    ],
)
def test_trials_that_differ_in_constants_have_one_shape(one: str, other: str) -> None:
    assert parse(one).shape == parse(other, params=("fast",)).shape


def test_other_rules_have_other_shapes() -> None:
    written = [
        "rsi(14) < 30",
        "rsi(14) > 30",
        "cci(14) < 30",
        "rsi(volume, 14) < 30",
        "rsi(14)[1] < 30",
        "rsi(14) < close",
    ]
    assert len({parse(text).shape for text in written}) == len(written)


def test_an_expression_survives_a_pickle() -> None:
    found = parse("sma(fast) crosses_above sma(slow)", params=("fast", "slow"))
    assert found.kept == {}
    again: Expression = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again == found
    assert again.text == found.text
