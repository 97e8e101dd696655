"""Indicators: the registry, and one indicator over one symbol's bars."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Response

from data.contracts.errors import InvalidInput
from serve_app.api.inputs import PRINTABLE, Has, Name, Reader, Start, moment
from serve_app.api.models import IndicatorSeries, IndicatorView
from serve_app.api.reading import BarsPart, Replying

router = APIRouter(prefix="/indicators", tags=["indicators"])

_PARAM = re.compile(r"([a-z][a-z0-9_]{0,31}):(?:(-?\d{1,12})|(-?\d{1,12}\.\d{1,12})|([a-z][a-z0-9_]{0,31}))")


@router.get("", response_model=list[IndicatorView])
async def indicators(reply: Replying, services: Has, _: Reader) -> list[IndicatorView] | Response:
    """Every indicator with its formula, its units, and its parameters with their ranges or choices, by name."""
    found = await services.compute.indicators()
    return reply.held(*found) or found


@router.get("/{name}/values", response_model=IndicatorSeries)
async def values(
    reply: Replying,
    services: Has,
    part: BarsPart,
    name: Name,
    symbol: Annotated[str, Query(min_length=1, max_length=64, pattern=PRINTABLE)],
    param: Annotated[
        list[str] | None,
        Query(
            max_length=20,
            description="`name:number`, or `name:choice`, once for each parameter",
            examples=["window:14", "smoothing:ema"],
        ),
    ] = None,
    other: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=64,
            pattern=PRINTABLE,
            description="the second symbol, for an indicator that has the input `other`",
            examples=["MSFT"],
        ),
    ] = None,
    start: Start = None,
) -> IndicatorSeries | Response:
    """One indicator over one symbol's bars up to `as_of`; warm-up is null."""
    params = _params(param or [])
    since = await moment(start)
    found = await services.compute.indicator(name, symbol, params, other=other, start=since, as_of=part.until)
    return reply.held(found.model_dump_json()) or found


def _params(texts: list[str]) -> dict[str, float | str]:
    params: dict[str, float | str] = {}
    for text in texts:
        match = _PARAM.fullmatch(text)
        if match is None:
            raise InvalidInput(
                "a parameter is written name:number or name:choice, as in param=window:14 or param=smoothing:ema, "
                f"not {text[:80]!r}"
            )
        name, whole, fraction, choice = match.groups()
        if name in params:
            raise InvalidInput(f"the parameter {name} was given twice; give it once")
        params[name] = choice or (int(whole) if whole else float(fraction))
    return params
