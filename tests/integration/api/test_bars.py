"""Bars are read up to one moment; a client's own are sent once, by hash, and checked."""

import asyncio
import hashlib
import io
import shutil
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from httpx import Response

from data.market.archive import Archive, open_upload, uploads_folder
from serve_app.api import views
from tests.integration.api.conftest import SYMBOLS
from tests.integration.api.site import Site


def parquet(bars: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    bars.write_parquet(out)
    return out.getvalue()


def arrow_file(bars: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    bars.write_ipc(out)
    return out.getvalue()


def arrow_stream(bars: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    bars.write_ipc_stream(out)
    return out.getvalue()


async def put(site: Site, body: bytes, data_hash: str | None = None) -> Response:
    name = data_hash or hashlib.sha256(body).hexdigest()
    async with site.client("trader") as client:
        return await client.put(f"/v1/bars/{name}", content=body)


@pytest.fixture
def own(market_file: Path) -> pl.DataFrame:
    """Two symbols, 50 sessions, one row of them unsound."""
    bars = pl.read_parquet(market_file).filter(pl.col("symbol").is_in(["KO", "GE"]))
    bars = bars.filter(pl.col("date") >= bars["date"].unique().sort()[-50])
    broken = (pl.col("symbol") == "KO") & (pl.col("date") == bars["date"].min())
    return bars.with_columns(high=pl.when(broken).then(0.5).otherwise("high"))


async def test_instruments_are_those_of_the_feeds_bars(bare: Site) -> None:
    found = (await bare.json("/v1/bars"))["items"]
    assert [row["symbol"] for row in found] == list(SYMBOLS)
    assert (found[0]["name"], found[0]["sector"]) == ("Apple Inc.", "Information Technology")
    assert {row["bars"] for row in found} == {297}  # of 300: the last three have not happened yet
    first = await bare.json("/v1/bars", limit=5)
    rest = await bare.json("/v1/bars", limit=5, after=first["next"])
    assert [*first["items"], *rest["items"]] == found


async def test_bars_are_the_newest_ones_between_two_moments(bare: Site) -> None:
    panel = bare.bars.panel.of("GE")
    found = await bare.json("/v1/bars/GE", limit=3)
    assert found["close"] == panel.close[-6:-3].tolist()
    assert found["data_hash"] == bare.bars.panel.content_hash
    between = await bare.json(
        "/v1/bars/GE", start=bare.sessions[10].date().isoformat(), as_of=bare.sessions[12].isoformat()
    )
    assert between["open"] == panel.open[10:13].tolist()
    assert {len(column) for column in between.values() if isinstance(column, list)} == {3}
    before = await bare.json("/v1/bars/GE", as_of=(bare.sessions[0] - timedelta(days=1)).isoformat())
    assert before["ts"] == []
    assert (await bare.get("/v1/bars/NONE")).status_code == 404


async def test_closes_of_all_symbols_are_columns_over_the_newest_sessions(bare: Site) -> None:
    found = await bare.json("/v1/bars/closes", bars=3)
    assert [datetime.fromisoformat(ts) for ts in found["ts"]] == bare.sessions[-6:-3]  # to the feed's clock
    assert found["closes"] == {s: bare.bars.panel.of(s).close[-6:-3].tolist() for s in SYMBOLS}
    assert found["data_hash"] == bare.bars.panel.content_hash
    assert len((await bare.json("/v1/bars/closes"))["ts"]) == 61
    early = await bare.json("/v1/bars/closes", as_of=bare.sessions[1].isoformat())
    assert early["closes"]["KO"] == bare.bars.panel.of("KO").close[:2].tolist()
    nothing = await bare.json("/v1/bars/closes", as_of=(bare.sessions[0] - timedelta(days=1)).isoformat())
    assert (nothing["ts"], nothing["closes"]) == ([], {})
    assert (await bare.get("/v1/bars/closes", bars=261)).status_code == 422


async def test_closes_that_a_client_holds_are_not_sent_again_until_the_clock_moves(bare: Site) -> None:
    tag = (await bare.get("/v1/bars/closes")).headers["ETag"]
    async with bare.client("viewer") as client:
        assert (await client.get("/v1/bars/closes", headers={"If-None-Match": tag})).status_code == 304
        feed = await bare.stores.feed.get()
        assert feed is not None
        await bare.stores.feed.put(replace(feed, clock=bare.sessions[-3]))
        moved = await client.get("/v1/bars/closes", headers={"If-None-Match": tag})
    assert (moved.status_code, moved.json()["ts"][-1]) == (200, bare.sessions[-3].isoformat().replace("+00:00", "Z"))


async def test_a_close_that_is_not_there_is_null_and_a_symbol_without_any_is_left_out(tmp_path: Path) -> None:
    days = pl.date_range(date(2018, 1, 2), date(2018, 1, 5), "1d", eager=True)
    bars = pl.concat([pl.DataFrame({"symbol": [s] * len(d), "date": d}) for s, d in (
        ("A", days), ("B", days.gather([0, 1, 3])), ("OLD", days[:1]))])  # fmt: skip
    bars = bars.with_columns(**{name: pl.lit(10.0) for name in ("open", "high", "low", "close", "volume")})
    file = tmp_path / "gaps.parquet"
    bars.write_parquet(file)

    async def source() -> str:
        return str(file)

    found = await Archive(source).closes(3, until=None)
    view = views.closes(found, "1d", "hash")
    assert view.closes == {"A": [10.0, 10.0, 10.0], "B": [10.0, None, 10.0]}


@pytest.mark.parametrize("write", [parquet, arrow_file, arrow_stream])
async def test_uploaded_bars_are_kept_once_by_the_hash_of_their_bytes(
    bare: Site, own: pl.DataFrame, write: type
) -> None:
    body = write(own)
    data_hash = hashlib.sha256(body).hexdigest()
    first = await put(bare, body)
    assert first.status_code == 201, first.text
    assert {k: v for k, v in first.json().items() if k != "uploaded_at"} == {
        "data_hash": data_hash,
        "symbols": 2,
        "rows": 99,
        "quarantined": 1,
    }
    assert (await put(bare, b"", data_hash)).status_code == 200  # known: not even looked at
    assert await bare.json(f"/v1/bars/uploads/{data_hash}") == first.json()
    kept = open_upload(bare.services.settings.home, data_hash)
    assert (kept.panel.symbols, len(kept.panel), kept.quarantined.total) == (("GE", "KO"), 99, 1)


async def test_bars_that_were_lost_from_the_lake_are_taken_again(bare: Site, own: pl.DataFrame) -> None:
    body = parquet(own)
    data_hash = hashlib.sha256(body).hexdigest()
    lake = uploads_folder(bare.services.settings.home)
    await put(bare, body)
    await asyncio.to_thread(shutil.rmtree, lake)
    assert (await bare.get(f"/v1/bars/uploads/{data_hash}")).status_code == 404
    assert (await put(bare, body)).status_code == 201
    assert (await bare.get(f"/v1/bars/uploads/{data_hash}")).status_code == 200
    await asyncio.to_thread(shutil.rmtree, lake)
    await asyncio.to_thread(lake.write_bytes, b"no folder")
    answer = await put(bare, body)
    assert (answer.status_code, "cannot be kept now" in answer.json()["detail"]) == (503, True)


async def test_a_scan_reads_uploaded_bars(bare: Site, own: pl.DataFrame) -> None:
    body = parquet(own)
    await put(bare, body)
    data_hash = hashlib.sha256(body).hexdigest()
    async with bare.client("trader") as client:
        answer = await client.post("/v1/scans", json={"bars": data_hash, "universe": "KO"})
        elsewhere = await client.post("/v1/scans", json={"bars": data_hash, "universe": "AAPL"})
    assert answer.json()["spec"] == {
        "source": f"upload:{data_hash}",
        "data_hash": data_hash,
        "universe": "KO",
        "agents": sorted(agent.name for agent in await bare.compute.agents()),
        "as_of": bare.sessions[-1].isoformat(),
    }
    assert (elsewhere.status_code, "no symbol 'AAPL' in these bars" in elsewhere.text) == (422, True)


async def test_a_body_that_is_no_bars_is_refused_and_not_kept(bare: Site) -> None:
    cases = [
        (b"", "cannot be read as bars"),
        (b"PAR1 and nothing more", "cannot be read as bars"),
        (b"ARROW1 and nothing more", "cannot be read as bars"),
        (b"date,symbol,close\n", "cannot be read as bars"),
        (parquet(pl.DataFrame({"symbol": ["A"], "close": [1.0]})), "has no time column"),
        (arrow_file(pl.DataFrame({"symbol": ["A"], "ts": [["x"]], "open": [1.0]})), "column"),
        (parquet(pl.DataFrame({"symbol": []})), "no rows"),
    ]
    for body, said in cases:
        answer = await put(bare, body)
        assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert not (bare.services.settings.home / "lake").exists()


async def test_a_body_with_another_hash_is_refused(bare: Site, own: pl.DataFrame) -> None:
    answer = await put(bare, parquet(own), "f" * 64)
    assert (answer.status_code, "send the bytes that were hashed" in answer.json()["detail"]) == (422, True)
    assert (await bare.get(f"/v1/bars/uploads/{'f' * 64}")).status_code == 404


async def test_intraday_bars_are_taken_in_the_long_format(bare: Site) -> None:
    start = pl.datetime(2018, 2, 5, 14, 35, time_zone="UTC")
    bars = pl.select(symbol=pl.lit("X"), ts=pl.datetime_range(start, start + pl.duration(minutes=45), "5m"))
    bars = bars.with_columns(
        pl.col("ts").cast(pl.Datetime("us", "UTC")),
        **{name: pl.lit(10.0) for name in ("open", "high", "low", "close", "volume")},
    )
    assert (await put(bare, parquet(bars))).status_code == 201
    naive = parquet(bars.with_columns(pl.col("ts").dt.replace_time_zone(None)))
    refused = await put(bare, naive)
    assert (refused.status_code, "stamp" in refused.json()["detail"]) == (422, True)


async def test_a_table_that_would_unpack_to_far_too_much_is_refused(
    bare: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.market.unpack.MAX_ROWS", 1000)
    many = pl.DataFrame({"symbol": ["A"] * 2000})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, many.to_arrow().schema) as out:
        out.write_table(many.to_arrow())
    beyond = pl.select(symbol=pl.repeat("A", 10_000_001))  # Parquet is unpacked elsewhere, within the real limits
    for body in (parquet(beyond), arrow_file(many), sink.getvalue()):
        answer = await put(bare, body)
        assert (answer.status_code, "send it in parts" in answer.json()["detail"]) == (422, True)


async def test_uploads_of_one_user_stay_under_their_total(bare: Site, own: pl.DataFrame) -> None:
    bodies = [parquet(own.with_columns(volume=pl.lit(100.0 + i))) for i in range(4)]
    api = bare.services.settings.api.model_copy(update={"upload_total_bytes": sum(map(len, bodies[:2]))})
    settings = bare.services.settings.model_copy(update={"api": api})
    bare.app.state.services = replace(bare.services, settings=settings)
    answers = await asyncio.gather(*(put(bare, body) for body in bodies))
    refused = [answer for answer in answers if answer.status_code == 409]
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    assert all("GS_API__UPLOAD_TOTAL_BYTES" in answer.json()["detail"] for answer in refused)
    kept = {path.name for path in uploads_folder(settings.home).iterdir()}
    accepted = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 201]
    assert kept == {hashlib.sha256(body).hexdigest() for body in accepted}
    await asyncio.to_thread(shutil.rmtree, uploads_folder(settings.home))
    assert (await put(bare, accepted[0])).status_code == 201  # lost bytes are no more than they were
