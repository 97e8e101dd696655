"""What goes over the wire: requests, answers, pages. Field names are the design's words; times are UTC ISO 8601."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from data.contracts.events import AgentState, JobState
from data.contracts.signals import Action, Vote

T = TypeVar("T")


class Wire(BaseModel):
    """Base of everything sent or received: unknown fields are refused, so a typo is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Page(Wire, Generic[T]):
    """One page of a list in a stated order. `next`: what to send as `after` for the page behind it; null at the end."""

    items: list[T]
    next: str | None = None


class SignalView(Wire):
    """A stored signal with its votes."""

    signal_id: str
    input_hash: str
    revision: int
    symbol: str
    frame: str
    universe: str
    as_of: AwareDatetime
    horizon: int
    action: Action
    score: float
    threshold: float
    probability: float | None
    calibrated: bool
    strength: float
    agreement: float
    votes: list[Vote]
    missing: list[str]
    entry: float | None
    stop: float | None
    target: float | None
    warnings: list[str]


class SignalsView(Page[SignalView]):
    """The newest signal of each symbol at one moment."""

    as_of: AwareDatetime | None = Field(description="the newest session in the answer; null when it is empty")
    clock: AwareDatetime | None = Field(description="market time of the feed: nothing newer is shown")


class ChangeView(Wire):
    """A signal whose action differs from the one a session before."""

    signal: SignalView
    was: Action
    was_score: float
    was_as_of: AwareDatetime


class ChangesView(Wire):
    """All changes of one session, largest move in score first."""

    as_of: AwareDatetime | None
    before: AwareDatetime | None
    items: list[ChangeView]


class SectorBreadth(Wire):
    """Signals of one sector at one session; `day`: mean return of its members that day, as a fraction."""

    sector: str
    buy: int
    hold: int
    sell: int
    day: float | None


class BreadthPoint(Wire):
    """Signals of one session."""

    as_of: AwareDatetime
    buy: int
    hold: int
    sell: int


class BreadthView(Wire):
    """Market breadth: sectors now, the whole market over sessions (oldest first)."""

    as_of: AwareDatetime | None
    sectors: list[SectorBreadth]
    history: list[BreadthPoint]


class VoteSeries(Wire):
    """One agent's opinion of every bar; null: abstained."""

    agent: str
    score: list[float | None]
    confidence: list[float | None]


class ConsensusSeries(Wire):
    """The consensus of every bar of one symbol, as a backtest sees it. Lists are as long as `ts`."""

    symbol: str
    ts: list[AwareDatetime]
    score: list[float | None]
    action: list[Action | None]
    strength: list[float | None]
    agreement: list[float | None]
    threshold: float
    votes: list[VoteSeries]


class ReasonsView(Wire):
    """Why each agent voted as it did at one bar, in words."""

    symbol: str
    as_of: AwareDatetime
    reasons: dict[str, str]


class Instrument(Wire):
    """A symbol of the feed's bars."""

    symbol: str
    name: str | None
    sector: str | None
    first: AwareDatetime
    last: AwareDatetime
    bars: int


class BarsView(Wire):
    """Bars of one symbol, oldest first; lists are as long as `ts` (bar close). `gap`: the row before is missing."""

    symbol: str
    frame: str
    adjust: str
    data_hash: str
    ts: list[AwareDatetime]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    gap: list[bool]


class ClosesView(Wire):
    """Closes of the newest sessions, a column for each symbol, as long as `ts` (oldest first)."""

    frame: str
    data_hash: str
    ts: list[AwareDatetime]
    closes: dict[str, list[float | None]] = Field(
        description="null: the symbol has no bar then; a symbol without any bar in these sessions is left out"
    )


class UploadView(Wire):
    """Bars of a client that are kept for its scans."""

    data_hash: str = Field(description="SHA-256 of the uploaded bytes")
    symbols: int
    rows: int
    quarantined: int
    uploaded_at: AwareDatetime


