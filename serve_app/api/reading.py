"""What reading routes share: which part of the stored truth they show, and an answer the client may hold already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from serve_app.api.etag import Tag
from serve_app.api.inputs import AsOf, Has, Reader, Shown, UniverseId, shown


@dataclass(frozen=True)
class Reply:
    """The answer that a route is about to give."""

    request: Request
    response: Response

    def held(self, *made_of: object) -> Response | None:
        """304 for a client that holds the answer made of these (anything with a stable text); else None.

        Then the answer gets the tag. Call it before the answer is made: see `serve_app.api.etag`.
        """
        tag = Tag.of(self.request, *made_of)
        known = tag.known(self.request)
        if known is None:
            self.response.headers.update(tag.headers)
        return known


async def _signals_part(services: Has, _: Reader, as_of: AsOf = None, universe: UniverseId = None) -> Shown:
    return await shown(services, as_of, universe)


async def _bars_part(services: Has, _: Reader, as_of: AsOf = None) -> Shown:
    return await shown(services, as_of)


Replying = Annotated[Reply, Depends(Reply)]
SignalsPart = Annotated[Shown, Depends(_signals_part)]  # a reader's, by `as_of` and `universe`
BarsPart = Annotated[Shown, Depends(_bars_part)]  # a reader's, by `as_of`
