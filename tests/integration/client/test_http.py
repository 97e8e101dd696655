"""What is sent again and what is not, and servers that are not ours; a peer on loopback says what the test needs."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import goldensignals as gs
from serve_app.client.client import Client

META = {"name": "goldensignals", "version": "9.9", "api": 1, "gateway_port": 1, "api_port": 2, "compute": True}
ME = {"name": "ana", "role": "trader", "permissions": [], "key_id": "1"}
KEY = "gs_0123456789ab_secretsecret"


@dataclass
class Said:
    """One answer. `status` 0: the connection is cut. `drips`: the body comes byte by byte until then."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drips: threading.Event | None = None


@dataclass
class Peer:
    """Gives the answers of a path in turn, the last one again and again; notes what it was asked."""

    url: str
    answers: dict[str, list[Said]]
    asked: list[str] = field(default_factory=list)

    def next(self, path: str) -> Said:
        self.asked.append(path)
        waiting = self.answers.get(path, [Said(404)])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def connect(self, **options: Any) -> Client:
        return gs.connect(self.url, api_key=KEY, **options)


@pytest.fixture
def peer() -> Iterator[Peer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = here.next(self.path.partition("?")[0])
            if said.status == 0:
                self.close_connection = True
                return
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in (said.headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if said.drips is None:
                self.wfile.write(body)
            while said.drips is not None and not said.drips.wait(0.05):
                self.wfile.write(b" ")

        do_POST = do_PUT = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = Peer(f"http://127.0.0.1:{server.server_port}", {"/v1/meta": [Said(200, META)]})
        here.answers["/v1/auth/me"] = [Said(200, ME)]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield here
        server.shutdown()
        thread.join()


def problem(status: int, detail: str, **headers: str) -> Said:
    body = {"title": "t", "status": status, "detail": detail, "correlation_id": "c-17", "new_field": 1}
    return Said(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("api", "side"),
    [(2, "upgrade the package goldensignals here"), (0, "upgrade the server")],
)
def test_another_version_of_the_api_says_which_side_to_upgrade(peer: Peer, api: int, side: str) -> None:
    peer.answers["/v1/meta"] = [Said(200, {"name": "goldensignals", "version": "9.9", "api": api})]
    with pytest.raises(gs.InvalidInput, match=rf"the server \(9\.9\) speaks version {api} .* version 1: {side}"):
        peer.connect()


def test_another_version_of_the_package_and_fields_it_added_are_fine(peer: Peer) -> None:
    peer.answers["/v1/meta"] = [Said(200, META | {"weather": "fine"})]
    peer.answers["/v1/auth/me"] = [Said(200, ME | {"shoe_size": 42})]
    with peer.connect() as client:
        assert (client.meta.version, client.me.name) == ("9.9", "ana")


@pytest.mark.parametrize(
    "said",
    [Said(200, b"<html>hello</html>"), Said(200, [1]), Said(200, {"name": "other"}), Said(404), Said(200, {"api": 1})],
)
def test_a_server_that_is_not_ours_is_told_from_one_that_is(peer: Peer, said: Said) -> None:
    peer.answers["/v1/meta"] = [said]
    with pytest.raises(gs.InvalidInput, match="is no GoldenSignals server; check the address"):
        peer.connect()


def test_a_server_that_sends_its_callers_elsewhere_gets_no_key(peer: Peer) -> None:
    peer.answers["/v1/auth/me"] = [Said(307, None, {"Location": "http://elsewhere.example/"})]
    with pytest.raises(gs.InvalidInput, match=r"sends its callers elsewhere, to http://elsewhere\.example/"):
        peer.connect()


def test_what_is_away_for_a_moment_is_asked_again(peer: Peer) -> None:
    jobs = Said(200, {"items": [], "next": None})
    with peer.connect() as client:
        peer.answers["/v1/jobs"] = [
            problem(503, "wait", retry_after="0"),
            problem(429, "slow down", Retry_After="0"),
            Said(502, b"<html>"),
            Said(0),
            jobs,
        ]
        assert client.jobs().height == 0
        assert peer.asked.count("/v1/jobs") == 5


def test_the_time_a_server_names_is_waited_for(peer: Peer) -> None:
    with peer.connect() as client:
        peer.answers["/v1/jobs"] = [
            problem(429, "slow down", Retry_After="1"),
            Said(200, {"items": [], "next": None}),
        ]
        began = time.monotonic()
        client.jobs()
        assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (problem(429, "slow down", Retry_After="60"), gs.TooMany),
        (problem(503, "Redis is away", Retry_After="60"), gs.TemporarilyUnavailable),
        (problem(504, "no answer within 30 s"), gs.TemporarilyUnavailable),
        (problem(500, "this failed on our side"), gs.GoldenSignalsError),
        (problem(409, "it has no result"), gs.Conflict),
        (problem(413, "the body is larger"), gs.InvalidInput),
        (problem(401, "expired"), gs.Unauthenticated),
        (problem(403, "no"), gs.Forbidden),
    ],
)
def test_what_waiting_cannot_repair_in_time_is_raised_at_once(
    peer: Peer, said: Said, kind: type[gs.GoldenSignalsError]
) -> None:
    with peer.connect(timeout_s=5) as client:
        peer.answers["/v1/jobs"] = [said]
        with pytest.raises(kind, match=said.body["detail"]) as caught:
            client.jobs()
        assert type(caught.value) is kind
        assert caught.value.facts["correlation_id"] == "c-17"
        assert ("c-17" in str(caught.value)) == (said.status >= 500)
        assert peer.asked.count("/v1/jobs") == 1


