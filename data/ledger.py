"""The trial ledger of a home without a server: one line of JSON per chunk of trials, merged into PostgreSQL later.

A line that was cut short by a crash is left out; its chunk is counted when it is done again.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from data.contracts.trials import TrialCount, TrialTotal, total


class FileLedger:
    """Trials written to `trials.jsonl` of a home."""

    def __init__(self, home: Path) -> None:
        self._path = home / "trials.jsonl"

    def count(self, counts: Sequence[TrialCount]) -> None:
        """Add trials. The same key twice is one: see `read`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{json.dumps(asdict(c), default=datetime.isoformat)}\n" for c in counts)
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.tell() and not _ends_with_newline(self._path):
                file.write(b"\n")  # what a crash left behind must not swallow this line too
            file.write(text.encode())

    def read(self) -> list[TrialCount]:
        """Every chunk, once."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found: dict[str, TrialCount] = {}
        for line in lines:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # cut short by a crash
            moments = {name: datetime.fromisoformat(row[name]) for name in ("first_ts", "last_ts")}
            found.setdefault(row["key"], TrialCount(**{**row, **moments}))
        return list(found.values())

    def total(self, family: str, universe: str, first_ts: datetime, last_ts: datetime) -> TrialTotal:
        """All trials of a family on a universe in periods that overlap this one."""
        return total(
            c
            for c in self.read()
            if (c.family, c.universe) == (family, universe) and c.first_ts <= last_ts and c.last_ts >= first_ts
        )


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
