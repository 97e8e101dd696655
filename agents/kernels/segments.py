"""What a long-only, all-in strategy came to, from its trades alone: work per trade and not per bar.

While a position is held, equity is the close times a constant, so a stretch of bars enters a result only through a few
numbers that any two bars have between them: sums of bar returns (differences of running sums), the highest and the
lowest close, and the deepest fall. Those are laid down once per symbol, for all strategies:

    buys[a], sells[b]   one cache line for each bar a position may open or close on: the price with its costs, the
                        running sums up to there with that bar's own return, and the extremes of its block of bars
    tree[h, block]      extremes of the blocks strictly between a block and a multiple of 2^h on the other's side

A position from bar a to bar b (sold there; held at the closes a .. b - 1) then costs two lines, two nodes and some
forty instructions. Bar n stands for the end: marked at the last close, or sold there with costs (`finish`).
"""

import numpy as np

from agents.kernels import masks, outcomes
from agents.kernels.compiling import decorators
from agents.kernels.masks import (
    BITS,
    Singles,
    Words,
    combine,
    compare,
    compare_values,
    expand,
    highest_bit,
    read,
    turns,
)
from agents.kernels.outcomes import (
    R_CLOSED,
    R_CUBES,
    R_DOWN,
    R_EQUITY,
    R_FEES,
    R_FOURTHS,
    R_GAINS,
    R_GROWTH,
    R_HELD,
    R_LOST,
    R_MEAN,
    R_SPREAD,
    R_SQUARES,
    R_SUM,
    R_TRADED,
    R_TRADES,
    R_WINS,
    R_WON,
    R_WORST,
)
from agents.kernels.types import Bools, Floats, Ints

BLOCK = 8  # bars; shorter stretches inside a block are walked
SHIFT = 3
LINE = 8  # float64 of a cache line
PRICE, SUM, SQUARES, HIGH, LOW, FALL = range(6)  # of buys and sells
GAINS, DOWN, CUBES, FOURTHS, CLOSES = range(5)  # of more_buys and more_sells

_jit, _part = decorators(__file__, masks.__file__, outcomes.__file__)


def rooms_of(longest: int, line_count: int, words: int) -> tuple[int, int, int]:
    """Sizes of `room`, `short` and `found` for symbols of at most so many bars."""
    blocks = (longest + BLOCK - 1) // BLOCK
    return (
        LINE * (4 * longest + 5) + 4 * blocks * (blocks.bit_length() + 2) + longest,
        line_count * words * BITS,
        (words + 2) * BITS,
    )


