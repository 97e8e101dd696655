"""`python -m benchmarks.recovery`: what stands still, and for how long, when a part dies or freezes during a replay.

A system of its own plays two sessions a second. Each part is killed (and, where a supervisor of ours looks after it,
frozen), while an independent client counts what the stream brings and another asks the API twenty times a second.
Writes `results/recovery.json`; the table in `docs/recovery.md` is made from it.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import polars as pl

from benchmarks.measure import machine, write
from data.market.sample import BARS, path_of
from tests.cluster.installation import Installation, frozen, send
from tests.cluster.live import VICTIMS, Admin, Api, Listener, admin_of

_SYMBOLS = ["AAPL", "GE", "KO", "MSFT", "XOM"]
_BEFORE_S, _LONGEST_S, _CALM_S = 4.0, 90.0, 8.0
_FREEZE_S = 8.0
_ASK_EVERY_S = 0.05
_FROZEN = ("relay", "gateway", "Redis", "PostgreSQL")


def main() -> None:
    """Run everything, print and write."""
    facts = machine(("ray", "redis", "psycopg", "uvicorn"))
    with TemporaryDirectory(prefix="gs-bench-") as place:
        folder = Path(place)
        bars = folder / "few.parquet"
        pl.read_parquet(path_of(BARS)).filter(pl.col("symbol").is_in(_SYMBOLS)).write_parquet(bars)
        installation = Installation(
            folder / "system",
            AGENTS__ACTORS="1",
            REPLAY__SESSION_S="0.5",
            REPLAY__SESSIONS="1200",
            AUTH__LOGIN_PER_MINUTE="1000",
            AUTH__REQUESTS_PER_MINUTE="1000000",
            AUTH__ACCESS_MINUTES="120",
        )
        try:
            installation.ok("up", "--detach", "--source", f"replay:{bars}")
            admin = admin_of(installation)
            cases = [(victim, "killed") for victim in VICTIMS] + [(victim, "frozen") for victim in _FROZEN]
            rows = [_case(installation, admin, folder, victim, how) for victim, how in cases]
        finally:
            installation.close()
    print(write("recovery", {"machine": facts, "frozen_s": _FREEZE_S, "rows": rows}))


def _case(installation: Installation, admin: Admin, folder: Path, victim: str, how: str) -> dict[str, Any]:
    out = folder / f"{victim}-{how}.json".replace(" ", "-")
    listener = Listener(installation, admin, out)
    api = Api(installation.port, admin)
    token = str(api.raw("GET", "/v1/auth/me").request.headers["Authorization"])
    api.close()
    found = asyncio.run(_watch(installation, listener, token, victim, how))
    seen = listener.stop()
    counted = installation.counted()
    row = {
        "part": victim,
        "how": how,
        **found,
        "lost_or_twice": seen["twice"] + seen["backwards"] + seen["gaps_in_n"] + seen["snapshots"],
        "signals_counted": counted["signals"],
    }
    print(row)
    return row


async def _watch(
    installation: Installation, listener: Listener, token: str, victim: str, how: str
) -> dict[str, float | None]:
    """Seconds without a new signal at the client, and without a good answer of the API, after the fault."""
    ends: list[float] = []  # when the API answered well
    stop = asyncio.Event()

    async def ask() -> None:
        url = f"http://127.0.0.1:{installation.port}/v1/signals/AAPL"
        async with httpx.AsyncClient(headers={"Authorization": token}, timeout=2.0) as client:
            while not stop.is_set():
                try:
                    if (await client.get(url)).status_code == 200:
                        ends.append(time.monotonic())
                except httpx.HTTPError:
                    pass  # counted as silence
                await asyncio.sleep(_ASK_EVERY_S)

    arrivals: list[float] = []

    async def receive() -> None:
        known = 0
        while not stop.is_set():
            now = await asyncio.to_thread(lambda: listener.seen["received"])
            if now != known:
                known = now
                arrivals.append(time.monotonic())
            await asyncio.sleep(_ASK_EVERY_S)

    tasks = [asyncio.create_task(ask()), asyncio.create_task(receive())]
    await asyncio.sleep(_BEFORE_S)
    process = VICTIMS[victim](installation)
    fault = time.monotonic()
    if how == "killed":
        send(process.pid, signal.SIGKILL)
    else:
        with frozen(process.pid):
            await asyncio.sleep(_FREEZE_S)
    while time.monotonic() < fault + _LONGEST_S:
        calm = time.monotonic() - _CALM_S
        if calm > fault and _gap(ends, calm) < 2.0 and _gap(arrivals, calm) < 3.0:
            break
        await asyncio.sleep(0.5)
    stop.set()
    await asyncio.gather(*tasks)
    return {"stream_silent_s": _silence(arrivals, fault), "api_silent_s": _silence(ends, fault)}


def _gap(moments: list[float], since: float) -> float:
    """The longest pause since a moment, until now."""
    inside = [since, *(m for m in moments if m > since), time.monotonic()]
    return max(b - a for a, b in itertools.pairwise(inside))


def _silence(moments: list[float], fault: float) -> float | None:
    """The longest pause that began at or after the last sign before the fault; null when there was no sign again."""
    last = max((m for m in moments if m <= fault), default=fault)
    after = [last, *(m for m in moments if m > last)]
    if len(after) < 2:
        return None
    return round(max(b - a for a, b in itertools.pairwise(after)), 2)


if __name__ == "__main__":
    main()