def test_an_error_page_of_a_proxy_has_a_sentence_too(peer: Peer) -> None:
    with peer.connect() as client:
        peer.answers["/v1/jobs"] = [Said(400, b"<html>")]
        with pytest.raises(gs.InvalidInput, match="the server answered 400 without saying why"):
            client.jobs()


def test_an_answer_that_drips_ends_with_the_deadline(peer: Peer) -> None:
    """Each piece comes in time, the whole does not: a limit on silence alone would wait for ever."""
    released = threading.Event()
    with peer.connect(timeout_s=0.5) as client:
        peer.answers["/v1/jobs"] = [Said(200, b" " * 10_000, drips=released)]
        began = time.monotonic()
        with pytest.raises(gs.TemporarilyUnavailable, match=r"gave no whole answer within 0\.5 s"):
            client.jobs()
        assert time.monotonic() - began < 5
    released.set()


def test_a_login_is_not_tried_twice(peer: Peer) -> None:
    peer.answers["/v1/auth/token"] = [problem(503, "away", Retry_After="0")]
    with pytest.raises(gs.TemporarilyUnavailable):
        gs.connect(peer.url, username="ana", password="a long password")  # pragma: allowlist secret
    assert peer.asked.count("/v1/auth/token") == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gs.connect("localhost:8000", api_key=KEY), "is written as http://host:8000"),
        (lambda: gs.connect("ftp://host", api_key=KEY), "is written as http://host:8000"),
        (lambda: gs.connect("http://", api_key=KEY), "is written as http://host:8000"),
        (lambda: gs.connect("http://host:many", api_key=KEY), "is written as http://host:8000"),
        (lambda: gs.connect("http://a b", api_key=KEY), "is written as http://host:8000"),
        (lambda: gs.connect("http://ana:secret@host", api_key=KEY), "pass api_key="),
        (lambda: gs.connect("http://host"), "say who you are"),
        (lambda: gs.connect("http://host", api_key=KEY, username="ana", password="x"), "say who you are"),
        (lambda: gs.connect("http://host", username="ana"), "say who you are"),
        (lambda: gs.connect("http://host", password="x"), "say who you are"),
        (lambda: gs.connect("http://host", api_key=KEY, password="x"), "say who you are"),
        (lambda: gs.connect("http://host", api_key=KEY, timeout_s=0), "timeout_s"),
    ],
)
def test_a_connection_that_makes_no_sense_is_refused_without_repeating_a_secret(
    call: Callable[[], Client], words: str
) -> None:
    with pytest.raises(gs.InvalidInput, match=words) as caught:
        call()
    assert "secret" not in str(caught.value)


def test_what_is_no_key_is_not_sent(peer: Peer) -> None:
    for key in ("", "nonsense", f"{KEY}\n", f"Bearer {KEY}"):
        with pytest.raises(gs.InvalidInput, match="this is no API key") as caught:
            gs.connect(peer.url, api_key=key)
        assert KEY not in str(caught.value)
    assert "/v1/auth/me" not in peer.asked
