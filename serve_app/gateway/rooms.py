"""Which rooms there are and which of them hold a thing. Pure.

A wide room (`signals`) covers its narrow ones (`signals.AAPL`), so a thing reaches a connection once: in the widest of
its rooms that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from data.contracts.errors import InvalidInput

MAX_ROOMS = 600  # of one connection: a whole index symbol by symbol

View: TypeAlias = frozenset[str]  # the rooms of a connection without those a wider one covers

_NARROW = {"signals": "signals.AAPL", "jobs": "jobs.<id>", "prices": "prices.AAPL"}
_FAMILIES = ("signals", "jobs", "agents", "market", "prices")
_ROOM = re.compile(r"(?P<family>[a-z]+)(\.(?P<name>[A-Za-z0-9^][A-Za-z0-9.^=_:-]{0,79}))?")


def check_room(room: str) -> str:
    """The room itself. Raises InvalidInput for one that does not exist, saying which do."""
    found = _ROOM.fullmatch(room)
    if found is None or found["family"] not in _FAMILIES or (found["name"] and found["family"] not in _NARROW):
        known = ", ".join((*_FAMILIES, *_NARROW.values()))
        raise InvalidInput(f"there is no room {room[:100]!r}; there are {known}")
    return room


def family(room: str) -> str:
    """`signals` of `signals.AAPL`."""
    return room.partition(".")[0]


def is_price(room: str) -> bool:
    """Whether prices come in it: they carry no cursor and have no snapshot."""
    return family(room) == "prices"


def widest(rooms: Iterable[str]) -> View:
    """These rooms without those that a wider one among them covers."""
    wanted = frozenset(rooms)
    return frozenset(room for room in wanted if room == family(room) or family(room) not in wanted)


def price_rooms(symbol: str) -> tuple[str, str]:
    """The rooms a price of this symbol belongs to, the wide one first."""
    return "prices", f"prices.{symbol}"
