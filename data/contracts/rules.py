"""The names of a backtest's assumptions, for those who ask on a server and know nothing of agents."""

RULES = (
    *("cash", "fees", "slippage", "fill", "leverage", "borrow", "fee_per_share", "fee_per_trade", "volume_limit"),
    *("mode", "max_positions", "rank", "rebalance", "max_exposure", "risk_free", "annualisation"),
)
