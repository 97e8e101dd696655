"""Indicators that remember everything since the first bar, over a whole panel: averages that decay, and sums.

All but one rest on one step, `level += (value - level) * gain`: gain 1/1, 1/2, ... 1/window while seeding (a plain
mean, as TA-Lib seeds), then constant (2 / (window + 1), or Wilder's 1 / window). A single series cannot go
faster than the latency of that step, so eight symbols advance side by side; each symbol's own order of operations
is the same in every group, block and cut, and so are its bits.

What is carried from call to call is `carry`, rows of (S,): the count of bars seen, then one level per average.
`starts` (S,) says how many rows at the head of each symbol were consumed by earlier calls and only stand there as
"the bar before"; their outputs are not defined. All zeros = from the beginning.
`order` (S,) is the order in which symbols are taken, short ones first, so that eight neighbours end together.

Shapes: inputs and outputs (N,), offsets (S+1,). A NaN input makes the rest of its symbol NaN.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

LANES = 8
BLOCK = 4096  # bars of each lane per round: eight lanes of scratch stay in the L2 cache
PITCH = BLOCK + 40  # rows of scratch per lane: a power of two would send all lanes to the same cache sets
_jit, _part = decorators(__file__)


@_jit
def ema(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, window: int, out: Floats) -> None:
    """Exponential mean, seeded with the plain mean of `window` values; warm-up window - 1. carry (2, S)."""
    at, rows, who = _lanes()
    seen = np.zeros(LANES, np.int64)
    gain = 2.0 / (window + 1.0)
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            _smooth(values, at, out, at, rows, seen, carry[1], who, window, gain)
            _finish(lanes, at, rows, seen, window - 1, out)
            _advance(lanes, who, at, rows, carry)


@_jit
def fading(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, gain: float, out: Floats) -> None:
    """Exponential mean that begins with the first value. No warm-up. carry (2, S)."""
    at, rows, who = _lanes()
    seen = np.zeros(LANES, np.int64)
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            _smooth(values, at, out, at, rows, seen, carry[1], who, 1, gain)
            _advance(lanes, who, at, rows, carry)


@_jit
def wilder(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, window: int, out: Floats) -> None:
    """Wilder's mean, seeded with the plain mean of `window` values; warm-up window - 1. carry (2, S)."""
    at, rows, who = _lanes()
    seen = np.zeros(LANES, np.int64)
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            _smooth(values, at, out, at, rows, seen, carry[1], who, window, 1.0 / window)
            _finish(lanes, at, rows, seen, window - 1, out)
            _advance(lanes, who, at, rows, carry)


@_jit
def macd(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    fast: int,
    slow: int,
    signal: int,
    line: Floats,
    trigger: Floats,
    gap: Floats,
) -> None:
    """Fast minus slow exponential mean, its own exponential mean, and their difference. carry (4, S).

    Seeded like TA-Lib: both means start at the same bar, so the fast one skips the first slow - fast values.
    Warm-up of all three: slow + signal - 2.
    """
    at, rows, who = _lanes()
    seen, later, head = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64), _heads()
    slows = np.empty(LANES * PITCH)
    fast_gain, slow_gain, signal_gain = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    warmup = slow + signal - 2
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            _minus(seen, slow - fast, later)
            _smooth(values, at, line, at, rows, later, carry[1], who, fast, fast_gain)
            _smooth(values, at, slows, head, rows, seen, carry[2], who, slow, slow_gain)
            for lane in range(lanes):
                p, n = at[lane], rows[lane]
                _difference(line[p : p + n], slows[head[lane] : head[lane] + n], line[p : p + n])
            _minus(seen, slow - 1, later)
            _smooth(line, at, trigger, at, rows, later, carry[3], who, signal, signal_gain)
            for lane in range(lanes):
                p, n = at[lane], rows[lane]
                _difference(line[p : p + n], trigger[p : p + n], gap[p : p + n])
            _finish(lanes, at, rows, seen, warmup, line)
            _finish(lanes, at, rows, seen, warmup, trigger)
            _finish(lanes, at, rows, seen, warmup, gap)
            _advance(lanes, who, at, rows, carry)


