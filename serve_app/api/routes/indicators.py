"""Indicators: the registry, and one indicator over one symbol's bars."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Response

from data.contracts.errors import InvalidInput
from serve_app.api.inputs import Has, Name, Reader, Start, moment
from serve_app.api.models import IndicatorSeries, IndicatorView
from serve_app.api.reading import BarsPart, Replying

router = APIRouter(prefix="/indicators", tags=["indicators"])

_PARAM = re.compile(r"([a-z][a-z0-9_]{0,31}):(-?\d{1,12}(?:\.\d{1,12})?)")


@router.get("", response_model=list[IndicatorView])
async def indicators(reply: Replying, services: Has, _: Reader) -> list[IndicatorView] | Response:
    """Every indicator with its parameters and their ranges, by name."""
    found = await services.compute.indicators()
    return reply.held(*found) or found


@router.get("/{name}/values", response_model=IndicatorSeries)
async def values(
    reply: Replying,
    services: Has,
    part: BarsPart,
    name: Name,
    symbol: Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")],
    param: Annotated[
        list[str] | None,
        Query(max_length=20, description="`name:number`, once for each parameter", examples=["window:14"]),
    ] = None,
    start: Start = None,
) -> IndicatorSeries | Response:
    """One indicator over one symbol's bars up to `as_of`; warm-up is null."""
    params = _params(param or [])
    found = await services.compute.indicator(name, symbol, params, start=await moment(start), as_of=part.until)
    return reply.held(found.model_dump_json()) or found


def _params(texts: list[str]) -> dict[str, float]:
    params: dict[str, float] = {}
    for text in texts:
        match = _PARAM.fullmatch(text)
        if match is None:
            raise InvalidInput(f"a parameter is written name:number, as in param=window:14, not {text[:80]!r}")
        if match[1] in params:
            raise InvalidInput(f"the parameter {match[1]} was given twice; give it once")
        params[match[1]] = float(match[2])
    return params
