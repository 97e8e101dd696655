"""Facts that have happened, whole. Frozen and versioned: a changed meaning is a new `type`."""

from typing import Literal, Self
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from data.contracts.signals import Signal

_NAMESPACE = UUID("6b9d0d5e-6f0c-5f5e-9c1c-5d1f6c1b7a10")


class Event(BaseModel):
    """Never edited; delivered at least once, so readers drop ids they know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: UUID  # uuid5 of what it says: a replay makes the same id
    occurred_at: AwareDatetime  # when we learned it, from the clock that was passed in
    as_of: AwareDatetime  # the market time it speaks about
    routing_key: str  # signals.consensus.AAPL
    correlation_id: str  # the request or run that caused it


class SignalEmitted(Event):
    """A signal, with its votes, has become known: read models are rebuilt from these."""

    type: Literal["signal.emitted.v1"] = "signal.emitted.v1"
    revision: int = Field(gt=0)
    signal: Signal

    @classmethod
    def of(cls, signal: Signal, *, revision: int, occurred_at: AwareDatetime, correlation_id: str) -> Self:
        """The event of a stored signal; same signal and input, same event id."""
        return cls(
            event_id=uuid5(_NAMESPACE, f"signal.emitted.v1/{signal.signal_id}/{signal.input_hash}"),
            occurred_at=occurred_at,
            as_of=signal.as_of,
            routing_key=f"signals.consensus.{signal.symbol}",
            correlation_id=correlation_id,
            revision=revision,
            signal=signal,
        )
