"""One API process on real servers; the market of the tests is eight symbols of three sectors over 300 sessions."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import pytest_asyncio

from data.clock import ManualClock
from data.market.sample import BARS, path_of
from data.market.source import Bars, open_bars
from data.settings import AuthSettings, Settings
from data.store.pool import Pool
from data.store.stores import open_stores
from serve_app.api.app import build_app
from serve_app.api.open import open_services
from serve_app.auth.access import ROLES
from serve_app.planner import Planner
from tests.integration.api.site import NOW, Local, Site, feed_of, scopes
from tests.integration.people import PASSWORD, account, settings_of

SYMBOLS = ("AAPL", "CVX", "GE", "JPM", "KO", "MSFT", "PG", "XOM")


@pytest.fixture(scope="session")
def market_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bars") / "market.parquet"
    bars = pl.read_parquet(path_of(BARS)).filter(pl.col("symbol").is_in(SYMBOLS))
    first = bars["date"].unique().sort()[-300]
    bars.filter(pl.col("date") >= first).write_parquet(file)
    return file


@pytest.fixture(scope="session")
def market_bars(market_file: Path) -> Bars:
    return open_bars(str(market_file))


@pytest.fixture
def settings(tmp_path: Path, store_url: str, redis_url: str) -> Settings:
    auth = AuthSettings(requests_per_minute=1_000_000, login_per_minute=1_000_000, access_minutes=600)
    return settings_of(tmp_path, store_url, redis_url, auth=auth)


@pytest_asyncio.fixture
async def bare(
    pool: Pool, settings: Settings, store_url: str, market_file: Path, market_bars: Bars, password_hash: str
) -> AsyncIterator[Site]:
    """Callers, and a feed that stands three sessions before the newest bar; nothing was decided yet."""
    clock = ManualClock(NOW)
    async with open_stores(settings.postgres, store_url) as stores:
        compute = Local(market_bars, stores, clock, Planner(settings, str(market_file), market_bars))
        for role in ROLES:
            await stores.accounts.add(account(role, role, password_hash, datetime.now(UTC)))
        app = build_app(settings, lambda: open_services(settings, compute), reading_only=False, dashboard=None)
        async with app.router.lifespan_context(app):
            services = app.state.services
            await services.redis.flushdb()
            proofs: dict[str, str] = {
                role: (await services.accounts.login(role, PASSWORD, offline=True)).access_token for role in ROLES
            }
            for caller, scope in scopes().items():
                proofs[caller] = (await services.accounts.add_key("admin", caller, [scope], expires_in_days=1)).text
            site = Site(app, services, stores, pool, store_url, market_bars, compute, clock, proofs)
            await stores.feed.put(feed_of(market_bars, str(market_file), site.sessions[-4]))
            yield site


@pytest_asyncio.fixture
async def site(bare: Site) -> Site:
    """As `bare`, with the three sessions up to the clock decided, and the newest one too, as by an earlier scan."""
    await bare.play(*bare.sessions[-6:-3], bare.sessions[-1])
    return bare
