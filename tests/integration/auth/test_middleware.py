"""What surrounds every request, on an application of its own; needs no server of ours, but a socket on loopback."""

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from httpx import ASGITransport, AsyncClient
from starlette.types import Message

from data.contracts.errors import Conflict, Forbidden, GoldenSignalsError, NotFound, TemporarilyUnavailable, TooMany
from data.settings import ApiSettings, AuthSettings, Settings
from serve_app.api import middleware
from serve_app.api.middleware import add_middleware
from serve_app.api.models import UserCreate
from serve_app.api.problems import add_problem_handlers
from tests.integration.auth.site import API, ELSEWHERE, GATEWAY

BODY, UPLOAD = 64 * 1024, 1024**2
ERRORS: dict[str, Exception] = {
    "ours": GoldenSignalsError("a secret place /etc/x is broken"),
    "conflict": Conflict("it is there already"),
    "not-found": NotFound("there is none"),
    "forbidden": Forbidden("needs admin"),
    "away": TemporarilyUnavailable("PostgreSQL is down"),
    "too-many": TooMany("wait", retry_after_s=7.2),
    "bug": ZeroDivisionError("a secret value 42"),
}


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    made = FastAPI()
    add_problem_handlers(made)

    @made.get("/v1/fail/{name}")
    async def fail(name: str) -> None:
        raise ERRORS[name]

    @made.get("/v1/large")
    async def large(size: int) -> dict[str, str]:
        return {"text": "a" * size}

    @made.get("/v1/parquet")
    async def parquet() -> Response:
        return Response(b"a" * 5000, media_type="application/vnd.apache.parquet")

    @made.get("/v1/slow")
    async def slow() -> None:
        await asyncio.Event().wait()

    @made.post("/v1/users")
    async def body(body: UserCreate) -> dict[str, str]:
        return {"name": body.name}

    @made.post("/v1/raw")
    @made.put("/v1/bars/{name}")
    async def raw(request: Request) -> dict[str, int]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return {"size": size}

    add_middleware(
        made,
        Settings(
            home=tmp_path,
            api=ApiSettings(body_bytes=BODY, upload_bytes=UPLOAD),
            auth=AuthSettings(cors_origins=("https://desk.example",)),
        ),
    )
    return made


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url=API) as client:
        yield client


async def test_every_answer_has_the_security_headers_and_an_id(app: FastAPI) -> None:
    async with opened(app) as client:
        answers = [
            await client.get("/v1/large", params={"size": 1}),
            await client.get("/nowhere"),
            await client.get("/v1/fail/bug"),
            await client.get("/v1/fail/forbidden"),
            await client.post("/v1/raw", content=b"a" * (BODY + 1)),
        ]
    assert [answer.status_code for answer in answers] == [200, 404, 500, 403, 413]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert len(answer.headers["x-request-id"]) == 32
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert "ws://gs.test:8001" in policy


async def test_a_host_header_cannot_write_into_the_policy(app: FastAPI) -> None:
    async with opened(app) as client:
        for host in ("evil; script-src *", "a b", "x\tscript-src", "[::1]:8000", "gs.test:8000"):
            policy = (await client.get("/nowhere", headers={"Host": host})).headers["content-security-policy"]
            assert "evil" not in policy
            assert policy.count("script-src") == 1
            assert ("ws://" in policy) == (host.startswith(("[", "gs")))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("a-sane.token_42", True), ("x" * 64, True), ("short", False), ("x" * 65, False), ("a b c d e f", False)],
)
async def test_a_sane_request_id_is_kept_and_another_replaced(app: FastAPI, sent: str, kept: bool) -> None:
    async with opened(app) as client:
        answer = await client.get("/v1/fail/conflict", headers={"X-Request-ID": sent})
    assert (answer.headers["x-request-id"] == sent) == kept
    assert answer.json()["correlation_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("name", "status", "header"),
    [
        ("conflict", 409, None),
        ("not-found", 404, None),
        ("forbidden", 403, None),
        ("away", 503, ("retry-after", "5")),
        ("too-many", 429, ("retry-after", "8")),
        ("ours", 500, None),
        ("bug", 500, None),
    ],
)
async def test_every_error_is_a_problem(
    app: FastAPI, capsys: pytest.CaptureFixture[str], name: str, status: int, header: tuple[str, str] | None
) -> None:
    async with opened(app) as client:
        answer = await client.get(f"/v1/fail/{name}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found.keys() == {"type", "title", "status", "detail", "correlation_id"}
    if header is not None:
        assert answer.headers[header[0]] == header[1]
    if status == 500:
        assert "secret" not in answer.text
        logged = capsys.readouterr()
        assert found["correlation_id"] in logged.out + logged.err
        assert "secret" in logged.out + logged.err


async def test_a_refused_body_names_fields_and_repeats_nothing(app: FastAPI) -> None:
    async with opened(app) as client:
        sent = {"name": "a b", "password": "hunter2", "role": "hunter2", "hunter": "hunter2"}
        answer = await client.post("/v1/users", json=sent)
        missing = await client.get("/nowhere")
        method = await client.delete("/v1/users")
    assert answer.status_code == 422
    assert "hunter2" not in answer.text
    places = [error["loc"] for error in answer.json()["errors"]]
    assert places == [["body", "name"], ["body", "password"], ["body", "role"], ["body", "hunter"]]
    assert (missing.status_code, "/docs" in missing.json()["detail"]) == (404, True)
    assert (method.status_code, method.headers["allow"]) == (405, "POST")


async def test_cors_lets_our_own_ports_and_listed_origins_in_and_nobody_else(app: FastAPI) -> None:
    preflight = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
    async with opened(app) as client:
        for origin in (API, GATEWAY, "https://desk.example"):
            asked = await client.options("/v1/users", headers={"Origin": origin, **preflight})
            assert asked.status_code == 200
            got = await client.get("/v1/fail/away", headers={"Origin": origin})
            for answer in (asked, got):
                assert answer.headers["access-control-allow-origin"] == origin
                assert answer.headers["access-control-allow-credentials"] == "true"
                assert "Origin" in answer.headers["vary"]
        for origin in (ELSEWHERE, "null", "http://gs.test:9", "http://other.test:8000"):
            for answer in (
                await client.options("/v1/users", headers={"Origin": origin, **preflight}),
                await client.get("/v1/large", params={"size": 1}, headers={"Origin": origin}),
            ):
                assert not [name for name in answer.headers if name.startswith("access-control-allow")]


async def test_json_is_compressed_from_a_kilobyte_on_and_packed_formats_are_not(app: FastAPI) -> None:
    async with opened(app) as client:
        small = await client.get("/v1/large", params={"size": 500})
        big = await client.get("/v1/large", params={"size": 5000})
        packed = await client.get("/v1/parquet")
    assert big.headers["content-encoding"] == "gzip"
    assert len(big.json()["text"]) == 5000
    assert "content-encoding" not in small.headers
    assert "content-encoding" not in packed.headers
    assert gzip.decompress(gzip.compress(packed.content)) == packed.content


async def test_a_request_that_takes_too_long_is_a_504(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "_DEADLINE_S", 0.01)
    async with opened(app) as client:
        answer = await client.get("/v1/slow")
    assert (answer.status_code, answer.headers["content-type"]) == (504, "application/problem+json")


async def asked(app: FastAPI, method: str, path: str, headers: dict[str, str], chunks: int) -> tuple[int, int]:
    """(status, bytes taken) of a body sent in chunks of 64 KiB until nobody takes more."""
    sent, taken, status = 0, 0, 0

    async def receive() -> Message:
        nonlocal sent, taken
        sent += 1
        taken += 65536
        return {"type": "http.request", "body": b"\0" * 65536, "more_body": sent < chunks}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("203.0.113.9", 1),
        "server": ("gs.test", 8000),
    }
    await app(scope, receive, send)
    return status, taken


