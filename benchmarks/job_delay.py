"""`python -m benchmarks.job_delay`: how much later live signals come while jobs keep the machine busy.

A system of its own on the sample. Live signals of one symbol are decided one after the other over the API, in turn
without and with scans of the whole sample that are posted as fast as they end. Prints and writes the ratio of the
medians, round by round; the promise is at most 1.2.
"""

from __future__ import annotations

import statistics
import threading
import time
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Samples, machine, write
from tests.cluster.installation import Installation, eventually
from tests.cluster.live import Api, admin_of

_ROUNDS = 5
_ROUND_S = 12.0
_FIRST_DAY = date(2015, 1, 5)


def main() -> None:
    """Run everything, print and write."""
    facts = machine(("ray", "fastapi"))
    with TemporaryDirectory(prefix="gs-bench-") as folder:
        installation = Installation(Path(folder) / "system", AUTH__REQUESTS_PER_MINUTE="1000000")
        try:
            installation.ok("up", "--detach")
            api = Api(installation.port, admin_of(installation))
            _scan(api, _FIRST_DAY)  # starts the actors of jobs
            _live(api, 3.0)
            rounds = [_round(api, number) for number in range(_ROUNDS)]
            api.close()
        finally:
            installation.close()
    ratios = Samples.of([busy / alone for alone, busy, _ in rounds])
    document: dict[str, object] = {
        "machine": facts,
        "what": "POST /v1/signals/AAPL, one after the other, p50 with scans of 505 symbols running over p50 without",
        "ratio": ratios.document(),
        "alone_ms": [round(1000 * alone, 1) for alone, _, _ in rounds],
        "busy_ms": [round(1000 * busy, 1) for _, busy, _ in rounds],
        "scans_done": sum(scans for _, _, scans in rounds),
    }
    print(document)
    print(write("job_delay", document))


def _round(api: Api, number: int) -> tuple[float, float, int]:
    alone = _live(api, _ROUND_S)
    stop, done = threading.Event(), 0

    def scans() -> None:
        nonlocal done
        day = _FIRST_DAY + timedelta(days=1 + 100 * number)
        while not stop.is_set():
            if day.weekday() < 5:
                done += _scan(api, day)
            day += timedelta(days=1)

    busy = threading.Thread(target=scans)
    busy.start()
    time.sleep(1.0)  # the first one is under way
    loaded = _live(api, _ROUND_S)
    stop.set()
    busy.join()
    return alone, loaded, done


def _live(api: Api, seconds: float) -> float:
    """Median time of one decision, in seconds."""
    times, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.perf_counter()
        answer = api.raw("POST", "/v1/signals/AAPL")
        assert answer.is_success, answer.text
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _scan(api: Api, day: date) -> int:
    """Post a scan and wait for its end; 0 for a day without a session."""
    answer = api.raw("POST", "/v1/scans", json={"as_of": day.isoformat()})
    if not answer.is_success:
        return 0

    def ended() -> Any:
        found = api.get(f"/v1/jobs/{answer.json()['job_id']}")
        return found["state"] in ("done", "failed") and found

    return int(eventually("the end of a scan", ended, within_s=120)["state"] == "done")


if __name__ == "__main__":
    main()
