"""The same input gives the same bytes: again, with other numbers of actors, and without Ray."""

import re

import numpy as np
import pytest

from agents.consensus import ConsensusParams, fuse
from agents.registry import roster
from data.contracts.panel import Panel
from tests.cluster.installation import Ended, Installation

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T[^\"]+")


def test_scan_has_a_signal_with_five_votes_for_each_of_505_symbols(scan: Ended) -> None:
    signals = scan.document["signals"]
    assert len({signal["symbol"] for signal in signals}) == len(signals) == 505
    assert {len(signal["votes"]) for signal in signals} == {5}
    assert [signal["missing"] for signal in signals] == [[]] * 505


@pytest.mark.parametrize("actors", ["1", "4"])
def test_scan_again_prints_the_same_bytes_with_any_number_of_actors(
    system: Installation, scan: Ended, actors: str
) -> None:
    assert system.ok("scan", "--json", AGENTS__ACTORS=actors).out == scan.out


def test_scanned_votes_have_the_bits_of_agents_evaluated_without_ray(scan: Ended, sample_panel: Panel) -> None:
    found = {
        (signal["symbol"], vote["agent"]): (vote["score"], vote["confidence"], vote["weight"])
        for signal in scan.document["signals"]
        for vote in signal["votes"]
    }
    expected = {}
    for agent in roster():
        block = agent.evaluate(sample_panel)
        for symbol, row in zip(sample_panel.symbols, sample_panel.last_rows, strict=True):
            score, confidence = float(block.score[row]), float(block.confidence[row])
            expected[symbol, agent.name] = (None, None, 0.0) if np.isnan(score) else (score, confidence, confidence)
    assert found == expected


def test_scanned_scores_have_the_bits_of_the_consensus_over_all_bars(scan: Ended, sample_panel: Panel) -> None:
    """Live and backtest are one path: fusing every bar of the history gives the same last bar."""
    blocks = [agent.evaluate(sample_panel) for agent in roster()]
    scores, confidences = (np.array([getattr(b, name) for b in blocks]) for name in ("score", "confidence"))
    fused = fuse(scores, confidences, np.ones(len(blocks)), threshold=ConsensusParams().threshold)
    expected = dict(zip(sample_panel.symbols, fused.score[sample_panel.last_rows].tolist(), strict=True))
    assert {signal["symbol"]: signal["score"] for signal in scan.document["signals"]} == expected


def test_stdout_of_a_scan_holds_no_clock_times_and_no_correlation_ids(system: Installation, scan: Ended) -> None:
    assert set(_MOMENT.findall(scan.out)) == {scan.document["as_of"]}
    told = system.rows("SELECT DISTINCT correlation_id, to_char(occurred_at, 'YYYY-MM-DD') FROM event")
    assert told
    assert not [word for row in told for word in row if word in scan.out]
