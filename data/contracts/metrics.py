"""Which way a metric is good: everything that looks for the best of many must mean the same by it."""

SMALLER_IS_BETTER = frozenset({"volatility", "turnover", "fees_paid", "max_drawdown_duration"})


def larger_is_better(metric: str) -> bool:
    """Whether the best value of a metric is its largest; losses such as max_drawdown are negative, so theirs is."""
    return metric not in SMALLER_IS_BETTER
