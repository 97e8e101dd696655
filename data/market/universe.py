"""Which symbols a run speaks about, and one stable name for exactly these symbols."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.contracts.errors import InvalidInput
from data.market.read import kind, near
from data.market.sample import companies

_NAMES = ("sp500",)


@dataclass(frozen=True)
class Universe:
    """Symbols in ascending order, all of them present in the bars.

    id:      "sp500:" or "list:" and the first 12 hex digits of a SHA-256 over the symbols: equal for equal symbols.
    missing: members of a named universe that the bars do not hold.
    """

    id: str
    symbols: tuple[str, ...]
    missing: tuple[str, ...] = ()


def resolve(text: str | None, panel_symbols: Sequence[str]) -> Universe:
    """The symbols that a text stands for, among those of the bars.

    text:   "@sp500"; "A,B,C"; a text file with one symbol a line (# starts a comment); None for all symbols.
    Raises: InvalidInput for an unknown universe, a file that is not there or empty, a symbol that the bars do not
            hold (with the closest that they do), or a named universe of which they hold nothing.
    """
    held = set(panel_symbols)
    if text is None:
        return _universe("list", held)
    if text.startswith("@"):
        return _named(text[1:], held)
    wanted = _listed(text, held)
    if not wanted:
        raise InvalidInput("no symbol was given; write them as A,B,C, or @sp500, or name a file with one symbol a line")
    for symbol in wanted:
        if symbol not in held:
            known = sorted(held) + [f"@{name}" for name in _NAMES]
            raise InvalidInput(f"there is no symbol {symbol!r} in these bars{near(symbol, known)}", symbol=symbol)
    return _universe("list", wanted)


def spelled(text: str, held: Iterable[str]) -> str:
    """The same text in its one spelling: "@sp500", or names in order, each once. It is never read as a file.

    Raises: InvalidInput for an unknown universe, no name, or a symbol that the bars do not hold.
    """
    known, text = set(held), text.strip()
    if text.startswith("@"):
        _named(text[1:], known)
        return text
    names = sorted({name.strip() for name in text.split(",") if name.strip()})
    if not names:
        raise InvalidInput("no symbol was given; write them as A,B,C, or @sp500")
    for name in names:
        if name not in known:
            raise InvalidInput(f"there is no symbol {name[:80]!r} in these bars{near(name[:80], sorted(known))}")
    return ",".join(names)


def _named(name: str, held: set[str]) -> Universe:
    if name not in _NAMES:
        known = [f"@{word}" for word in _NAMES]
        hint = near(f"@{name}", known) or f"; known: {', '.join(known)}"
        raise InvalidInput(f"there is no universe @{name}{hint}", universe=name)
    members = set(companies()["symbol"])
    if not members & held:
        raise InvalidInput(f"these bars hold no symbol of @{name}; they hold {', '.join(sorted(held)[:5])} ...")
    return _universe(name, members & held, missing=members - held)


def _listed(text: str, held: set[str]) -> list[str]:
    path = Path(text)
    if text not in held and (path.suffix.lower() in (".txt", ".csv") or kind(path) == "file"):
        if kind(path) != "file":
            raise InvalidInput(f"there is no file {text} with symbols", path=text)
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"{text} cannot be read as text ({error}); write one symbol a line", path=text
            ) from error
        words = [line.partition("#")[0] for line in lines]
    else:
        words = text.split(",")
    return [word.strip() for word in words if word.strip()]


def _universe(name: str, symbols: Iterable[str], missing: Iterable[str] = ()) -> Universe:
    ordered = tuple(sorted(set(symbols)))
    digest = hashlib.sha256("\n".join(ordered).encode()).hexdigest()
    return Universe(f"{name}:{digest[:12]}", ordered, tuple(sorted(missing)))
