"""The built dashboard is served beside the API, and never in place of it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient

from data.settings import Settings
from serve_app.api.app import build_app
from serve_app.api.services import Services


def unopened() -> AbstractAsyncContextManager[Services]:
    raise AssertionError("files need no services")


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>the dashboard</title>")
    (folder / "assets" / "app-1a2b3c.js").write_text("run()")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not yours")
    app = build_app(Settings(home=tmp_path), unopened, reading_only=False, dashboard=folder)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://gs.test") as opened:
        yield opened


@pytest.mark.parametrize("path", ["/", "/index.html", "/signals", "/symbols/AAPL", "/scans/0123", "/v1x"])
async def test_addresses_of_pages_get_the_first_page_which_is_asked_about_each_time(
    client: AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, "the dashboard" in answer.text) == (200, True)
    assert answer.headers["cache-control"] == "no-cache"
    assert "etag" in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_files_named_by_their_content_are_kept_for_ever(client: AsyncClient) -> None:
    answer = await client.get("/assets/app-1a2b3c.js")
    assert (answer.text, "immutable" in answer.headers["cache-control"]) == ("run()", True)
    assert (await client.get("/favicon.svg")).headers["cache-control"] == "no-cache"


async def test_a_known_page_is_not_sent_again(client: AsyncClient) -> None:
    tag = (await client.get("/")).headers["etag"]
    again = await client.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/assets/gone.js", "/robots.txt", "/v1/none", "/v1/signals/a/b/c", "/v1"])
async def test_what_is_not_there_is_a_problem_and_not_a_page(client: AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_other_methods_never_reach_the_files(client: AsyncClient) -> None:
    assert (await client.post("/signals")).status_code == 404
    answer = await client.delete("/v1/feed")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt", "/..%2fsecret.txt", "/%00", "/a%00.js"]
)
async def test_nothing_outside_the_folder_is_served(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert "not yours" not in answer.text
    assert answer.status_code in (200, 404)
