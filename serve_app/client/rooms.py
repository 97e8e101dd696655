"""Which rooms a client may be in, and which stored events belong to them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from data.contracts.errors import InvalidInput

FAMILIES = ("signals", "jobs", "agents", "market")  # of stored events
PRICES = "prices"  # these are not stored: only the newest counts
_NARROW = ("signals", "jobs", "prices")
_ROOM = re.compile(r"(?P<family>[a-z]+)(\.(?P<name>[A-Za-z0-9^][A-Za-z0-9.^=_:-]{0,79}))?")


def check_rooms(rooms: str | Iterable[str], families: Iterable[str] = FAMILIES) -> tuple[str, ...]:
    """The rooms, each once. Raises InvalidInput for none, and for one that is not of these families."""
    wanted = tuple(dict.fromkeys([rooms] if isinstance(rooms, str) else rooms))
    known = [name for family in families for name in (family, *((f"{family}.<name>",) if family in _NARROW else ()))]
    if not wanted:
        raise InvalidInput(f"name a room: {', '.join(known)}")
    for room in wanted:
        found = _ROOM.fullmatch(room)
        if found is None or found["family"] not in families or (found["name"] and found["family"] not in _NARROW):
            raise InvalidInput(f"there is no room {room[:100]!r} to stream; there are {', '.join(known)}")
    return wanted


def with_events(rooms: Iterable[str]) -> tuple[str, ...]:
    """The rooms that hold stored events: all but those of prices."""
    return tuple(room for room in rooms if room.partition(".")[0] != PRICES)


def pattern_of(rooms: Iterable[str]) -> str | None:
    """A pattern of the event log that selects at least what belongs to these rooms; None: everything."""
    families = {room.partition(".")[0] for room in rooms}
    return f"{families.pop()}.#" if len(families) == 1 else None


def belongs(key: str, rooms: Iterable[str]) -> bool:
    """Whether an event with this routing key is shown in one of the rooms."""
    family, _, rest = key.partition(".")
    head, _, last = rest.partition(".")
    name = last if family == "signals" else head  # signals.consensus.BRK.B, jobs.<id>.progress
    return any(room in (family, f"{family}.{name}") for room in rooms)
