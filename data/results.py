"""Questions to the tables of finished runs, answered by DuckDB from their Parquet files where these lie.

    results = Results(settings.home)
    page = results.table(result_id, "sets", sort=["-sharpe"], filters=["fast:le:20"], limit=200)

Nothing is loaded beforehand and nothing is kept: a page of a million sets takes tens of milliseconds, in bounded memory
(`benchmarks/trials.py`). Every call blocks, up to its deadline; any thread may call. What people type never becomes
SQL: columns are looked up among the table's own and quoted, values are bound.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb
import numpy as np
import polars as pl

from data.contracts.errors import GoldenSignalsError, InvalidInput, NotFound, TemporarilyUnavailable
from data.contracts.metrics import larger_is_better

TABLES = ("equity", "trades", "folds", "drift", "sets", "trials", "paths", "splits")
MOST_CELLS = 20_000_000  # rows x columns of what one call hands out: some 160 megabytes
MOST_VALUES = 2_000  # of a parameter that is drawn
MOST_BINS = 1_000
DEADLINE_S = 10.0
MEMORY = "1GB"  # of all calls together; beyond it a call fails, the process does not

Type = Literal["integer", "number", "text", "boolean", "time"]
By = Literal["best", "median"]

_AGAIN_S = 0.02
_RESULT_ID = re.compile(r"[0-9a-f]{32}")
_FACTS = ("metrics.json", "summary.json")
_TYPES: dict[str, Type] = {"DOUBLE": "number", "FLOAT": "number", "VARCHAR": "text", "BOOLEAN": "boolean"}
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=", "ne": "<>"}
_NULL = {"null": "IS NULL", "notnull": "IS NOT NULL"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FROM = "FROM read_parquet(?)"
_IN_FILE_ORDER = "file_index, file_row_number"


@dataclass(frozen=True, slots=True)
class Column:
    """type: integer, number, text, boolean or time (UTC)."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table of a run."""

    name: str
    rows: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class TablePage:
    """Some rows. total: how many pass the filters; a value that is null or no finite number is None."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    total: int


@dataclass(frozen=True, slots=True)
class Heatmap:
    """values: a row per y, a cell per x; None where no set has a value. x, y: ascending."""

    x: list[Any]
    y: list[Any]
    values: list[list[float | None]]
    metric: str
    by: By


@dataclass(frozen=True, slots=True)
class Slice:
    """One parameter, over all values of the others.

    values: ascending. low, median, high: quartiles of the metric over the sets with that value; best: the best of
    them; None where it is undefined in all of them. sets: how many have that value.
    """

    parameter: str
    values: list[Any]
    low: list[float | None]
    median: list[float | None]
    high: list[float | None]
    best: list[float | None]
    sets: list[int]


@dataclass(frozen=True, slots=True)
class Histogram:
    """edges (bins + 1), counts (bins); a value on an inner edge may be counted on either side.

    Both are empty without any value.

    undefined: rows that have none.
    """

    edges: list[float]
    counts: list[int]
    undefined: int


class Results:
    """The finished runs below one home.

    Every method raises NotFound for a run whose files are not here, InvalidInput for what the tables do not have,
    TemporarilyUnavailable when the deadline is over, GoldenSignalsError when a file cannot be read.
    """

    def __init__(self, home: Path, *, deadline_s: float = DEADLINE_S) -> None:
        self._runs, self._deadline_s = home / "runs", deadline_s
        self._database = duckdb.connect(":memory:", config={"memory_limit": MEMORY, "temp_directory": ""})
        self._database.execute("SET allowed_directories = ?", [[str(self._runs)]])
        for barrier in ("enable_external_access = false", "lock_configuration = true"):  # it reads these files only
            self._database.execute(f"SET {barrier}")

    def facts(self, result_id: str) -> dict[str, Any]:
        """metrics.json (backtest, walk-forward) or summary.json (sweep)."""
        text = _facts_file(self._folder(result_id)).read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    def tables(self, result_id: str) -> list[TableInfo]:
        """The tables of a run, in the order of `TABLES`."""
        folder = self._folder(result_id)
        with self._asking() as ask:
            opened = [_Table.open(ask, name, files) for name in TABLES if (files := _files(folder, name))]
            return [TableInfo(table.name, table.count(), tuple(table.columns.values())) for table in opened]

    def table(
        self,
        result_id: str,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        sort: Sequence[str] = (),
        filters: Sequence[str] = (),
        limit: int = 200,
        offset: int = 0,
    ) -> TablePage:
        """A page of a table. Arguments: see `frame`."""
        with self._table(result_id, name) as table:
            frame = table.select(columns, sort, filters, limit, offset)
            total = table.count(filters)
            chosen = tuple(table.columns[column] for column in frame.columns)
        floats = [column.name for column in chosen if column.type == "number"]
        shown = frame.with_columns(pl.when(pl.col(floats).is_finite()).then(pl.col(floats)) if floats else [])
        return TablePage(chosen, shown.rows(), total)

    def frame(
        self,
        result_id: str,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        sort: Sequence[str] = (),
        filters: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> pl.DataFrame:
        """Rows of a table.

        columns: None = all. sort: columns, "-" before one for descending; nulls come last, ties in the table's order.
        filters: "column:op:value", all of which hold; op is lt, le, gt, ge, eq, ne (none of them true of a null), null
        or notnull ("column:null"). Times are ISO 8601, UTC unless they say otherwise. limit: None = all.
        Raises: InvalidInput also for more than `MOST_CELLS` cells.
        """
        with self._table(result_id, name) as table:
            return table.select(columns, sort, filters, limit, offset)

    def heatmap(self, result_id: str, x: str, y: str, metric: str, by: By = "best") -> Heatmap:
        """The metric over two parameters of a sweep: the best of all sets in a cell, or their median."""
        if by not in get_args(By):
            raise InvalidInput(f"a heatmap shows the best or the median of a cell, not {by!r}", by=by)
        with self._table(result_id, "sets") as table:
            parameters = self._parameters(result_id, table)
            for name in (x, y):
                _one_of(name, parameters, "parameter")
            if x == y:
                raise InvalidInput("a heatmap has two different parameters", x=x, y=y)
            column = table.number(metric)
            value = f"median({column})" if by == "median" else _best(column, metric)
            cells = table.ask(f"SELECT {_quoted(x)}, {_quoted(y)}, {value} {_FROM} GROUP BY 1, 2", table.files)
        xs, ys = (cells[:, at].unique().sort() for at in (0, 1))
        _check_values(x, xs.len())
        _check_values(y, ys.len())
        values = np.full((ys.len(), xs.len()), np.nan)
        rows, places = (all_.search_sorted(cells[:, at]).to_numpy() for at, all_ in ((1, ys), (0, xs)))
        values[rows, places] = cells[:, 2].cast(pl.Float64).to_numpy()
        shown = [[cell if math.isfinite(cell) else None for cell in row] for row in values.tolist()]
        return Heatmap(xs.to_list(), ys.to_list(), shown, metric, by)

    def slices(self, result_id: str, metric: str) -> list[Slice]:
        """The metric over each parameter of a sweep alone."""
        found = []
        with self._table(result_id, "sets") as table:
            column = table.number(metric)
            quartiles = f"quantile_cont({column}, [0.25, 0.5, 0.75])"  # one sort for all three
            for name in self._parameters(result_id, table):
                statement = f"SELECT {_quoted(name)}, {quartiles}, {_best(column, metric)}, count(*) {_FROM}"
                rows = table.ask(f"{statement} GROUP BY 1 ORDER BY 1", table.files)
                _check_values(name, rows.height)
                low, middle, high = (rows[:, 1].list.get(at).to_list() for at in range(3))
                found.append(
                    Slice(name, rows[:, 0].to_list(), low, middle, high, *(rows[:, at].to_list() for at in (2, 3)))
                )
        return found

    def histogram(
        self, result_id: str, metric: str, bins: int = 40, table: Literal["sets", "trials"] = "sets"
    ) -> Histogram:
        """How the sets of a sweep, or its single backtests, are spread over a metric, in bins of equal width."""
        if not 1 <= bins <= MOST_BINS:
            raise InvalidInput(f"a histogram has between 1 and {MOST_BINS} bins", bins=bins)
        with self._table(result_id, table) as found:
            column = found.number(metric)
            ends = f"SELECT min({column}), max({column}), count({column}), count(*) {_FROM}"
            low, high, defined, rows = found.ask(ends, found.files).row(0)
            if not defined:
                return Histogram([], [], rows)
            if low == high:
                low, high = low - 0.5, high + 0.5
            edges = np.linspace(low, high, bins + 1)
            place = f"least(floor(({column} - ?) * ?), ?)::INTEGER"
            counted = found.ask(
                f"SELECT {place}, count(*) {_FROM} WHERE {column} IS NOT NULL GROUP BY 1",
                float(low), bins / (float(high) - float(low)), bins - 1, found.files,
            )  # fmt: skip
        counts = np.zeros(bins, np.int64)
        counts[counted[:, 0].to_numpy()] = counted[:, 1].to_numpy()
        return Histogram(edges.tolist(), counts.tolist(), rows - defined)

    def _folder(self, result_id: str) -> Path:
        folder = self._runs / result_id
        if not _RESULT_ID.fullmatch(result_id) or not _facts_file(folder).exists():
            raise NotFound(f"run {result_id[:12]} is not finished, or its files are not on this machine")
        return folder

    @contextmanager
    def _table(self, result_id: str, name: str) -> Iterator[_Table]:
        folder = self._folder(result_id)
        files = _files(folder, name) if name in TABLES else []
        if not files:
            there = ", ".join(known for known in TABLES if _files(folder, known)) or "none"
            raise NotFound(f"run {result_id[:12]} has no table {name!r}; it has: {there}")
        with self._asking() as ask:
            yield _Table.open(ask, name, files)

    def _parameters(self, result_id: str, sets: _Table) -> list[str]:
        """What distinguishes sets: their columns that the table of single backtests, with its metrics, has not."""
        trials = _Table.open(sets.ask, "trials", _files(self._folder(result_id), "trials"))
        return [name for name in sets.columns if name not in trials.columns]

    @contextmanager
    def _asking(self) -> Iterator[_Ask]:
        """Statements of one call, which have one deadline together."""
        connection, over, done = self._database.cursor(), threading.Event(), threading.Event()

        def watch() -> None:
            if not done.wait(self._deadline_s):
                over.set()
                while not done.wait(_AGAIN_S):  # a statement that begins only now has not heard the one before
                    connection.interrupt()

        watcher = threading.Thread(target=watch, name="deadline", daemon=True)
        watcher.start()
        try:
            yield _Ask(connection, over)
        except duckdb.OutOfMemoryException:
            raise InvalidInput("this takes more memory than one question may; filter, or choose columns") from None
        except duckdb.Error as problem:
            if over.is_set():
                raise TemporarilyUnavailable(
                    f"no answer within {self._deadline_s:g} s; filter, choose columns, or ask again"
                ) from None
            raise GoldenSignalsError("the tables of this run cannot be read; run it again") from problem
        finally:
            done.set()
            watcher.join()  # else it might interrupt a closed connection
            connection.close()


@dataclass(frozen=True, slots=True)
class _Ask:
    connection: duckdb.DuckDBPyConnection
    over: threading.Event

    def __call__(self, statement: str, *values: object) -> pl.DataFrame:
        if self.over.is_set():
            raise duckdb.InterruptException("between two statements")
        found = pl.from_arrow(self.connection.sql(statement, params=list(values)).to_arrow_table())
        assert isinstance(found, pl.DataFrame)
        return found


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that lies in some files, one after the other."""

    ask: _Ask
    name: str
    files: list[str]
    columns: dict[str, Column]

    @classmethod
    def open(cls, ask: _Ask, name: str, files: list[str]) -> _Table:
        described = ask(f"DESCRIBE SELECT * {_FROM}", files)
        pairs = zip(described["column_name"], described["column_type"], strict=True)
        return cls(ask, name, files, {column: Column(column, _type(kind)) for column, kind in pairs})

    def select(
        self,
        columns: Sequence[str] | None,
        sort: Sequence[str],
        filters: Sequence[str],
        limit: int | None,
        offset: int,
    ) -> pl.DataFrame:
        """See `Results.frame`."""
        chosen = [self.column(name) for name in (self.columns if columns is None else columns)]
        if not chosen or len({column.name for column in chosen}) < len(chosen):
            raise InvalidInput("name at least one column, and each once", columns=list(columns or ()))
        if offset < 0 or (limit is not None and limit < 0):
            raise InvalidInput("limit and offset are 0 or more", limit=limit, offset=offset)
        if limit is None or limit * len(chosen) > MOST_CELLS:
            rows = max(self.count(filters) - offset, 0)
            rows = rows if limit is None else min(rows, limit)
            if rows * len(chosen) > MOST_CELLS:
                raise InvalidInput(
                    f"{rows:,} rows of {len(chosen)} columns are too many at once: filter, choose columns, or read the "
                    f"Parquet files of {self.name} in the run's folder"
                )
        where, values = self._where(filters)
        order = f" ORDER BY {', '.join([*map(self._order, sort), _IN_FILE_ORDER])}" if sort else ""
        names = ", ".join(_quoted(column.name) for column in chosen)
        page = f" LIMIT {int(limit)}" if limit is not None else ""
        page += f" OFFSET {int(offset)}" if offset else ""
        found = self.ask(f"SELECT {names} {_FROM}{where}{order}{page}", self.files, *values)
        times = [column.name for column in chosen if column.type == "time"]
        return found.with_columns(pl.col(times).dt.convert_time_zone("UTC") if times else [])

    def count(self, filters: Sequence[str] = ()) -> int:
        """Rows that pass."""
        where, values = self._where(filters)
        return int(self.ask(f"SELECT count(*) {_FROM}{where}", self.files, *values).item())

    def column(self, name: str) -> Column:
        """Raises InvalidInput when there is none of this name."""
        _one_of(name, self.columns, f"column in {self.name}")
        return self.columns[name]

    def number(self, name: str) -> str:
        """A column of numbers, quoted; what is no finite number is null."""
        found = self.column(name)
        if found.type not in ("integer", "number"):
            raise InvalidInput(f"{name} is no number; choose a metric", column=name)
        return f"(CASE WHEN isfinite({_quoted(name)}::DOUBLE) THEN {_quoted(name)}::DOUBLE END)"

    def _order(self, given: str) -> str:
        name, way = (given[1:], "DESC") if given.startswith("-") else (given, "ASC")
        return f"{_quoted(self.column(name).name)} {way} NULLS LAST"

    def _where(self, filters: Sequence[str]) -> tuple[str, list[object]]:
        texts, values = [], []
        for given in filters:
            name, op, *rest = given.split(":", 2)[:3] if ":" in given else (given, "")
            column = self.column(name)
            if op in _NULL and not rest:
                texts.append(f"{_quoted(name)} {_NULL[op]}")
            elif op in _COMPARE and rest:
                # times as numbers: comparing moments would depend on the session's zone
                side = f"epoch_us({_quoted(name)})" if column.type == "time" else _quoted(name)
                texts.append(f"{side} {_COMPARE[op]} ?")
                values.append(_value(column, rest[0]))
            else:
                known = ", ".join((*_COMPARE, *_NULL))
                raise InvalidInput(f"cannot read the filter {given!r}; write column:op:value, op one of {known}")
        return (f" WHERE {' AND '.join(texts)}" if texts else ""), values


