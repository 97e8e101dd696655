"""A running system that plays the sample, and Chromium in front of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.cluster.installation import Installation
from tests.cluster.live import Admin, admin_of

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 60_000


@pytest.fixture(scope="session")
def system() -> Iterator[Installation]:
    """The sample, a session every three seconds."""
    with TemporaryDirectory(prefix="gs-test-") as folder:
        installation = Installation(
            Path(folder) / "system",
            AGENTS__ACTORS="1",
            REPLAY__SESSION_S="3",
            REPLAY__SESSIONS="400",
            AUTH__LOGIN_PER_MINUTE="1000",
        )
        try:
            installation.ok("up", "--detach", "--source", "replay")
            yield installation
        finally:
            installation.close()


@pytest.fixture(scope="session")
def admin(system: Installation) -> Admin:
    return admin_of(system)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path is not None, "no Chromium was found; `make chromium` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    opened = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    opened.set_default_timeout(WAIT_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, system: Installation, admin: Admin) -> Iterator[Page]:
    """Logged in, on the Overview; fails when the page threw an error meanwhile."""
    opened = context.new_page()
    thrown: list[str] = []
    opened.on("pageerror", lambda problem: thrown.append(str(problem)))
    log_in(opened, f"http://127.0.0.1:{system.gateway_port}", admin)
    yield opened
    assert thrown == []


def log_in(page: Page, base: str, admin: Admin) -> None:
    """As a person does."""
    page.goto(f"{base}/login")
    page.get_by_role("textbox", name="Name").fill(admin.name)
    page.locator("input[type=password]").fill(admin.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Overview", level=1).wait_for()
