"""Every route for every kind of caller: who may, who may not. A route that the table does not know fails the test."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from data.settings import Settings
from serve_app.api.app import build_app
from serve_app.api.compute import NoCompute
from serve_app.api.open import open_services
from tests.integration.api.site import ANONYMOUS, Site

CALLERS = (ANONYMOUS, "viewer", "trader", "admin", "key read", "key stream", "key run", "key admin")

#          anonymous viewer trader admin | key: read stream run admin;  ok: what the row says
ANYBODY = "ok        ok     ok     ok          ok   ok     ok  ok"
KNOWN = "  401       ok     ok     ok          ok   ok     ok  ok"
PERSON = " 401       ok     ok     ok          403  403    403 403"
READ = "   401       ok     ok     ok          ok   403    403 403"
STREAM = " 401       ok     ok     ok          403  ok     403 403"
RUN = "    401       403    ok     ok          403  403    ok  403"
ADMIN = "  401       403    403    ok          403  403    403 ok"
# A job of the trader: RUN lets one cancel one's own, and only ADMIN those of others. The keys belong to the admin.
CANCEL = " 401       403    ok     ok          403  403    403 403"

UPLOAD = b"not bars"
JOB = "0" * 32
SWEEP = {"strategy": "sma_cross", "grid": {"fast": "5:8", "slow": "20,30"}}
WALK = {**SWEEP, "train": 100, "test": 50}


@dataclass(frozen=True)
class Row:
    """Who may, and what then comes back. 2 stands for any success; others are exact, and chosen to change nothing."""

    who: str
    ok: int = 2
    send: dict[str, Any] = field(default_factory=dict)
    path: str | None = None  # where the one in the document has placeholders


TABLE = {
    "GET /healthz": Row(ANYBODY),
    "GET /readyz": Row(ANYBODY),
    "GET /v1/meta": Row(ANYBODY),
    "POST /v1/auth/token": Row(ANYBODY, 401, {"data": {"username": "nobody", "password": "wrong"}}),
    "POST /v1/auth/refresh": Row(ANYBODY, 401),
    "POST /v1/auth/logout": Row(ANYBODY),
    "GET /v1/auth/me": Row(KNOWN),
    "POST /v1/auth/password": Row(PERSON, 422, {"json": {"old": "x", "new": "short"}}),
    "POST /v1/auth/ticket": Row(STREAM),
    "GET /v1/users": Row(ADMIN),
    "POST /v1/users": Row(ADMIN, 422, {"json": {"name": "new", "password": "short"}}),
    "PATCH /v1/users/{name}": Row(ADMIN, 404, {"json": {"role": "viewer"}}, "/v1/users/nobody"),
    "GET /v1/keys": Row(READ),
    "POST /v1/keys": Row(PERSON, 422, {"json": {"name": "new", "scopes": []}}),
    "DELETE /v1/keys/{key_id}": Row(PERSON, 404, {}, "/v1/keys/000000000000"),
    "GET /v1/signals": Row(READ),
    "GET /v1/signals/changes": Row(READ),
    "GET /v1/signals/breadth": Row(READ),
    "GET /v1/signals/id/{signal_id}": Row(READ, 404, {}, "/v1/signals/id/none"),
    "GET /v1/signals/{symbol}": Row(READ, 2, {}, "/v1/signals/AAPL"),
    "GET /v1/signals/{symbol}/history": Row(READ, 2, {}, "/v1/signals/AAPL/history"),
    "GET /v1/signals/{symbol}/series": Row(READ, 2, {}, "/v1/signals/AAPL/series"),
    "GET /v1/signals/{symbol}/reasons": Row(READ, 2, {}, "/v1/signals/AAPL/reasons"),
    "POST /v1/signals/{symbol}": Row(RUN, 2, {}, "/v1/signals/AAPL"),
    "GET /v1/bars": Row(READ),
    "GET /v1/bars/closes": Row(READ),
    "GET /v1/bars/{symbol}": Row(READ, 2, {}, "/v1/bars/AAPL"),
    "GET /v1/bars/uploads/{data_hash}": Row(READ, 404, {}, f"/v1/bars/uploads/{'0' * 64}"),
    "PUT /v1/bars/{data_hash}": Row(RUN, 422, {"content": UPLOAD}, f"/v1/bars/{hashlib.sha256(UPLOAD).hexdigest()}"),
    "GET /v1/indicators": Row(READ),
    "GET /v1/indicators/{name}/values": Row(READ, 2, {"params": {"symbol": "AAPL"}}, "/v1/indicators/rsi/values"),
    "GET /v1/agents": Row(READ),
    "POST /v1/agents/{name}/restart": Row(ADMIN, 2, {}, "/v1/agents/trend/restart"),
    "GET /v1/scans": Row(READ),
    "POST /v1/scans": Row(RUN, 2, {"json": {}}),
    "GET /v1/scans/{job_id}": Row(READ, 404, {}, f"/v1/scans/{JOB}"),
    "GET /v1/scans/{job_id}/result": Row(READ, 404, {}, f"/v1/scans/{JOB}/result"),
    "GET /v1/scans/{job_id}/difference": Row(READ, 404, {}, f"/v1/scans/{JOB}/difference"),
    "GET /v1/strategies": Row(READ),
    "GET /v1/backtests": Row(READ),
    "POST /v1/backtests": Row(RUN, 2, {"json": {"strategy": "sma_cross"}}),
    "POST /v1/backtests/estimate": Row(RUN, 2, {"json": {"strategy": "sma_cross"}}),
    "GET /v1/backtests/{job_id}": Row(READ, 404, {}, f"/v1/backtests/{JOB}"),
    "GET /v1/backtests/{job_id}/result": Row(READ, 404, {}, f"/v1/backtests/{JOB}/result"),
    "GET /v1/sweeps": Row(READ),
    "POST /v1/sweeps": Row(RUN, 2, {"json": SWEEP}),
    "POST /v1/sweeps/estimate": Row(RUN, 2, {"json": SWEEP}),
    "GET /v1/sweeps/{job_id}": Row(READ, 404, {}, f"/v1/sweeps/{JOB}"),
    "GET /v1/sweeps/{job_id}/result": Row(READ, 404, {}, f"/v1/sweeps/{JOB}/result"),
    "GET /v1/walkforwards": Row(READ),
    "POST /v1/walkforwards": Row(RUN, 2, {"json": WALK}),
    "POST /v1/walkforwards/estimate": Row(RUN, 2, {"json": WALK}),
    "GET /v1/walkforwards/{job_id}": Row(READ, 404, {}, f"/v1/walkforwards/{JOB}"),
    "GET /v1/walkforwards/{job_id}/result": Row(READ, 404, {}, f"/v1/walkforwards/{JOB}/result"),
    "GET /v1/runs": Row(READ),
    "GET /v1/runs/{run_id}": Row(READ, 404, {}, f"/v1/runs/{JOB}"),
    "GET /v1/runs/{run_id}/tables": Row(READ, 404, {}, f"/v1/runs/{JOB}/tables"),
    "GET /v1/runs/{run_id}/tables/{name}": Row(READ, 404, {}, f"/v1/runs/{JOB}/tables/sets"),
    "GET /v1/runs/{run_id}/heatmap": Row(READ, 404, {"params": {"x": "a", "y": "b"}}, f"/v1/runs/{JOB}/heatmap"),
    "GET /v1/runs/{run_id}/slices": Row(READ, 404, {}, f"/v1/runs/{JOB}/slices"),
    "GET /v1/runs/{run_id}/histogram": Row(READ, 404, {}, f"/v1/runs/{JOB}/histogram"),
    "GET /v1/runs/{run_id}/report": Row(READ, 404, {}, f"/v1/runs/{JOB}/report"),
    "POST /v1/runs/{run_id}/verify": Row(RUN, 404, {}, f"/v1/runs/{JOB}/verify"),
    "GET /v1/jobs": Row(READ),
    "GET /v1/jobs/{job_id}": Row(READ, 404, {}, f"/v1/jobs/{JOB}"),
    "GET /v1/jobs/{job_id}/nodes": Row(READ, 404, {}, f"/v1/jobs/{JOB}/nodes"),
    "POST /v1/jobs/{job_id}/pause": Row(CANCEL, 2, {}, "/v1/jobs/OF_THE_TRADER/pause"),
    "POST /v1/jobs/{job_id}/resume": Row(CANCEL, 2, {}, "/v1/jobs/OF_THE_TRADER/resume"),
    "POST /v1/jobs/{job_id}/cancel": Row(CANCEL, 2, {}, "/v1/jobs/OF_THE_TRADER/cancel"),
    "GET /v1/events": Row(READ),
    "GET /v1/feed": Row(READ),
    "PATCH /v1/feed": Row(RUN, 2, {"json": {"state": "paused"}}),
}


def routes(document: dict[str, Any]) -> set[str]:
    return {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}


async def test_every_route_lets_in_whom_the_table_names_and_nobody_else(site: Site) -> None:
    assert routes(site.app.openapi()) == set(TABLE)
    job, _ = await site.stores.jobs.enqueue("scan", {"of": "the trader"}, owner="trader", priority=0)
    wrong = []
    for caller in CALLERS:
        async with site.client(caller) as client:
            for name, row in TABLE.items():
                method, _, template = name.partition(" ")
                path = (row.path or template).replace("OF_THE_TRADER", job.job_id)
                answer = await client.request(method, path, **row.send)
                told = row.who.split()[CALLERS.index(caller)]
                want = row.ok if told == "ok" else int(told)
                got = answer.status_code // 100 if want == 2 else answer.status_code
                if got != want:
                    wrong.append(f"{caller}: {name} {answer.status_code}, not {want}: {answer.text[:200]}")
    assert wrong == []


async def test_the_gateway_starts_no_work_and_changes_nothing_but_logins(settings: Settings) -> None:
    app = build_app(settings, lambda: open_services(settings, NoCompute()), reading_only=True, dashboard=None)
    found = routes(app.openapi())
    assert found < set(TABLE)
    assert {name for name in set(TABLE) - found if name.startswith("GET ")} == set()
    assert {re.sub(r"^(\w+ /v1/\w+).*", r"\1", name) for name in found if not name.startswith("GET ")} == {
        "POST /v1/auth"
    }


@pytest.mark.parametrize("caller", ["viewer", "key read"])
async def test_a_refusal_names_the_permission_that_is_missing(site: Site, caller: str) -> None:
    async with site.client(caller) as client:
        answer = await client.post("/v1/scans", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert "permission run" in answer.json()["detail"]
    assert answer.json()["correlation_id"]
