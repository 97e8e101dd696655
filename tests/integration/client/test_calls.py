"""The calls of the façade give the same on a server, and what goes wrong there is said here."""

import json
import logging
import shutil
from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import goldensignals as gs
from data.market.archive import uploads_folder
from data.market.sample import sample_bars
from serve_app.api.models import JobView
from serve_app.auth.access import Permission
from serve_app.client.client import Client
from tests.integration.client.system import USER, System, until
from tests.integration.gateway.conftest import free_port
from tests.integration.people import PASSWORD


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return sample_bars().filter(pl.col("symbol").is_in(["AAPL", "KO", "XOM"]))


def uploads(system: System) -> int:
    return sum(method == "PUT" for method, _ in system.requests)


def test_signals_have_the_same_bits_as_in_this_process_and_bars_are_sent_once(
    system: System, client: Client, bars: pl.DataFrame
) -> None:
    seen: list[JobView] = []
    found = client.signals(bars, agents=["trend", "volatility"], on_progress=seen.append)
    alone = gs.signals(bars, agents=["trend", "volatility"])
    own = "signal_id"  # uploaded bars are a universe of their own there, so that they never revise the feed's signals
    assert_frame_equal(found.drop(own), alone.drop(own), check_exact=True)
    assert set(found[own]).isdisjoint(alone[own])
    assert uploads(system) == 1
    assert seen[-1].state == "done"
    assert seen[-1].done == seen[-1].total == 6
    everything = client.signals(bars)
    assert_frame_equal(everything.drop(own), gs.signals(bars).drop(own), check_exact=True)
    assert_frame_equal(client.signals(bars), everything, check_exact=True)
    assert uploads(system) == 1


def test_without_any_signal_there_are_no_rows_of_the_same_types(client: Client, bars: pl.DataFrame) -> None:
    young = bars.group_by("symbol", maintain_order=True).head(3)
    assert_frame_equal(client.signals(young, agents=["trend"]), gs.signals(young, agents=["trend"]))


def test_bars_are_refused_here_before_anything_is_sent(system: System, client: Client) -> None:
    with pytest.raises(gs.InvalidInput, match="no time column"):
        client.signals(pl.DataFrame({"close": [1.0]}))
    assert uploads(system) == 0


def test_a_job_that_fails_gives_its_reason(system: System, client: Client, bars: pl.DataFrame) -> None:
    data_hash = client.upload(bars).data_hash
    (uploads_folder(system.settings.home) / data_hash).write_bytes(b"something else")
    with pytest.raises(gs.GoldenSignalsError, match=r"job [0-9a-f]{32} failed: .* were changed on disk") as caught:
        client.signals(bars)
    job = client.job(str(caught.value.facts["job_id"]))
    assert job.state == "failed"


def test_bars_that_the_server_has_lost_are_sent_again(system: System, client: Client, bars: pl.DataFrame) -> None:
    client.upload(bars)
    shutil.rmtree(uploads_folder(system.settings.home))
    assert client.signals(bars, agents=["trend"]).height == 3
    assert uploads(system) == 2


def test_a_scan_of_the_feed_is_a_job_that_is_waited_for_or_not(client: Client) -> None:
    found = client.scan(universe="AAPL,KO", agents=["trend"])
    assert sorted(found["symbol"]) == ["AAPL", "KO"]
    assert found["strength"].is_sorted(descending=True)
    job = client.scan(universe="KO,AAPL", agents=["trend"], wait=False)
    assert client.wait(job.job_id).state == "done"
    assert client.scan_result(job.job_id).skipped == {}
    assert_frame_equal(client.scan_table(job.job_id), found)
    assert client.jobs(kind="scan")["job_id"].to_list() == [job.job_id]
    assert client.cancel(job.job_id).state == "done"  # what has ended stays as it is


def test_a_job_that_takes_longer_than_the_patience_goes_on(client: Client) -> None:
    with pytest.raises(gs.TemporarilyUnavailable, match="has not ended within 0 s and goes on") as caught:
        client.scan(timeout_s=0)
    assert client.wait(str(caught.value.facts["job_id"])).state == "done"