@_jit
def wilder_rsi(
    close: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, window: int, out: Floats
) -> None:
    """Relative strength index, Wilder smoothing, 0..100; 50 while the price has never moved. carry (3, S).

    Warm-up `window`. Ratio first: 100 * gain / total can exceed 100.
    """
    at, rows, who = _lanes()
    seen, later, head = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64), _heads()
    gains, losses = np.zeros(LANES * PITCH), np.zeros(LANES * PITCH)
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            for lane in range(lanes):
                skip = 1 if seen[lane] == 0 else 0  # the first bar has no bar before it; its zeros are never used
                p, h, n = at[lane] + skip, head[lane] + skip, max(rows[lane] - skip, 0)
                _split_moves(close[p : p + n], close[p - 1 : p - 1 + n], gains[h : h + n], losses[h : h + n])
            _minus(seen, 1, later)
            _smooth(gains, head, gains, head, rows, later, carry[1], who, window, 1.0 / window)
            _smooth(losses, head, losses, head, rows, later, carry[2], who, window, 1.0 / window)
            for lane in range(lanes):
                p, h, n = at[lane], head[lane], rows[lane]
                _share(gains[h : h + n], losses[h : h + n], out[p : p + n])
            _finish(lanes, at, rows, seen, window, out)
            _advance(lanes, who, at, rows, carry)


@_jit
def atr(
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    window: int,
    out: Floats,
) -> None:
    """Wilder's average true range, seeded with the mean of `window` ranges; warm-up `window`. carry (2, S)."""
    at, rows, who = _lanes()
    seen, later = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            for lane in range(lanes):
                _true_range(
                    high, low, close, at[lane], rows[lane], seen[lane] == 0, out[at[lane] : at[lane] + rows[lane]]
                )
            _minus(seen, 1, later)  # the range of the first bar has no close before it and is not used
            _smooth(out, at, out, at, rows, later, carry[1], who, window, 1.0 / window)
            _finish(lanes, at, rows, seen, window, out)
            _advance(lanes, who, at, rows, carry)


@_jit
def adx(
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    window: int,
    strength: Floats,
    plus: Floats,
    minus: Floats,
) -> None:
    """Wilder's directional movement: ADX and the two directional indicators, 0..100. carry (5, S).

    Seeded like TA-Lib: the sums over the first window - 1 moves are the means of `window` with a first move of 0.
    Warm-up: ADX 2 * window - 1, the indicators `window`. 0 where there is no range or no direction.
    """
    at, rows, who = _lanes()
    seen, later, head = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64), _heads()
    ups, downs, ranges = np.zeros(LANES * PITCH), np.zeros(LANES * PITCH), np.zeros(LANES * PITCH)
    gain = 1.0 / window
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            for lane in range(lanes):
                h, n, opening = head[lane], rows[lane], seen[lane] == 0
                _directional_moves(high, low, at[lane], n, opening, ups[h : h + n], downs[h : h + n])
                _true_range(high, low, close, at[lane], n, opening, ranges[h : h + n])
                if opening and n > 0:
                    ranges[h] = 0.0
            _smooth(ups, head, ups, head, rows, seen, carry[1], who, window, gain)
            _smooth(downs, head, downs, head, rows, seen, carry[2], who, window, gain)
            _smooth(ranges, head, ranges, head, rows, seen, carry[3], who, window, gain)
            for lane in range(lanes):
                p, h, n = at[lane], head[lane], rows[lane]
                _directions(ups[h : h + n], downs[h : h + n], ranges[h : h + n], plus[p : p + n], minus[p : p + n])
            _minus(seen, window, later)
            _smooth(ranges, head, strength, at, rows, later, carry[4], who, window, gain)
            _finish(lanes, at, rows, seen, 2 * window - 1, strength)
            _finish(lanes, at, rows, seen, window, plus)
            _finish(lanes, at, rows, seen, window, minus)
            _advance(lanes, who, at, rows, carry)


