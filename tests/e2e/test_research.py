"""Research at the browser: a sweep from the form to its best set, a walk-forward, comparing, verifying, jobs, keys."""

import re
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page, expect

from tests.cluster.installation import Installation
from tests.e2e.test_dashboard import _AXE

_SYMBOLS = "AAPL,KO,XOM"
_RESULT = re.compile("/(backtests|sweeps|walkforwards)/[0-9a-f]{32}$")


@pytest.fixture
def base(system: Installation) -> str:
    return f"http://127.0.0.1:{system.gateway_port}"


def test_a_sweep_is_asked_watched_read_and_its_best_set_backtested(page: Page, base: str, tmp_path: Path) -> None:
    page.goto(f"{base}/sweeps")
    page.get_by_label("fast", exact=True).fill("5:10")
    page.get_by_label("slow", exact=True).fill("20:60:10")
    page.get_by_label("Symbols").fill(_SYMBOLS)
    page.get_by_label("Fees").fill("5bps")
    page.get_by_text("60 backtests").wait_for()
    page.get_by_role("button", name="Start sweep").click()
    page.wait_for_url(_RESULT)
    page.get_by_role("slider", name="Cell of the heatmap").wait_for()
    clean(page)
    table = page.get_by_role("table", name="Sets")
    table.get_by_role("button", name="Backtest set").first.wait_for()
    expect(table).to_have_attribute("aria-rowcount", "21")

    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Filter fast").fill("= 5")
    expect(table).to_have_attribute("aria-rowcount", "5")
    page.get_by_text("4 sets within the chosen ranges").wait_for(state="attached")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
        page.get_by_role("menuitem", name=re.compile("Parquet")).click()
    download.value.save_as(tmp_path / "sets.parquet")
    assert pl.read_parquet(tmp_path / "sets.parquet")["fast"].to_list() == [5] * 4

    with page.expect_download() as picture:
        page.get_by_role("button", name="Sharpe by fast and slow: table and files").click()
        page.get_by_role("menuitem", name=re.compile("Picture")).click()
    assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")

    page.get_by_role("button", name="Backtest this set").click()
    page.wait_for_url(re.compile("/backtests/[0-9a-f]{32}$"))
    page.get_by_role("slider", name="Equity: session").wait_for()
    page.get_by_text(re.compile("after 2[01] trials of this family")).wait_for()
    clean(page)
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("Same bits").wait_for()
    page.get_by_role("link", name="Report").click()
    page.frame_locator("iframe[title=Report]").get_by_role("heading", name="sma_cross").wait_for()


def test_what_is_refused_stands_at_its_field_before_anything_is_started(page: Page, base: str) -> None:
    page.goto(f"{base}/backtests?strategy=own")
    page.get_by_label("Enter", exact=True).fill("rsy(14) < 30")
    page.get_by_role("alert").filter(has_text="there is no indicator or function called 'rsy'").wait_for()
    page.get_by_label("Enter", exact=True).fill("rsi(14) < 30")
    page.get_by_label("Exit", exact=True).fill("rsi(14) > 55")
    page.get_by_label("Symbols").fill(_SYMBOLS)
    page.get_by_role("button", name="Start backtest").click()
    page.wait_for_url(_RESULT)
    page.get_by_role("button", name="Trades").click()
    page.get_by_role("table", name="Trades").get_by_role("row").nth(1).wait_for()
    page.get_by_role("link", name="Rerun").click()
    expect(page.get_by_label("Enter", exact=True)).to_have_value("rsi(14) < 30")


def test_a_walk_forward_is_read_fold_by_fold_and_compared(page: Page, base: str) -> None:
    page.goto(f"{base}/walkforwards?p.fast=5:15:5&p.slow=20:60:20&symbols={_SYMBOLS}&train=252&test=126&purge=5")
    page.get_by_role("button", name="Start walk-forward").click()
    page.wait_for_url(_RESULT)
    page.get_by_role("heading", name="In and out of sample").wait_for()
    page.get_by_role("table", name="Folds").get_by_role("row").nth(1).wait_for()
    clean(page)
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.get_by_role("checkbox").nth(1).wait_for()
    page.get_by_role("checkbox").nth(0).check()
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("link", name="Compare 2").click()
    page.get_by_role("slider", name="Equity: session").wait_for()
    page.get_by_role("row", name=re.compile("Sharpe.*best")).wait_for()
    clean(page)


def test_a_running_sweep_is_cancelled_from_the_jobs(page: Page, base: str) -> None:
    page.goto(f"{base}/sweeps?p.fast=2:300&p.slow=20:400:2")
    page.get_by_role("button", name="Start sweep").click()
    page.wait_for_url(re.compile("/sweeps/jobs/[0-9a-f]{32}$"))
    page.get_by_role("progressbar").first.wait_for()
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.get_by_role("table").get_by_role("button", name=re.compile("sma_cross")).first.click()
    page.get_by_role("button", name="Cancel sweep").click()
    page.get_by_text(re.compile("^Cancelled after")).wait_for()
    clean(page)


def clean(page: Page) -> None:
    """Nothing that axe finds, in both themes, and no page that scrolls sideways on a phone."""
    size = page.viewport_size
    assert size is not None
    page.evaluate(_AXE.read_text())
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="light" if theme == "light" else "dark", reduced_motion="reduce")
        found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.nodes[0].html])")
        assert found == [], (page.url, theme)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url
    page.set_viewport_size(size)