class IndicatorParam(Wire):
    """One parameter of an indicator: a number and the range it accepts, or one of several names."""

    default: float | str
    low: float | None = Field(description="null for a choice")
    high: float | None
    choices: list[str] | None = Field(description="null for a number")


class IndicatorView(Wire):
    """One row of the indicator registry."""

    name: str
    family: str
    inputs: list[str] = Field(description="`other` is the close of a second symbol")
    params: dict[str, IndicatorParam]
    outputs: list[str]
    warmup: int
    bounds: tuple[float | None, float | None] | None
    units: list[Literal["price", "move", "variance", "volume", "money", "none", "bars", "mixed"]] = Field(
        description="of each output: price, a level; move, a difference of prices; none, a ratio"
    )
    engine: Literal["numba", "talib"]
    repaints: bool = Field(description="a value may speak of an earlier bar than its own; it never changes afterwards")
    source: str
    description: str
    formula: str
    notes: str


class IndicatorSeries(Wire):
    """An indicator over the bars of one symbol; null: warm-up, or no finite value. Lists are as long as `ts`."""

    name: str
    symbol: str
    other: str | None = Field(default=None, description="the symbol it was compared with")
    params: dict[str, float | str]
    ts: list[AwareDatetime]
    outputs: dict[str, list[float | None]]


class AgentView(Wire):
    """One agent and how its actors are. Times in milliseconds over the last asks; null: not measured yet."""

    name: str
    scope: Literal["symbol", "universe"]
    inputs: list[str]
    warmup: int
    description: str
    state: AgentState | None = Field(description="null: nothing has looked yet")
    actors: int
    alive: int
    pids: list[int]
    nodes: list[str]
    calls: int
    errors: int
    restarts: int
    p50_ms: float | None
    p99_ms: float | None
    last_error: str | None
    seen_at: AwareDatetime | None


class RestartView(Wire):
    """An agent whose actors were told to start again, and how many they are."""

    agent: str
    actors: int


class ScanCreate(Wire):
    """What to scan. Fields that are left out take the default of the running feed."""

    universe: str | None = Field(default=None, max_length=20_000, description="@sp500 or A,B,C; default: the feed's")
    agents: list[Annotated[str, Field(max_length=64, pattern="^[a-z0-9_]+$")]] | None = Field(
        default=None, max_length=100, description="names, as GET /v1/agents lists them; default: all"
    )
    as_of: str | None = Field(default=None, max_length=40, description="date or ISO time; default: the feed's clock")
    bars: str | None = Field(default=None, pattern="^[0-9a-f]{64}$", description="hash of uploaded bars")
    priority: int = Field(default=5, ge=0, le=9, description="larger first; live signals come before any job")


class JobView(Wire):
    """A job. `done` and `total` count symbol votes of a scan, sets of research; `rate` is per second."""

    job_id: str
    kind: str
    spec: dict[str, object]
    owner: str
    priority: int
    state: JobState
    done: int
    total: int
    rate: float | None
    eta_s: float | None = Field(description="seconds; null while not known")
    error: str | None
    result: dict[str, object] | None
    title: str | None = Field(default=None, description="what is asked, in words; null: it is no research")
    result_id: str | None = Field(default=None, description="of research that is done: its run")
    created_at: AwareDatetime
    started_at: AwareDatetime | None = Field(default=None, description="of the present attempt; null: not yet")
    updated_at: AwareDatetime


class ScanResultView(Wire):
    """What a scan found, strongest first."""

    job_id: str
    as_of: AwareDatetime
    agents: list[str]
    universe: str
    signals: list[SignalView]
    skipped: dict[str, str]
    quarantined: dict[str, int]


class ScanChange(Wire):
    """One symbol in two scans; null: it has no signal in that one."""

    symbol: str
    was: Action | None
    now: Action | None
    was_score: float | None
    now_score: float | None


class ScanDifference(Wire):
    """A scan against another one: symbols whose action differs, largest move in score first."""

    job_id: str
    against: str
    new: list[ScanChange]
    gone: list[ScanChange]
    changed: list[ScanChange]
    kept: int