@_jit
def obv(close: Floats, volume: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """On-balance volume: volume added on rising closes, taken off on falling ones; starts at the first volume.

    No warm-up. carry (2, S).
    """
    at, rows, who = _lanes()
    seen, head = np.zeros(LANES, np.int64), _heads()
    flows = np.zeros(LANES * PITCH)
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            for lane in range(lanes):
                skip = 1 if seen[lane] == 0 else 0
                p, h, n = at[lane] + skip, head[lane] + skip, max(rows[lane] - skip, 0)
                if skip and rows[lane] > 0:
                    flows[head[lane]] = volume[at[lane]]
                _signed_volume(close[p : p + n], close[p - 1 : p - 1 + n], volume[p : p + n], flows[h : h + n])
            _accumulate(flows, head, out, at, rows, carry[1], who)
            _advance(lanes, who, at, rows, carry)


@_jit
def total(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """Sum of all values so far. No warm-up. carry (2, S)."""
    at, rows, who = _lanes()
    seen = np.zeros(LANES, np.int64)
    for group in range(0, order.size, LANES):
        lanes = _enter(group, offsets, order, starts, at, who)
        while _next_block(lanes, who, offsets, at, rows, carry, seen):
            _accumulate(values, at, out, at, rows, carry[1], who)
            _advance(lanes, who, at, rows, carry)


@_part
def _lanes() -> tuple[Ints, Ints, Ints]:
    """Per lane: next row, rows in this block, symbol."""
    return np.zeros(LANES, np.int64), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)


@_part
def _heads() -> Ints:
    """Where each lane's scratch begins."""
    return np.arange(LANES) * PITCH


@_part
def _enter(group: int, offsets: Ints, order: Ints, starts: Ints, at: Ints, who: Ints) -> int:
    """Put the next symbols into the lanes; returns how many."""
    lanes = min(LANES, order.size - group)
    for lane in range(lanes):
        who[lane] = order[group + lane]
        at[lane] = offsets[who[lane]] + starts[who[lane]]
    return lanes


@_part
def _next_block(lanes: int, who: Ints, offsets: Ints, at: Ints, rows: Ints, carry: Floats, seen: Ints) -> bool:
    """Set how many rows each lane takes now and how many bars it saw before; False when all are done."""
    total = 0
    for lane in range(LANES):
        rows[lane] = min(BLOCK, offsets[who[lane] + 1] - at[lane]) if lane < lanes else 0
        seen[lane] = np.int64(carry[0, who[lane]]) if lane < lanes else 0
        total += rows[lane]
    return total > 0


@_part
def _advance(lanes: int, who: Ints, at: Ints, rows: Ints, carry: Floats) -> None:
    for lane in range(lanes):
        at[lane] += rows[lane]
        carry[0, who[lane]] += rows[lane]


@_part
def _finish(lanes: int, at: Ints, rows: Ints, seen: Ints, warmup: int, out: Floats) -> None:
    """NaN over the rows of this block that still belong to the warm-up."""
    for lane in range(lanes):
        for i in range(at[lane], at[lane] + min(rows[lane], warmup - seen[lane])):
            out[i] = np.nan


@_part
def _true_range(high: Floats, low: Floats, close: Floats, at: int, rows: int, opening: bool, out: Floats) -> None:
    skip = 1 if opening and rows > 0 else 0
    if skip:
        out[0] = high[at] - low[at]
    p, n = at + skip, rows - skip
    _range_of(high[p : p + n], low[p : p + n], close[p - 1 : p - 1 + n], out[skip : skip + n])


@_part
def _range_of(high: Floats, low: Floats, before: Floats, out: Floats) -> None:
    for i in range(out.size):
        rise, fall = abs(high[i] - before[i]), abs(low[i] - before[i])
        reach = high[i] - low[i]
        reach = rise if rise > reach else reach
        known = rise + low[i]  # a NaN compares as false and would be lost: carry it over
        out[i] = (fall if fall > reach else reach) + (known - known)


@_part
def _directional_moves(
    high: Floats, low: Floats, at: int, rows: int, opening: bool, ups: Floats, downs: Floats
) -> None:
    skip = 1 if opening and rows > 0 else 0
    if skip:
        ups[0] = downs[0] = 0.0
    p, n = at + skip, rows - skip
    _moves_of(
        high[p : p + n], high[p - 1 : p - 1 + n], low[p : p + n], low[p - 1 : p - 1 + n], ups[skip:], downs[skip:]
    )


@_part
def _moves_of(high: Floats, high_before: Floats, low: Floats, low_before: Floats, ups: Floats, downs: Floats) -> None:
    for i in range(high.size):
        rise, fall = high[i] - high_before[i], low_before[i] - low[i]
        known = rise + fall
        ups[i] = rise if rise > fall and rise > 0.0 else known - known  # 0, and NaN where a price is
        downs[i] = fall if fall > rise and fall > 0.0 else known - known


# Loops over one row of scratch are functions of their own: only then does LLVM vectorise them.


@_part
def _split_moves(now: Floats, before: Floats, gains: Floats, losses: Floats) -> None:
    for i in range(now.size):
        step = now[i] - before[i]
        gains[i] = 0.0 if step < 0.0 else step
        losses[i] = 0.0 if step > 0.0 else -step


@_part
def _share(gains: Floats, losses: Floats, out: Floats) -> None:
    for i in range(out.size):
        total = gains[i] + losses[i]
        out[i] = 100.0 * (gains[i] / total) if total != 0.0 else 50.0


@_part
def _difference(a: Floats, b: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = a[i] - b[i]


@_part
def _directions(ups: Floats, downs: Floats, ranges: Floats, plus: Floats, minus: Floats) -> None:
    """The two indicators, and over `ranges` the strength of direction of each bar."""
    for i in range(plus.size):
        up, down, reach = ups[i], downs[i], ranges[i]
        total = up + down
        scale = 100.0 / reach if reach != 0.0 else 0.0
        rising, falling = up * scale, down * scale
        plus[i] = 100.0 if rising > 100.0 else rising  # one division for both may round up past 100
        minus[i] = 100.0 if falling > 100.0 else falling
        ranges[i] = 100.0 * (abs(up - down) / total) if total != 0.0 else 0.0


@_part
def _signed_volume(now: Floats, before: Floats, volume: Floats, out: Floats) -> None:
    for i in range(now.size):
        move = now[i] - before[i]
        signed = volume[i] if move > 0.0 else move - move  # 0, and NaN where a price is
        out[i] = -volume[i] if move < 0.0 else signed


@_part
def _smooth(
    values: Floats,
    value_at: Ints,
    out: Floats,
    out_at: Ints,
    rows: Ints,
    seen: Ints,
    carried: Floats,
    who: Ints,
    window: int,
    gain: float,
) -> None:
    """level += (value - level) * gain, per lane and row; the level is taken from and left in `carried`, per symbol.

    `out` may be `values`. A lane that has seen fewer than `window` values averages them plainly; while `seen` is
    negative, values are skipped.
    """
    done, level = np.zeros(LANES, np.int64), np.zeros(LANES)
    common = rows[0]
    for lane in range(LANES):
        p, q, i, count, now = value_at[lane], out_at[lane], 0, seen[lane], carried[who[lane]]
        while i < rows[lane] and count < window:
            count += 1
            if count > 0:
                now += (values[p + i] - now) / count
            out[q + i] = now
            i += 1
        done[lane], level[lane] = i, now
        common = min(common, rows[lane] - i)
    if common > 0:
        _smooth_side_by_side(values, value_at, out, out_at, done, common, level, gain)
    for lane in range(LANES):
        p, q, now = value_at[lane], out_at[lane], level[lane]
        for i in range(done[lane] + common, rows[lane]):
            now += (values[p + i] - now) * gain
            out[q + i] = now
        if rows[lane] > 0:  # an idle lane may name a symbol that is busy in another
            carried[who[lane]] = now


@_part
def _smooth_side_by_side(
    values: Floats, value_at: Ints, out: Floats, out_at: Ints, done: Ints, n: int, level: Floats, gain: float
) -> None:
    """The same step for eight lanes at once: eight chains in flight hide the latency of one."""
    v0, v1 = _rows(values, value_at[0] + done[0], n), _rows(values, value_at[1] + done[1], n)
    v2, v3 = _rows(values, value_at[2] + done[2], n), _rows(values, value_at[3] + done[3], n)
    v4, v5 = _rows(values, value_at[4] + done[4], n), _rows(values, value_at[5] + done[5], n)
    v6, v7 = _rows(values, value_at[6] + done[6], n), _rows(values, value_at[7] + done[7], n)
    o0, o1 = _rows(out, out_at[0] + done[0], n), _rows(out, out_at[1] + done[1], n)
    o2, o3 = _rows(out, out_at[2] + done[2], n), _rows(out, out_at[3] + done[3], n)
    o4, o5 = _rows(out, out_at[4] + done[4], n), _rows(out, out_at[5] + done[5], n)
    o6, o7 = _rows(out, out_at[6] + done[6], n), _rows(out, out_at[7] + done[7], n)
    a0, a1, a2, a3, a4, a5, a6, a7 = level[0], level[1], level[2], level[3], level[4], level[5], level[6], level[7]
    for i in range(n):
        a0 += (v0[i] - a0) * gain
        a1 += (v1[i] - a1) * gain
        a2 += (v2[i] - a2) * gain
        a3 += (v3[i] - a3) * gain
        a4 += (v4[i] - a4) * gain
        a5 += (v5[i] - a5) * gain
        a6 += (v6[i] - a6) * gain
        a7 += (v7[i] - a7) * gain
        o0[i], o1[i], o2[i], o3[i], o4[i], o5[i], o6[i], o7[i] = a0, a1, a2, a3, a4, a5, a6, a7
    level[0], level[1], level[2], level[3], level[4], level[5], level[6], level[7] = a0, a1, a2, a3, a4, a5, a6, a7


@_part
def _rows(values: Floats, first: int, n: int) -> Floats:
    return values[first : first + n]


@_part
def _minus(counts: Ints, less: int, out: Ints) -> None:
    for i in range(counts.size):
        out[i] = counts[i] - less


@_part
def _accumulate(
    values: Floats, value_at: Ints, out: Floats, out_at: Ints, rows: Ints, carried: Floats, who: Ints
) -> None:
    """level += value, per lane and row, the level in `carried`; four lanes side by side."""
    for a in range(0, LANES, 4):
        b, c, d = a + 1, a + 2, a + 3
        n = min(rows[a], rows[b], rows[c], rows[d])
        va, vb = _rows(values, value_at[a], n), _rows(values, value_at[b], n)
        vc, vd = _rows(values, value_at[c], n), _rows(values, value_at[d], n)
        oa, ob = _rows(out, out_at[a], n), _rows(out, out_at[b], n)
        oc, od = _rows(out, out_at[c], n), _rows(out, out_at[d], n)
        sa, sb, sc, sd = carried[who[a]], carried[who[b]], carried[who[c]], carried[who[d]]
        for i in range(n):
            sa += va[i]
            sb += vb[i]
            sc += vc[i]
            sd += vd[i]
            oa[i], ob[i], oc[i], od[i] = sa, sb, sc, sd
        if n > 0:
            carried[who[a]], carried[who[b]], carried[who[c]], carried[who[d]] = sa, sb, sc, sd
        for lane in range(a, a + 4):
            for i in range(n, rows[lane]):
                carried[who[lane]] += values[value_at[lane] + i]
                out[out_at[lane] + i] = carried[who[lane]]
