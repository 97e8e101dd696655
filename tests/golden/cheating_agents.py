"""Agents that cheat on purpose: the look-ahead check must catch every one of them.

They are ordinary agents otherwise: right shapes, votes within bounds, abstaining in a warm-up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from agents.agent import Agent, Reason, Values, VoteBlock, agent, vote
from data.contracts.arrays import Floats
from data.contracts.panel import Panel

WINDOW = 10  # bars


@dataclass(frozen=True, slots=True)
class NoParams:
    """These agents have nothing to set."""


def explain(panel: Panel, params: NoParams, symbol: str, ts: datetime) -> Reason:
    return Reason("it looked at the answer")


def tomorrows_close(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Buys what rises tomorrow; the newest bar has no tomorrow and looks at today."""
    return _vote(panel, lambda close: np.append(close[1:], close[-1]) / close - 1.0)


def full_sample_zscore(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Measures every bar against mean and deviation of the whole history, its future included."""
    return _vote(panel, lambda close: (close.mean() - close) / (close.std() + 1.0))


def centred_window(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Smooths with as many bars after as before."""
    return _vote(panel, lambda close: _smooth(close, before=WINDOW // 2, after=WINDOW // 2) / close - 1.0)


def back_filled(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Honest except that holes in its answer are filled with the next value instead of an abstention."""

    def answer(close: Floats) -> Floats:
        change = np.append(0.0, np.diff(close)) / close
        holes = np.abs(change) < 0.005  # says nothing on quiet days
        filled = np.where(holes, np.nan, change)
        for i in range(close.size - 2, -1, -1):
            if np.isnan(filled[i]):
                filled[i] = filled[i + 1]
        return filled

    return _vote(panel, answer)


def todays_vix(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Joins the VIX by date: its close becomes known a quarter of an hour after the stocks' close."""
    day = 86_400_000_000
    vix = panel.context["vix"]
    if not vix.known_at.size:
        return _trimmed("todays_vix", panel, np.full(len(panel), np.nan))
    at = np.searchsorted(vix.known_at // day, panel.ts // day, side="right") - 1
    level = np.where(at >= 0, vix.values["close"][np.maximum(at, 0)], np.nan)
    return _trimmed("todays_vix", panel, (20.0 - level) / 20.0)


def back_filled_vix(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Joins the VIX by the moment it became known, but before it begins it uses its first value."""
    vix = panel.context["vix"]
    if not vix.known_at.size:
        return _trimmed("back_filled_vix", panel, np.full(len(panel), np.nan))
    level = vix.values["close"][np.maximum(vix.index_at(panel.ts), 0)]
    return _trimmed("back_filled_vix", panel, (20.0 - level) / 20.0)


def neighbours(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Says it looks at one symbol, but measures it against the mean of all of them on the bars so far."""
    sessions, at = np.unique(panel.ts, return_inverse=True)
    mean = np.bincount(at, panel.close, sessions.size) / np.bincount(at, minlength=sessions.size)
    return _trimmed("neighbours", panel, panel.close / mean[at] - 1.0)


def early(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Honest, but votes before the warm-up it declares."""
    return vote("early", np.clip(panel.close / panel.open - 1.0, -1.0, 1.0), np.ones(len(panel)))


def late(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Honest, but keeps silent for longer than the warm-up it declares."""
    return _vote(panel, lambda close: np.where(np.arange(close.size) < 2 * WINDOW, np.nan, 0.5))


def loud(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Votes outside the bounds."""
    return VoteBlock("loud", np.full(len(panel), 1.5), np.ones(len(panel)))


def forgetful(panel: Panel, values: Values, params: NoParams) -> VoteBlock:
    """Honest, but looks one bar further back than it declares."""
    return _vote(panel, lambda close: close / np.append(close[: WINDOW + 1], close)[: close.size] - 1.0)


class Fickle:
    """Remembers that it was asked before."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, panel: Panel, values: Values, params: NoParams) -> VoteBlock:
        self._asked += 1
        return _vote(panel, lambda close: np.full(close.size, 1.0 / self._asked))


def cheats() -> Iterator[tuple[str, Agent[Any]]]:
    """The promise each breaks, and the agent."""
    for promise, evaluate in (
        ("future", tomorrows_close),
        ("future", full_sample_zscore),
        ("future", centred_window),
        ("future", back_filled),
        ("future", todays_vix),
        ("future", back_filled_vix),
        ("neighbours", neighbours),
        ("warm-up", early),
        ("warm-up", late),
        ("bounds", loud),
        ("repeat", Fickle()),
        ("followed", forgetful),
    ):
        yield promise, _agent(evaluate)


def _agent(evaluate: Callable[[Panel, Values, NoParams], VoteBlock]) -> Agent[Any]:
    return agent(
        getattr(evaluate, "__name__", "fickle"),
        params=NoParams,
        scope="symbol",
        inputs=("bars", "vix") if evaluate in (todays_vix, back_filled_vix) else ("bars",),
        warmup=lambda params: WINDOW,
        reach=lambda params: WINDOW if evaluate is forgetful else None,
        cost_ns=10.0,
        evaluate=evaluate,
        explain=explain,
        description="It cheats.",
    )


def _vote(panel: Panel, answer: Callable[[Floats], Floats]) -> VoteBlock:
    edges = panel.offsets[1:-1]
    return _trimmed("cheat", panel, np.concatenate([answer(close) for close in np.split(panel.close, edges)]))


def _trimmed(name: str, panel: Panel, score: Floats) -> VoteBlock:
    """Within bounds, and silent for the first WINDOW bars of each symbol."""
    age = np.arange(len(panel)) - np.repeat(panel.offsets[:-1], np.diff(panel.offsets))
    return vote(name, np.where(age < WINDOW, np.nan, np.clip(score, -1.0, 1.0)), np.full(len(panel), 0.5))


def _smooth(values: Floats, *, before: int, after: int) -> Floats:
    return np.array([values[max(i - before, 0) : i + after + 1].mean() for i in range(values.size)])
