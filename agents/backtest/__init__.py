"""Backtests: orders over bars under rules, what they earn, and whether to believe it. Pure: no Ray, no network."""
