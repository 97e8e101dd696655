"""A scan is asked for once, is one job, and is read as a result and as a difference."""

import io
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from data.market.source import SAMPLE
from data.store.jobs import Job
from tests.integration.api.conftest import SYMBOLS
from tests.integration.api.site import Site, feed_of


async def queue(site: Site, caller: str = "trader", **wanted: Any) -> Job:
    async with site.client(caller) as client:
        answer = await client.post("/v1/scans", json=wanted)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/scans/{answer.json()['job_id']}"
    job = await site.stores.jobs.get(answer.json()["job_id"])
    assert job is not None
    return job


async def test_what_is_left_open_is_filled_in_from_the_feed(bare: Site) -> None:
    job = await queue(bare)
    agents = sorted(agent.name for agent in await bare.compute.agents())
    assert job.spec == {
        "source": "feed",
        "data_hash": bare.bars.panel.content_hash,
        "universe": None,  # every symbol of these bars
        "agents": agents,
        "as_of": bare.sessions[-4].isoformat(),
    }
    assert (job.owner, job.priority, job.state, job.total) == ("trader", 5, "queued", 8 * len(agents))


async def test_the_same_scan_in_other_words_is_the_same_job(bare: Site) -> None:
    first = await queue(bare, universe="AAPL,KO", agents=["trend", "volume"])
    clock = bare.sessions[-4]
    in_other_words: list[dict[str, Any]] = [
        {"universe": "KO, AAPL", "agents": ["volume", "trend"]},
        {"universe": "AAPL,KO,AAPL", "agents": ["trend", "volume"], "priority": 9},
        {"universe": " AAPL,KO ", "agents": ["trend", "volume", "trend"], "as_of": f"{clock + timedelta(hours=3)}"},
        {"universe": "AAPL,KO", "agents": ["trend", "volume"], "as_of": clock.date().isoformat()},
    ]
    for words in in_other_words:
        assert (await queue(bare, caller="admin", **words)).job_id == first.job_id
    listed = (await bare.json("/v1/scans"))["items"]
    assert [(job["job_id"], job["owner"]) for job in listed] == [(first.job_id, "trader")]


async def test_on_the_sample_no_universe_is_the_sp500(bare: Site) -> None:
    await bare.stores.feed.put(feed_of(bare.bars, SAMPLE, bare.sessions[-4]))
    first = await queue(bare, agents=["trend"])
    assert first.spec["universe"] == "@sp500"
    again = await queue(bare, universe="@sp500", agents=["trend"])
    assert (again.job_id, again.total) == (first.job_id, first.total)


async def test_a_scan_that_cannot_be_run_is_refused_with_what_to_do(bare: Site) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"universe": "AAPLE"}, "did you mean AAPL"),
        ({"universe": "@russell"}, "no universe @russell"),
        ({"universe": " , "}, "no symbol was given"),
        ({"universe": "/etc/passwd"}, "no symbol '/etc/passwd'"),
        ({"universe": "pyproject.toml"}, "no symbol"),
        ({"agents": ["trend", "astrology"]}, "no agent astrology"),
        ({"agents": []}, "leave `agents` out"),
        ({"as_of": "yesterday"}, "no date"),
        ({"as_of": "2016-01-04"}, "choose a later as_of"),
        ({"bars": "0" * 64}, "PUT /v1/bars/"),
        ({"bars": "not a hash"}, "pattern"),
        ({"priority": 11}, "priority"),
        ({"universes": "AAPL"}, "universes"),
    ]
    async with bare.client("trader") as client:
        for wanted, said in cases:
            answer = await client.post("/v1/scans", json=wanted)
            assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), wanted
            assert said in answer.text
    assert await bare.stores.jobs.listing() == []


async def test_a_finished_scan_is_read_strongest_first_and_as_a_file(bare: Site) -> None:
    job = await queue(bare)
    waiting = await bare.get(f"/v1/scans/{job.job_id}/result")
    assert (waiting.status_code, "wait until it is done" in waiting.json()["detail"]) == (409, True)
    await bare.work(job)
    shown = await bare.json(f"/v1/scans/{job.job_id}")
    assert (shown["state"], shown["done"], shown["total"]) == ("done", job.total, job.total)
    result = await bare.json(f"/v1/scans/{job.job_id}/result")
    assert sorted(row["symbol"] for row in result["signals"]) == list(SYMBOLS)
    strengths = [row["strength"] for row in result["signals"]]
    assert strengths == sorted(strengths, reverse=True)
    assert result["signals"][0] == await bare.json(f"/v1/signals/{result['signals'][0]['symbol']}")
    for kind, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet), ("arrow", pl.read_ipc)):
        answer = await bare.get(f"/v1/scans/{job.job_id}/result", format=kind)
        assert read(io.BytesIO(answer.content))["signal_id"].to_list() == [s["signal_id"] for s in result["signals"]]


