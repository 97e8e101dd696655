"""Scans that clients post: one job a specification, run by a worker that may die, cancelled when somebody says so."""

import hashlib
import signal
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cluster.installation import Installation, eventually, send
from tests.cluster.live import Api, admin_of

_DONE_S = 120.0
_SYMBOLS = "AAPL,GE,MSFT,NFLX,TRV"


@pytest.fixture(scope="module")
def api(system: Installation) -> Iterator[Api]:
    opened = Api(system.port, admin_of(system))
    yield opened
    opened.close()


def post(api: Api, **spec: Any) -> dict[str, Any]:
    answer = api.raw("POST", "/v1/scans", json=spec)
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def ended(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it has come to an end."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = api.get(f"/v1/jobs/{job['job_id']}")
        return found if found["state"] in ("done", "failed", "cancelled") else None

    return eventually("an end of the job", look, within_s=_DONE_S)


def test_a_posted_scan_has_the_signals_of_the_command_line(system: Installation, api: Api) -> None:
    job = ended(api, post(api, universe=_SYMBOLS, as_of="2017-06-01"))
    assert job["state"] == "done"
    assert job["done"] == job["total"] == 25
    result = api.get(f"/v1/scans/{job['job_id']}/result")
    typed = system.ok("scan", "--universe", _SYMBOLS, "--as-of", "2017-06-01", "--json").document
    ids = [(s["symbol"], s["signal_id"], s["input_hash"], s["score"]) for s in typed["signals"]]
    assert [(s["symbol"], s["signal_id"], s["input_hash"], s["score"]) for s in result["signals"]] == ids
    assert result["as_of"].startswith("2017-06-01")


def test_the_same_specification_is_the_same_job_whoever_posts_it_and_however_often(api: Api) -> None:
    spec = {"universe": _SYMBOLS, "as_of": "2017-06-02"}
    first = post(api, **spec)
    second = post(api, universe="TRV,NFLX,MSFT,GE,AAPL", as_of="2017-06-02", agents=None)
    assert ended(api, first)["state"] == "done"
    third = api.raw("POST", "/v1/scans", json=spec)
    assert third.status_code == 200
    assert third.json()["job_id"] == first["job_id"]
    assert second["job_id"] in (first["job_id"], second["job_id"])


def test_a_finished_scan_is_exported_in_every_format_with_the_same_signals(api: Api) -> None:
    job = ended(api, post(api, universe=_SYMBOLS, as_of="2017-06-05"))
    path = f"/v1/scans/{job['job_id']}/result"
    symbols = [s["symbol"] for s in api.get(path)["signals"]]
    for name, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet), ("arrow", pl.read_ipc)):
        answer = api.raw("GET", path, params={"format": name})
        assert answer.status_code == 200
        assert read(BytesIO(answer.content))["symbol"].to_list() == symbols


def test_a_scan_is_compared_with_the_one_before_it(api: Api) -> None:
    older = ended(api, post(api, universe=_SYMBOLS, as_of="2017-05-01"))
    newer = ended(api, post(api, universe=_SYMBOLS, as_of="2017-07-03"))
    found = api.get(f"/v1/scans/{newer['job_id']}/difference", against=older["job_id"])
    old, new = (
        {s["symbol"]: s["action"] for s in api.get(f"/v1/scans/{job['job_id']}/result")["signals"]}
        for job in (older, newer)
    )
    differing = {symbol for symbol in old if old[symbol] != new[symbol]}
    assert {c["symbol"] for c in found["changed"] + found["new"] + found["gone"]} == differing
    assert found["kept"] == len(old) - len(differing)


def test_bars_are_uploaded_once_and_scanned(api: Api, few_bars: Path) -> None:
    body = few_bars.read_bytes()
    data_hash = hashlib.sha256(body).hexdigest()
    first = api.raw("PUT", f"/v1/bars/{data_hash}", content=body)
    again = api.raw("PUT", f"/v1/bars/{data_hash}", content=body)
    assert first.status_code in (200, 201), first.text
    assert again.status_code == 200
    job = ended(api, post(api, bars=data_hash))
    assert job["state"] == "done", job["error"]
    symbols = pl.read_parquet(few_bars)["symbol"].unique().sort().to_list()
    result = api.get(f"/v1/scans/{job['job_id']}/result")
    assert sorted([s["symbol"] for s in result["signals"]] + list(result["skipped"])) == symbols


def test_a_cancelled_scan_stores_nothing(system: Installation, api: Api) -> None:
    job = post(api, as_of="2016-03-01")
    answer = api.raw("POST", f"/v1/jobs/{job['job_id']}/cancel")
    assert answer.status_code == 200, answer.text
    assert ended(api, job)["state"] == "cancelled"
    assert ended(api, post(api, universe="AAPL", as_of="2016-03-02"))["state"] == "done"  # the worker goes on
    ((stored,),) = system.rows("SELECT count(*) FROM signal WHERE as_of::date = '2016-03-01'")
    assert stored == 0


def test_a_scan_survives_the_death_of_its_worker(system: Installation, api: Api) -> None:
    job = post(api, as_of="2016-04-01")
    eventually("a running job", lambda: api.get(f"/v1/jobs/{job['job_id']}")["state"] != "queued", within_s=_DONE_S)
    name = "ray::ServeReplica:goldensignals-jobs:jobs"
    for process in [p for p in system.processes() if p.cmdline() and p.cmdline()[0].startswith(name)]:
        send(process.pid, signal.SIGKILL)
    assert ended(api, job)["state"] == "done"
    ((stored,),) = system.rows("SELECT count(*) FROM signal WHERE as_of::date = '2016-04-01'")
    assert stored == len(api.get(f"/v1/scans/{job['job_id']}/result")["signals"])
    system.counted()


def test_a_specification_that_cannot_be_scanned_is_refused_before_it_is_queued(api: Api) -> None:
    for spec, word in (
        ({"universe": "AAPL,NOSUCH"}, "NOSUCH"),
        ({"agents": ["astrology"]}, "astrology"),
        ({"as_of": "1999-01-04"}, "2013-02-08"),
        ({"bars": "0" * 64}, "0" * 8),
    ):
        answer = api.raw("POST", "/v1/scans", json=spec)
        assert answer.status_code in (404, 422), answer.text
        assert word in answer.json()["detail"]
