"""What goes over the wire about research: questions, their estimates, runs and their tables."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from serve_app.api.models import Wire

Text = Annotated[str, Field(max_length=2_000)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
Word = Annotated[StrictStr, Field(max_length=2_000)]
Value = StrictInt | StrictFloat | Word
Values = Annotated[list[StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=64)]], Field(max_length=10_000)]
Cell = int | float | str | bool | None

Kind = Literal["backtest", "sweep", "walkforward"]
Metrics = dict[str, float | None]


class StrategyParam(Wire):
    """One parameter: a number and the range it may have, or the name of a symbol."""

    name: str
    kind: Literal["number", "symbol"]
    default: float | str | None = Field(description="null: it must be given")
    low: float | None = Field(description="null: no limit")
    high: float | None
    whole: bool
    description: str


class StrategyView(Wire):
    """A built-in strategy. `rules`: its expressions by key (enter, exit, short_enter, stop, …)."""

    name: str
    description: str
    source: str
    params: list[StrategyParam]
    rules: dict[str, str]
    where: str | None = Field(description="which sets of parameters make sense; null: all")


class ParamRules(Wire):
    """What a parameter may be; see `StrategyParam`. A symbol has no low, high and whole."""

    kind: Literal["number", "symbol"] = "number"
    default: Value | None = None
    low: StrictInt | StrictFloat | None = None
    high: StrictInt | StrictFloat | None = None
    whole: bool | None = None
    description: Text = ""


class StrategyRules(Wire):
    """A strategy of one's own, as expressions.

    params: what each free name may be; null: the free names are numbers or symbols as the question gives them.
    """

    name: str = Field(default="custom", min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")
    description: Text = ""
    source: Text = ""
    params: dict[Name, ParamRules] | None = Field(default=None, max_length=100)
    enter: Text | None = None
    exit: Text | None = None
    short_enter: Text | None = None
    short_exit: Text | None = None
    stop: Text | None = Field(default=None, description="distance from the fill, in price")
    target: Text | None = Field(default=None, description="distance from the fill, in price")
    trail: Text | None = Field(default=None, description="distance from the best price since the fill")
    size: Text | None = Field(default=None, description="fraction of equity")
    where: Text | None = None


class Question(Wire):
    """What questions of research have in common."""

    strategy: Annotated[str, Field(min_length=1, max_length=64, pattern="^[a-z0-9_]+$")] | StrategyRules = Field(
        description="a name, as GET /v1/strategies lists them, or expressions"
    )
    bars: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="hash of uploaded bars; default: the feed's, up to its clock",
    )
    symbols: str | None = Field(
        default=None, max_length=20_000, description="@sp500 or A,B,C; default: the feed's universe, or all uploaded"
    )
    rules: dict[Name, Value | None] = Field(
        default={},
        max_length=40,
        description="fees, slippage, fill, cash, mode …; rates are fractions or texts such as 5bps",
    )
    priority: int = Field(default=4, ge=0, le=9, description="larger first; scans have 5 unless they say otherwise")


class BacktestCreate(Question):
    """A strategy to test. params: values of its parameters; what is left out has its default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"strategy": "sma_cross", "params": {"fast": 10, "slow": 30}, "rules": {"fees": "5bps"}},
                {"strategy": {"enter": "rsi(14) < 30", "exit": "rsi(14) > 60"}, "symbols": "AAPL,KO"},
            ]
        }
    )
    params: dict[Name, Value] = Field(default={}, max_length=100)


class Searched(Question):
    """What questions over many sets of parameters have in common."""

    grid: dict[Name, Value | Values] = Field(
        max_length=100, description="values to try: a text such as 5:50 (5 up to 49), 20:200:5 or 10,20; a list; one"
    )
    where: Text | None = Field(default=None, description="which sets to try, such as fast < slow")
    metric: Name = Field(default="sharpe", description="what sets are ranked by")
    sample: int | None = Field(default=None, ge=1, le=10_000_000, description="try only so many, chosen at random")
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class SweepCreate(Searched):
    """Many sets of parameters to try."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "strategy": "sma_cross",
                    "grid": {"fast": "5:50", "slow": "20:200:5"},
                    "where": "fast < slow",
                    "rules": {"fees": "5bps"},
                }
            ]
        }
    )
    search: Literal["grid", "optuna"] = "grid"
    trials: int | None = Field(default=None, ge=1, le=5_000, description="with search=optuna: how many sets to try")


class WalkForwardCreate(Searched):
    """Parameters to choose on past bars and to test on those after. Lengths in sessions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "strategy": "sma_cross",
                    "grid": {"fast": "5:50:5", "slow": "20:200:20"},
                    "train": 504,
                    "test": 126,
                    "purge": 5,
                }
            ]
        }
    )
    train: int = Field(ge=1, le=1_000_000)
    test: int = Field(ge=1, le=1_000_000)
    purge: int = Field(default=0, ge=0, le=1_000_000)
    embargo: int = Field(default=0, ge=0, le=1_000_000)
    anchored: bool = False


Asked = BacktestCreate | SweepCreate | WalkForwardCreate


class EstimateView(Wire):
    """What a question would take; measured rates, so a rough figure."""

    sets: int
    symbols: int
    bars: int
    backtests: int
    chunks: int
    core_seconds: float
    worker_bytes: int = Field(description="of one worker, beside the bars")
    result_id: str
    known: bool = Field(description="the very same question was answered before")


class RunView(Wire):
    """A result that was kept. The same id stands for the same bits. null: undefined."""

    result_id: str
    kind: str
    title: str
    owner: str
    job_id: str | None = Field(description="null: it was typed at a command line and ran there")
    created_at: AwareDatetime
    metrics: Metrics
    context: dict[str, object] = Field(description="how far it can be believed: psr, dsr, pbo, trials, …")
    warnings: list[str]


class RunDetail(RunView):
    """A result in full, but for its tables."""

    spec: dict[str, object] = Field(description="all that the result depends on")
    facts: dict[str, object] = Field(
        description="of a backtest or walk-forward: metrics, reasons, by_symbol, context …; of a sweep: its summary"
    )


class ColumnView(Wire):
    """A column of a table. Times are ISO 8601."""

    name: str
    type: Literal["integer", "number", "text", "boolean", "time"]


class TableView(Wire):
    """A table of a run."""

    name: str
    rows: int
    columns: list[ColumnView]


class TableRows(Wire):
    """Some rows of a table. total: how many pass the filters."""

    columns: list[ColumnView]
    rows: list[list[Cell]]
    total: int
    offset: int


class HeatmapView(Wire):
    """A metric over two parameters of a sweep: a row per y, a cell per x; null: no set there has a value."""

    x: list[Cell]
    y: list[Cell]
    values: list[list[float | None]]
    metric: str
    by: Literal["best", "median"]


class SliceView(Wire):
    """A metric over one parameter of a sweep, whatever the others are. low, high: quartiles. sets: how many."""

    parameter: str
    values: list[Cell]
    low: list[float | None]
    median: list[float | None]
    high: list[float | None]
    best: list[float | None]
    sets: list[int]


class HistogramView(Wire):
    """How a metric is spread: bins + 1 edges, bins counts; both empty without any value. undefined: rows with none."""

    edges: list[float]
    counts: list[int]
    undefined: int


class NodeView(Wire):
    """What one machine did of a job. rate: units per second of the present attempt; share: of all units done."""

    node: str
    chunks: int
    work_s: float
    rate: float | None
    share: float
