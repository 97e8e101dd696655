"""`python -m benchmarks.http_load PORT PATH TOKEN CONNECTIONS SECONDS`: reads one route over kept connections.

Written on bare sockets and with no parsing but the status line and the length, because it shares the cores with what
it measures. Prints JSON: requests per second, p50 and p99 in milliseconds, statuses.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter


async def one(port: int, request: bytes, ends: float, times: list[float], statuses: Counter[int]) -> None:
    """Ask again as soon as the answer is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began := time.perf_counter()) < ends:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line[:15].lower() == b"content-length:")
        if length:
            await reader.readexactly(length)
        times.append(time.perf_counter() - began)
        statuses[int(lines[0].split()[1])] += 1
    writer.close()


async def main() -> None:
    """Run and print."""
    port, path, token, connections, seconds = sys.argv[1:6]
    head = (f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}", "", "")
    request = "\r\n".join(head).encode()
    times: list[float] = []
    statuses: Counter[int] = Counter()
    began = time.perf_counter()
    ends = began + float(seconds)
    await asyncio.gather(*(one(int(port), request, ends, times, statuses) for _ in range(int(connections))))
    took = time.perf_counter() - began
    times.sort()
    found = {
        "per_s": round(len(times) / took, 1),
        "p50_ms": round(1000 * times[len(times) // 2], 2),
        "p99_ms": round(1000 * times[int(0.99 * (len(times) - 1))], 2),
        "statuses": dict(statuses),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