def test_what_is_stored_is_read_as_tables_and_models(system: System, client: Client) -> None:
    assert client.latest().height == 0
    scanned = client.scan(as_of="2018-02-01")
    latest = client.latest()
    assert_frame_equal(latest.select(scanned.columns).sort("symbol"), scanned.sort("symbol"))
    assert latest["strength"].is_sorted(descending=True)
    assert latest["revision"].to_list() == [1] * latest.height
    assert client.latest(symbols=["KO", "GE"])["symbol"].sort().to_list() == ["GE", "KO"]
    one = client.signal("KO")
    assert (one.symbol, one.as_of) == ("KO", datetime(2018, 2, 1, 21, tzinfo=UTC))
    client.scan(as_of="2018-02-02")
    assert client.history("KO")["as_of"].dt.day().to_list() == [2, 1]
    assert client.history("KO", limit=1).height == 1
    assert client.history("KO", limit=0).schema == latest.schema
    assert client.agents()["name"].to_list() == sorted(client.agents()["name"])
    assert client.feed().clock == datetime.fromtimestamp(system.bars.panel.sessions[-1] / 1e6, UTC)


def test_bars_and_indicators_are_those_of_this_process(system: System, client: Client) -> None:
    bars = client.bars("KO")
    assert gs.signals(bars, agents=["trend"]).height == 1  # as load_bars gives them
    assert bars.height == 300
    assert client.bars("KO", limit=10)["ts"].to_list() == bars["ts"].to_list()[-10:]
    rsi = client.indicator("rsi", "KO", window=14)
    assert rsi["rsi"].to_numpy().tobytes() == gs.indicators.rsi(bars["close"], 14).tobytes()
    bands = client.indicator("bollinger", "KO", window=20, deviations=2.5, start="2018-01-02")
    assert bands.height < 300
    ranges = client.indicator("atr", "KO", smoothing="sma")["atr"].to_numpy()
    assert ranges.tobytes() == gs.indicators.atr(bars["high"], bars["low"], bars["close"], 14, "sma").tobytes()
    apart = client.indicator("sub", "KO", other="AAPL")["sub"]
    assert apart.to_list() == (bars["close"] - client.bars("AAPL")["close"]).to_list()
    registry = client.indicators().filter(name="atr")
    assert (registry["units"].to_list(), registry["formula"][0] != "") == ([["move"]], True)
    assert "tradingview" in registry["params"][0]
    assert client.instruments()["symbol"].to_list() == list(system.bars.panel.symbols)


def test_events_are_read_from_any_number_on(system: System, client: Client) -> None:
    system.store(["AAPL", "KO"], range(5))
    until(lambda: client.events(limit=None).height == 10)
    events = client.events(after=7, limit=None)
    assert events["seq"].to_list() == [8, 9, 10]
    assert {json.loads(body)["signal"]["symbol"] for body in events["body"]} == {"AAPL", "KO"}
    assert client.events(pattern="signals.*.KO", limit=3)["routing_key"].to_list() == ["signals.consensus.KO"] * 3