class EventView(Wire):
    """A stored event in the global order."""

    seq: int
    routing_key: str
    type: str
    as_of: AwareDatetime
    occurred_at: AwareDatetime
    correlation_id: str
    body: dict[str, object]


class FeedView(Wire):
    """Where the live path gets its bars and how far it is. `clock`: market time, never wall time."""

    source: str
    kind: Literal["still", "replay"]
    state: Literal["still", "running", "paused", "ended"]
    universe: str
    frame: str
    data_hash: str
    clock: AwareDatetime
    first: AwareDatetime = Field(description="first session that can be played")
    last: AwareDatetime
    session_s: float | None = Field(description="seconds of wall time a session takes; null for a still feed")
    quarantined: int
    context: dict[str, AwareDatetime] = Field(description="dated context and the time of its newest value")
    updated_at: AwareDatetime


class FeedChange(Wire):
    """What to change about a replay; null leaves it."""

    state: Literal["running", "paused"] | None = None
    session_s: float | None = Field(default=None, ge=0.2, le=3600)
    clock: AwareDatetime | None = Field(default=None, description="continue after this session")


class MetaView(Wire):
    """What a client needs before it logs in."""

    name: Literal["goldensignals"] = "goldensignals"
    version: str
    api: Literal[1] = 1
    gateway_port: int
    api_port: int
    compute: bool = Field(description="false: agents and jobs are not to be had here, reading works")


class HealthView(Wire):
    """This process is alive; `vitals` are numbers of its own, such as the gateway's clients."""

    status: Literal["ok"] = "ok"
    vitals: dict[str, object] = {}


class Part(Wire):
    """One part of the system and how it is."""

    name: str
    ok: bool
    detail: str


class ReadyView(Wire):
    """Whether this process can do its work, part by part."""

    status: Literal["ready", "degraded", "not ready"]
    parts: list[Part]


class TokenView(Wire):
    """A login. `refresh_token` only for programs that asked for scope `offline`; browsers get a cookie."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  the scheme, not a secret
    expires_in: int = Field(description="seconds")
    name: str
    role: Literal["viewer", "trader", "admin"]
    refresh_token: str | None = None


class MeView(Wire):
    """Who the caller is and what it may do."""

    name: str
    role: Literal["viewer", "trader", "admin"]
    permissions: list[str]
    key_id: str | None = Field(description="the API key it came with; null for a login")


class TicketView(Wire):
    """A one-time ticket for the websocket, and where to take it."""

    ticket: str
    expires_in: int = Field(description="seconds")
    port: int
    path: str = "/ws"


class UserView(Wire):
    """An account."""

    name: str
    role: Literal["viewer", "trader", "admin"]
    active: bool
    created_at: AwareDatetime


class UserCreate(Wire):
    """A new account."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._@-]+$")
    password: str = Field(min_length=12, max_length=256)
    role: Literal["viewer", "trader", "admin"] = "viewer"


class UserChange(Wire):
    """What to change about an account; null leaves it. A new password or role ends its logins."""

    role: Literal["viewer", "trader", "admin"] | None = None
    active: bool | None = None
    password: str | None = Field(default=None, min_length=12, max_length=256)


class PasswordChange(Wire):
    """A user's own new password."""

    old: str = Field(max_length=256)
    new: str = Field(min_length=12, max_length=256)


class KeyView(Wire):
    """An API key without its secret."""

    key_id: str
    name: str
    owner: str
    scopes: list[Literal["read", "stream", "run", "admin"]]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    last_used_at: AwareDatetime | None


class KeyCreate(Wire):
    """A new API key. Its rights are its scopes, but never more than its owner's."""

    name: str = Field(min_length=1, max_length=64)
    scopes: list[Literal["read", "stream", "run", "admin"]] = Field(min_length=1)
    expires_in_days: int | None = Field(default=90, ge=1, le=3650)


class KeyCreated(KeyView):
    """A key as it is shown once."""

    key: str


class Problem(BaseModel):
    """RFC 9457: what went wrong and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[dict[str, object]] | None = Field(default=None, description="fields that were refused, and why")
