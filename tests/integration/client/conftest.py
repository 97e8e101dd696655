"""The system a client talks to, and clients of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

import goldensignals as gs
from data.home import Home
from data.market.source import Bars
from data.settings import (
    ApiSettings,
    AuthSettings,
    GatewaySettings,
    PostgresSettings,
    RedisSettings,
    Settings,
    StreamSettings,
)
from serve_app.client.client import Client
from tests.integration.api.conftest import market_bars, market_file
from tests.integration.client.system import System, emptied
from tests.integration.gateway.conftest import free_port

__all__ = ["market_bars", "market_file"]

Building = Callable[..., System]


@pytest.fixture
def building(
    tmp_path: Path, store_url: str, redis_url: str, market_bars: Bars, market_file: Path, password_hash: str
) -> Iterator[Building]:
    """Starts the API; `gateway` and `stream` are settings of the processes a test may start beside it."""
    emptied(redis_url)
    Home(tmp_path).prepare()
    with ExitStack() as stack:

        def build(*, gateway: dict[str, float] | None = None, keep_events: int = 20_000) -> System:
            settings = Settings(
                home=tmp_path,
                postgres=PostgresSettings(url=SecretStr(store_url)),
                redis=RedisSettings(url=SecretStr(redis_url)),
                api=ApiSettings(port=free_port()),
                gateway=GatewaySettings.model_validate({"port": free_port(), **(gateway or {})}),
                stream=StreamSettings(keep_events=keep_events),
                auth=AuthSettings(requests_per_minute=100_000),
            )
            system = System(settings, market_bars, str(market_file), password_hash)
            stack.enter_context(system.running())
            return system

        yield build


@pytest.fixture
def system(building: Building) -> System:
    return building()


@pytest.fixture
def client(system: System) -> Iterator[Client]:
    with gs.connect(system.url, api_key=system.key()) as connected:
        yield connected
