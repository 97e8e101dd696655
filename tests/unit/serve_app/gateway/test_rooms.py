"""Rooms and the messages that name them."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.contracts.errors import InvalidInput
from data.stream.topics import rooms_of
from serve_app.gateway.messages import Auth, Garbage, Subscribe, read
from serve_app.gateway.rooms import check_room, price_rooms, widest

ROOMS = ["signals", "signals.AAPL", "signals.BRK.B", "jobs", "jobs.1", "agents", "market", "prices", "prices.^VIX"]
KEYS = ["signals.consensus.AAPL", "signals.consensus.BRK.B", "jobs.1.progress", "agents.trend.state", "market.session"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_design_exists(room: str) -> None:
    assert check_room(room) == room


@pytest.mark.parametrize("room", ["", "stocks", "signals.", "agents.trend", "market.x", "signals.a b", "Signals", "*"])
def test_any_other_room_is_refused_with_the_list(room: str) -> None:
    with pytest.raises(InvalidInput, match=r"there are signals, jobs, agents"):
        check_room(room)


@given(st.sets(st.sampled_from(ROOMS)), st.sampled_from(KEYS))
def test_a_thing_is_in_at_most_one_of_the_widest_rooms_and_in_one_if_in_any(rooms: set[str], key: str) -> None:
    view = widest(rooms)
    assert view <= rooms
    assert len(view & set(rooms_of(key))) == bool(rooms & set(rooms_of(key)))


def test_prices_are_in_the_room_of_their_symbol() -> None:
    assert price_rooms("BRK.B") == ("prices", "prices.BRK.B")


def test_messages_are_read() -> None:
    assert read(b'{"type":"subscribe","rooms":["signals"],"cursor":7}') == Subscribe(
        type="subscribe", rooms=["signals"], cursor=7
    )


def test_a_ticket_is_never_repeated() -> None:
    secret = "s3cret" * 200
    with pytest.raises(InvalidInput) as refused:
        read(json.dumps({"type": "auth", "ticket": secret}).encode())
    assert secret[:6] not in str(refused.value)
    assert "s3cret" not in repr(Auth(type="auth", ticket="s3cret"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(text: bytes) -> None:
    with suppress(InvalidInput):  # and nothing else
        read(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_what_is_no_object_is_garbage(value: object) -> None:
    with pytest.raises(Garbage):
        read(json.dumps(value).encode())
