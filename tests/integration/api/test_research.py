"""Research over REST: asked once, one job, answered by a worker, read as a run with tables."""

import asyncio
import io
import json
from typing import Any

import polars as pl
import pytest
from httpx import Response

import goldensignals as gs
from data.clock import SystemClock
from data.market.archive import hash_of
from data.store.jobs import Job
from serve_app.worker import JobWorker
from tests.integration.api.conftest import SYMBOLS
from tests.integration.api.site import Site

GUARD_S = 60.0
CROSS = {"strategy": "sma_cross", "params": {"fast": 5, "slow": 20}, "rules": {"fees": "5bps"}}
SWEEP = {
    "strategy": "sma_cross",
    "grid": {"fast": "5:9", "slow": [20, 30]},
    "symbols": "KO,AAPL",
    "rules": {"fees": 0.0005},
}
WALK = {**SWEEP, "train": 120, "test": 60, "purge": 2}
RANGES = {"strategy": "sma_cross", "grid": {"fast": "2:400", "slow": "2:400"}}


async def post(site: Site, path: str, wanted: Any, caller: str = "trader") -> Response:
    async with site.client(caller) as client:
        return await client.post(f"/v1/{path}", json=wanted)


async def queued(site: Site, path: str, wanted: Any, caller: str = "trader") -> str:
    """The id of the job that a question became."""
    answer = await post(site, path, wanted, caller)
    assert answer.status_code == 202, answer.text
    job_id = str(answer.json()["job_id"])
    assert answer.headers["location"].endswith(f"/{job_id}")
    return job_id


async def worked(site: Site, *job_ids: str) -> list[Job]:
    """These jobs once a worker has ended them."""
    worker = JobWorker(site.services.settings, site.stores, SystemClock())
    working = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(GUARD_S):
            while True:
                jobs = [await site.stores.jobs.get(job_id) for job_id in job_ids]
                if all(job is not None and job.state in ("done", "failed", "cancelled") for job in jobs):
                    return [job for job in jobs if job is not None]
                await asyncio.sleep(0.02)
    finally:
        working.cancel()


async def run_id(site: Site, path: str, wanted: Any) -> str:
    """The run that answers a question."""
    (job,) = await worked(site, await queued(site, path, wanted))
    assert (job.state, job.error) == ("done", None)
    assert job.result is not None
    return str(job.result["result_id"])


async def test_strategies_are_described_with_their_parameters(bare: Site) -> None:
    listed = await bare.json("/v1/strategies")
    assert [one["name"] for one in listed] == sorted(one["name"] for one in listed)
    cross = next(one for one in listed if one["name"] == "sma_cross")
    assert [param["name"] for param in cross["params"]] == ["fast", "slow"]
    assert (cross["params"][0]["kind"], cross["params"][0]["whole"], cross["where"]) == ("number", True, "fast < slow")
    assert set(cross["rules"]) == {"enter", "exit"}
    assert all(param["low"] is None or param["low"] > -1e300 for one in listed for param in one["params"])


async def test_the_same_question_in_other_words_is_the_same_job(bare: Site) -> None:
    first = await queued(bare, "sweeps", SWEEP)
    in_other_words = [
        {**SWEEP, "symbols": " AAPL, KO,AAPL", "priority": 1},
        {**SWEEP, "grid": {"fast": [5, 6, 7, 8], "slow": "20,30"}},
        {**SWEEP, "rules": {"fees": "5bps", "slippage": None}},
    ]
    for wanted in in_other_words:
        assert await queued(bare, "sweeps", wanted, "admin") == first
    (job,) = (await bare.json("/v1/sweeps"))["items"]
    assert (job["job_id"], job["kind"], job["owner"], job["priority"]) == (first, "sweep", "trader", 4)
    assert (job["title"], job["total"], job["result_id"]) == ("sma_cross on AAPL,KO", 8, None)
    assert (await bare.json("/v1/backtests"))["items"] == []
    assert (await bare.get(f"/v1/backtests/{first}")).status_code == 404


