"""Routing keys, the patterns that select them, and the rooms they are shown in. Pure.

A key is words with dots between: `signals.consensus.AAPL`. In a pattern `*` stands for exactly one word and `#` for any
number of them, also none (AMQP's topic rules). A symbol may hold dots itself: `signals.consensus.#` means all of them.
"""

import re
from functools import lru_cache

from data.contracts.errors import InvalidInput

_LONGEST = 200
_MOST_HASHES = 3  # each more would multiply the work of a match


def matches(pattern: str, key: str) -> bool:
    """Whether the pattern selects the key. Raises InvalidInput for a pattern that is none."""
    return _compiled(pattern).fullmatch(f".{key}") is not None


def expression(pattern: str) -> str:
    """The pattern as a regular expression of a dot and the whole key, for Python and PostgreSQL alike.

    Raises InvalidInput when it is empty, longer than 200 characters, has an empty word or more than three `#`.
    """
    words = pattern.split(".")
    if not all(words) or len(pattern) > _LONGEST or "\0" in pattern or words.count("#") > _MOST_HASHES:
        raise InvalidInput(
            f"a pattern is words with single dots between, such as signals.* or jobs.#, of at most {_LONGEST} "
            f"characters and with at most {_MOST_HASHES} #",
            pattern=pattern[:_LONGEST],
        )
    return f"^{''.join(_part(word) for word in words)}$"


def rooms_of(key: str) -> tuple[str, ...]:
    """The rooms in which an event of this key is shown: that of its kind, and that of its symbol or job."""
    kind, _, rest = key.partition(".")
    middle, _, last = rest.partition(".")
    match kind:
        case "signals" if middle == "upload":
            return ()  # of a client's own bars: read with the result of its scan
        case "signals" if last:
            return (kind, f"{kind}.{last}")  # signals.consensus.BRK.B: the symbol holds a dot
        case "jobs" if middle:
            return (kind, f"{kind}.{middle}")
        case "prices" if rest:
            return (kind, f"{kind}.{rest}")
        case _:
            return (kind,)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(expression(pattern), re.DOTALL)


def _part(word: str) -> str:
    match word:
        case "#":
            return r"(\.[^.]+)*"
        case "*":
            return r"\.[^.]+"
        case _:
            return rf"\.{re.escape(word)}"