@pytest.mark.parametrize(
    ("ask", "kind", "words"),
    [
        (lambda c: c.signal("NOPE"), gs.NotFound, "there is no signal of NOPE"),
        (lambda c: c.signal("../users"), gs.NotFound, "there is nothing at this path"),
        (lambda c: c.indicator("rsii", "KO"), gs.NotFound, "did you mean rsi"),
        (lambda c: c.indicator("rsi", "KO", window=0), gs.InvalidInput, "window"),
        (lambda c: c.indicator("atr", "KO", smoothing="hull"), gs.InvalidInput, "must be one of wilder, sma"),
        (lambda c: c.indicator("beta", "KO"), gs.InvalidInput, "compares two symbols"),
        (lambda c: c.scan(agents=["tred"]), gs.InvalidInput, "there is no agent tred; known: mean_reversion"),
        (lambda c: c.scan(universe="KOO"), gs.InvalidInput, "did you mean KO"),
        (lambda c: c.job("nonsense"), gs.InvalidInput, "job_id"),
        (lambda c: c.job(""), gs.InvalidInput, "is no name"),
        (lambda c: c.job(".."), gs.InvalidInput, "is no name"),
        (lambda c: c.bars("KO", as_of=datetime(2018, 1, 1)), gs.InvalidInput, "no time zone"),  # noqa: DTZ001
        (lambda c: c.indicator("rsi", "KO", window=float("nan")), gs.InvalidInput, "must be a number"),
    ],
)
def test_what_is_wrong_is_said_with_the_servers_sentence(
    client: Client, ask: object, kind: type[gs.GoldenSignalsError], words: str
) -> None:
    assert callable(ask)
    with pytest.raises(kind, match=words) as caught:
        ask(client)
    assert type(caught.value) is kind
    if "status" in caught.value.facts:
        assert caught.value.facts["correlation_id"]


def test_a_key_that_has_expired_is_refused_when_connecting(system: System) -> None:
    key = system.key()
    system.expire_keys()
    with pytest.raises(gs.Unauthenticated, match="this API key has expired; make a new one"):
        gs.connect(system.url, api_key=key)


def test_a_key_may_do_what_its_scopes_say(system: System) -> None:
    with (
        gs.connect(system.url, api_key=system.key(Permission.READ)) as client,
        pytest.raises(gs.Forbidden, match="this needs the permission run"),
    ):
        client.scan()


def test_a_login_renews_itself_and_ends_with_the_client(system: System) -> None:
    client = gs.connect(system.url, username=USER, password=PASSWORD)
    assert client.me.name == USER
    minutes = system.settings.auth.access_minutes
    system.clock.set(datetime.fromtimestamp(system.clock.now().timestamp() + minutes * 60 + 1, UTC))
    assert client.feed().kind == "replay"  # the server refused the old access token
    assert ("POST", "/v1/auth/refresh") in system.requests
    client.close()
    assert system.requests[-1] == ("POST", "/v1/auth/logout")
    with pytest.raises(gs.Unauthenticated, match="closed"):
        client.feed()
    client.close()


def test_a_wrong_password_is_tried_once(system: System) -> None:
    with pytest.raises(gs.Unauthenticated, match="the user name or the password is wrong"):
        gs.connect(system.url, username=USER, password="not the password")  # pragma: allowlist secret
    assert system.requests.count(("POST", "/v1/auth/token")) == 1


def test_neither_key_nor_password_is_shown_or_logged(system: System, caplog: pytest.LogCaptureFixture) -> None:
    key = system.key()
    with caplog.at_level(logging.DEBUG):
        with gs.connect(system.url, api_key=key) as client:
            client.feed()
            assert repr(client) == f"<goldensignals client of {system.url} as {USER}>"
        with gs.connect(system.url, username=USER, password=PASSWORD) as other:
            other.feed()
    secret = key.rpartition("_")[2]
    for text in (caplog.text, repr(client), repr(other), repr(vars(client))):
        assert secret not in text
        assert PASSWORD not in text


def test_a_gateway_is_a_server_that_only_reads(system: System) -> None:
    system.start_gateway()
    with gs.connect(system.gateway_url, api_key=system.key()) as client:
        assert not client.meta.compute
        assert client.bars("KO").height == 300
        with pytest.raises(gs.InvalidInput, match="this server only reads and starts no work; connect to the API"):
            client.scan()


def test_a_server_that_went_away_is_named(system: System) -> None:
    with gs.connect(system.url, api_key=system.key(), timeout_s=1) as client:
        system.stop_api()
        with pytest.raises(gs.TemporarilyUnavailable, match=f"{system.url} cannot be reached"):
            client.feed()
    with pytest.raises(gs.TemporarilyUnavailable, match="does it run, and is the address right"):
        gs.connect(f"http://127.0.0.1:{free_port()}", username=USER, password=PASSWORD, timeout_s=1)