def _files(folder: Path, name: str) -> list[str]:
    """The files of a table, in its order: one, or the parts in a folder of its name."""
    single = folder / f"{name}.parquet"
    found = [single] if single.exists() else sorted((folder / name).glob("part-*.parquet"))
    return [str(path) for path in found]


def _facts_file(folder: Path) -> Path:
    return next((path for name in _FACTS if (path := folder / name).exists()), folder / _FACTS[0])


def _type(kind: str) -> Type:
    return "time" if kind.startswith(("TIMESTAMP", "DATE")) else _TYPES.get(kind, "integer")


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _best(column: str, metric: str) -> str:
    return f"{'max' if larger_is_better(metric) else 'min'}({column})"


def _one_of(name: str, known: Sequence[str] | dict[str, Column], what: str) -> None:
    if name not in known:
        raise InvalidInput(f"there is no {what} {name!r}; there are: {', '.join(known) or 'none'}", name=name)


def _check_values(parameter: str, values: int) -> None:
    if values > MOST_VALUES:
        raise InvalidInput(f"{parameter} has {values:,} values, too many to draw (at most {MOST_VALUES:,})")


def _value(column: Column, text: str) -> object:
    """What people typed, as the column has it."""
    try:
        match column.type:
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "time":
                moment = datetime.fromisoformat(text)
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return (moment - _EPOCH) // timedelta(microseconds=1)
            case "integer" | "number":
                number = float(text)
                if math.isnan(number):
                    raise ValueError(text)
                return number
            case "text":
                return text
    except (KeyError, ValueError):
        raise InvalidInput(f"{column.name} holds a {column.type}, and {text!r} is none", column=column.name) from None