async def test_what_cannot_be_asked_is_refused_at_once_with_what_to_do(bare: Site) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("backtests", {"strategy": "sma_corss"}, "did you mean sma_cross"),
        ("backtests", {"strategy": "../secrets.yaml"}, "pattern"),
        ("backtests", {"strategy": {"exit": "close > 1"}}, "never enters"),
        ("backtests", {"strategy": {"enter": "rsi(14) <"}}, "enter"),
        ("backtests", {"strategy": {"enter": "(" * 500 + "close > 1" + ")" * 500}}, "split"),
        ("backtests", {"strategy": {"enter": " and ".join(["low > 1"] * 150)}}, "split"),
        ("backtests", {"strategy": {"enter": "sma(enter) > 1"}, "params": {"enter": 3}}, "cannot be called 'enter'"),
        ("backtests", {**CROSS, "params": {"fast": 30, "slow": 20}}, "fast < slow"),
        ("backtests", {**CROSS, "params": {"fats": 30}}, "no parameter 'fats'"),
        ("backtests", {**CROSS, "params": {"fast": True}}, "params"),
        ("backtests", {**CROSS, "rules": {"fees": 5}}, "did you mean"),
        ("backtests", {**CROSS, "rules": {"feees": 0}}, "did you mean fees"),
        ("backtests", {**CROSS, "symbols": "/etc/passwd"}, "no symbol '/etc/passwd'"),
        ("backtests", {**CROSS, "symbols": "pyproject.toml"}, "no symbol"),
        ("backtests", {**CROSS, "symbols": "AAPLE"}, "did you mean AAPL"),
        ("backtests", {**CROSS, "bars": "0" * 64}, "PUT /v1/bars/"),
        ("backtests", {**CROSS, "grid": {}}, "grid"),
        ("sweeps", {"strategy": "sma_cross"}, "grid"),
        ("sweeps", {**SWEEP, "grid": {"fast": "5:x"}}, "numbers, as in 5:50"),
        ("sweeps", {**SWEEP, "grid": {"fast": "0:1000000000000"}}, "use a wider step"),
        ("sweeps", {**SWEEP, "grid": {"fast": "1:1e9:1e-9"}}, "use a wider step"),
        ("sweeps", {**SWEEP, "grid": {"fast": "1:9999", "slow": "1:9999"}}, "too many"),
        ("sweeps", {**SWEEP, "where": "fast > 100"}, "no set of parameters is allowed"),
        ("sweeps", {**SWEEP, "metric": "luck"}, "no metric 'luck'"),
        ("sweeps", {**SWEEP, "sample": 0}, "sample"),
        ("sweeps", {**SWEEP, "search": "optuna"}, "give both"),
        ("sweeps", {**SWEEP, "search": "optuna", "trials": 3, "sample": 2}, "leave out the sample"),
        ("walkforwards", {**WALK, "train": 1000}, "bars"),
        ("walkforwards", {**SWEEP}, "train"),
    ]
    async with bare.client("trader") as client:
        for path, wanted, said in cases:
            for place in (path, f"{path}/estimate"):
                answer = await client.post(f"/v1/{place}", json=wanted)
                assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), wanted
                assert said in answer.text, answer.text
        large = await client.post("/v1/sweeps", content=json.dumps({"strategy": "x" * 10_000_000}))
        assert large.status_code == 413
    assert await bare.stores.jobs.listing() == []


