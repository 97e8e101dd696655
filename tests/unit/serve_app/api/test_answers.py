"""Small pure parts of answers: tags, tables, differences, breadth, jobs."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from fastapi import Request

from data.contracts.signals import Action
from data.store.jobs import Job
from data.store.signals import Revision
from serve_app.api import export, views
from serve_app.api.breadth import OTHER, by_sector
from serve_app.api.etag import Tag
from serve_app.api.models import SignalView
from serve_app.api.scanning import compare
from tests.integration.store.samples import signal

NOW = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)


def request(query: bytes = b"", **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/v1/x", "query_string": query, "headers": sent})


def view(symbol: str, action: Action, score: float) -> SignalView:
    return views.signal(Revision(signal(symbol, score=score).model_copy(update={"action": action}), 1))


def test_a_tag_depends_on_the_address_and_on_what_the_answer_is_made_of() -> None:
    tags = [
        Tag.of(request(), "a"),
        Tag.of(request(), "b"),
        Tag.of(request(b"limit=1"), "a"),
        Tag.of(request(), "a", "b"),
    ]
    assert len({tag.value for tag in tags}) == 4
    assert Tag.of(request(), "a") == tags[0]


@pytest.mark.parametrize("held", ["{}", 'W/"x", {}', "*", "{strong}"])
def test_a_client_that_has_the_answer_gets_304(held: str) -> None:
    tag = Tag.of(request(), "a")
    strong = tag.value.removeprefix("W/")
    answer = tag.known(request(if_none_match=held.format(tag.value, strong=strong)))
    assert answer is not None
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (304, b"", tag.value)


def test_a_client_that_has_another_answer_gets_the_new_one() -> None:
    tag = Tag.of(request(), "a")
    assert tag.known(request()) is None
    assert tag.known(request(if_none_match='W/"other"')) is None


def test_a_table_has_one_column_for_each_agent_and_the_same_ones_for_no_rows() -> None:
    rows = [view("A", Action.BUY, 0.5), view("B", Action.SELL, -0.25)]
    table = export.table(rows)
    assert table["vote_trend"].to_list() == [0.5, -0.25]
    assert table["vote_volume"].to_list() == [None, None]  # abstained
    assert table["action"].to_list() == ["BUY", "SELL"]
    empty = export.table([])
    assert empty.height == 0
    assert dict(empty.schema) == {name: kind for name, kind in table.schema.items() if not name.startswith("vote_")}
    assert isinstance(table.schema["as_of"], pl.Datetime)


def by_symbol(rows: Mapping[str, tuple[Action, float]]) -> dict[str, SignalView]:
    return {symbol: view(symbol, *row) for symbol, row in rows.items()}


def test_a_difference_names_every_symbol_once() -> None:
    now = by_symbol({"A": (Action.BUY, 0.5), "B": (Action.HOLD, 0.1), "C": (Action.SELL, -0.9), "N": (Action.BUY, 0.3)})
    was = by_symbol({"A": (Action.BUY, 0.4), "B": (Action.BUY, 0.3), "C": (Action.BUY, 0.9), "G": (Action.SELL, -0.6)})
    found = compare("now", "was", now=now, was=was)
    assert [change.symbol for change in found.changed] == ["C", "B"]  # largest move first
    assert [(change.symbol, change.was, change.now_score) for change in found.new] == [("N", None, 0.3)]
    assert [(change.symbol, change.now, change.was_score) for change in found.gone] == [("G", None, -0.6)]
    assert found.kept == 1


def test_breadth_puts_symbols_of_no_known_sector_together() -> None:
    actions = {"CVX": Action.BUY, "XOM": Action.SELL, "ZZZZ": Action.HOLD}
    energy, other = by_sector(actions, {"CVX": 0.02, "XOM": -0.01})
    assert (energy.sector, energy.buy, energy.hold, energy.sell) == ("Energy", 1, 0, 1)
    assert energy.day == pytest.approx(0.005)
    assert (other.sector, other.hold, other.day) == (OTHER, 1, None)


def test_breadth_does_not_depend_on_the_order_of_the_symbols() -> None:
    symbols = ["CVX", "XOM", "COP", "EOG", "SLB"]
    returns = dict(zip(symbols, (0.1, 0.02, -0.07, 0.0301, 1e-9), strict=True))
    shuffled = symbols[:]
    random.Random(5).shuffle(shuffled)
    one, two = (by_sector(dict.fromkeys(order, Action.BUY), returns) for order in (symbols, shuffled))
    assert one == two


def job(**changes: Any) -> Job:
    row = Job(
        job_id="j",
        kind="scan",
        spec={},
        owner="us",
        priority=5,
        state="running",
        done=0,
        total=1000,
        epoch=1,
        lease_holder=None,
        lease_until=None,
        error=None,
        result=None,
        created_at=NOW,
        started_at=NOW + timedelta(seconds=60),
        updated_at=NOW + timedelta(seconds=62),
    )
    return replace(row, **changes)


@pytest.mark.parametrize(
    ("changes", "rate", "eta_s"),
    [
        ({}, None, None),  # nothing done
        ({"done": 10}, None, None),  # too early to tell
        ({"done": 20}, 10.0, 98.0),
        ({"done": 10, "updated_at": NOW + timedelta(seconds=65)}, 2.0, 495.0),
        ({"done": 1000, "state": "done"}, 500.0, None),
        ({"state": "queued", "started_at": None}, None, None),
        ({"done": 5, "total": 0}, None, None),
        ({"done": 520, "done_before": 500}, 10.0, 48.0),  # what an earlier attempt did says nothing of this one
        ({"done": 500, "done_before": 500}, None, None),
    ],
)
def test_the_end_of_a_job_is_foretold_once_it_can_be_told(
    changes: dict[str, Any], rate: float | None, eta_s: float | None
) -> None:
    shown = views.job(job(**changes))
    assert (shown.rate, shown.eta_s) == (rate, eta_s)
