"""Fuses the votes of many agents into one signal per symbol; pure, and the same bits for any number of bars.

It promises: one Signal per symbol of the current session, or a reason why there is none; a signal id that says
what the signal is about and an input hash that says what it was made from. Silence is not zero: a bar on which
no agent with weight voted has no score (NaN) and no signal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.agent import Agent, VoteBlock
from agents.newest import Newest
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import GoldenSignalsError, InvalidInput
from data.contracts.panel import Panel, from_micros
from data.contracts.signals import Action, Signal, Vote

CONSENSUS_VERSION = "1"
BUY, HOLD, SELL = 1, 0, -1  # codes of `Fused.action`

_ACTIONS = {BUY: Action.BUY, HOLD: Action.HOLD, SELL: Action.SELL}
_GAP = "the row before this bar was quarantined"


@dataclass(frozen=True, slots=True)
class ConsensusParams:
    """How votes become signals. Every field is part of the signal id."""

    threshold: float = 0.2  # |score| from which BUY or SELL is said
    horizon: int = 5  # bars ahead that the signal speaks about
    atr_window: int = 14  # bars
    stop_atr: float = 2.0  # distance of the stop from the close, in ATRs
    target_atr: float = 3.0  # distance of the target from the close, in ATRs
    weights: Mapping[str, float] = field(default_factory=dict)  # by agent name; an agent not named weighs 1

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise InvalidInput("consensus threshold must be above 0 and at most 1", threshold=self.threshold)
        if self.horizon < 1 or self.atr_window < 1:
            raise InvalidInput("consensus horizon and ATR window must be at least 1 bar", horizon=self.horizon)
        if not (0.0 < self.stop_atr < np.inf and 0.0 < self.target_atr < np.inf):
            raise InvalidInput("stop and target must be a positive number of ATRs", stop=self.stop_atr)
        for name, weight in self.weights.items():
            if not 0.0 <= weight < np.inf:
                raise InvalidInput(f"the weight of agent {name} must be 0 or more", weight=weight)

    def identity(self) -> str:
        """The parameters as stable text."""
        values = [self.threshold, self.horizon, self.atr_window, self.stop_atr, self.target_atr]
        return json.dumps([values, sorted((name, float(weight)) for name, weight in self.weights.items())])


@dataclass(frozen=True, eq=False)
class Fused:
    """The consensus of M bars. Shapes: every array (M,).

    score:     Σ w·s / Σ w over the agents that voted, w = agent weight × confidence; in [-1, 1]. NaN: no signal.
    strength:  |score|.
    agreement: share of the weight whose sign is the score's; in [0, 1].
    action:    BUY, HOLD or SELL codes; HOLD where the score is NaN.
    """

    score: Floats
    strength: Floats
    agreement: Floats
    action: NDArray[np.int8]


@dataclass(frozen=True)
class Decision:
    """The signals of the current session, by symbol, and why the other symbols have none."""

    signals: list[Signal]
    skipped: dict[str, str]


def fuse(scores: Floats, confidences: Floats, weights: Floats, *, threshold: float = 0.2) -> Fused:
    """Weighted mean of the votes for every bar at once; a NaN vote (abstention) has no part in it.

    Shapes: scores and confidences (A, M), agents in alphabetical order; weights (A,) >= 0 -> arrays (M,).
    Edges:  no voter, or only voters of weight or confidence 0: score, strength and agreement are NaN.
    Agents are added one after the other, so a bar has the same bits alone and among a million.
    """
    total = np.zeros(scores.shape[1])
    weighted = np.zeros(scores.shape[1])
    shares = []
    for score, confidence, weight in zip(scores, confidences, weights, strict=True):
        share = np.where(np.isnan(score), 0.0, weight * confidence)
        total += share
        weighted += share * np.where(np.isnan(score), 0.0, score)
        shares.append(share)
    total[total == 0.0] = np.nan
    fused = weighted / total
    agreeing = np.zeros(scores.shape[1])
    for score, share in zip(scores, shares, strict=True):
        agreeing += np.where(np.sign(score) == np.sign(fused), share, 0.0)
    strength = np.abs(fused)
    action = np.where(strength >= threshold, np.sign(fused), 0.0).astype(np.int8)
    return Fused(fused, strength, agreeing / total, action)


def decide(
    panel: Panel,
    blocks: Sequence[VoteBlock],
    *,
    rows: Ints,
    asked: Sequence[Agent[Any]],
    missing: Collection[str],
    universe: str,
    params: ConsensusParams,
    session: int | None = None,
) -> Decision:
    """`conclude` on a whole history.

    Shapes: `rows` (S,) is the newest row of each symbol in panel order (`panel.last_rows`); each block holds the
            votes of just these rows. `panel` holds nothing later than the moment of decision (`panel.until`).
    """
    if len(rows) != len(panel.symbols):
        raise GoldenSignalsError(f"{len(rows)} rows for {len(panel.symbols)} symbols: pass panel.last_rows")
    newest = Newest.of(panel, atr_window=params.atr_window)
    return conclude(newest, blocks, asked=asked, missing=missing, universe=universe, params=params, session=session)


def conclude(
    newest: Newest,
    blocks: Sequence[VoteBlock],
    *,
    asked: Sequence[Agent[Any]],
    missing: Collection[str],
    universe: str,
    params: ConsensusParams,
    session: int | None = None,
) -> Decision:
    """One signal per symbol whose newest bar belongs to the newest session.

    Shapes: each block holds the votes on the newest bars, in their order.
    session: bar time of the newest session, for symbols that are part of a market; None: the newest of these bars.
    asked:  every agent that was asked; `missing` names those that failed or were late and so have no block.
    Edges:  a symbol without a bar in the newest session, or on which no agent voted, is in `skipped` with the reason.
            HOLD has no entry, stop and target; stop and target are also null in the ATR's warm-up and where they
            would not be above 0 or not finite.
    Raises: GoldenSignalsError when blocks, asked and missing do not fit together: a bug of the caller.
    """
    present = sorted(blocks, key=lambda block: block.agent)
    _check(newest, present, asked, missing)
    if not newest.symbols:
        return Decision([], {})
    scores, confidences = _stack(present, "score", newest), _stack(present, "confidence", newest)
    weights = np.array([params.weights.get(block.agent, 1.0) for block in present], dtype=np.float64)
    fused = fuse(scores, confidences, weights, threshold=params.threshold)
    shares = weights[:, None] * confidences
    ts, close, gap, atr = newest.ts, newest.close, newest.gap, newest.atr
    current = int(ts.max()) if session is None else session
    about = _digest(CONSENSUS_VERSION, params.identity(), *sorted(a.identity() for a in asked), newest.frame, universe)
    made_from = _input_hashes(newest, asked, present)

    signals: list[Signal] = []
    skipped: dict[str, str] = {}
    for i, symbol in enumerate(newest.symbols):
        moment = from_micros(int(ts[i]))
        if ts[i] != current:
            skipped[symbol] = f"its newest bar is of {moment:%Y-%m-%d %H:%M} UTC, not of the current session"
            continue
        if np.isnan(fused.score[i]):
            skipped[symbol] = "no agent voted on this bar"
            continue
        votes = tuple(
            _vote(block.agent, scores[a, i], confidences[a, i], shares[a, i]) for a, block in enumerate(present)
        )
        code = int(fused.action[i])
        entry, stop, target = _levels(float(close[i]), float(atr[i]), code, params)
        signals.append(
            Signal(
                signal_id=_digest(about, symbol, int(ts[i])),
                input_hash=made_from[i],
                symbol=symbol,
                frame=newest.frame,
                universe=universe,
                as_of=moment,
                horizon=params.horizon,
                action=_ACTIONS[code],
                score=float(fused.score[i]),
                threshold=params.threshold,
                probability=None,
                calibrated=False,
                strength=float(fused.strength[i]),
                agreement=float(fused.agreement[i]),
                votes=votes,
                missing=tuple(sorted(missing)),
                entry=entry,
                stop=stop,
                target=target,
                warnings=_warnings(votes, gap=bool(gap[i])),
            )
        )
    return Decision(signals, skipped)


def ranked(signals: Sequence[Signal]) -> list[Signal]:
    """The strongest first; ties by symbol."""
    return sorted(signals, key=lambda signal: (-signal.strength, signal.symbol))


def top_reason(signal: Signal) -> str:
    """The agent that did most for the signal: the largest weight × |score| on the side of its score.

    Edges: with a score of 0 every side counts; ties go to the first name in the alphabet.
    """
    side = np.sign(signal.score)
    pushes = [
        (vote.weight * abs(vote.score), vote.agent)
        for vote in signal.votes
        if vote.score is not None and (side == 0.0 or np.sign(vote.score) == side)
    ]
    return min(pushes, key=lambda push: (-push[0], push[1]))[1]


def _check(newest: Newest, present: Sequence[VoteBlock], asked: Sequence[Agent[Any]], missing: Collection[str]) -> None:
    names = [block.agent for block in present]
    if sorted([*names, *missing]) != sorted(a.name for a in asked):
        raise GoldenSignalsError(
            "every agent that was asked must have one block or be missing",
            asked=[a.name for a in asked],
            present=names,
            missing=sorted(missing),
        )
    for block in present:
        if block.score.size != len(newest.symbols):
            raise GoldenSignalsError(f"agent {block.agent}: {block.score.size} votes for {len(newest.symbols)} symbols")


def _stack(blocks: Sequence[VoteBlock], column: str, newest: Newest) -> Floats:
    columns = [getattr(block, column) for block in blocks]
    return np.array(columns, dtype=np.float64).reshape(len(blocks), len(newest.symbols))


def _vote(agent: str, score: float, confidence: float, weight: float) -> Vote:
    if np.isnan(score):
        return Vote(agent=agent, score=None, confidence=None, weight=0.0)
    return Vote(agent=agent, score=float(score), confidence=float(confidence), weight=float(weight))


def _levels(
    close: float, atr: float, side: int, params: ConsensusParams
) -> tuple[float | None, float | None, float | None]:
    """Entry, stop and target of a bar's action."""
    if side == HOLD:
        return None, None, None
    stop, target = close - side * params.stop_atr * atr, close + side * params.target_atr * atr
    return close, stop if 0.0 < stop < np.inf else None, target if 0.0 < target < np.inf else None  # NaN is neither


def _warnings(votes: Sequence[Vote], *, gap: bool) -> tuple[str, ...]:
    silent = sum(vote.score is None for vote in votes)
    found = [_GAP] if gap else []
    if 2 * silent > len(votes):
        found.append(f"{silent} of {len(votes)} agents abstained")
    return tuple(found)


def _input_hashes(newest: Newest, asked: Sequence[Agent[Any]], present: Sequence[VoteBlock]) -> list[str]:
    """Per symbol: the bars and context that the present agents could read, and who they are."""
    names = [block.agent for block in present]
    voters = [a for a in asked if a.name in names]
    series = sorted({name for a in voters for name in a.inputs} & newest.context.keys())
    shared = _digest(newest.adjust, *(newest.context[name].digest for name in series), *names)
    if any(a.scope == "universe" for a in voters):
        return [_digest(shared, newest.hash_of(0, len(newest.symbols)))] * len(newest.symbols)
    return [_digest(shared, digest) for digest in newest.digests]


def _digest(*parts: object) -> str:
    """SHA-256 of a sequence of texts and numbers; JSON keeps neighbours apart."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
