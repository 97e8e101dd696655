"""The live path: sessions are played, decided, stored and streamed; whatever dies, nothing is lost or comes twice."""

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest

from tests.cluster.installation import Installation, eventually, frozen, send
from tests.cluster.live import VICTIMS, Admin, Api, Listener, admin_of

_SESSION_S = "0.5"
_BACK_S = 120.0


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gs-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def replay(place: Path, few_bars: Path) -> Iterator[Installation]:
    """A system that plays a few symbols, two sessions a second, for as long as the tests need."""
    installation = Installation(
        place / "replay",
        AGENTS__ACTORS="1",
        REPLAY__SESSION_S=_SESSION_S,
        REPLAY__SESSIONS="1200",
        AUTH__LOGIN_PER_MINUTE="1000",
    )
    try:
        installation.ok("up", "--detach", "--source", f"replay:{few_bars}")
        yield installation
    finally:
        installation.close()


@pytest.fixture(scope="module")
def admin(replay: Installation) -> Admin:
    return admin_of(replay)


@pytest.fixture
def gateway(replay: Installation, admin: Admin) -> Iterator[Api]:
    api = Api(replay.gateway_port, admin)
    yield api
    api.close()


def moves_on(gateway: Api) -> None:
    """Passes when the replay has decided three more sessions."""
    before = gateway.get("/v1/events", pattern="market.session", limit=1000)["items"]
    last = before[-1]["seq"] if before else 0
    eventually(
        "three more sessions",
        lambda: len(gateway.get("/v1/events", pattern="market.session", after=last)["items"]) >= 3,
        within_s=_BACK_S,
    )


def assert_all_received(replay: Installation, gateway: Api, listener: Listener) -> None:
    """Every signal event since the listener's first one, once each, in order; and PostgreSQL's order has no gap."""
    (stored,) = replay.rows("SELECT max(seq) FROM stream")
    eventually("the listener to be there", lambda: (listener.seen["cursor"] or 0) >= stored[0], within_s=_BACK_S)
    seen = listener.stop()
    assert (seen["twice"], seen["backwards"], seen["gaps_in_n"], seen["snapshots"]) == (0, 0, 0, 0)
    rows = replay.rows(
        """SELECT s.event_id::text FROM stream AS s WHERE s.routing_key LIKE 'signals.%%'
            AND s.seq >= (SELECT seq FROM stream WHERE event_id = %s::uuid) AND s.seq <= %s ORDER BY s.seq""",
        seen["ids"][0],
        seen["cursor"],
    )
    assert seen["ids"] == [event_id for (event_id,) in rows]
    ((seqs, first, last),) = replay.rows("SELECT count(*), min(seq), max(seq) FROM stream")
    assert (first, last) == (1, seqs)
    replay.counted()


def test_a_played_session_has_the_signals_of_a_scan_of_that_day(
    replay: Installation, gateway: Api, few_bars: Path
) -> None:
    moves_on(gateway)
    session = gateway.get("/v1/events", pattern="market.session", limit=1)["items"][0]["as_of"]
    before = replay.rows("SELECT signal_id, revision, input_hash FROM signal ORDER BY 1, 2")
    again = replay.ok("scan", "--bars", str(few_bars), "--as-of", session[:10], "--json")
    scanned = {(s["signal_id"], s["revision"], s["input_hash"]) for s in again.document["signals"]}
    assert scanned
    assert scanned <= set(before)


@pytest.mark.parametrize("victim", VICTIMS)
def test_nothing_is_lost_or_doubled_when_it_is_killed_during_a_replay(
    victim: str, replay: Installation, admin: Admin, gateway: Api, tmp_path: Path
) -> None:
    listener = Listener(replay, admin, tmp_path / "seen.json")
    eventually("a first signal", lambda: listener.seen["ids"], within_s=_BACK_S)
    send(VICTIMS[victim](replay).pid, signal.SIGKILL)
    again = eventually("an API that can be logged into", lambda: _login(replay, admin), within_s=_BACK_S)
    moves_on(again)
    again.close()
    assert_all_received(replay, gateway, listener)


@pytest.mark.parametrize("victim", ["relay", "gateway", "Redis", "PostgreSQL"])
def test_nothing_is_lost_or_doubled_when_it_is_frozen_during_a_replay(
    victim: str, replay: Installation, admin: Admin, gateway: Api, tmp_path: Path
) -> None:
    listener = Listener(replay, admin, tmp_path / "seen.json")
    eventually("a first signal", lambda: listener.seen["ids"], within_s=_BACK_S)
    process = VICTIMS[victim](replay)
    ((before,),) = replay.rows("SELECT max(seq) FROM stream")
    with frozen(process.pid):
        if victim in ("relay", "gateway"):  # a supervisor replaces it
            eventually(
                "its end", lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, within_s=60
            )
        else:
            eventually("its silence to be noticed", lambda: _stale(replay), within_s=60)
    again = eventually("an API that can be logged into", lambda: _login(replay, admin), within_s=_BACK_S)
    eventually("new events", lambda: replay.rows("SELECT max(seq) FROM stream")[0][0] > before, within_s=_BACK_S)
    moves_on(again)
    again.close()
    assert_all_received(replay, gateway, listener)


def _stale(replay: Installation) -> bool:
    """The gateway says that it is cut off from a server."""
    answer = httpx.get(f"http://127.0.0.1:{replay.gateway_port}/readyz", timeout=20)
    return answer.status_code != 200 or answer.json()["status"] != "ready"


def _login(replay: Installation, admin: Admin) -> Api | None:
    try:
        return Api(replay.gateway_port, admin)
    except (httpx.HTTPError, AssertionError):
        return None