@_jit
def by_segments(
    lines: Floats,
    line_count: int,
    offsets: Ints,
    opened: Floats,
    close: Floats,
    finish: Bools,
    fee: float,
    slippage: float,
    at_close: int,
    wide: int,
    pairs: Ints,
    value_pairs: Ints,
    values: Floats,
    ops: Ints,
    sets: Ints,
    bounds: Ints,
    table: Words,
    room: Floats,
    short: Singles,
    found: Ints,
    edges: Ints,
    raw: Floats,
    block_sums: Floats,
) -> None:
    """Every set of a program on every symbol of a block.

    Shapes: lines (line_count * N + PADDING,), offsets (S+1,), opened and close (N,), finish (S,); the program as
            `agents.backtest.sweep_program` makes it, `bounds` (slices + 1, 4) cutting pairs, value_pairs, ops and sets;
            table (rows, words of the longest symbol), room, short and found (`rooms_of`) of any content;
            edges (S, B+1) rows of a symbol at which its blocks of time begin and end, B = 0 for none.
            raw (sets, S, outcomes.RAW) and block_sums (sets, S, B, 2) are filled.
    wide: 0 leaves what lies behind R_CLOSED undefined.
    """
    rows, longest = offsets[-1], 0
    for s in range(offsets.size - 1):
        longest = max(longest, offsets[s + 1] - offsets[s])
    blocks, levels = _shape(longest)
    first = (-(room.ctypes.data >> 3)) % LINE  # rows of LINE begin with a cache line
    lines_of_room = room[first : first + LINE * (longest + 1) * (4 if wide else 2)].reshape(-1, LINE)
    buys, sells = lines_of_room[: longest + 1], lines_of_room[longest + 1 : 2 * longest + 2]
    more_buys = lines_of_room[2 * longest + 2 : 3 * longest + 3] if wide else buys
    more_sells = lines_of_room[3 * longest + 3 :] if wide else sells
    rest = room[first + lines_of_room.size :]
    tree = rest[: levels * blocks * 4].reshape(levels, blocks, 4)
    stats = rest[levels * blocks * 4 : (levels + 1) * blocks * 4].reshape(blocks, 4)
    inverse = rest[(levels + 1) * blocks * 4 : (levels + 1) * blocks * 4 + longest]
    for s in range(offsets.size - 1):
        lo, n = offsets[s], offsets[s + 1] - offsets[s]
        closes, words = close[lo : lo + n], (n + BITS - 1) // BITS
        ends = 1 if finish[s] else 0
        _lay_down(opened[lo : lo + n], closes, fee, slippage, at_close, ends, inverse, buys, sells)
        _extremes(closes, inverse, ends, buys, sells, stats)
        _between(stats, (n + BLOCK - 1) // BLOCK, tree)
        if wide:
            _lay_down_more(closes, inverse, ends, buys, sells, more_buys, more_sells)
        read(lines, rows, lo, words, line_count, table, short)
        for piece in range(bounds.shape[0] - 1):
            compare(lines, short, rows, lo, words, pairs, bounds[piece, 0], bounds[piece + 1, 0], table)
            compare_values(lines, rows, lo, words, value_pairs, values, bounds[piece, 1], bounds[piece + 1, 1], table)
            combine(ops, bounds[piece, 2], bounds[piece + 1, 2], words, table)
            for k in range(bounds[piece, 3], bounds[piece + 1, 3]):
                count = turns(table[sets[k, 0]], table[sets[k, 1]], words, found)
                count = _fills(found, count, n, at_close, ends)
                sums = raw[k, s]
                _walk(found, count, n, ends, closes, buys, sells, tree, sums)
                if wide:
                    _walk_more(found, count, n, ends, fee, buys, sells, more_buys, more_sells, sums)
                if edges.shape[1] > 1:
                    _walk_blocks(found, count, buys, sells, edges[s], block_sums[k, s])


@_jit
def decisions(
    lines: Floats,
    line_count: int,
    offsets: Ints,
    pairs: Ints,
    value_pairs: Ints,
    values: Floats,
    ops: Ints,
    wanted: Ints,
    bounds: Ints,
    piece: int,
    table: Words,
    short: Singles,
    out: Bools,
) -> None:
    """Rows `wanted` (K,) of one slice of a program as truths, bar by bar: out (K, N)."""
    rows = offsets[-1]
    for s in range(offsets.size - 1):
        lo, n = offsets[s], offsets[s + 1] - offsets[s]
        words = (n + BITS - 1) // BITS
        read(lines, rows, lo, words, line_count, table, short)
        compare(lines, short, rows, lo, words, pairs, bounds[piece, 0], bounds[piece + 1, 0], table)
        compare_values(lines, rows, lo, words, value_pairs, values, bounds[piece, 1], bounds[piece + 1, 1], table)
        combine(ops, bounds[piece, 2], bounds[piece + 1, 2], words, table)
        for k in range(wanted.size):
            expand(table[wanted[k]], out[k, lo : lo + n])


@_jit
def positions(enter: Words, leave: Words, n: int, out: Ints) -> int:
    """Bars of n at which a long position is decided on and given up, in turn: `masks.turns`, cut at the last bar."""
    count: int = turns(enter, leave, enter.size, out)
    while count > 0 and out[count - 1] >= n:
        count -= 1
    return count


@_part
def _fills(found: Ints, count: int, n: int, at_close: int, ends: int) -> int:
    """Decisions to fills, in place: entry, exit, entry, ... An open position gets the exit n. Returns an even count.

    At the next open the last bar decides nothing; where the symbol is sold out at its last bar, none opens there.
    """
    delay = 1 - at_close
    while count > 0 and found[count - 1] + delay >= n:
        count -= 1
    if count & 1 and found[count - 1] + delay >= n - ends:
        count -= 1
    for t in range(count):
        found[t] += delay
    if count & 1:
        found[count] = n
        count += 1
    return count


@_part
def _walk(
    found: Ints,
    count: int,
    n: int,
    ends: int,
    close: Floats,
    buys: Floats,
    sells: Floats,
    tree: Floats,
    out: Floats,
) -> None:
    """Growth, sums of bar returns, deepest fall, trades and bars held."""
    money, total, squares, worst, held = 1.0, 0.0, 0.0, 1.0, 0
    peak = 0.0 if count and found[0] == 0 else 1.0  # the peak is of closes: at the first there may be a position
    for t in range(0, count, 2):
        a, b = found[t], found[t + 1]
        last = b - 1 - ends if b == n else b - 1
        shares = money * buys[a, PRICE]
        total += sells[b, SUM] - buys[a, SUM]
        squares += sells[b, SQUARES] - buys[a, SQUARES]
        held += last + 1 - a
        left, right = a >> SHIFT, last >> SHIFT
        if left == right:
            for i in range(a, last + 1):
                now = shares * close[i]
                if now < worst * peak:
                    worst = now / peak
                peak = max(peak, now)
        else:
            apart = highest_bit(left ^ right)
            low = shares * buys[a, LOW]
            if low < worst * peak:
                worst = low / peak
            peak = max(peak, shares * buys[a, HIGH])
            low = shares * tree[apart, left, 1]
            if low < worst * peak:
                worst = low / peak
            peak = max(peak, shares * tree[apart, left, 0])
            low = shares * tree[apart, right, 1]
            if low < worst * peak:
                worst = low / peak
            peak = max(peak, shares * tree[apart, right, 0])
            low = shares * sells[b, LOW]
            if low < worst * peak:
                worst = low / peak
            peak = max(peak, shares * sells[b, HIGH])
            worst = min(worst, buys[a, FALL], sells[b, FALL], tree[apart, left, 2], tree[apart, right, 2])
        money = shares * sells[b, PRICE]
        if money < worst * peak:
            worst = money / peak
        peak = max(peak, money)
    trades = count // 2
    still_open = count > 0 and found[count - 1] == n and not ends
    out[R_GROWTH], out[R_SUM], out[R_SQUARES], out[R_WORST] = money, total, squares, worst
    out[R_TRADES], out[R_HELD], out[R_CLOSED] = trades, held, trades - (1 if still_open else 0)


@_part
def _walk_more(
    found: Ints,
    count: int,
    n: int,
    ends: int,
    fee: float,
    buys: Floats,
    sells: Floats,
    more_buys: Floats,
    more_sells: Floats,
    out: Floats,
) -> None:
    """Higher sums of bar returns, mean equity, fees, and the statistics of closed trades."""
    gains = down = cubes = fourths = traded = fees = wins = won = lost = mean = spread = 0.0
    money, equity, since = 1.0, 0.0, 0
    closed = out[R_CLOSED]
    for t in range(0, count, 2):
        a, b = found[t], found[t + 1]
        last = b - 1 - ends if b == n else b - 1
        gains += more_sells[b, GAINS] - more_buys[a, GAINS]
        down += more_sells[b, DOWN] - more_buys[a, DOWN]
        cubes += more_sells[b, CUBES] - more_buys[a, CUBES]
        fourths += more_sells[b, FOURTHS] - more_buys[a, FOURTHS]
        shares = money * buys[a, PRICE]
        equity += (a - since) * money + shares * (more_sells[b, CLOSES] - more_buys[a, CLOSES])
        since = last + 1
        value = money / (1.0 + fee)
        traded += value
        fees += money - value
        after = shares * sells[b, PRICE]
        number = t // 2 + 1
        if number <= closed:
            fees += after / (1.0 - fee) * fee
            traded += after / (1.0 - fee)
            profit = after - money
            wins += 1.0 if profit > 0.0 else 0.0
            won += max(profit, 0.0)
            lost += max(-profit, 0.0)
            gain = profit / value
            step = gain - mean
            mean += step / number
            spread += step * (gain - mean)
        money = after
    out[R_GAINS], out[R_DOWN], out[R_CUBES], out[R_FOURTHS] = gains, down, cubes, fourths
    out[R_EQUITY], out[R_TRADED], out[R_FEES] = equity + (n - since) * money, traded, fees
    out[R_WINS], out[R_WON], out[R_LOST], out[R_MEAN], out[R_SPREAD] = wins, won, lost, mean, spread


@_part
def _walk_blocks(found: Ints, count: int, buys: Floats, sells: Floats, edges: Ints, out: Floats) -> None:
    """Sum and sum of squares of the bar returns in each block of time, edges (B+1,); out (B, 2)."""
    total = squares = before = before_squares = 0.0
    t, last = 0, edges.size - 1
    for block in range(last + 1):
        edge = edges[block]
        while t < count and found[t + 1] < edge:
            total += sells[found[t + 1], SUM] - buys[found[t], SUM]
            squares += sells[found[t + 1], SQUARES] - buys[found[t], SQUARES]
            t += 2
        now, now_squares = total, squares
        if t < count and found[t] < edge:  # held over the edge: the sums up to the bar before it
            now += sells[edge, LINE - 2] - buys[found[t], SUM]
            now_squares += sells[edge, LINE - 1] - buys[found[t], SQUARES]
        if block:
            out[block - 1, 0], out[block - 1, 1] = now - before, now_squares - before_squares
        before, before_squares = now, now_squares


@_part
def _lay_down(
    opened: Floats,
    close: Floats,
    fee: float,
    slippage: float,
    at_close: int,
    ends: int,
    inverse: Floats,
    buys: Floats,
    sells: Floats,
) -> None:
    """Prices with their costs and running sums. The sums carry what rounding took, so that differences keep it.

    sells[b, LINE - 2 :] are the sums up to bar b - 1 alone, for positions held over an edge.
    """
    n = close.size
    paid, left = (1.0 + slippage) * (1.0 + fee), (1.0 - slippage) * (1.0 - fee)
    price = close if at_close else opened
    for i in range(n):
        inverse[i] = 1.0 / close[i]
    for i in range(n):
        buys[i, PRICE] = 1.0 / (price[i] * paid)
    total = lost = squares = lost_squares = 0.0
    for i in range(n + 1):
        so_far, so_far_squares = total + lost, squares + lost_squares  # of the returns of bars 1 .. i - 1
        sells[i, LINE - 2], sells[i, LINE - 1] = so_far, so_far_squares
        if i == n:
            break
        step = close[i] * inverse[i - 1] - 1.0 if i else 0.0
        out = price[i] * left * inverse[i - 1] - 1.0 if i else 0.0
        sells[i, PRICE], sells[i, SUM], sells[i, SQUARES] = price[i] * left, so_far + out, so_far_squares + out * out
        after = total + step
        lost += (total - (after - (after - total))) + (step - (after - total))
        total = after
        square = step * step
        after = squares + square
        lost_squares += (squares - (after - (after - squares))) + (square - (after - squares))
        squares = after
        into = close[i] * buys[i, PRICE] - 1.0
        buys[i, SUM], buys[i, SQUARES] = total + lost - into, squares + lost_squares - into * into
    if ends:  # sold at the last close, with costs
        out = close[n - 1] * left * inverse[n - 2] - 1.0 if n > 1 else 0.0
        sells[n, PRICE] = close[n - 1] * left
        sells[n, SUM] = sells[n - 1, LINE - 2] + out
        sells[n, SQUARES] = sells[n - 1, LINE - 1] + out * out
        sells[n, LINE - 2], sells[n, LINE - 1] = sells[n, SUM], sells[n, SQUARES]
    else:
        sells[n, PRICE], sells[n, SUM], sells[n, SQUARES] = close[n - 1], sells[n, LINE - 2], sells[n, LINE - 1]


@_part
def _lay_down_more(
    close: Floats, inverse: Floats, ends: int, buys: Floats, sells: Floats, more_buys: Floats, more_sells: Floats
) -> None:
    n = close.size
    gains = down = cubes = fourths = closes = 0.0
    for i in range(n + 1):
        if i == n and ends:
            break
        for row in range(i, i + 2 if i == n - 1 and ends else i + 1):  # what ends at its last bar is sold there too
            out = sells[row, PRICE] * inverse[i - 1] - 1.0 if 0 < i < n else 0.0
            more_sells[row, GAINS], more_sells[row, DOWN] = gains + max(out, 0.0), down + min(out, 0.0) ** 2
            more_sells[row, CUBES], more_sells[row, FOURTHS] = cubes + out**3, fourths + out**4
            more_sells[row, CLOSES] = closes
        if i == n:
            break
        step = close[i] * inverse[i - 1] - 1.0 if i else 0.0
        gains += max(step, 0.0)
        down += min(step, 0.0) ** 2
        cubes += step**3
        fourths += step**4
        into = close[i] * buys[i, PRICE] - 1.0
        more_buys[i, GAINS], more_buys[i, DOWN] = gains - max(into, 0.0), down - min(into, 0.0) ** 2
        more_buys[i, CUBES], more_buys[i, FOURTHS] = cubes - into**3, fourths - into**4
        more_buys[i, CLOSES] = closes
        closes += close[i]


@_part
def _extremes(close: Floats, inverse: Floats, ends: int, buys: Floats, sells: Floats, stats: Floats) -> None:
    """Highest, lowest and deepest fall from a bar to its block's end and from its block's start to a bar.

    buys[i] speaks of bars i .. end of block, sells[i] of start of block .. i - 1 (of bar n: up to the last one held).
    stats (blocks, 4): highest, lowest, fall, 1 / highest.
    """
    n = close.size
    for block in range((n + BLOCK - 1) // BLOCK):
        lo, hi = block * BLOCK, min(n, block * BLOCK + BLOCK)
        high, low, fall, inverse_high = -np.inf, np.inf, 1.0, np.inf
        for i in range(lo, hi):
            high, low, inverse_high = max(high, close[i]), min(low, close[i]), min(inverse_high, inverse[i])
            fall = min(fall, close[i] * inverse_high)
            sells[i + 1, HIGH], sells[i + 1, LOW], sells[i + 1, FALL] = high, low, fall
        stats[block, 0], stats[block, 1], stats[block, 2], stats[block, 3] = high, low, fall, inverse_high
        high, low, fall = -np.inf, np.inf, 1.0
        for i in range(hi - 1, lo - 1, -1):
            high, low = max(high, close[i]), min(low, close[i])
            fall = min(fall, low * inverse[i])
            buys[i, HIGH], buys[i, LOW], buys[i, FALL] = high, low, fall
    if ends and n > 1:
        sells[n, HIGH], sells[n, LOW], sells[n, FALL] = sells[n - 1, HIGH], sells[n - 1, LOW], sells[n - 1, FALL]


@_part
def _between(stats: Floats, blocks: int, tree: Floats) -> None:
    """tree[h, block]: the blocks strictly between it and the odd multiple of 2^h nearest to it, that one included for
    blocks on its right: two blocks that differ first in bit h have all between them in their two nodes."""
    half, level = 1, 0
    while half < blocks or level == 0:
        for middle in range(half, blocks, 2 * half):
            high, low, fall = -np.inf, np.inf, 1.0
            for block in range(middle - 1, middle - half - 1, -1):
                tree[level, block, 0], tree[level, block, 1], tree[level, block, 2] = high, low, fall
                fall = min(fall, stats[block, 2], low * stats[block, 3])
                high, low = max(high, stats[block, 0]), min(low, stats[block, 1])
            high, low, fall, inverse_high = -np.inf, np.inf, 1.0, np.inf
            for block in range(middle, min(middle + half, blocks)):
                tree[level, block, 0], tree[level, block, 1], tree[level, block, 2] = high, low, fall
                fall = min(fall, stats[block, 2], stats[block, 1] * inverse_high)
                high, low = max(high, stats[block, 0]), min(low, stats[block, 1])
                inverse_high = min(inverse_high, stats[block, 3])
        half *= 2
        level += 1


@_part
def _shape(longest: int) -> tuple[int, int]:
    """Blocks of bars, and levels of the tree over them."""
    blocks, levels = (longest + BLOCK - 1) // BLOCK, 1
    while 1 << levels < blocks:
        levels += 1
    return blocks, levels
