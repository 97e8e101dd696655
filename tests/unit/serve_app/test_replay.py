"""Where a feed begins, and where it goes on after a restart."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from data.contracts.panel import Panel, from_micros
from data.settings import ReplaySettings
from serve_app.orchestrator import Market
from serve_app.replay import feed_at_start
from tests.unit.agents.conftest import build

NOW = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
SETTINGS = ReplaySettings(sessions=10, session_s=2.0)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(build(3, (60, 60, 60)), "list:test", "test", 0)


def session(panel: Panel, number: int) -> datetime:
    return from_micros(int(panel.sessions[number]))


def test_a_still_feed_stands_at_its_newest_session(market: Market) -> None:
    feed = feed_at_start(market, None, None, NOW, again=False)
    assert (feed.kind, feed.state, feed.session_s) == ("still", "still", None)
    assert feed.clock == session(market.panel, -1)


def test_a_replay_begins_the_asked_number_of_sessions_before_the_newest(market: Market) -> None:
    feed = feed_at_start(market, None, SETTINGS, NOW, again=False)
    assert (feed.kind, feed.state, feed.session_s) == ("replay", "running", 2.0)
    assert feed.clock == session(market.panel, -11)


def test_a_replay_longer_than_the_bars_begins_at_the_first_session(market: Market) -> None:
    feed = feed_at_start(market, None, ReplaySettings(sessions=1000), NOW, again=False)
    assert feed.clock == session(market.panel, 0)


def test_a_replay_goes_on_where_it_was_at_the_speed_it_had(market: Market) -> None:
    begun = feed_at_start(market, None, SETTINGS, NOW, again=False)
    before = replace(begun, clock=session(market.panel, -5), state="paused", session_s=0.5)
    feed = feed_at_start(market, before, SETTINGS, NOW, again=False)
    assert (feed.clock, feed.state, feed.session_s) == (before.clock, "paused", 0.5)


def test_an_ended_replay_begins_anew_with_a_new_start_but_not_when_only_ray_came_back(market: Market) -> None:
    begun = feed_at_start(market, None, SETTINGS, NOW, again=False)
    ended = replace(begun, clock=session(market.panel, -1), state="ended")
    assert feed_at_start(market, ended, SETTINGS, NOW, again=False).clock == begun.clock
    kept = feed_at_start(market, ended, SETTINGS, NOW, again=True)
    assert (kept.clock, kept.state) == (ended.clock, "ended")


def test_a_replay_of_other_bars_begins_anew(market: Market) -> None:
    begun = feed_at_start(market, None, SETTINGS, NOW, again=False)
    other = replace(begun, clock=session(market.panel, -5), data_hash="other")
    assert feed_at_start(market, other, SETTINGS, NOW, again=True).clock == begun.clock
