"""Events, the feed, agents and health: what is read beside signals, also while servers are away."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from data.embedded.postgres import EmbeddedPostgres
from data.home import Home
from data.settings import PostgresSettings, RedisSettings, Settings
from data.store.agents import AgentStatus
from data.store.migrate import migrate
from serve_app.api.app import build_app
from serve_app.api.compute import NoCompute
from serve_app.api.open import open_services
from tests.integration.api.site import API, NOW, Site


def status(name: str, **changes: Any) -> AgentStatus:
    return replace(
        AgentStatus(
            name=name,
            scope="symbol",
            inputs=("bars",),
            warmup=20,
            description="an agent",
            state="up",
            actors=2,
            alive=2,
            pids=(101, 102),
            nodes=("here",),
            calls=50,
            errors=1,
            restarts=0,
            p50_ms=1.5,
            p99_ms=9.0,
            last_error=None,
            seen_at=NOW,
        ),
        **changes,
    )


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[AsyncClient]:
    """The reading half of the API in a process without agents; what it opens is what the gateway opens."""
    app = build_app(settings, lambda: open_services(settings, NoCompute()), reading_only=True, dashboard=None)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app, raise_app_exceptions=False), base_url=API) as client,
    ):
        yield client


async def test_events_are_read_from_any_place_on_and_by_pattern(site: Site) -> None:
    first = await site.json("/v1/events", limit=5)
    assert [event["seq"] for event in first["items"]] == [1, 2, 3, 4, 5]
    assert first["next"] == "5"
    rest = await site.json("/v1/events", after=5, limit=1000)
    assert rest["items"][0]["seq"] == 6
    assert rest["items"][-1]["seq"] == 32  # eight symbols, four sessions
    body = first["items"][0]["body"]
    assert body["signal"]["symbol"] == "AAPL"
    assert (await site.json("/v1/events", after=32)) == {"items": [], "next": None}
    of_one = await site.json("/v1/events", pattern="signals.*.GE")
    assert {event["routing_key"] for event in of_one["items"]} == {"signals.consensus.GE"}
    assert len(of_one["items"]) == 4
    assert (await site.get("/v1/events", pattern="signals..GE")).status_code == 422


async def test_a_replay_is_steered_and_keeps_what_is_not_named(bare: Site) -> None:
    before = await bare.json("/v1/feed")
    async with bare.client("trader") as client:
        answer = await client.patch("/v1/feed", json={"state": "running", "session_s": 0.5})
        assert answer.status_code == 200
        changed = {key: value for key, value in answer.json().items() if before[key] != value}
        assert changed.keys() == {"state", "session_s", "updated_at"}
        moved = await client.patch("/v1/feed", json={"clock": bare.sessions[5].isoformat()})
        assert (moved.json()["clock"], moved.json()["state"]) == (
            bare.sessions[5].isoformat().replace("+00:00", "Z"),
            "running",
        )
        for wrong in ({"session_s": 0}, {"state": "ended"}, {"clock": "2001-01-01T00:00:00Z"}, {"speed": 2}):
            assert (await client.patch("/v1/feed", json=wrong)).status_code == 422


async def test_a_player_that_was_overtaken_by_a_person_moves_nothing(bare: Site) -> None:
    feed = await bare.stores.feed.get()
    assert feed is not None
    async with bare.client("trader") as client:
        await client.patch("/v1/feed", json={"clock": bare.sessions[5].isoformat()})
    moved = await bare.stores.feed.advance(feed.version, clock=bare.sessions[-3], state="running", now=NOW)
    assert moved is None
    after = await bare.stores.feed.get()
    assert after is not None
    assert after.clock == bare.sessions[5]
    moved = await bare.stores.feed.advance(after.version, clock=bare.sessions[6], state="running", now=NOW)
    assert moved is not None
    assert moved.clock == bare.sessions[6]


async def test_a_replay_that_ended_runs_again_once_its_clock_is_set_back(bare: Site) -> None:
    feed = await bare.stores.feed.get()
    assert feed is not None
    await bare.stores.feed.advance(feed.version, clock=feed.last, state="ended", now=NOW)
    async with bare.client("trader") as client:
        refused = await client.patch("/v1/feed", json={"state": "running"})
        assert (refused.status_code, "send a clock" in refused.json()["detail"]) == (409, True)
        again = await client.patch("/v1/feed", json={"clock": feed.first.isoformat()})
        assert (again.status_code, again.json()["state"]) == (200, "running")


async def test_a_feed_that_is_no_replay_cannot_be_steered(bare: Site) -> None:
    feed = await bare.stores.feed.get()
    assert feed is not None
    await bare.stores.feed.put(replace(feed, kind="still", state="still", session_s=None))
    async with bare.client("trader") as client:
        answer = await client.patch("/v1/feed", json={"state": "running"})
    assert (answer.status_code, "not a replay" in answer.json()["detail"]) == (409, True)


async def test_agents_are_the_roster_with_what_was_seen_of_them(bare: Site) -> None:
    await bare.stores.agents.put_all([status("trend", errors=7, last_error="it broke"), status("long gone")])
    found = {agent["name"]: agent for agent in await bare.json("/v1/agents")}
    assert sorted(found) == sorted(agent.name for agent in await bare.compute.agents())
    assert (found["trend"]["errors"], found["trend"]["pids"]) == (7, [101, 102])
    assert (found["volume"]["state"], found["volume"]["seen_at"]) == (None, None)
    async with bare.client("admin") as client:
        assert (await client.post("/v1/agents/trend/restart")).json() == {"agent": "trend", "actors": 1}
        assert (await client.post("/v1/agents/astrology/restart")).status_code == 404


async def test_an_older_look_at_agents_does_not_hide_a_newer_one(bare: Site) -> None:
    await bare.stores.agents.put_all([status("trend", state="down")])
    await bare.stores.agents.put_all([status("trend", seen_at=NOW.replace(year=2025))])
    assert [agent.state for agent in await bare.stores.agents.all()] == ["down"]
    await bare.stores.agents.put_all([status("volume", seen_at=NOW.replace(year=2027))])
    assert [agent.name for agent in await bare.stores.agents.all()] == ["volume"]


async def test_without_agents_everything_stored_is_still_read(site: Site, settings: Settings) -> None:
    await site.stores.agents.put_all([status("trend")])
    async with gateway(settings) as client:
        client.headers["Authorization"] = f"Bearer {site.proofs['viewer']}"
        for path in ("signals", "signals/AAPL", "signals/changes", "signals/breadth", "bars/AAPL", "jobs", "events"):
            assert (await client.get(f"/v1/{path}")).status_code == 200, path
        assert [agent["name"] for agent in (await client.get("/v1/agents")).json()] == ["trend"]
        for path in ("indicators", "indicators/rsi/values?symbol=AAPL", "signals/AAPL/series", "signals/AAPL/reasons"):
            answer = await client.get(f"/v1/{path}")
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True), path
        assert (await client.post("/v1/scans", json={})).status_code == 405
        meta = (await client.get("/v1/meta")).json()
        assert (meta["compute"], meta["api_port"], meta["gateway_port"]) == (False, 8000, 8001)
        ready = await client.get("/readyz")
        parts = {part["name"]: part["ok"] for part in ready.json()["parts"]}
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert parts == {"postgresql": True, "redis": True, "feed": True, "agents": False}


async def test_with_everything_there_it_is_ready(bare: Site) -> None:
    found = await bare.json("/readyz", "anonymous")
    assert found["status"] == "ready"
    assert "market time" in next(part["detail"] for part in found["parts"] if part["name"] == "feed")


async def test_a_process_may_add_numbers_of_its_own_to_its_health(bare: Site) -> None:
    assert await bare.json("/healthz", "anonymous") == {"status": "ok", "vitals": {}}
    bare.app.state.vitals = lambda: {"clients": 3}
    assert (await bare.json("/healthz", "anonymous"))["vitals"] == {"clients": 3}


async def test_it_starts_and_says_what_is_missing_while_no_server_is_up(tmp_path: Path) -> None:
    Home(tmp_path).secrets.mkdir()
    settings = Settings(
        home=tmp_path,
        postgres=PostgresSettings(url=SecretStr("postgresql://nobody@127.0.0.1:1/none"), connect_s=1, read_s=1),
        redis=RedisSettings(url=SecretStr("redis://127.0.0.1:1"), command_s=1),
    )
    async with gateway(settings) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/v1/meta")).status_code == 200
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
        assert {part["name"] for part in ready.json()["parts"] if not part["ok"]} == {
            "postgresql",
            "redis",
            "feed",
            "agents",
        }


@pytest.mark.timeout(120)
async def test_it_recovers_by_itself_when_a_frozen_postgresql_wakes_up(ready_home: Path, redis_url: str) -> None:
    server = EmbeddedPostgres(ready_home)
    try:
        migrate(server.start())
        settings = Settings(
            home=ready_home,
            postgres=PostgresSettings(url=SecretStr(server.url), read_s=1.0),
            redis=RedisSettings(url=SecretStr(redis_url)),
        )
        async with gateway(settings) as client:
            assert (await client.get("/readyz")).status_code == 200
            processes = [
                p for p in psutil.process_iter(["cmdline"]) if str(ready_home) in " ".join(p.info["cmdline"] or [])
            ]
            family = {one.pid: one for top in processes for one in [top, *top.children(recursive=True)]}
            for one in family.values():
                one.send_signal(signal.SIGSTOP)
            try:
                assert (await client.get("/readyz")).status_code == 503
                assert (await client.get("/healthz")).status_code == 200
            finally:
                for one in family.values():
                    one.send_signal(signal.SIGCONT)
            async with asyncio.timeout(60):
                while (await client.get("/readyz")).status_code != 200:
                    pass
    finally:
        server.stop()
