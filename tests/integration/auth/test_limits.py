"""Rate limits over HTTP, and what becomes of them when Redis dies, hangs and comes back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from data.clock import ManualClock
from data.contracts.errors import TooMany
from data.embedded.redis import EmbeddedRedis
from data.settings import AuthSettings, Settings
from serve_app.auth.access import Permission
from serve_app.limits import Limiter
from tests.integration.auth.site import Site, bearer, build
from tests.integration.people import PASSWORD

FEW = AuthSettings(login_per_minute=3, requests_per_minute=5)


@pytest_asyncio.fixture
async def strict(site: Site, settings: Settings, redis_url: str) -> AsyncIterator[Site]:
    """The same site with limits that are soon reached."""
    limiter = Limiter(redis_url, FEW, site.clock)
    services = replace(site.services, limiter=limiter)
    yield replace(site, services=services, app=build(settings, services))
    await limiter.close()


@pytest_asyncio.fixture
async def limiter(own_redis: EmbeddedRedis, clock: ManualClock) -> AsyncIterator[Limiter]:
    made = Limiter(own_redis.url, FEW, clock)
    yield made
    await made.close()


async def passed(limiter: Limiter, caller: str, times: int) -> int:
    """How many of so many requests are let through."""
    done = 0
    for _ in range(times):
        try:
            await limiter.request(caller, "GET /v1/signals")
        except TooMany:
            continue
        done += 1
    return done


async def test_a_caller_is_told_what_is_left_and_stopped_at_the_limit(strict: Site) -> None:
    login = bearer(await strict.login("viewer"))
    async with strict.client() as client:
        answers = [await client.get("/v1/auth/me", headers=login) for _ in range(7)]
        other_route = await client.get("/v1/keys", headers=login)
        other_user = await client.get("/v1/auth/me", headers=bearer(await strict.login("trader")))
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"requests";q=5;w=60'}
    left = [answer.headers["ratelimit"].split(";")[1] for answer in answers]
    assert left == ["r=4", "r=3", "r=2", "r=1", "r=0", "r=0", "r=0"]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert (other_route.status_code, other_user.status_code) == (200, 200)


async def test_a_key_spends_its_owners_allowance(strict: Site) -> None:
    keys = [await strict.accounts.add_key("viewer", f"k{n}", [Permission.READ], expires_in_days=1) for n in range(3)]
    async with strict.client() as client:
        answers = [await client.get("/v1/auth/me", headers=bearer(key.text)) for key in keys for _ in range(3)]
    assert [answer.status_code for answer in answers].count(200) == 5


async def test_guessing_is_stopped_by_name_and_by_address(strict: Site) -> None:
    async with strict.client(address="198.51.100.1") as one, strict.client(address="198.51.100.2") as two:
        wrong = {"username": "viewer", "password": "wrong"}
        statuses = [(await one.post("/v1/auth/token", data=wrong)).status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        right = {"username": "VIEWER", "password": PASSWORD}
        assert (await two.post("/v1/auth/token", data=right)).status_code == 429
        other = {"username": "trader", "password": PASSWORD}
        assert (await one.post("/v1/auth/token", data=other)).status_code == 429
        assert (await two.post("/v1/auth/token", data=other)).status_code == 200


async def test_an_address_is_believed_from_a_proxy_on_this_machine_only(strict: Site) -> None:
    async def attempts(address: str, told: str) -> list[int]:
        async with strict.client(address=address) as client:
            return [
                (
                    await client.post(
                        "/v1/auth/token",
                        data={"username": f"{address}-{number}", "password": "x"},
                        headers={"X-Forwarded-For": f"{number}.1.1.1, {told.format(number)}"},
                    )
                ).status_code
                for number in range(1, 6)
            ]

    assert await attempts("198.51.100.7", "10.0.0.{}") == [401, 401, 401, 429, 429]
    assert await attempts("127.0.0.1", "10.0.0.{}") == [401] * 5
    assert await attempts("::1", "10.9.9.9") == [401, 401, 401, 429, 429]
    assert await attempts("127.0.0.1", "nonsense") == [401] * 5


async def test_limits_go_on_in_the_process_when_redis_is_killed_and_return_to_it(
    limiter: Limiter, own_redis: EmbeddedRedis, clock: ManualClock
) -> None:
    assert await passed(limiter, "before", 10) == 5
    assert own_redis.pid is not None
    os.kill(own_redis.pid, signal.SIGKILL)
    began = time.monotonic()
    assert await passed(limiter, "during", 10) == 5
    assert time.monotonic() - began < 1
    own_redis.stop()
    own_redis.start()
    assert await passed(limiter, "during", 3) == 0
    clock.set(clock.now() + timedelta(seconds=2))
    assert await passed(limiter, "after", 10) == 5
    second = Limiter(own_redis.url, FEW, clock)  # another process: it sees what the first counted in Redis
    assert await passed(second, "after", 3) == 0
    await second.close()


async def test_a_redis_that_hangs_costs_a_request_a_tenth_of_a_second_and_only_once(
    limiter: Limiter, own_redis: EmbeddedRedis, clock: ManualClock
) -> None:
    assert await passed(limiter, "a", 1) == 1
    assert own_redis.pid is not None
    os.kill(own_redis.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert await passed(limiter, "b", 1) == 1
        first = time.monotonic() - began
        began = time.monotonic()
        assert await passed(limiter, "c", 5) == 5
        rest = time.monotonic() - began
        clock.set(clock.now() + timedelta(seconds=2))
        began = time.monotonic()
        await asyncio.gather(*(limiter.request(f"d{n}", "r") for n in range(20)))
        probed = time.monotonic() - began
    finally:
        os.kill(own_redis.pid, signal.SIGCONT)
    assert 0.05 < first < 0.5  # a tenth, and room for a busy machine
    assert rest < first
    assert probed < 0.5


@pytest.mark.parametrize("name", ["", "x" * 1_000_000, "\x00", "\ud800", "a b\r\nFLUSHALL\r\n"])
async def test_any_name_can_be_counted(limiter: Limiter, name: str) -> None:
    for _ in range(3):
        await limiter.login(name, None)
    with pytest.raises(TooMany) as refused:
        await limiter.login(name, None)
    assert 1 <= int(str(refused.value.facts["retry_after_s"])) <= 60


def test_the_clock_of_these_tests_is_near_the_machines(clock: ManualClock) -> None:
    """The limits count in real seconds; what is left is told in seconds from the clock."""
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60
