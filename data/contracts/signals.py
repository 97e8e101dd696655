"""What the system says about one symbol at one bar: a Signal with the votes it was fused from.

A vote, an abstention and a failure are three things: a Vote with a score, a Vote whose score is null, and an
agent named in `Signal.missing`.
"""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Action(StrEnum):
    """What a signal advises."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class Vote(BaseModel):
    """One agent's opinion. `score` null: the agent abstained, and its weight is 0."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    agent: str
    score: float | None = Field(ge=-1, le=1)
    confidence: float | None = Field(ge=0, le=1)
    weight: float = Field(ge=0, description="agent weight x confidence")


class Signal(BaseModel):
    """A consensus, whole. Identity: `signal_id` says what it is about, `input_hash` what it was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    signal_id: str
    input_hash: str
    symbol: str
    frame: str
    universe: str
    as_of: AwareDatetime = Field(description="close of the bar it speaks about, UTC")
    horizon: int = Field(gt=0, description="bars ahead")
    action: Action
    score: float = Field(ge=-1, le=1)
    threshold: float = Field(description="|score| from which BUY or SELL is said")
    probability: float | None = Field(ge=0, le=1, description="calibrated; null for HOLD and while uncalibrated")
    calibrated: bool
    strength: float = Field(ge=0, le=1)
    agreement: float = Field(ge=0, le=1, description="share of weight whose sign is the score's")
    votes: tuple[Vote, ...]
    missing: tuple[str, ...] = Field(description="agents that failed or were late, in live serving only")
    entry: float | None
    stop: float | None
    target: float | None
    warnings: tuple[str, ...]
