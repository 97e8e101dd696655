"""Tables as files: CSV, Parquet, Arrow, made off the event loop; and signals as a table."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import polars as pl
import polars.selectors as cs
from fastapi import Query, Request, Response

from data.market.dates import TS
from serve_app.api.models import SignalView

Kind = Literal["json", "csv", "parquet", "arrow"]
Format = Annotated[Kind, Query(description="how to send the rows")]

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {media.partition(";")[0]: {"schema": {"type": "string"}} for media in _TYPES.values()}}
}
_COLUMNS: dict[str, Any] = {
    "symbol": pl.String,
    "as_of": TS,
    "action": pl.String,
    "score": pl.Float64,
    "probability": pl.Float64,
    "calibrated": pl.Boolean,
    "strength": pl.Float64,
    "agreement": pl.Float64,
    "entry": pl.Float64,
    "stop": pl.Float64,
    "target": pl.Float64,
    "horizon": pl.Int64,
    "threshold": pl.Float64,
    "frame": pl.String,
    "universe": pl.String,
    "missing": pl.String,
    "warnings": pl.String,
    "signal_id": pl.String,
    "revision": pl.Int64,
    "input_hash": pl.String,
}


async def answer(
    rows: pl.DataFrame,
    kind: Kind,
    *,
    name: str,
    request: Request,
    following: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Rows as an attachment; times in CSV are ISO 8601, to the second.

    A page behind it is named in a `Link` header, as a file has no place for it.
    """
    body = await asyncio.to_thread(_write, rows, kind)
    extra = {"Content-Disposition": f'attachment; filename="{re.sub("[^A-Za-z0-9._-]", "_", name)}.{kind}"'}
    if following is not None:
        extra["Link"] = f'<{request.url.include_query_params(after=following)}>; rel="next"'
    return Response(body, media_type=_TYPES[kind], headers={**(headers or {}), **extra})


def table(signals: Sequence[SignalView]) -> pl.DataFrame:
    """One row a signal, in the order given; an agent that abstained or was not asked has null.

    `missing` and `warnings` are joined with "; ". The columns are the same for no signals at all.
    """
    agents = sorted({vote.agent for signal in signals for vote in signal.votes})
    columns: dict[str, list[Any]] = {name: [getattr(signal, name) for signal in signals] for name in _COLUMNS}
    for name in ("missing", "warnings"):
        columns[name] = ["; ".join(texts) for texts in columns[name]]
    columns["action"] = [signal.action.value for signal in signals]
    scores = [{vote.agent: vote.score for vote in signal.votes} for signal in signals]
    votes = {f"vote_{agent}": [score.get(agent) for score in scores] for agent in agents}
    return pl.DataFrame({**columns, **votes}, schema={**_COLUMNS, **dict.fromkeys(votes, pl.Float64)})


def _write(rows: pl.DataFrame, kind: Kind) -> bytes:
    out = io.BytesIO()
    if kind == "csv":
        rows.with_columns(cs.datetime().dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(out)
    elif kind == "parquet":
        rows.write_parquet(out)
    else:
        rows.write_ipc(out)
    return out.getvalue()