@pytest.mark.parametrize(
    ("method", "path", "headers", "chunks", "status", "most"),
    [
        ("POST", "/v1/raw", {"content-length": str(400 * 1024**2)}, 6400, 413, 0),
        ("PUT", "/v1/bars/x", {"content-length": str(400 * 1024**2)}, 6400, 413, 0),
        ("POST", "/v1/raw", {"content-length": "-1"}, 6400, 413, 0),
        ("POST", "/v1/raw", {"content-length": "9" * 400}, 6400, 413, 0),
        ("POST", "/v1/raw", {"transfer-encoding": "chunked"}, 6400, 413, BODY + 65536),
        ("PUT", "/v1/bars/x", {"transfer-encoding": "chunked"}, 6400, 413, UPLOAD + 65536),
        ("POST", "/v1/raw", {"content-length": "10"}, 6400, 413, BODY + 65536),
        ("POST", "/v1/users", {"content-type": "application/json"}, 6400, 413, BODY + 65536),
        ("POST", "/v1/raw", {"transfer-encoding": "chunked"}, 1, 200, BODY),
        ("PUT", "/v1/bars/x", {"transfer-encoding": "chunked"}, 16, 200, UPLOAD),
    ],
)
async def test_a_body_over_the_limit_is_refused_before_it_is_in_memory(
    app: FastAPI, method: str, path: str, headers: dict[str, str], chunks: int, status: int, most: int
) -> None:
    found, taken = await asked(app, method, path, headers, chunks)
    assert found == status
    assert taken <= most


async def test_400_mb_over_a_socket_are_refused_early_in_flat_memory(app: FastAPI) -> None:
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))  # clients wait in its queue until the server takes them
    port = listening.getsockname()[1]
    serving = asyncio.create_task(server.serve([listening]))
    process, chunk, whole = psutil.Process(), b"\0" * 65536, 400 * 1024**2
    before = peak = process.memory_info().rss
    try:
        for head in (f"Content-Length: {whole}", "Transfer-Encoding: chunked"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"POST /v1/raw HTTP/1.1\r\nHost: gs.test\r\n{head}\r\n\r\n".encode())
            sent = 0
            try:
                while sent < whole and not writer.is_closing() and not reader.at_eof():
                    part = chunk if "Length" in head else b"10000\r\n" + chunk + b"\r\n"
                    writer.write(part)
                    await asyncio.wait_for(writer.drain(), 10)
                    await asyncio.sleep(0)  # both sides share this loop
                    sent += len(chunk)
                    peak = max(peak, process.memory_info().rss)
            except ConnectionError:
                assert sent < whole  # it hung up on us, which is the point
            writer.close()
            assert sent < whole / 10
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 10)
    assert peak - before < 32 * 1024**2


def test_the_openapi_document_has_problems_in_place_of_fastapis_own_errors(app: FastAPI) -> None:
    text = json.dumps(app.openapi())
    assert "HTTPValidationError" not in text
    for methods in app.openapi()["paths"].values():
        for operation in methods.values():
            assert {"422", "413", "500", "503", "default"} <= operation["responses"].keys()
            assert operation["responses"]["422"]["content"].keys() == {"application/problem+json"}
