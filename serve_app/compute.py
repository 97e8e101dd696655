"""The process that holds everything of Ray: the cluster, agent pools, Serve, the replay and the monitor of agents.

`python -m serve_app.compute --source sample [--replay] [--again]`, a child of `goldensignals up`. It beats only while
the cluster answers, so a Ray that is gone or hangs means a new one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

import structlog

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.home import RAY_TOKEN, Home
from data.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ray.serve import RunTarget

    from cluster.pools import AgentPool
    from data.market.source import Bars
    from data.store.stores import Stores
    from serve_app.orchestrator import Market

_STORES_S = 120.0
_SERVED_S = 300.0
_POLL_S = 0.1
_BEAT_S = 1.0
_LOOK_S = 3.0
_RAY_SILENT = 3  # knocks at the cluster that may fail in a row
_KNOCK_S = 5.0
_TOP = 20

log = structlog.get_logger(__name__)


class Compute:
    """Started, kept alive and stopped by `main`; sync, for the main thread, until it is ready."""

    def __init__(self, settings: Settings, source: str, *, replay: bool, since: float) -> None:
        self._settings, self._source, self._replay, self._since = settings, source, replay, since
        self._home = Home(settings.home)
        self._address = ""

    def run(self, *, again: bool) -> NoReturn:
        """Start, scan once unless this is a restart, announce, and stay. Ends by an exception."""
        from cluster.warm import Warming
        from data.market.source import open_bars
        from serve_app.orchestrator import market_of
        from serve_app.services import wait_for_stores
        from serve_app.stack import Stack

        warming = Warming()  # compiles beside everything that is not arithmetic
        stack = Stack(self._settings, self._home)
        try:
            self._address = stack.start_ray(say=self._say)
            self._say("kernels (compiled at the first start, which takes a minute)")
            warming.wait()
            self._start_agents()
            self._say("bars")  # while the agents start, as everything from here on
            bars = open_bars(self._source)
            market = replace(market_of(bars), source=self._source)  # what other processes open them by
            wait_for_stores(self._home, _STORES_S)
            clock = asyncio.run(self._begin_feed(market, again=again))
            self._serve()
            if not again:
                self._first_scan(bars, clock)  # while the replicas start
            self._wait_until_served()
            asyncio.run(self._stay(market))
        finally:
            warming.stop()
            self._leave()
            stack.stop()
        raise GoldenSignalsError("the compute process ended by itself")

    def _start_agents(self) -> None:
        from agents.registry import roster
        from serve_app.bootstrap import start_pools

        agents = roster()
        self._say(f"{len(agents)} agents x {self._settings.agents.actors} actors")
        start_pools(agents, self._settings, keep=True)  # the orchestrator awaits them

    def _serve(self) -> None:
        from ray import serve
        from ray.serve.config import HTTPOptions

        from serve_app.deployments import APP, application
        from serve_app.logs import quiet_serve

        self._say("orchestrator and API")
        quiet_serve()
        api = self._settings.api
        serve.start(proxy_location="HeadOnly", http_options=HTTPOptions(host=api.host, port=api.port))
        _deploy(serve.RunTarget(application(self._source, self._settings), name=APP, route_prefix="/"))

    def _wait_until_served(self) -> None:
        """Until the API answers; on a cluster elsewhere, until Serve says that it runs."""
        from ray import serve

        from serve_app.deployments import APP

        ends, local = time.monotonic() + _SERVED_S, self._settings.ray.address is None
        while True:
            app = serve.status().applications.get(APP)
            if app is not None and app.status == "RUNNING" and (not local or self._answers()):
                return
            failed = app is not None and app.status == "DEPLOY_FAILED"
            if failed or time.monotonic() > ends:
                reason = app.message.strip().splitlines() if app is not None else []
                raise TemporarilyUnavailable(
                    f"the orchestrator did not start ({reason[-1] if reason else f'not within {_SERVED_S:g} s'}); its "
                    f"log is under {self._home.scratch}/ray/session_latest/logs/serve"
                )
            time.sleep(_POLL_S)

    def _answers(self) -> bool:
        import httpx

        try:
            return httpx.get(
                f"http://{self._settings.api.host}:{self._settings.api.port}/healthz", timeout=_KNOCK_S
            ).is_success
        except httpx.TransportError:
            return False

    def _first_scan(self, bars: Bars, clock: datetime) -> None:
        from data.clock import SystemClock
        from serve_app.cli.output import notes, progress_bar
        from serve_app.cli.render import ScanTable
        from serve_app.scans import ScanRequest, plan_scan, scan_on
        from serve_app.services import Services
        from serve_app.urls import postgres_url

        services = Services(postgres_url(self._settings), ray=True, running=None)
        spec = plan_scan(bars, ScanRequest(as_of=clock.isoformat()))
        with progress_bar("votes") as progress:
            scanned = scan_on(services, self._settings, spec, clock=SystemClock(), progress=progress)
        notes.print(ScanTable(scanned, _TOP, bars.quarantined.summary()))

    async def _begin_feed(self, market: Market, *, again: bool) -> datetime:
        """Announce what is served; returns its market time."""
        from data.clock import SystemClock
        from data.store.stores import open_stores
        from serve_app.replay import feed_at_start
        from serve_app.urls import postgres_url

        async with open_stores(self._settings.postgres, postgres_url(self._settings)) as stores:
            replay = self._settings.replay if self._replay else None
            before, now = await stores.feed.get(), SystemClock().now()
            return (await stores.feed.put(feed_at_start(market, before, replay, now, again=again))).clock

    async def _stay(self, market: Market) -> None:
        """Beat, look after the agents, and play; until cancelled or one of them fails."""
        from ray import serve

        from agents.consensus import ConsensusParams
        from agents.registry import roster
        from cluster.voters import PoolVoters
        from data.clock import SystemClock
        from data.store.stores import open_stores
        from data.stream.redis import open_redis
        from serve_app.bootstrap import open_pools
        from serve_app.deployments import JOBS_APP, jobs_application
        from serve_app.orchestrator import Orchestrator
        from serve_app.replay import Player
        from serve_app.services import ComputeState
        from serve_app.urls import postgres_url, redis_url

        agents, clock = roster(), SystemClock()
        async with AsyncExitStack() as resources:
            stores = await resources.enter_async_context(
                open_stores(self._settings.postgres, postgres_url(self._settings))
            )
            redis = open_redis(redis_url(self._settings), command_s=self._settings.redis.command_s)
            resources.push_async_callback(redis.aclose)
            voters = await open_pools(agents, self._settings, keep=True)
            agent_settings = self._settings.agents
            whole = agent_settings.model_copy(update={"deadline_s": agent_settings.session_deadline_s})
            ComputeState(os.getpid(), self._address).write(self._home)
            _deploy(serve.RunTarget(jobs_application(self._settings), name=JOBS_APP, route_prefix=None))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat())
                group.create_task(self._look(voters.pools, stores))
                if self._replay:
                    orchestrator = Orchestrator(
                        market, agents, PoolVoters(voters.pools, whole), stores, clock, ConsensusParams()
                    )
                    group.create_task(Player(market, orchestrator, stores, redis, clock).run())

    async def _beat(self) -> None:
        import ray
        from ray.exceptions import RayError

        from serve_app.children import Heartbeat

        heartbeat, failed = Heartbeat(self._home, "compute"), 0
        while True:
            try:
                async with asyncio.timeout(_KNOCK_S):
                    await asyncio.to_thread(ray.nodes)  # asks the cluster's control store
                failed = 0
                heartbeat.beat()
            except (RayError, TimeoutError, ConnectionError) as problem:
                failed += 1
                log.warning("ray_does_not_answer", address=self._address, times=failed)
                if failed >= _RAY_SILENT:
                    raise TemporarilyUnavailable(f"the Ray cluster at {self._address} is gone") from problem
            await asyncio.sleep(_BEAT_S)

    async def _look(self, pools: Mapping[str, AgentPool], stores: Stores) -> None:
        from cluster.monitor import Monitor
        from data.clock import SystemClock
        from data.contracts.events import AgentChanged

        clock = SystemClock()
        monitor = Monitor(pools, clock, hung_after_s=self._settings.agents.chunk_deadline_s)
        known: dict[str, tuple[object, int]] = {}
        while True:
            seen = await monitor.look()
            try:
                await stores.agents.put_all(seen)
                for one in seen:
                    assert one.state is not None  # the monitor has just looked
                    if known.get(one.name) != (one.state, one.alive):
                        told = AgentChanged.of(
                            one.name, state=one.state, actors=one.actors, alive=one.alive, at=clock.now()
                        )
                        await stores.events.tell(told)
                        known[one.name] = (one.state, one.alive)
            except TemporarilyUnavailable as problem:
                log.warning("agents_not_written_down", reason=str(problem))
            await asyncio.sleep(_LOOK_S)

    def _leave(self) -> None:
        """On a cluster that is not ours, end what is ours; a local one ends whole."""
        if not self._address or self._settings.ray.address is None:
            return
        from ray import serve
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        from agents.registry import roster
        from cluster.pools import AgentPool
        from serve_app.deployments import APP, JOBS_APP

        try:
            for name in (JOBS_APP, APP):
                serve.delete(name)
            if not serve.status().applications:  # nobody else uses Serve there
                serve.shutdown()  # type: ignore[no-untyped-call]  # Ray's own
            for agent in roster():
                AgentPool.end(agent, self._settings.agents)
        except (RayError, RayServeException, RuntimeError, ConnectionError, TimeoutError) as problem:
            log.warning("not_all_was_ended_on_the_cluster", address=self._address, reason=str(problem))

    def _say(self, text: str) -> None:
        from serve_app.cli.output import say

        say(f"[dim]{time.monotonic() - self._since:5.1f} s[/]  {text}")


def _deploy(target: RunTarget) -> None:
    """Hand an application to Serve and go on; Serve's own waiting looks once a second only."""
    from ray import serve

    serve.run_many([target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)


def main() -> None:
    """Entry point; exit codes as of the command line."""
    parser = argparse.ArgumentParser(prog="serve_app.compute")
    parser.add_argument("--source", required=True)
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--again", action="store_true", help="a restart: no first scan")
    parser.add_argument("--since", type=float, default=time.monotonic())
    words = parser.parse_args()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Ray prints; stdout belongs to the results of our parent
    settings = Settings.load()
    home = Home(settings.home)

    from cluster.connect import prepare_environment
    from serve_app.logs import configure_logging
    from serve_app.proxy import prepare_proxy

    prepare_environment(home.secrets / RAY_TOKEN, local=settings.ray.address is None)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        configure_logging()
        if settings.ray.address is None:
            prepare_proxy(home, settings.api)
        Compute(settings, words.source, replay=words.replay, since=words.since).run(again=words.again)
    except (KeyboardInterrupt, GoldenSignalsError, BaseExceptionGroup) as problem:
        raise SystemExit(_told(problem)) from None


def _told(problem: BaseException) -> int:
    """Say why it ended, where its parent says such things; the exit code. A bug is raised again, with its traceback."""
    causes = list(_causes(problem))
    if any(isinstance(cause, KeyboardInterrupt) for cause in causes):
        return 0
    ours = [cause for cause in causes if isinstance(cause, GoldenSignalsError)]
    if not ours:
        raise problem
    with suppress(BrokenPipeError):
        print(f"goldensignals: {ours[0]}", file=sys.stderr)  # noqa: T201  where its parent's errors are shown
    return ours[0].exit_code


def _causes(problem: BaseException) -> Iterator[BaseException]:
    if isinstance(problem, BaseExceptionGroup):
        for one in problem.exceptions:
            yield from _causes(one)
    else:
        yield problem


if __name__ == "__main__":
    main()
