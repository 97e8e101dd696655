"""What routes take in: the services, the caller by permission, and the parameters that several routes share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query

from data.market import dates
from data.store.feed import Feed
from serve_app.api.caller import require, services_of
from serve_app.api.services import Services
from serve_app.auth.access import Permission, Principal

PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
HASH = "^[0-9a-f]{64}$"


Has = Annotated[Services, Depends(services_of)]
Reader = Annotated[Principal, Depends(require(Permission.READ))]
Runner = Annotated[Principal, Depends(require(Permission.RUN))]
Admin = Annotated[Principal, Depends(require(Permission.ADMIN))]

Symbol = Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE, examples=["AAPL"])]
JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Name = Annotated[str, Path(min_length=1, max_length=64, pattern="^[a-z0-9_]+$")]
DataHash = Annotated[str, Path(pattern=HASH, description="SHA-256 of the uploaded bytes")]
AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="Market time: a date (its session included) or an ISO time with a zone. Default: the feed's clock, "
        "after which nothing is shown unasked. A later time shows what is stored until then.",
        examples=["2018-02-05"],
    ),
]
Start = Annotated[str | None, Query(max_length=40, description="First moment wanted, a date or an ISO time")]
After = Annotated[str | None, Query(max_length=1000, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows of a page")]
UniverseId = Annotated[
    str | None,
    Query(min_length=1, max_length=64, pattern=PRINTABLE, description="id of a universe; default: the feed's"),
]


@dataclass(frozen=True)
class Shown:
    """What part of the stored truth an answer shows. `feed` is None before the live path was first started."""

    until: datetime | None
    universe: str | None
    feed: Feed | None

    @property
    def clock(self) -> datetime | None:
        """Market time of the feed."""
        return None if self.feed is None else self.feed.clock


async def shown(services: Services, as_of: str | None, universe: str | None = None) -> Shown:
    """What a read shows: until `as_of`, or else the feed's clock; of a universe, or else the feed's."""
    until = await moment(as_of)
    feed = await services.feed.get()
    if feed is not None:
        until, universe = until or feed.clock, universe or feed.universe
    return Shown(until, universe, feed)


async def moment(text: str | None) -> datetime | None:
    """The moment a parameter names; a date is its session's close. Raises InvalidInput for what is neither."""
    return None if text is None else await asyncio.to_thread(dates.as_of, text)
