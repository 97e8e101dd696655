"""What the tests of accounts share: one API process without a network, on real servers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import LiteralString

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from data.clock import ManualClock
from data.settings import Settings
from data.store.accounts import AccountStore
from serve_app.api.middleware import add_middleware
from serve_app.api.problems import add_problem_handlers
from serve_app.api.routes import auth, keys, users
from serve_app.api.services import Services
from serve_app.auth.accounts import Accounts, Login
from tests.integration.people import PASSWORD

SECRET = "5" * 64
API = "http://gs.test:8000"
GATEWAY = "http://gs.test:8001"
ELSEWHERE = "https://evil.example"

Count = Callable[[LiteralString], Awaitable[object]]


@dataclass
class Site:
    """An API process with the users viewer, trader and admin, whose names are their roles."""

    app: FastAPI
    services: Services
    accounts: Accounts
    store: AccountStore
    clock: ManualClock

    async def login(self, name: str) -> Login:
        return await self.accounts.login(name, PASSWORD, offline=True)

    async def refused(self, header: dict[str, str]) -> bool:
        """Whether this proof of identity gets a 401."""
        async with self.client() as client:
            return (await client.get("/v1/auth/me", headers=header)).status_code == 401

    def client(self, *, address: str = "203.0.113.9") -> AsyncClient:
        """A browser or program of its own, with its own cookies."""
        return AsyncClient(transport=ASGITransport(self.app, client=(address, 40000)), base_url=API)


def build(settings: Settings, services: Services) -> FastAPI:
    app = FastAPI()
    app.state.services = services
    add_problem_handlers(app)
    for module in (auth, users, keys):
        app.include_router(module.router, prefix="/v1")
    for more in (users, keys):
        app.include_router(more.work, prefix="/v1")
    add_middleware(app, settings)
    return app


def bearer(proof: Login | str) -> dict[str, str]:
    return {"Authorization": f"Bearer {proof if isinstance(proof, str) else proof.access_token}"}
