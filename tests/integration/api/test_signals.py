"""What people and programs read of signals: one moment, never a later one unasked."""

import io
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from tests.integration.api.conftest import SYMBOLS
from tests.integration.api.site import Site


async def test_nothing_newer_than_the_market_time_of_the_feed_is_shown(site: Site) -> None:
    clock = site.sessions[-4].isoformat().replace("+00:00", "Z")
    found = await site.json("/v1/signals")
    assert [row["symbol"] for row in found["items"]] == list(SYMBOLS)
    assert {row["as_of"] for row in found["items"]} == {clock} == {found["clock"]} == {found["as_of"]}
    assert (await site.json("/v1/signals/AAPL"))["as_of"] == clock
    assert (await site.json("/v1/signals/AAPL/history"))["items"][0]["as_of"] == clock
    assert (await site.json("/v1/signals/changes"))["as_of"] == clock
    assert (await site.json("/v1/signals/breadth"))["as_of"] == clock
    assert (await site.json("/v1/bars/AAPL"))["ts"][-1] == clock
    assert (await site.json("/v1/bars"))["items"][0]["last"] == clock
    assert (await site.json("/v1/signals/AAPL/series"))["ts"][-1] == clock
    assert (await site.json("/v1/signals/AAPL/reasons"))["as_of"] == clock
    values = await site.json("/v1/indicators/rsi/values", symbol="AAPL", param="window:14")
    assert values["ts"][-1] == clock


async def test_an_explicit_later_moment_shows_what_is_stored_until_then(site: Site) -> None:
    newest, before = site.sessions[-1], site.sessions[-2]
    found = await site.json("/v1/signals", as_of="2030-01-01")
    assert {row["as_of"] for row in found["items"]} == {newest.isoformat().replace("+00:00", "Z")}
    between = await site.json("/v1/signals/AAPL", as_of=before.isoformat())  # of which nothing was decided
    assert between["as_of"] == site.sessions[-4].isoformat().replace("+00:00", "Z")


async def test_a_date_includes_the_close_of_its_session(site: Site) -> None:
    session = site.sessions[-5]
    found = await site.json("/v1/signals/KO", as_of=session.date().isoformat())
    assert found["as_of"] == session.isoformat().replace("+00:00", "Z")


async def test_before_the_first_signal_there_is_none(site: Site) -> None:
    empty = await site.json("/v1/signals", as_of="2017-01-03")
    assert (empty["items"], empty["as_of"]) == ([], None)
    answer = await site.get("/v1/signals/KO", as_of="2017-01-03")
    assert answer.status_code == 404
    assert (await site.json("/v1/signals/changes", as_of="2017-01-03"))["items"] == []
    assert (await site.json("/v1/signals/breadth", as_of="2017-01-03"))["history"] == []


async def test_pages_put_together_are_the_whole_list(site: Site) -> None:
    whole = (await site.json("/v1/signals"))["items"]
    for sort in ("symbol", "strength"):
        pages: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = await site.json("/v1/signals", sort=sort, limit=3, **after)
            pages += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert sorted(row["symbol"] for row in pages) == [row["symbol"] for row in whole]
        if sort == "strength":
            assert all(one["strength"] >= two["strength"] for one, two in pairwise(pages))
    history = (await site.json("/v1/signals/AAPL/history"))["items"]
    first = await site.json("/v1/signals/AAPL/history", limit=2)
    rest = await site.json("/v1/signals/AAPL/history", limit=2, after=first["next"])
    assert [*first["items"], *rest["items"]] == history
    assert len(history) == 3
    assert rest["next"] is None


async def test_filters_leave_out_what_does_not_fit(site: Site) -> None:
    whole = (await site.json("/v1/signals"))["items"]
    strongest = max(row["strength"] for row in whole)
    assert [r["strength"] for r in (await site.json("/v1/signals", min_strength=strongest))["items"]] == [strongest]
    for action in ("BUY", "HOLD", "SELL"):
        found = (await site.json("/v1/signals", action=action))["items"]
        assert found == [row for row in whole if row["action"] == action]
    two = (await site.json("/v1/signals", symbols="KO, AAPL"))["items"]
    assert [row["symbol"] for row in two] == ["AAPL", "KO"]
    assert (await site.json("/v1/signals", universe="list:other"))["items"] == []


async def test_a_signal_is_found_by_its_id_and_revision(site: Site) -> None:
    signal = await site.json("/v1/signals/GE")
    assert await site.json(f"/v1/signals/id/{signal['signal_id']}") == signal
    assert await site.json(f"/v1/signals/id/{signal['signal_id']}", revision=1) == signal
    assert (await site.get(f"/v1/signals/id/{signal['signal_id']}", revision=2)).status_code == 404
    assert (await site.get("/v1/signals/id/none")).status_code == 404