async def test_an_estimate_queues_nothing(bare: Site) -> None:
    answer = await post(bare, "sweeps/estimate", RANGES)
    told = answer.json()
    assert (told["sets"], told["symbols"], told["known"]) == (398 * 397 // 2, len(SYMBOLS), False)
    assert told["backtests"] == told["sets"] * told["symbols"]
    assert told["bars"] == len(SYMBOLS) * 297
    assert told["core_seconds"] > 0
    assert told["chunks"] > 1
    assert await bare.stores.jobs.listing() == []


async def test_a_job_beyond_the_limit_of_core_hours_is_refused(bare: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = bare.services.settings
    small = settings.model_copy(update={"api": settings.api.model_copy(update={"job_core_hours": 1e-6})})
    monkeypatch.setattr(bare.app.state, "services", _with(bare.services, settings=small))
    answer = await post(bare, "sweeps", RANGES)
    assert (answer.status_code, "hours of one core" in answer.text) == (422, True)
    assert (await post(bare, "sweeps/estimate", RANGES)).status_code == 200


async def test_a_backtest_is_answered_kept_and_the_same_as_here(bare: Site) -> None:
    job_id = await queued(bare, "backtests", CROSS)
    waiting = await bare.get(f"/v1/backtests/{job_id}/result")
    assert (waiting.status_code, "wait until it is done" in waiting.json()["detail"]) == (409, True)
    (job,) = await worked(bare, job_id)
    assert (job.state, job.error, job.done, job.total) == ("done", None, 1, 1)
    found = await bare.json(f"/v1/backtests/{job_id}/result")
    bars = bare.bars.panel.until(bare.sessions[-4])
    assert found["spec"]["data"] == bars.content_hash
    again = await post(bare, "backtests", CROSS)
    assert (again.status_code, again.json()["job_id"], again.json()["result_id"]) == (200, job_id, found["result_id"])
    assert (await post(bare, "backtests/estimate", CROSS)).json()["known"] is True
    (listed,) = (await bare.json("/v1/runs", kind="backtest"))["items"]
    assert listed == {name: found[name] for name in listed}
    assert (listed["owner"], listed["job_id"], listed["context"]["trials"]) == ("trader", job_id, 1)
    assert found["facts"]["metrics"] == listed["metrics"]
    assert sorted(found["facts"]["by_symbol"]) == list(SYMBOLS)
    assert await bare.json(f"/v1/runs/{found['result_id'][:8]}") == found


async def test_a_question_that_a_command_line_answered_is_done_at_once(bare: Site) -> None:
    first = await run_id(bare, "backtests", CROSS)
    bars = bare.bars.panel.until(bare.sessions[-4])
    named = {**CROSS, "symbols": ",".join(bars.symbols)}  # another job, the same bars: the same answer
    (job,) = await worked(bare, await queued(bare, "backtests", named))
    assert job.result == {"result_id": first}
    assert len((await bare.json("/v1/runs"))["items"]) == 1


async def test_tables_are_filtered_sorted_paged_and_sent_as_files(bare: Site) -> None:
    found = await run_id(bare, "sweeps", SWEEP)
    tables = {one["name"]: one for one in await bare.json(f"/v1/runs/{found}/tables")}
    assert {name: one["rows"] for name, one in tables.items()} == {"sets": 8, "trials": 16}
    path = f"/v1/runs/{found}/tables/sets"
    whole = await bare.json(path)
    assert (whole["total"], whole["offset"], len(whole["rows"])) == (8, 0, 8)
    names = [column["name"] for column in whole["columns"]]
    rows = pl.DataFrame(whole["rows"], schema=names, orient="row")
    page = await bare.json(path, columns="fast,sharpe", sort="-sharpe,fast", filter="fast:le:7", limit=2, offset=1)
    wanted = rows.filter(pl.col("fast") <= 7).sort("sharpe", "fast", descending=[True, False], nulls_last=True)
    assert (page["total"], page["rows"]) == (6, [list(row) for row in wanted["fast", "sharpe"][1:3].rows()])
    for kind, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet), ("arrow", pl.read_ipc)):
        answer = await bare.get(path, format=kind, filter="fast:eq:5")
        assert f"{found[:12]}-sets.{kind}" in answer.headers["content-disposition"]
        assert read(io.BytesIO(answer.content))["set"].to_list() == rows.filter(pl.col("fast") == 5)["set"].to_list()
    for text in (
        "fast",
        "",
        "'; DROP TABLE job; --",
        '"sharpe" DESC',
        "sharpe) --",
        "read_text('/etc/passwd')",
        "fast:gt:x",
    ):
        assert (await bare.get(path, filter=text)).status_code == 422
        assert (await bare.get(path, sort=f"-{text}")).status_code == (200 if text == "fast" else 422)
        assert (await bare.get(path, columns=f"sharpe,{text}")).status_code == (200 if text == "fast" else 422)
    assert (await bare.get(f"/v1/runs/{found}/tables/trades")).status_code == 404
    one = await bare.json(f"/v1/runs/{found}/tables/trials", filter="symbol:eq:KO")
    assert one["total"] == 8


async def test_a_sweep_is_drawn(bare: Site) -> None:
    found = await run_id(bare, "sweeps", SWEEP)
    heat = await bare.json(f"/v1/runs/{found}/heatmap", x="fast", y="slow")
    assert (heat["x"], heat["y"], heat["metric"], heat["by"]) == ([5, 6, 7, 8], [20, 30], "sharpe", "best")
    assert [len(row) for row in heat["values"]] == [4, 4]
    (fast, slow) = await bare.json(f"/v1/runs/{found}/slices", metric="total_return")
    assert (fast["parameter"], fast["values"], fast["sets"], slow["sets"]) == ("fast", [5, 6, 7, 8], [2] * 4, [4, 4])
    bins = await bare.json(f"/v1/runs/{found}/histogram", bins=5, table="trials")
    assert (len(bins["edges"]), sum(bins["counts"]) + bins["undefined"]) == (6, 16)
    answer = await bare.get(f"/v1/runs/{found}/slices")
    async with bare.client() as client:
        held = await client.get(f"/v1/runs/{found}/slices", headers={"If-None-Match": answer.headers["etag"]})
    assert held.status_code == 304
    assert (await bare.get(f"/v1/runs/{found}/report")).status_code == 409


