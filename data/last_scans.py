"""What a scan by expression found last: one small file per question under a home, so that the next run can tell.

A question is an expression and a universe. Of each the newest two runs are kept, on different bars: whoever asks the
same of the same bars again is told the same difference again. The files are bounded in number; the oldest go first.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from data.contracts.errors import GoldenSignalsError

MOST = 500  # questions


@dataclass(frozen=True)
class Seen:
    """A run: which symbols were hits, as of when, and for which bars (`Panel.content_hash`)."""

    expression: str
    universe: str
    as_of: datetime
    data_hash: str
    symbols: tuple[str, ...]


@dataclass(frozen=True)
class Since:
    """What is different from an earlier run, each in ascending order."""

    as_of: datetime
    new: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]


class LastScans:
    """The folder `scans` of a home."""

    def __init__(self, home: Path, most: int = MOST) -> None:
        self._folder, self._most = home / "scans", most

    def remember(self, seen: Seen) -> Since | None:
        """Keep a run and say what is different from the one before it on other bars; None where there is none.

        Raises: GoldenSignalsError naming the file that cannot be read or written.
        """
        file = self._folder / f"{_name(seen)}.json"
        try:
            others = [run for run in _read(file) if (run.as_of, run.data_hash) != (seen.as_of, seen.data_hash)]
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps([asdict(run) for run in (*others[-1:], seen)], default=datetime.isoformat))
            draft.replace(file)
            self._forget()
        except OSError as problem:
            raise GoldenSignalsError(
                f"cannot remember this scan in {problem.filename or file}: {problem.strerror or problem}"
            ) from problem
        except (ValueError, KeyError, TypeError) as problem:
            raise GoldenSignalsError(f"{file} is not what a scan has left there ({problem}); remove it") from problem
        return _since(others[-1], seen) if others else None

    def _forget(self) -> None:
        files = sorted(self._folder.glob("*.json"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        for file in files[: max(len(files) - self._most, 0)]:
            file.unlink(missing_ok=True)


def _since(before: Seen, now: Seen) -> Since:
    then, today = set(before.symbols), set(now.symbols)
    return Since(before.as_of, tuple(sorted(today - then)), tuple(sorted(then - today)), tuple(sorted(then & today)))


def _read(file: Path) -> list[Seen]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    found = [Seen(**row) for row in rows]
    return [replace(run, as_of=datetime.fromisoformat(str(run.as_of)), symbols=tuple(run.symbols)) for run in found]


def _name(seen: Seen) -> str:
    return hashlib.sha256(json.dumps([seen.expression, seen.universe]).encode()).hexdigest()[:32]
