"""Rooms and the stored events that belong to them."""

import pytest

from data.contracts.errors import InvalidInput
from serve_app.client.rooms import belongs, check_rooms, pattern_of, with_events


@pytest.mark.parametrize("room", ["signals", "signals.AAPL", "signals.BRK.B", "jobs", "jobs.0f", "agents", "market"])
def test_rooms_with_events_are_accepted(room: str) -> None:
    assert check_rooms(room) == (room,)
    assert check_rooms([room, room]) == (room,)


@pytest.mark.parametrize("room", ["", "prices", "prices.AAPL", "signal", "signals.", "agents.trend", "a b", "*"])
def test_other_rooms_are_refused_with_those_there_are(room: str) -> None:
    with pytest.raises(InvalidInput, match=r"there are signals, signals\.<name>, jobs, jobs\.<name>, agents, market"):
        check_rooms(room)


def test_no_room_is_refused() -> None:
    with pytest.raises(InvalidInput, match="name a room"):
        check_rooms([])


@pytest.mark.parametrize(
    ("key", "rooms"),
    [
        ("signals.consensus.AAPL", {"signals", "signals.AAPL"}),
        ("signals.consensus.BRK.B", {"signals", "signals.BRK.B"}),
        ("jobs.0f.progress", {"jobs", "jobs.0f"}),
        ("agents.trend.state", {"agents"}),
        ("market.session", {"market"}),
    ],
)
def test_an_event_belongs_to_the_room_of_its_kind_and_of_its_name(key: str, rooms: set[str]) -> None:
    every = {"signals", "signals.AAPL", "signals.BRK.B", "signals.B", "jobs", "jobs.0f", "agents", "market"}
    assert {room for room in every if belongs(key, [room])} == rooms


def test_the_log_is_asked_for_one_kind_or_for_everything() -> None:
    assert pattern_of(["signals.AAPL", "signals.KO"]) == "signals.#"
    assert pattern_of(["signals", "jobs"]) is None


def test_prices_are_a_room_of_their_own_without_events() -> None:
    rooms = check_rooms(["signals.AAPL", "prices.AAPL", "prices"], ("signals", "prices"))
    assert with_events(rooms) == ("signals.AAPL",)
