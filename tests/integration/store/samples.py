"""Signals and jobs to store, made small."""

from datetime import UTC, datetime, timedelta

from data.contracts.signals import Action, Signal, Vote

NOW = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
FIRST_BAR = datetime(2017, 12, 28, 21, 0, tzinfo=UTC)


def signal(
    symbol: str = "AAPL",
    *,
    day: int = 0,
    inputs: str = "a",
    universe: str = "sp500",
    score: float = 0.31,
    missing: tuple[str, ...] = (),
    agents: tuple[str, ...] = ("trend", "volatility", "volume"),
) -> Signal:
    """A signal of a bar `day` days after the first; one agent abstains."""
    votes = tuple(
        Vote(agent=agent, score=None, confidence=None, weight=0.0)
        if agent == "volume"
        else Vote(agent=agent, score=score, confidence=0.5, weight=0.5)
        for agent in agents
    )
    return Signal(
        signal_id=f"{universe}/{symbol}/{day}",
        input_hash=f"input-{inputs}",
        symbol=symbol,
        frame="1d",
        universe=universe,
        as_of=FIRST_BAR + timedelta(days=day),
        horizon=5,
        action=Action.BUY,
        score=score,
        threshold=0.2,
        probability=None,
        calibrated=False,
        strength=abs(score),
        agreement=1.0,
        votes=votes,
        missing=missing,
        entry=170.1 + 0.2,  # a float with a long tail: it must come back to the bit
        stop=None,
        target=None,
        warnings=(),
    )