async def test_a_scan_that_was_done_is_answered_at_once(bare: Site) -> None:
    job = await queue(bare, universe="KO")
    await bare.work(job)
    async with bare.client("trader") as client:
        answer = await client.post("/v1/scans", json={"universe": "KO"})
    assert (answer.status_code, answer.json()["job_id"], answer.json()["state"]) == (200, job.job_id, "done")


async def test_a_difference_is_to_the_last_finished_scan_of_the_universe(bare: Site) -> None:
    days = [session.date().isoformat() for session in bare.sessions[-6:-3]]
    jobs = [await bare.work(await queue(bare, as_of=day)) for day in days]
    await bare.work(await queue(bare, universe="KO", as_of=days[0]))
    found = await bare.json(f"/v1/scans/{jobs[2].job_id}/difference")
    assert found["against"] == jobs[1].job_id
    now, was = [
        {row["symbol"]: row for row in (await bare.json(f"/v1/scans/{job.job_id}/result"))["signals"]}
        for job in (jobs[2], jobs[1])
    ]
    changed = {symbol for symbol in now if now[symbol]["action"] != was[symbol]["action"]}
    assert {row["symbol"] for row in found["changed"]} == changed
    assert (found["new"], found["gone"], found["kept"]) == ([], [], 8 - len(changed))
    far = await bare.json(f"/v1/scans/{jobs[2].job_id}/difference", against=jobs[0].job_id)
    assert far["against"] == jobs[0].job_id
    assert (await bare.get(f"/v1/scans/{jobs[0].job_id}/difference")).status_code == 404


async def test_a_symbol_that_only_one_scan_has_is_new_or_gone(bare: Site) -> None:
    small = await bare.work(await queue(bare, universe="KO,PG"))
    large = await bare.work(await queue(bare, universe="AAPL,KO"))
    found = await bare.json(f"/v1/scans/{large.job_id}/difference", against=small.job_id)
    assert [row["symbol"] for row in found["new"]] == ["AAPL"]
    assert [(row["symbol"], row["now"]) for row in found["gone"]] == [("PG", None)]
    assert (found["changed"], found["kept"]) == ([], 1)


async def test_a_scan_of_the_command_line_is_listed_but_kept_no_list(bare: Site) -> None:
    other = await bare.stores.jobs.start("scan", {"cli": 1}, owner="local", priority=5, total=1, lease_s=60)
    await bare.stores.jobs.finish(other.fence, {"signals": 5, "new": 5, "skipped": 0})
    answer = await bare.get(f"/v1/scans/{other.job_id}/result")
    assert (answer.status_code, "kept no list" in answer.json()["detail"]) == (409, True)
    assert [job["owner"] for job in (await bare.json("/v1/scans"))["items"]] == ["local"]


async def test_only_its_owner_or_an_admin_cancels_a_job(bare: Site) -> None:
    job = await queue(bare, caller="admin")
    async with bare.client("trader") as trader, bare.client("admin") as admin:
        refused = await trader.post(f"/v1/jobs/{job.job_id}/cancel")
        assert (refused.status_code, "permission admin" in refused.json()["detail"]) == (403, True)
        answer = await admin.post(f"/v1/jobs/{job.job_id}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        assert (await admin.post(f"/v1/jobs/{'0' * 32}/cancel")).status_code == 404
    again = await queue(bare)
    assert (again.job_id, again.state) == (job.job_id, "queued")


async def test_jobs_are_listed_by_state_and_kind_page_by_page(bare: Site) -> None:
    queued = [await queue(bare, universe=symbol) for symbol in SYMBOLS[:5]]
    await bare.stores.jobs.cancel(queued[2].job_id)
    newest_first = [job.job_id for job in reversed(queued)]
    for path in ("/v1/jobs", "/v1/scans"):
        listed: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = await bare.json(path, limit=2, **after)
            listed += [job["job_id"] for job in page["items"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert listed == newest_first
    cancelled = await bare.json("/v1/jobs", state="cancelled", kind="scan")
    assert [job["job_id"] for job in cancelled["items"]] == [queued[2].job_id]
    assert (await bare.json("/v1/jobs", kind="sweep"))["items"] == []


async def test_a_running_job_says_how_fast_it_is_and_when_it_may_end(bare: Site) -> None:
    job = await queue(bare)
    assert [(await bare.json(f"/v1/jobs/{job.job_id}"))[name] for name in ("rate", "eta_s")] == [None, None]
    claimed = await bare.stores.jobs.claim(["scan"], lease_s=60)
    assert claimed is not None
    await bare.stores.jobs.progress(claimed.fence, job.total // 2)
    shown = await bare.json(f"/v1/jobs/{job.job_id}")
    assert shown["rate"] > 0
    assert shown["eta_s"] == pytest.approx(job.total / 2 / shown["rate"])
