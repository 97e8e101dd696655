"""Frames as a websocket library reads them, and batches that keep their order."""

import json

from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from data.stream.reader import Entry
from serve_app.gateway import frames
from serve_app.gateway.frames import FRAME_BYTES, Item


def received(wire: bytes) -> bytes:
    """The one message in these bytes, read by the library that clients use."""
    protocol = ClientProtocol(parse_uri("ws://host/ws"), state=OPEN, max_size=None)
    protocol.receive_data(wire)
    (event,) = protocol.events_received()
    assert isinstance(event, Frame)
    assert (event.opcode, event.fin) == (Opcode.TEXT, True)
    return bytes(event.data)


def item(seq: int, size: int = 10) -> Item:
    return Item(seq, ("signals",), b'"' + b"x" * size + b'"')


@given(st.integers(1, 10**9), st.sampled_from([0, 1, 100, 110, 120, 65_000, 65_500, 65_520, 70_000]), st.text())
def test_a_frame_is_one_message_of_five_fields(n: int, size: int, room: str) -> None:
    tail = frames.tail("events", json.dumps("x" * size).encode(), cursor=7, room=room)
    message = json.loads(received(frames.opening(n, len(tail)) + tail))
    assert message == {"n": n, "cursor": 7, "room": room, "type": "events", "data": "x" * size}
    assert list(message) == ["n", "cursor", "room", "type", "data"]


def test_an_entry_is_taken_over_whole() -> None:
    body = {"as_of": "2018-02-05T21:00:00Z", "signal": {"as_of": "not this one"}, "text": 'quote " and ü'}
    entry = Entry(12, "signals.consensus.BRK.B", "signal.emitted.v1", json.dumps(body).encode())
    made = Item.of(entry)
    assert made.rooms == ("signals", "signals.BRK.B")
    assert json.loads(made.data) == {
        "seq": 12,
        "key": "signals.consensus.BRK.B",
        "type": "signal.emitted.v1",
        "as_of": "2018-02-05T21:00:00Z",
        "body": body,
    }


@given(st.lists(st.integers(1, 2 * FRAME_BYTES), max_size=12))
def test_batches_are_bounded_and_lose_nothing(sizes: list[int]) -> None:
    items = [item(seq, size) for seq, size in enumerate(sizes)]
    runs = [list(run) for run in frames.batches(items)]
    assert [each for run in runs for each in run] == items
    for run in runs:
        assert len(run) == 1 or sum(len(each.data) for each in run) <= FRAME_BYTES
