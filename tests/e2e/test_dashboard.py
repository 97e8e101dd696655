"""What a person does at the browser: log in, watch signals come, look back, scan, cancel, export; also without Ray."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import polars as pl
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect

from tests.cluster.installation import Installation
from tests.cluster.live import Admin
from tests.e2e.conftest import WAIT_MS, log_in

_AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_HEIGHTS_ARE_TOLD = """() => {
  const rows = [...document.querySelectorAll('figure table tr')].slice(0, -1);  // the last one is the time axis
  const panes = rows.map((row) => row.getBoundingClientRect().height).filter((height) => height > 5);
  const told = (new URLSearchParams(location.search).get('heights') ?? '').split(',').map(Number);
  const whole = panes.reduce((sum, height) => sum + height, 0);
  return told.length === panes.length && panes.every((height, i) => Math.abs(told[i] - (100 * height) / whole) < 0.3);
}"""
_RESEARCH = ("/scans", "/backtests", "/sweeps", "/walkforwards", "/runs", "/jobs")
PAGES = ("/", "/signals", "/symbols/AAPL", "/agents", *_RESEARCH)


@pytest.fixture
def base(system: Installation) -> str:
    return f"http://127.0.0.1:{system.gateway_port}"


def test_a_wrong_password_is_refused_without_saying_which_field_was_wrong(
    context: BrowserContext, base: str, admin: Admin
) -> None:
    page = context.new_page()
    page.goto(f"{base}/login")
    page.get_by_role("textbox", name="Name").fill(admin.name)
    page.locator("input[type=password]").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Name and password do not go together").wait_for()
    assert "/login" in page.url


def test_the_dashboard_is_served_by_the_api_too(context: BrowserContext, system: Installation, admin: Admin) -> None:
    page = context.new_page()
    log_in(page, f"http://127.0.0.1:{system.port}", admin)
    page.get_by_role("region", name="Signal changes").wait_for()


def test_signals_arrive_over_the_websocket_without_a_reload(page: Page) -> None:
    page.evaluate("window.neverReloaded = true")
    frames: list[str] = []
    page.on("websocket", lambda line: line.on("framereceived", lambda payload: frames.append(str(payload))))
    clock = page.locator("header time, [role=banner] time").first
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=WAIT_MS)
    changes = page.get_by_role("region", name="Signal changes")
    first = changes.get_by_role("rowheader").first.inner_text()
    expect(changes.get_by_role("rowheader").first).not_to_have_text(first, timeout=WAIT_MS)
    assert page.evaluate("window.neverReloaded") is True


def test_a_reload_keeps_the_login(page: Page) -> None:
    page.reload()
    page.get_by_role("heading", name="Overview", level=1).wait_for()


def test_looking_back_loads_nothing_after_the_cursor(page: Page, base: str) -> None:
    page.get_by_role("region", name="Signal changes").get_by_role("link").first.click()
    page.wait_for_url(re.compile("/symbols/"))
    symbol = urlparse(page.url).path.rpartition("/")[2]
    page.get_by_role("figure", name=re.compile(f"^{symbol}")).wait_for()
    for _ in range(3):
        answer = bar_back(page, symbol)
        assert max(json.loads(answer.text())["ts"])[:10] <= as_of(answer.url)[:10] == as_of(page.url)
    page.get_by_role("button", name="Go to newest").click()
    page.wait_for_url(lambda url: "as_of=" not in url)


def test_the_next_signal_is_found_without_asking_beyond_the_cursor(page: Page, base: str) -> None:
    page.goto(f"{base}/symbols/AAPL?as_of=2016-02-01")
    page.get_by_role("figure", name=re.compile("^AAPL")).wait_for()
    page.wait_for_load_state("networkidle")
    seen: list[tuple[str, str]] = []  # what was asked until when, and where the cursor stood

    def look(request: Request) -> None:
        if "/AAPL" in request.url:
            seen.append((as_of(request.url), as_of(page.url)))

    page.on("request", look)
    page.keyboard.press("]")
    page.get_by_text("Looking for the next signal").wait_for()
    page.get_by_text("Nothing after this bar is loaded or drawn").wait_for()
    assert "2016-02-01" < as_of(page.url) < "2016-06-01"
    assert seen
    assert [pair for pair in seen if not "" < pair[0][:10] <= pair[1]] == []


def test_the_heights_of_panes_survive_a_reload(page: Page, base: str) -> None:
    page.goto(f"{base}/symbols/AAPL?as_of=2016-02-01")
    chart = page.get_by_role("figure", name=re.compile("^AAPL"))
    border = chart.locator("table tr").nth(1)
    for pane in ("RSI 14", "Consensus score"):
        chart.get_by_text(pane).first.wait_for()
    before = border.bounding_box()
    assert before is not None
    page.mouse.move(before["x"] + 300, before["y"])
    page.mouse.down()
    page.mouse.move(before["x"] + 300, before["y"] - 100, steps=5)
    page.mouse.up()
    page.wait_for_function(_HEIGHTS_ARE_TOLD)
    moved, after = page.url, border.bounding_box()
    assert after is not None
    assert after["y"] < before["y"] - 50
    page.reload()
    page.wait_for_function(
        "y => Math.abs((document.querySelectorAll('figure table tr')[1]?.getBoundingClientRect().y ?? -9) - y) < 3",
        arg=after["y"],
    )
    assert page.url == moved


@pytest.mark.parametrize("server", ["api", "gateway"])
def test_the_reference_of_the_api_asks_nobody_else(context: BrowserContext, system: Installation, server: str) -> None:
    origin = f"http://127.0.0.1:{system.port if server == 'api' else system.gateway_port}"
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{origin}/docs")
    page.get_by_text("/v1/signals/changes").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((f"{origin}/", "data:"))] == []


def test_a_scan_is_started_watched_and_exported(page: Page, base: str, tmp_path: Path) -> None:
    page.goto(f"{base}/scans")
    page.get_by_label("Universe").fill("AAPL,MSFT,GE,XOM,KO")
    page.get_by_role("button", name="Start scan").click()
    page.wait_for_url(re.compile("/scans/[0-9a-f]{32}"))
    page.get_by_role("button", name="Export").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
        page.get_by_role("menuitem", name=re.compile("CSV")).click()
    file = tmp_path / "scan.csv"
    download.value.save_as(file)
    assert sorted(pl.read_csv(file)["symbol"]) == ["AAPL", "GE", "KO", "MSFT", "XOM"]


def test_a_running_scan_shows_progress_and_is_cancelled(page: Page, base: str) -> None:
    page.goto(f"{base}/scans")
    page.get_by_label("As of").fill("2016-03-01")
    page.get_by_role("button", name="Start scan").click()
    page.get_by_role("progressbar").first.wait_for()
    page.get_by_role("button", name="Cancel").first.click()
    page.get_by_text(re.compile("cancelled", re.IGNORECASE)).first.wait_for()


def test_signals_are_exported_as_parquet(page: Page, base: str, tmp_path: Path) -> None:
    page.goto(f"{base}/signals")
    page.get_by_role("table", name="Signals").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
        page.get_by_role("menuitem", name=re.compile("Parquet")).click()
    file = tmp_path / "signals.parquet"
    download.value.save_as(file)
    assert len(pl.read_parquet(file)) > 400


def test_the_keyboard_reaches_pages_palette_and_help(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.get_by_role("heading", name="Signals", level=1).wait_for()
    page.keyboard.press("/")
    page.keyboard.type("apple")
    page.get_by_role("row", name=re.compile("AAPL")).wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_placeholder("Symbol, agent, job or command").fill("NFLX")
    page.get_by_role("option", name=re.compile("NFLX")).first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/symbols/NFLX"))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_page_is_free_of_what_axe_finds(page: Page, base: str, theme: str) -> None:
    page.emulate_media(color_scheme="light" if theme == "light" else "dark", reduced_motion="reduce")
    for path in PAGES:
        page.goto(f"{base}{path}")
        page.get_by_role("main").wait_for()
        page.wait_for_load_state("networkidle")
        page.evaluate(_AXE.read_text())
        found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.nodes[0].html])")
        assert found == [], (path, theme)


def test_no_page_scrolls_sideways_on_a_phone(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in PAGES:
        page.goto(f"{base}{path}")
        page.get_by_role("main").wait_for()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_without_ray_the_dashboard_reads_on_and_it_recovers_by_itself(
    page: Page, chromium: Browser, system: Installation, base: str, admin: Admin
) -> None:
    page.evaluate("window.neverReloaded = true")
    banner = page.get_by_text("Agents are not running")
    system.ok("cluster", "stop")
    try:
        banner.wait_for()
        stranger = chromium.new_context()  # without a cookie: it has to log in
        other = stranger.new_page()
        log_in(other, base, admin)
        other.get_by_text("Agents are not running").wait_for()
        other.goto(f"{base}/signals")
        other.get_by_role("table", name="Signals").get_by_role("row").nth(1).wait_for()
        stranger.close()
    finally:
        system.ok("cluster", "start")
    expect(banner).to_have_count(0, timeout=WAIT_MS)
    assert page.evaluate("window.neverReloaded") is True


def as_of(url: str) -> str:
    return parse_qs(urlparse(url).query).get("as_of", [""])[0]


def bar_back(page: Page, symbol: str) -> Response:
    """Put the cursor a bar back; the bars that the page asks for then."""
    stood = as_of(page.url)

    def asked(answer: Response) -> bool:
        return f"/v1/bars/{symbol}?" in answer.url and answer.status == 200 and as_of(answer.url) not in ("", stood)

    with page.expect_response(asked) as awaited:
        page.get_by_role("button", name="Bar back").click()
    return awaited.value
