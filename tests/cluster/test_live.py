"""Live serving with a frozen agent: the signal names it as missing, and does not replace the complete one."""

from tests.cluster.installation import Ended, Installation, frozen

_CURRENT = "SELECT revision, complete FROM current_signal WHERE signal_id = %s"


def test_frozen_agent_is_named_as_missing_and_its_signal_does_not_become_current(system: Installation) -> None:
    with frozen(*system.agent_pids("trend")):
        incomplete = system.ok("signal", "AAPL", "--json").document
    assert incomplete["missing"] == ["trend"]
    assert [vote["agent"] for vote in incomplete["votes"]] == ["mean_reversion", "patterns", "volatility", "volume"]
    assert incomplete["revision"] == 2  # `up` stored the first one
    assert system.rows(_CURRENT, incomplete["signal_id"]) == [(1, True)]

    complete = system.ok("signal", "AAPL", "--json").document
    assert complete["signal_id"] == incomplete["signal_id"]
    assert complete["missing"] == []
    assert complete["revision"] == 1
    assert system.rows(_CURRENT, incomplete["signal_id"]) == [(1, True)]
    system.counted()


def test_live_signal_is_the_signal_of_the_scan(system: Installation, scan: Ended) -> None:
    live = system.ok("signal", "XOM", "--json").document
    scanned = {row["symbol"]: row for row in scan.document["signals"]}
    assert live == scanned["XOM"]
