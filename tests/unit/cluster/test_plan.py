"""Chunks cover every symbol once, are worth a call, and follow from panel and agent alone."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.plan import CHUNK_S, chunks_of, predicted_s
from data.contracts.panel import Panel
from tests.unit.cluster.conftest import MakeAgent


def of_lengths(lengths: list[int]) -> Panel:
    rows = sum(lengths)
    blank = np.zeros(rows)
    return Panel(
        symbols=tuple(f"S{i:04d}" for i in range(len(lengths))),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ts=np.zeros(rows, dtype=np.int64),
        open=blank,
        high=blank,
        low=blank,
        close=blank,
        volume=blank,
        gap=np.zeros(rows, dtype=np.bool_),
    )


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.floats(1.0, 1e7), st.floats(1e-4, 1.0))
def test_every_symbol_is_in_exactly_one_chunk(
    make_agent: MakeAgent, lengths: list[int], cost_ns: float, chunk_s: float
) -> None:
    found = chunks_of(of_lengths(lengths), make_agent(cost_ns=cost_ns), chunk_s=chunk_s)
    assert [symbol for chunk in found for symbol in range(chunk.first, chunk.last)] == list(range(len(lengths)))
    assert all(chunk.first < chunk.last for chunk in found)
    assert len({chunk.chunk_id for chunk in found}) == len(found)
    assert sum(chunk.cost_s for chunk in found) == pytest.approx(sum(lengths) * cost_ns * 1e-9)


def test_chunks_cost_about_what_is_aimed_at(make_agent: MakeAgent) -> None:
    panel = of_lengths([1000, 1200, 900, 1100] * 50)
    agent = make_agent(cost_ns=20_000.0)  # 4.2 s of work
    costs = [chunk.cost_s for chunk in chunks_of(panel, agent)]
    assert len(costs) == round(predicted_s(panel, [agent]) / CHUNK_S)
    assert max(costs) < CHUNK_S + 1200 * 20_000e-9


def test_little_work_is_one_chunk(make_agent: MakeAgent) -> None:
    assert [(c.first, c.last) for c in chunks_of(of_lengths([10] * 30), make_agent())] == [(0, 30)]


def test_a_universe_agent_gets_everything_in_one_chunk(make_agent: MakeAgent) -> None:
    dear = make_agent(scope="universe", cost_ns=1e9)
    assert [(c.first, c.last) for c in chunks_of(of_lengths([10] * 30), dear)] == [(0, 30)]


def test_the_same_panel_and_agent_give_the_same_chunks(panel: Panel, make_agent: MakeAgent) -> None:
    agent = make_agent(cost_ns=200_000.0)
    again = dataclasses.replace(panel, close=panel.close + 1.0)  # prices have no part in it
    assert chunks_of(panel, agent) == chunks_of(again, agent)
    assert len(chunks_of(panel, agent)) > 1


def test_predicted_work_adds_up_over_agents(panel: Panel, make_agent: MakeAgent) -> None:
    agents = [make_agent(f"a{cost}", cost_ns=cost) for cost in (10.0, 25.0, 65.0)]
    assert predicted_s(panel, agents) == pytest.approx(len(panel) * 100e-9)
    for few, more in itertools.pairwise([agents[:n] for n in range(4)]):
        assert predicted_s(panel, few) < predicted_s(panel, more)
