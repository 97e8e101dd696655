"""A client of the websocket that counts: what it received, and whether anything came twice, late or not at all.

Usage: count_stream.py API_URL GATEWAY_URL USER OUT [ROOM]   (the password comes on stdin)
It knows the documented protocol only and imports nothing of this project. It logs in, follows ROOM (default: signals),
comes back with its cursor whenever it is cut off, writes what it has to OUT twice a second, and ends with SIGTERM.
"""

import asyncio
import json
import random
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import websockets

_PAUSE_S = 0.2
_ANSWER_S = 5.0


class Count:
    """Everything seen so far, in order of arrival."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.cursor: int | None = None
        self.seqs: list[int] = []
        self.ids: list[str] = []
        self.gaps_in_n = 0
        self.connects = 0
        self.snapshots = 0
        self.silences: list[float] = []  # seconds between being cut off and the next subscription
        self.ready = False

    def write(self) -> None:
        """The state as JSON, in one piece."""
        twice = len(self.ids) - len(set(self.ids))
        backwards = sum(b <= a for a, b in zip(self.seqs, self.seqs[1:], strict=False))
        found = {
            "ready": self.ready,
            "cursor": self.cursor,
            "received": len(self.ids),
            "ids": self.ids,
            "twice": twice,
            "backwards": backwards,
            "gaps_in_n": self.gaps_in_n,
            "connects": self.connects,
            "snapshots": self.snapshots,
            "silences": self.silences,
        }
        draft = self._out.with_suffix(".draft")
        draft.write_text(json.dumps(found))
        draft.replace(self._out)


def ask(url: str, form: dict[str, str] | None, token: str | None) -> dict[str, Any]:
    """POST a form; the answer as JSON."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = urllib.parse.urlencode(form or {}).encode()
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310  a URL of the caller
    with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found


async def follow(count: Count, api: str, gateway: str, user: str, password: str, room: str) -> None:
    """Connect again and again; only being stopped ends it."""
    token: str | None = None
    lost: float | None = None
    while True:
        try:
            if token is None:
                form = {"username": user, "password": password}
                token = (await asyncio.to_thread(ask, f"{gateway}/v1/auth/token", form, None))["access_token"]
            ticket = (await asyncio.to_thread(ask, f"{gateway}/v1/auth/ticket", None, token))["ticket"]
            where = gateway.replace("http", "ws", 1) + "/ws"
            async with websockets.connect(where, open_timeout=_ANSWER_S, ping_interval=None) as line:
                await line.send(json.dumps({"type": "auth", "ticket": ticket}))
                await line.send(json.dumps({"type": "subscribe", "rooms": [room], "cursor": count.cursor}))
                count.connects += 1
                n = 0
                async for text in line:
                    frame = json.loads(text)
                    count.gaps_in_n += frame["n"] != n + 1
                    n = frame["n"]
                    if frame["type"] == "subscribed":
                        count.ready = True
                        count.snapshots += not frame["data"]["recovered"] and count.cursor is not None
                        if lost is not None:
                            count.silences.append(round(time.monotonic() - lost, 3))
                            lost = None
                    if frame["type"] == "events":
                        for event in frame["data"]:
                            count.seqs.append(event["seq"])
                            count.ids.append(event["body"]["event_id"])
                    if frame["type"] == "ping":
                        await line.send(json.dumps({"type": "pong"}))
                    if frame["cursor"] is not None:
                        count.cursor = frame["cursor"]
        except urllib.error.HTTPError as problem:
            token = None if problem.code == 401 else token
        except (OSError, websockets.WebSocketException, TimeoutError, ValueError):
            pass  # cut off, or not there yet: try again below
        lost = lost or time.monotonic()
        await asyncio.sleep(_PAUSE_S * (1 + random.random()))


async def main() -> None:
    """Run until SIGTERM."""
    api, gateway, user, out = sys.argv[1:5]
    room = sys.argv[5] if len(sys.argv) > 5 else "signals"
    password = sys.stdin.readline().strip()
    count = Count(Path(out))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    following = asyncio.create_task(follow(count, api, gateway, user, password, room))
    while not stop.is_set():
        count.write()
        try:
            await asyncio.wait_for(stop.wait(), 0.5)
        except TimeoutError:
            continue
    following.cancel()
    count.write()


if __name__ == "__main__":
    asyncio.run(main())