async def test_a_walk_forward_has_folds_and_a_report(bare: Site) -> None:
    found = await run_id(bare, "walkforwards", WALK)
    tables = {one["name"]: one["rows"] for one in await bare.json(f"/v1/runs/{found}/tables")}
    assert set(tables) == {"equity", "trades", "folds", "drift"}
    folds = await bare.json(f"/v1/runs/{found}/tables/folds")
    place = [column["name"] for column in folds["columns"]].index("test_first")
    assert folds["columns"][place]["type"] == "time"
    assert folds["rows"][0][place].endswith("Z")
    answer = await bare.get(f"/v1/runs/{found}/report")
    assert answer.headers["content-type"].startswith("text/html")
    assert "sandbox" in answer.headers.get_list("content-security-policy")
    assert "walked forward" in answer.text


async def test_uploaded_bars_are_tested_as_here(bare: Site, market_file: Any) -> None:
    bars = gs.load_bars(pl.read_parquet(market_file).filter(pl.col("symbol").is_in(["KO", "GE"])))
    out = io.BytesIO()
    bars.write_parquet(out)
    data_hash = hash_of(out.getvalue())
    async with bare.client("trader") as client:
        assert (await client.put(f"/v1/bars/{data_hash}", content=out.getvalue())).is_success
    own = {"enter": "rsi(n) < 35", "exit": "rsi(n) > 60", "stop": "2 * atr(14)"}
    found = await run_id(bare, "backtests", {"strategy": own, "params": {"n": 10}, "bars": data_hash})
    here = gs.backtest(gs.strategy(**own, n=10), bars)
    told = await bare.json(f"/v1/runs/{found}")
    assert found == here.result_id
    assert told["metrics"] == here.metrics
    trades = await bare.get(f"/v1/runs/{found}/tables/trades", format="parquet")
    assert pl.read_parquet(io.BytesIO(trades.content)).equals(here.trades)


async def test_a_run_is_computed_again_and_what_differs_is_named(bare: Site) -> None:
    found = await run_id(bare, "backtests", CROSS)
    job_id = await queued(bare, f"runs/{found}/verify", None)
    (job,) = await worked(bare, job_id)
    assert (job.kind, job.result) == ("verify", {"same": True, "differing": []})
    trades = bare.services.settings.home / "runs" / found / "trades.parquet"
    pl.read_parquet(trades).head(1).write_parquet(trades)
    assert await queued(bare, f"runs/{found}/verify", None) == job_id  # anew
    (job,) = await worked(bare, job_id)
    assert job.result == {"same": False, "differing": ["trades"]}


async def test_a_run_whose_files_went_is_made_again_when_it_is_asked_again(bare: Site) -> None:
    found = await run_id(bare, "backtests", CROSS)
    folder = bare.services.settings.home / "runs" / found
    folder.rename(folder.with_name("elsewhere"))
    gone = await bare.get(f"/v1/runs/{found}")
    assert (gone.status_code, "not on this machine" in gone.json()["detail"]) == (404, True)
    assert await run_id(bare, "backtests", CROSS) == found
    assert (await bare.get(f"/v1/runs/{found}")).status_code == 200


async def test_a_job_is_paused_resumed_and_says_who_worked(bare: Site) -> None:
    job_id = await queued(bare, "sweeps", SWEEP)
    async with bare.client("trader") as trader:
        assert (await trader.post(f"/v1/jobs/{job_id}/pause")).json()["state"] == "paused"
        assert (await post(bare, "sweeps", SWEEP)).json()["state"] == "paused"
        assert (await trader.post(f"/v1/jobs/{job_id}/resume")).json()["state"] == "queued"
    assert await bare.json(f"/v1/jobs/{job_id}/nodes") == []
    await worked(bare, job_id)
    (node,) = await bare.json(f"/v1/jobs/{job_id}/nodes")
    assert (node["chunks"], node["share"]) == (1, 1.0)
    assert node["rate"] > 0


def _with(services: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(services, **changes)
