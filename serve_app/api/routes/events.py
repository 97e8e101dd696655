"""Events in their global order: everything that was decided and done, to be read from any place on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from serve_app.api import views
from serve_app.api.inputs import Has, Limit, Reader
from serve_app.api.models import EventView, Page

router = APIRouter(prefix="/events", tags=["events"])


@router.get("", response_model=Page[EventView])
async def events(
    services: Has,
    _: Reader,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`seq` of the last event read; 0: from the first")] = 0,
    limit: Limit = 100,
    pattern: Annotated[
        str | None,
        Query(max_length=200, pattern=r"^[A-Za-z0-9_.*#^=/:-]+$", description="* one word, # any number of words"),
    ] = None,
) -> Page[EventView]:
    """Events behind `after`, oldest first. `next` is the `seq` of the last one, null when there is none."""
    found = await services.events.after(after, limit=limit, pattern=pattern)
    return Page(items=[views.event(event) for event in found], next=str(found[-1].seq) if found else None)
