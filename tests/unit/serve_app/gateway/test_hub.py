"""Who gets what, once, and what the memory of the hub holds."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_app.gateway import recent as recent_module
from serve_app.gateway.frames import Item
from serve_app.gateway.hub import Hub
from serve_app.gateway.recent import Recent
from serve_app.gateway.rooms import widest


class Listener:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def send(self, tail: bytes) -> None:
        self.frames.append(json.loads(b"{" + tail))

    def send_prices(self, tail: bytes, rows: Mapping[str, bytes]) -> None:
        self.send(tail)

    @property
    def entries(self) -> list[int]:
        return [entry for frame in self.frames for entry in frame["data"]]


def items(*rooms: Iterable[str], after: int = 0) -> list[Item]:
    return [Item(after + n, tuple(names), str(after + n).encode()) for n, names in enumerate(rooms, 1)]


def hub_at(cursor: int) -> Hub:
    hub = Hub()
    hub.begin(Recent(cursor))
    return hub


def test_a_batch_is_one_frame_for_each_listener() -> None:
    hub, wide, both = hub_at(10), Listener(), Listener()
    hub.join(wide, widest(["signals"]))
    hub.join(both, widest(["signals.A", "jobs"]))
    hub.deliver(items(("signals", "signals.A"), ("jobs", "jobs.1"), ("signals", "signals.B"), after=10))
    assert wide.frames == [{"cursor": 13, "room": "signals", "type": "events", "data": [11, 13]}]
    assert both.frames == [{"cursor": 13, "room": None, "type": "events", "data": [11, 12]}]


def test_who_left_gets_nothing_more() -> None:
    hub, listener = hub_at(0), Listener()
    hub.join(listener, widest(["agents"]))
    hub.leave(listener, widest(["agents"]))
    hub.deliver(items(("agents",)))
    assert listener.frames == []
    assert hub.rooms == 0


def test_prices_go_to_their_rooms_and_the_newest_are_kept() -> None:
    hub, wide, narrow = hub_at(0), Listener(), Listener()
    hub.join(wide, widest(["prices"]))
    hub.join(narrow, widest(["prices.A"]))
    hub.deliver_prices([{"symbol": "A", "close": 1.0}, {"symbol": "B", "close": 2.0}])
    hub.deliver_prices([{"symbol": "B", "close": 3.0}])
    assert [len(frame["data"]) for frame in wide.frames] == [2, 1]
    assert narrow.frames == [
        {"cursor": None, "room": "prices.A", "type": "prices", "data": [{"symbol": "A", "close": 1.0}]}
    ]
    assert hub.newest_prices(["prices.B"]) == {"B": b'{"symbol":"B","close":3.0}'}
    assert set(hub.newest_prices(["prices"])) == {"A", "B"}


ROOMS = ["signals", "signals.A", "signals.B", "jobs", "jobs.1", "agents"]
THINGS = [("signals", "signals.A"), ("signals", "signals.B"), ("jobs", "jobs.1"), ("agents",)]


@given(st.lists(st.sets(st.sampled_from(ROOMS)), max_size=6), st.lists(st.sampled_from(THINGS), max_size=20))
def test_every_listener_gets_each_thing_of_its_rooms_once_in_order(wanted: list[set[str]], told: list[Any]) -> None:
    hub = hub_at(0)
    listeners = [Listener() for _ in wanted]
    for listener, rooms in zip(listeners, wanted, strict=True):
        hub.join(listener, widest(rooms))
    for seq, rooms in enumerate(told):
        hub.deliver(items(rooms, after=seq))
    for listener, rooms in zip(listeners, wanted, strict=True):
        assert listener.entries == [seq for seq, thing in enumerate(told, 1) if rooms & set(thing)]


def test_memory_is_bounded_and_knows_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_module, "MAX_ITEMS", 3)
    kept = Recent(100)
    kept.add(items(*[("agents",)] * 5, after=100))
    assert (kept.start, kept.end) == (102, 105)
    assert [item.seq for item in kept.after(103)] == [104, 105]
    assert [kept.holds(cursor) for cursor in (101, 102, 105, 106)] == [False, True, True, False]


def test_memory_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_module, "MAX_BYTES", 5)
    kept = Recent(0)
    kept.add(items(*[("agents",)] * 9))
    assert (kept.start, kept.end) == (4, 9)


def test_memory_has_no_holes() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        Recent(3).add(items(("agents",), after=7))
