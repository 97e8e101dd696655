"""Trials are counted once, pooled to the right mean and variance, and survive a line cut short."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from data.contracts.trials import TrialCount, total
from data.ledger import FileLedger

FIRST, LAST = datetime(2013, 2, 8, tzinfo=UTC), datetime(2018, 2, 7, tzinfo=UTC)


def count(key: str, sharpes: np.ndarray) -> TrialCount:
    mean = float(sharpes.mean())
    return TrialCount(
        key, "cross(sma, sma)", "u1", FIRST, LAST, sharpes.size, mean, float(((sharpes - mean) ** 2).sum())
    )


def test_chunks_pool_to_the_mean_and_variance_of_all_trials() -> None:
    sharpes = np.random.default_rng(1).normal(0.02, 0.05, 1000)
    pooled = total([count("a", sharpes[:10]), count("b", sharpes[10:700]), count("c", sharpes[700:])])
    assert pooled.trials == 1000
    assert pooled.mean is not None
    assert pooled.variance is not None
    assert math.isclose(pooled.mean, sharpes.mean(), rel_tol=1e-12)
    assert math.isclose(pooled.variance, sharpes.var(ddof=1), rel_tol=1e-12)


def test_the_order_of_reports_changes_no_bit() -> None:
    sharpes = np.random.default_rng(2).normal(size=300)
    counts = [count(str(i), sharpes[i * 30 : (i + 1) * 30]) for i in range(10)]
    assert total(counts) == total(counts[::-1])


def test_one_trial_has_no_variance_and_none_has_no_mean() -> None:
    assert total([]).mean is None
    assert total([count("a", np.array([0.1]))]).variance is None


def test_a_chunk_reported_twice_counts_once(tmp_path: Path) -> None:
    ledger, chunk = FileLedger(tmp_path), count("a", np.arange(5.0))
    ledger.count([chunk])
    ledger.count([chunk, count("b", np.arange(3.0))])
    assert ledger.total(chunk.family, "u1", FIRST, LAST).trials == 8


def test_other_families_universes_and_periods_are_not_counted(tmp_path: Path) -> None:
    ledger, chunk = FileLedger(tmp_path), count("a", np.arange(5.0))
    later = LAST + timedelta(days=1)
    ledger.count([chunk, replace(chunk, key="b", family="other"), replace(chunk, key="c", universe="u2")])
    ledger.count([replace(chunk, key="d", first_ts=later, last_ts=later)])
    assert ledger.total(chunk.family, "u1", FIRST, LAST).trials == 5


def test_a_line_cut_short_by_a_crash_loses_only_itself(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path)
    ledger.count([count("a", np.arange(5.0)), count("b", np.arange(4.0))])
    file = tmp_path / "trials.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    ledger.count([count("c", np.arange(3.0))])
    assert sorted(c.key for c in ledger.read()) == ["a", "c"]


def test_a_home_without_trials_has_none(tmp_path: Path) -> None:
    assert FileLedger(tmp_path / "new").read() == []
