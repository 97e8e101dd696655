"""The reference of the API needs nothing but the API: no file of its page comes from another origin."""

import re
from contextlib import AbstractAsyncContextManager
from html import unescape
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from data.settings import Settings
from serve_app.api.app import build_app
from serve_app.api.dashboard import built_dashboard
from serve_app.api.services import Services

BUILT = '<main></main><script type="module" src="/assets/docs-1a2b.js"></script>'


def unopened() -> AbstractAsyncContextManager[Services]:
    raise AssertionError("a page needs no services")


def client_of(home: Path, dashboard: Path | None) -> AsyncClient:
    app = build_app(Settings(home=home), unopened, reading_only=False, dashboard=dashboard)
    return AsyncClient(transport=ASGITransport(app), base_url="http://gs.test")


async def files_of(client: AsyncClient) -> list[str]:
    """What the page at /docs makes a browser load; every one of them must be answered by us."""
    answer = await client.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r"(?i)https?:|src=\"//|href=\"//", answer.text) == []
    assert "https" not in answer.headers["content-security-policy"].replace("https://gs.test", "")
    files = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"]+)"', answer.text)
    for file in files:
        assert (await client.get(file)).status_code == 200, file
    return files


async def test_without_a_build_every_operation_is_listed_on_a_page_without_scripts(tmp_path: Path) -> None:
    async with client_of(tmp_path, None) as client:
        assert await files_of(client) == []
        page = (await client.get("/docs")).text
        document = (await client.get("/openapi.json")).json()
    assert "<script" not in page
    listed = set(re.findall(r"<td><code>([A-Z]+)</code></td><td><code>([^<]+)</code></td>", unescape(page)))
    assert listed == {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}


async def test_a_built_page_and_its_files_are_ours(tmp_path: Path) -> None:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>the dashboard</title>")
    (folder / "docs.html").write_text(BUILT)
    (folder / "assets" / "docs-1a2b.js").write_text("show()")
    async with client_of(tmp_path, folder) as client:
        assert await files_of(client) == ["/assets/docs-1a2b.js"]
        assert (await client.get("/docs")).headers["cache-control"] == "no-cache"


async def test_a_build_without_the_page_gets_the_plain_one(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>the dashboard</title>")
    async with client_of(tmp_path, tmp_path) as client:
        assert "API of GoldenSignals" in (await client.get("/docs")).text


async def test_the_dashboard_as_it_is_built_here_brings_all_that_the_page_loads(tmp_path: Path) -> None:
    built = built_dashboard()
    if built is None or not (built / "docs.html").is_file():
        pytest.skip("the dashboard is not built here; `make dashboard` builds it")
    async with client_of(tmp_path, built) as client:
        assert any(file.endswith(".js") for file in await files_of(client))
