"""Samples, their medians and ratios, and the facts of the machine they were taken on."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Samples:
    """One number per round, in the order of the rounds."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Samples:
        """Samples of a sequence."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def over(self, other: Samples) -> Samples:
        """Ratio round by round: what disturbs a round disturbs both of its sides."""
        return Samples(tuple(a / b for a, b in zip(self.values, other.values, strict=True)))

    def document(self) -> dict[str, object]:
        """Median, range and every sample, as JSON."""
        return {"median": self.median, "min": min(self.values), "max": max(self.values), "rounds": list(self.values)}

    def text(self, scale: float, unit: str) -> str:
        """`12.3 ms  (11.9 to 13.0)`."""
        low, high = min(self.values) * scale, max(self.values) * scale
        return f"{self.median * scale:10.4g} {unit:<6} ({low:.4g} to {high:.4g})"


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine(packages: Sequence[str]) -> dict[str, object]:
    """Processor, memory, load and versions; nothing that names a machine or a person."""
    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "load_before": [round(value, 2) for value in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def write(name: str, document: dict[str, object]) -> Path:
    """`results/NAME.json`."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(document, indent=2) + "\n")
    return file


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
