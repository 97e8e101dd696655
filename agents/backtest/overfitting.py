"""Probability of backtest overfitting, over any number of trials in memory that does not grow with them.

Combinatorially symmetric cross-validation: the bars are cut into S blocks; every choice of half the blocks is once the
sample in which the best trial is picked, while the other half says what it was worth. The Sharpe ratio of any half
follows from each block's count, sum and sum of squares of returns, so trials are read as `Chunk`s of block sums, twice:

    best  = reduce(Best.joined, (best_in_sample(edges, chunk) for chunk in chunks))
    ranks = reduce(Ranks.joined, (ranks_out_of_sample(edges, chunk, best) for chunk in chunks))
    overfitting(best, ranks)

Chunks may be of any size, in any order, on any worker: the result has the same bits.

An undefined Sharpe ratio (returns that never vary) is below every other. Ties go to the smallest id; a rank among
equals is their middle rank.
Source: Bailey, Borwein, López de Prado and Zhu, The Probability of Backtest Overfitting (2017).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations

import numpy as np

from agents.kernels.compiling import decorators
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput

BLOCKS = 10
MOST_BLOCKS = 16  # 12,870 splits
STILL = 1e-12  # a variance below this share of the mean square is what rounding left of none
_TILE = 512  # trials that are worked on at once: their block sums stay in the cache
_jit, _part = decorators(__file__)


@dataclass(frozen=True)
class Chunk:
    """Some trials. ids (m,), unique over all chunks; sums and squares (m, S): of the returns within each block."""

    ids: Ints
    sums: Floats
    squares: Floats


@dataclass(frozen=True)
class Best:
    """The best trial of every split so far: its id, -1 for none, and its Sharpe ratio in and out of the sample.

    Shapes: (splits,) each; -inf for an undefined Sharpe ratio.
    """

    trials: int
    ids: Ints
    inside: Floats
    outside: Floats

    def joined(self, other: Best) -> Best:
        """The best of both."""
        theirs = (other.inside > self.inside) | ((other.inside == self.inside) & (other.ids < self.ids))
        return Best(
            self.trials + other.trials,
            np.where(theirs, other.ids, self.ids),
            np.where(theirs, other.inside, self.inside),
            np.where(theirs, other.outside, self.outside),
        )


@dataclass(frozen=True)
class Ranks:
    """How many trials did worse than the best of the split out of its sample, and how many as well, itself included."""

    trials: int
    below: Ints
    equal: Ints

    def joined(self, other: Ranks) -> Ranks:
        """Both counts together."""
        return Ranks(self.trials + other.trials, self.below + other.below, self.equal + other.equal)


@dataclass(frozen=True)
class Overfitting:
    """What became of the best of every split.

    pbo: share of splits whose best was at or below the median out of its sample.
    logits (splits used,): log of its relative rank over the rest; 0 is the median.
    inside, outside (splits used,): its Sharpe ratio per bar; -inf outside where it had none.
    slope, intercept: of `outside` on `inside`, over the splits where both are finite; None for fewer than two of them,
    or where `inside` is always the same. A negative slope says: the better it looked, the worse it became.
    probability_of_loss: share of splits whose best lost money out of its sample.
    """

    trials: int
    splits: int
    pbo: float
    probability_of_loss: float
    slope: float | None
    intercept: float | None
    logits: Floats
    inside: Floats
    outside: Floats


def block_edges(bars: int, blocks: int = BLOCKS) -> Ints:
    """Where each block begins and the last one ends, (blocks + 1,): blocks as equal as they can be.

    Raises: InvalidInput for an odd number of blocks, or too few bars for two in every block.
    """
    if blocks % 2 or not 2 <= blocks <= MOST_BLOCKS:
        raise InvalidInput(f"the number of blocks must be even, from 2 to {MOST_BLOCKS}", blocks=blocks)
    if bars < 2 * blocks:
        raise InvalidInput(f"{blocks} blocks need at least {2 * blocks} bars and there are {bars}: take fewer blocks")
    return np.arange(blocks + 1, dtype=np.int64) * bars // blocks


def block_sums(returns: Floats, edges: Ints) -> tuple[Floats, Floats]:
    """Sums and sums of squares of each block, (m, S) both, of trials' returns (m, bars)."""
    if returns.shape[1] != edges[-1]:
        raise InvalidInput(
            "returns and blocks must have the same bars", returns=returns.shape[1], blocks=int(edges[-1])
        )
    return np.add.reduceat(returns, edges[:-1], axis=1), np.add.reduceat(returns * returns, edges[:-1], axis=1)


