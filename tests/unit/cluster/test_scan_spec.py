"""The same scan is the same job; whatever changes a result changes the job."""

import json
from dataclasses import replace

import numpy as np
import pytest

from agents.consensus import ConsensusParams
from agents.registry import roster
from cluster.scan import ScanSpec
from data.contracts.panel import Panel, from_micros
from data.store.jobs import job_id_of


@pytest.fixture
def spec(panel: Panel) -> ScanSpec:
    return ScanSpec(panel, "list:abc", "bars.csv", roster(["trend", "volume"]), {"null": 3})


def test_the_identity_is_plain_json_and_stable(spec: ScanSpec) -> None:
    again = replace(spec, panel=replace(spec.panel, close=spec.panel.close.copy()))
    assert json.loads(json.dumps(spec.identity())) == spec.identity() == again.identity()
    assert job_id_of("scan", spec.identity()) == job_id_of("scan", again.identity())


def test_whatever_changes_a_result_changes_the_job(spec: ScanSpec) -> None:
    close = spec.panel.close.copy()
    close[0] = np.nextafter(close[0], np.inf)
    variants = [
        spec,
        replace(spec, panel=replace(spec.panel, close=close)),
        replace(spec, panel=spec.panel.until(int(spec.panel.ts.max()) - 1)),
        replace(spec, universe="list:def"),
        replace(spec, agents=roster(["trend"])),
        replace(spec, consensus=ConsensusParams(threshold=0.3)),
        replace(spec, consensus=ConsensusParams(weights={"trend": 2.0})),
    ]
    assert len({job_id_of("scan", variant.identity()) for variant in variants}) == len(variants)


def test_where_the_bars_came_from_is_no_part_of_the_job(spec: ScanSpec) -> None:
    assert replace(spec, source="copy.parquet", quarantined={}).identity() == spec.identity()


def test_a_scan_speaks_of_the_newest_session(spec: ScanSpec) -> None:
    assert spec.as_of == from_micros(int(spec.panel.sessions[-1]))
