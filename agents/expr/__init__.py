"""The expression language of scans, strategies and alerts: `rsi(14) < 30 and close > sma(200)`.

    wanted = parse("sma(fast) crosses_above sma(slow)", params=("fast", "slow"))
    evaluate({"enter": wanted}, panel, {"fast": 10, "slow": 30}, votes)      every bar: 1 true, 0 false, NaN unknown
    newest({"oversold": parse("rsi(14) < 30")}, panel, {}, votes)            the newest bar of each symbol
    condition(wanted, {"fast": 10, "slow": 30})                              data for an engine or a sweep

A text is parsed through an allow-list into a typed tree, lowered to lines of `agents.indicators.graph` and conditions,
and run as one plan. The grammar, with every function, stands in docs/expressions.md.
"""

from agents.expr.evaluate import Head, evaluate, fill, heads, newest, ragged
from agents.expr.expression import Expression, condition, number, parse
from agents.expr.votes import AgentVotes, Votes

__all__ = [
    "AgentVotes",
    "Expression",
    "Head",
    "Votes",
    "condition",
    "evaluate",
    "fill",
    "heads",
    "newest",
    "number",
    "parse",
    "ragged",
]