def best_in_sample(edges: Ints, chunk: Chunk) -> Best:
    """First pass: the best trial of the chunk for every split."""
    splits, bars = _splits(edges.size - 1), _bars(edges)
    ids = np.full(len(splits), -1, dtype=np.int64)
    inside, outside = np.full(len(splits), -np.inf), np.full(len(splits), -np.inf)
    sums, squares = _checked(edges, chunk)
    _find_best(chunk.ids, sums, squares, splits, bars, ids, inside, outside)
    return Best(chunk.ids.size, ids, inside, outside)


def ranks_out_of_sample(edges: Ints, chunk: Chunk, best: Best) -> Ranks:
    """Second pass: how the chunk's trials did out of sample beside the best of all trials."""
    splits, bars = _splits(edges.size - 1), _bars(edges)
    below, equal = np.zeros(len(splits), dtype=np.int64), np.zeros(len(splits), dtype=np.int64)
    sums, squares = _checked(edges, chunk)
    _count_below(sums, squares, splits, bars, best.outside, below, equal)
    return Ranks(chunk.ids.size, below, equal)


def overfitting(best: Best, ranks: Ranks) -> Overfitting | None:
    """What both passes say together; None where no split has a trial whose Sharpe ratio is defined.

    Raises: InvalidInput when the second pass read other trials than the first, or there are fewer than two.
    """
    if best.trials != ranks.trials:
        raise InvalidInput("both passes must read the same trials", first=best.trials, second=ranks.trials)
    if best.trials < 2:
        raise InvalidInput("overfitting by choice needs at least two trials to choose from", trials=best.trials)
    used = np.flatnonzero(best.inside > -np.inf)
    if used.size == 0:
        return None
    relative = (ranks.below[used] + (ranks.equal[used] + 1) / 2.0) / (best.trials + 1)
    inside, outside = best.inside[used], best.outside[used]
    slope, intercept = _line(inside[np.isfinite(outside)], outside[np.isfinite(outside)])
    return Overfitting(
        trials=best.trials,
        splits=used.size,
        pbo=float((relative <= 0.5).mean()),
        probability_of_loss=float(((outside < 0.0) & np.isfinite(outside)).mean()),
        slope=slope,
        intercept=intercept,
        logits=np.array([math.log(share / (1.0 - share)) for share in relative]),
        inside=inside,
        outside=outside,
    )


def cross_validated(edges: Ints, chunks: Iterable[Chunk]) -> Overfitting | None:
    """Both passes in this process over chunks that can be read twice: a list, or an object that reads its file anew.

    Raises: InvalidInput for an iterator, which is empty the second time, and for no chunk at all.
    """
    if iter(chunks) is chunks:
        raise InvalidInput("the chunks are read twice: give a list, not an iterator")
    firsts = [best_in_sample(edges, chunk) for chunk in chunks]
    if not firsts:
        raise InvalidInput("overfitting by choice needs at least two trials to choose from", trials=0)
    best = reduce(Best.joined, firsts)
    return overfitting(best, reduce(Ranks.joined, (ranks_out_of_sample(edges, chunk, best) for chunk in chunks)))


