"""Puts the API together: the same function on Serve (everything) and in the gateway (reading and logins)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from data.settings import Settings
from serve_app.api.dashboard import mount_dashboard
from serve_app.api.middleware import add_middleware
from serve_app.api.problems import add_problem_handlers
from serve_app.api.reference import add_reference
from serve_app.api.routes import (
    agents,
    auth,
    bars,
    events,
    feed,
    health,
    indicators,
    jobs,
    keys,
    research,
    runs,
    scans,
    signals,
    users,
)
from serve_app.api.services import Services

DESCRIPTION = "Trading signals from a cluster of agents. Errors are RFC 9457 problem details; times are UTC."


def build_app(
    settings: Settings,
    open_services: Callable[[], AbstractAsyncContextManager[Services]],
    *,
    reading_only: bool,
    dashboard: Path | None,
) -> FastAPI:
    """The application. Nothing is opened before its lifespan starts.

    reading_only: leave out every route that starts work; logins, tickets and reads stay.
    dashboard:    folder of the built dashboard, served at `/` and `/docs`; None where it is not built.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services() as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="GoldenSignals", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    add_problem_handlers(app)
    app.include_router(health.router)
    for module in (auth, users, keys, signals, bars, indicators, agents, scans, research, runs, jobs, events, feed):
        app.include_router(module.router, prefix="/v1")
        if not reading_only and hasattr(module, "work"):
            app.include_router(module.work, prefix="/v1")
    add_reference(app, dashboard)
    if dashboard is not None:
        mount_dashboard(app, dashboard)
    add_middleware(app, settings)
    return app