async def test_changes_are_the_symbols_whose_action_differs_from_the_session_before(site: Site) -> None:
    now = {r["symbol"]: r for r in (await site.json("/v1/signals"))["items"]}
    was = {r["symbol"]: r for r in (await site.json("/v1/signals", as_of=site.sessions[-5].isoformat()))["items"]}
    found = await site.json("/v1/signals/changes")
    assert found["before"] == was["GE"]["as_of"]
    assert {row["signal"]["symbol"] for row in found["items"]} == {
        s for s in now if now[s]["action"] != was[s]["action"]
    }
    for row in found["items"]:
        symbol = row["signal"]["symbol"]
        assert (row["signal"], row["was"], row["was_score"]) == (
            now[symbol],
            was[symbol]["action"],
            was[symbol]["score"],
        )
    moves = [abs(row["signal"]["score"] - row["was_score"]) for row in found["items"]]
    assert moves == sorted(moves, reverse=True)


async def test_breadth_counts_every_symbol_once(site: Site) -> None:
    found = await site.json("/v1/signals/breadth", sessions=2)
    signals = (await site.json("/v1/signals"))["items"]
    assert [point["buy"] + point["hold"] + point["sell"] for point in found["history"]] == [8, 8]
    newest = found["history"][-1]
    for action in ("buy", "hold", "sell"):
        counted = sum(row["action"] == action.upper() for row in signals)
        assert newest[action] == counted == sum(sector[action] for sector in found["sectors"])
    assert [sector["sector"] for sector in found["sectors"]] == sorted({s["sector"] for s in found["sectors"]})
    energy = next(sector for sector in found["sectors"] if sector["sector"] == "Energy")  # CVX and XOM
    days = []
    for symbol in ("CVX", "XOM"):
        close = (await site.json(f"/v1/bars/{symbol}", limit=2))["close"]
        days.append(close[1] / close[0] - 1)
    assert energy["day"] == pytest.approx(sum(days) / 2)


async def test_files_hold_the_same_rows_as_the_json(site: Site) -> None:
    rows = (await site.json("/v1/signals"))["items"]
    for kind, read in (("csv", pl.read_csv), ("parquet", pl.read_parquet), ("arrow", pl.read_ipc)):
        answer = await site.get("/v1/signals", format=kind)
        assert answer.headers["content-disposition"].endswith(f'.{kind}"')
        table = read(io.BytesIO(answer.content))
        assert table["symbol"].to_list() == [row["symbol"] for row in rows]
        assert table["score"].to_list() == [row["score"] for row in rows]
        for vote in rows[0]["votes"]:
            assert table[f"vote_{vote['agent']}"][0] == vote["score"]
    page = await site.get("/v1/signals", format="csv", limit=3)
    assert 'rel="next"' in page.headers["link"]


async def test_an_answer_the_client_has_is_not_sent_again_until_something_is_decided(site: Site) -> None:
    paths = (
        "/v1/signals",
        "/v1/signals/changes",
        "/v1/signals/breadth",
        "/v1/signals/AAPL",
        "/v1/signals/AAPL/history",
        "/v1/bars",
        "/v1/bars/AAPL",
        "/v1/indicators",
        "/v1/indicators/rsi/values?symbol=AAPL",
    )
    async with site.client() as client:
        tags = {}
        for path in paths:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            assert answer.headers["cache-control"] == "private, no-cache"
            tags[path] = answer.headers["etag"]
            again = await client.get(path, headers={"If-None-Match": f'"other", {tags[path]}'})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tags[path])
        feed = await site.stores.feed.get()
        assert feed is not None
        await site.play(site.sessions[-3])
        await site.stores.feed.advance(feed.version, clock=site.sessions[-3], state="paused", now=feed.updated_at)
        for path in paths:
            answer = await client.get(path, headers={"If-None-Match": tags[path]})
            assert answer.status_code == (304 if path == "/v1/indicators" else 200), path


async def test_deciding_now_stores_the_signal_of_the_feeds_moment(site: Site) -> None:
    async with site.client("trader") as client:
        answer = await client.post("/v1/signals/MSFT")
    assert answer.status_code == 200, answer.text
    assert answer.json() == await site.json("/v1/signals/MSFT")


async def test_without_a_feed_everything_stored_is_shown(site: Site) -> None:
    async with site.pool.connection() as connection:
        await connection.execute("DELETE FROM feed")
    found = await site.json("/v1/signals")
    assert (len(found["items"]), found["clock"]) == (8, None)
    assert found["as_of"] == site.sessions[-1].isoformat().replace("+00:00", "Z")
    assert (await site.json("/v1/signals/breadth"))["history"] == []
    for path in ("/v1/feed", "/v1/bars", "/v1/bars/AAPL"):
        answer = await site.get(path)
        assert (answer.status_code, "goldensignals up" in answer.json()["detail"]) == (503, True)