@cache
def _splits(blocks: int) -> Ints:
    """Every split as a row: the blocks inside the sample, then those outside."""
    halves = list(combinations(range(blocks), blocks // 2))
    rows = [(*half, *(b for b in range(blocks) if b not in half)) for half in halves]
    out = np.array(rows, dtype=np.int64)
    out.setflags(write=False)
    return out


def _bars(edges: Ints) -> Floats:
    return np.diff(edges).astype(np.float64)


def _checked(edges: Ints, chunk: Chunk) -> tuple[Floats, Floats]:
    shape = (chunk.ids.size, edges.size - 1)
    if chunk.sums.shape != shape or chunk.squares.shape != shape:
        raise InvalidInput(f"a chunk of {shape[0]} trials over {shape[1]} blocks must have sums and squares of {shape}")
    if chunk.ids.size and chunk.ids.min() < 0:
        raise InvalidInput("ids of trials count from 0")
    if not (np.isfinite(chunk.sums).all() and np.isfinite(chunk.squares).all()):
        raise InvalidInput("block sums must be finite: cut the warm-up off every trial before they are taken")
    return chunk.sums, chunk.squares


def _line(x: Floats, y: Floats) -> tuple[float | None, float | None]:
    if x.size < 2 or x.min() == x.max():
        return None, None
    away = x - x.mean()
    slope = float((away * (y - y.mean())).sum() / (away * away).sum())
    return slope, float(y.mean()) - slope * float(x.mean())


@_part
def _tile(first: int, last: int, sums: Floats, squares: Floats, by_block: Floats, by_square: Floats) -> None:
    """Block sums of some trials with the trials innermost, so that the loops over them are vectorised."""
    for i in range(first, last):
        for b in range(sums.shape[1]):
            by_block[b, i - first] = sums[i, b]
            by_square[b, i - first] = squares[i, b]


@_part
def _sharpe(blocks: Ints, bars: Floats, size: int, by_block: Floats, by_square: Floats, spare: Floats) -> None:
    """Sharpe ratio (ddof 1) of every trial of the tile over these blocks into spare[0]; -inf where it never varies."""
    total, square, n = spare[0], spare[1], 0.0
    for i in range(size):
        total[i] = square[i] = 0.0
    for b in blocks:
        n += bars[b]
        block, squared = by_block[b], by_square[b]
        for i in range(size):
            total[i] += block[i]
            square[i] += squared[i]
    for i in range(size):
        mean = total[i] / n
        spread = square[i] - mean * total[i]
        ratio = mean / np.sqrt(spread / (n - 1.0))
        total[i] = ratio if spread > STILL * square[i] else -np.inf


@_jit
def _find_best(
    ids: Ints, sums: Floats, squares: Floats, splits: Ints, bars: Floats, best: Ints, inside: Floats, outside: Floats
) -> None:
    half = splits.shape[1] // 2
    by_block, by_square = np.empty((2 * half, _TILE)), np.empty((2 * half, _TILE))
    spare, one = np.empty((2, _TILE)), np.empty((2, 1))
    values = spare[0]
    for first in range(0, ids.size, _TILE):
        last = min(first + _TILE, ids.size)
        _tile(first, last, sums, squares, by_block, by_square)
        for split in range(splits.shape[0]):
            _sharpe(splits[split, :half], bars, last - first, by_block, by_square, spare)
            found = -1
            for i in range(last - first):
                value, at = values[i], ids[first + i]
                if value > inside[split] or (value == inside[split] and at < best[split]):
                    best[split], inside[split], found = at, value, i
            if found >= 0:
                rest = splits[split, half:]
                _sharpe(rest, bars, 1, by_block[:, found:], by_square[:, found:], one)
                outside[split] = one[0, 0]


@_jit
def _count_below(
    sums: Floats, squares: Floats, splits: Ints, bars: Floats, theirs: Floats, below: Ints, equal: Ints
) -> None:
    half = splits.shape[1] // 2
    by_block, by_square = np.empty((2 * half, _TILE)), np.empty((2 * half, _TILE))
    spare = np.empty((2, _TILE))
    values = spare[0]
    for first in range(0, sums.shape[0], _TILE):
        last = min(first + _TILE, sums.shape[0])
        _tile(first, last, sums, squares, by_block, by_square)
        for split in range(splits.shape[0]):
            _sharpe(splits[split, half:], bars, last - first, by_block, by_square, spare)
            worse, same, bar = 0, 0, theirs[split]
            for i in range(last - first):
                worse += values[i] < bar
                same += values[i] == bar
            below[split] += worse
            equal[split] += same
