"""Whatever is sent: an answer that the document declares, never a failure of ours, and nothing changed."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeAlias
from urllib.parse import quote

import pytest
import schemathesis
from httpx import Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from psycopg import sql
from requests import Request
from schemathesis import Case as AnyCase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from data.store.pool import transaction
from tests.integration.api.site import API, Site

NASTY = [
    "'; DROP TABLE signal; --",
    "' OR '1'='1",
    "1; SELECT pg_sleep(60)",
    "\x00",
    "AAPL\x00",
    "\r\nSet-Cookie: a=b",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "%s%s%n",
    "*",
    "#",
    "\u202e\U0001f4a9",
    "ﬀ" * 30,
    "A" * 5000,
    "-1",
    "NaN",
    "1e999",
    "9" * 40,
    "[]",
    "null",
]
PRINT = sql.SQL("SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {} AS t")
Case: TypeAlias = AnyCase[Any]

EXAMPLES = 8
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
IDENTITY = ("authorization", "x-api-key", "cookie", "content-length")
CHANGES_TABLES = ("signal", "vote", "event", "job", "feed", "bar_upload", "bar_set", "agent_state")


async def rows(site: Site) -> dict[str, str]:
    """A fingerprint of every table that a route could change."""
    found = {}
    async with transaction(site.pool, 10) as connection:
        for table in CHANGES_TABLES:
            row = await (await connection.execute(PRINT.format(sql.Identifier(table)))).fetchone()
            assert row is not None
            found[table] = row[0]
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def test_nasty_text_in_any_parameter_is_refused_or_harmless(site: Site) -> None:
    before = await rows(site)
    sane = {
        "symbol": "AAPL",
        "name": "rsi",
        "data_hash": "0" * 64,
        "job_id": "0" * 32,
        "run_id": "0" * 32,
        "signal_id": "none",
        "key_id": "x",
    }
    asked = 0
    async with site.client("viewer") as client:
        for method, template, operation in operations(site.app.openapi()):
            if method != "GET":
                continue
            parameters = operation.get("parameters", [])
            for parameter in parameters:
                for text in NASTY:
                    filled = dict(sane)
                    query = {p["name"]: "AAPL" for p in parameters if p["in"] == "query" and p.get("required")}
                    if parameter["in"] == "path":
                        filled[parameter["name"]] = text
                    elif parameter["in"] == "query":
                        query[parameter["name"]] = text
                    path = template
                    for name, value in filled.items():
                        path = path.replace(f"{{{name}}}", quote(value, safe=""))
                    answer = await client.get(path, params=query)
                    asked += 1
                    assert answer.status_code in (200, 304, 307, 400, 403, 404, 409, 413, 422), (
                        path,
                        query,
                        answer.text,
                    )
                    assert "set-cookie" not in answer.headers
                    if answer.status_code >= 400:
                        assert answer.headers["content-type"] == "application/problem+json"
    assert asked > 500
    assert await rows(site) == before


async def test_nasty_text_in_any_body_is_refused(site: Site) -> None:
    before = await rows(site)
    bodies: list[tuple[str, str, list[str]]] = [
        ("POST", "/v1/scans", ["universe", "agents", "as_of", "bars", "priority"]),
        ("PATCH", "/v1/feed", ["state", "session_s", "clock"]),
    ]
    async with site.client("trader") as client:
        for method, path, names in bodies:
            for name in names:
                for text in [*NASTY, "\ud800"]:
                    for value in (text, [text], {"a": text}):
                        body = json.dumps({name: value})
                        answer = await client.request(
                            method, path, content=body, headers={"Content-Type": "application/json"}
                        )
                        assert answer.status_code == 422, (path, body[:100], answer.text)
        for garbage in (b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"a":' * 5000):
            answer = await client.post("/v1/scans", content=garbage, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), (garbage[:20], answer.text)
        for text in NASTY:
            answer = await client.post(f"/v1/signals/{quote(text, safe='')}")
            assert answer.status_code in (404, 405, 422), (text, answer.text)
            answer = await client.put(f"/v1/bars/{quote(text, safe='')}", content=b"x")
            assert answer.status_code in (404, 405, 422), (text, answer.text)
    assert await rows(site) == before


@pytest.mark.timeout(240)
async def test_generated_requests_get_only_the_answers_the_document_declares(site: Site) -> None:
    """Every operation, with values that fit the document and with values that do not; always the same ones."""
    schema = schemathesis.openapi.from_dict(site.app.openapi())
    loop = asyncio.get_running_loop()
    seen: Counter[str] = Counter()

    async def send(case: Case) -> Response:
        request = Request(**case.as_transport_kwargs(base_url=API)).prepare()
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in IDENTITY}
        body = request.body if isinstance(request.body, str | bytes) else b""
        async with site.client("admin") as client:
            return await client.request(str(request.method), str(request.url), headers=headers, content=body)

    def attack(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def try_one(case: Case) -> None:
            answer = asyncio.run_coroutine_threadsafe(send(case), loop).result(timeout=60)
            seen[operation.label] += 1
            case.validate_response(answer, checks=CHECKS)

        try_one()

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            with suppress(Unsatisfiable):  # nothing can be wrong with an operation that takes nothing
                await asyncio.to_thread(attack, operation, mode)
    assert len(seen) == len(list(operations(site.app.openapi())))
