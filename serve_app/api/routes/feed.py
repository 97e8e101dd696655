"""The feed: where live bars come from, how far market time is, and steering a replay."""

from __future__ import annotations

from fastapi import APIRouter

from data.contracts.errors import TemporarilyUnavailable
from serve_app.api import views
from serve_app.api.inputs import Has, Reader, Runner
from serve_app.api.models import FeedChange, FeedView

router = APIRouter(prefix="/feed", tags=["feed"])
work = APIRouter(prefix="/feed", tags=["feed"])


@router.get("", response_model=FeedView)
async def feed(services: Has, _: Reader) -> FeedView:
    """Source, market time and state of the feed."""
    found = await services.feed.get()
    if found is None:
        raise TemporarilyUnavailable("there is no feed yet; start one with `goldensignals up`")
    return views.feed(found)


@work.patch("", response_model=FeedView)
async def steer(services: Has, _: Runner, wanted: FeedChange) -> FeedView:
    """Pause, resume, speed up or send a replay elsewhere. 409 for a feed that is no replay."""
    changed = await services.feed.change(
        now=services.clock.now(), state=wanted.state, session_s=wanted.session_s, clock=wanted.clock
    )
    return views.feed(changed)
