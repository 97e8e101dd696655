"""Facts that have happened, whole. Frozen and versioned: a changed meaning is a new `type`."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from data.contracts.signals import Signal

_NAMESPACE = UUID("6b9d0d5e-6f0c-5f5e-9c1c-5d1f6c1b7a10")

UPLOADED = "upload:"  # how the universe of a client's own bars begins
JobState = Literal["queued", "running", "paused", "cancelled", "failed", "done"]
AgentState = Literal["up", "degraded", "down"]


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
    def of(cls, signal: Signal, *, revision: int, occurred_at: datetime, correlation_id: str) -> Self:
        """The event of a stored signal; same signal and input, same event id.

        What somebody's own bars say is told under a key of its own: it must not look like a signal of the market.
        """
        told_as = "upload" if signal.universe.startswith(UPLOADED) else "consensus"
        return cls(
            event_id=uuid5(_NAMESPACE, f"signal.emitted.v1/{signal.signal_id}/{signal.input_hash}"),
            occurred_at=occurred_at,
            as_of=signal.as_of,
            routing_key=f"signals.{told_as}.{signal.symbol}",
            correlation_id=correlation_id,
            revision=revision,
            signal=signal,
        )


class JobChanged(Event):
    """A job was queued, moved on or ended."""

    type: Literal["job.changed.v1"] = "job.changed.v1"
    job_id: str
    kind: str
    owner: str
    state: JobState
    done: int = Field(ge=0)
    total: int = Field(ge=0)
    error: str | None

    @classmethod
    def of(
        cls,
        *,
        job_id: str,
        kind: str,
        owner: str,
        state: JobState,
        done: int,
        total: int,
        error: str | None,
        at: datetime,
    ) -> Self:
        """The event of a job row as it is written at `at`."""
        return cls(
            event_id=uuid5(_NAMESPACE, f"job.changed.v1/{job_id}/{state}/{done}/{at.isoformat()}"),
            occurred_at=at,
            as_of=at,
            routing_key=f"jobs.{job_id}.progress",
            correlation_id=job_id,
            job_id=job_id,
            kind=kind,
            owner=owner,
            state=state,
            done=done,
            total=total,
            error=error,
        )


class AgentChanged(Event):
    """An agent's pool came up, lost some actors, or went down."""

    type: Literal["agent.changed.v1"] = "agent.changed.v1"
    agent: str
    state: AgentState
    actors: int = Field(ge=0, description="actors it should have")
    alive: int = Field(ge=0)

    @classmethod
    def of(cls, agent: str, *, state: AgentState, actors: int, alive: int, at: datetime) -> Self:
        """The event of a change seen at `at`."""
        return cls(
            event_id=uuid5(_NAMESPACE, f"agent.changed.v1/{agent}/{state}/{alive}/{at.isoformat()}"),
            occurred_at=at,
            as_of=at,
            routing_key=f"agents.{agent}.state",
            correlation_id="supervisor",
            agent=agent,
            state=state,
            actors=actors,
            alive=alive,
        )


class SessionDecided(Event):
    """The live path has decided one session of the market: its signals are stored."""

    type: Literal["session.decided.v1"] = "session.decided.v1"
    source: str
    universe: str
    signals: int = Field(ge=0)
    new: int = Field(ge=0, description="of them stored now; the others were known")
    buy: int = Field(ge=0)
    hold: int = Field(ge=0)
    sell: int = Field(ge=0)
    missing: tuple[str, ...] = Field(description="agents that gave no vote in time")

    @classmethod
    def of(
        cls,
        session: datetime,
        *,
        source: str,
        universe: str,
        signals: int,
        new: int,
        buy: int,
        hold: int,
        sell: int,
        missing: tuple[str, ...],
        occurred_at: datetime,
        correlation_id: str,
    ) -> Self:
        """The event of a session; told once per play of it."""
        return cls(
            event_id=uuid5(
                _NAMESPACE, f"session.decided.v1/{source}/{universe}/{session.isoformat()}/{correlation_id}"
            ),
            occurred_at=occurred_at,
            as_of=session,
            routing_key="market.session",
            correlation_id=correlation_id,
            source=source,
            universe=universe,
            signals=signals,
            new=new,
            buy=buy,
            hold=hold,
            sell=sell,
            missing=missing,
        )


AnyEvent = Annotated[SignalEmitted | JobChanged | AgentChanged | SessionDecided, Field(discriminator="type")]
_ANY: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def read_event(body: str | bytes) -> SignalEmitted | JobChanged | AgentChanged | SessionDecided:
    """An event from its JSON. Raises pydantic.ValidationError for a type or version this program does not know."""
    return _ANY.validate_json(body)
