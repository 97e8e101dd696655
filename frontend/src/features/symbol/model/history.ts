/**
 * One symbol up to a cursor: bars and what the agents said of each. Pure: cut, grow by a live row, find turns.
 *
 * A cut is exact, not an approximation: no value of a bar depends on a later one, so cut rows equal refetched ones.
 */
import type { Action, BarsView, ConsensusSeries, IndicatorSeries, Price, SignalView } from "@/types";

import { at } from "./at";
import { dayOf, isBy } from "./days";

/** A bar at which the consensus said something else than at the bar before. */
export interface Turn {
  index: number;
  day: string;
  action: Action;
  was: Action | null;
}

/** How many of the times, oldest first, are not after the cursor. */
export function countUntil(ts: readonly string[], asOf: string | null): number {
  if (asOf === null) return ts.length;
  let low = 0;
  let high = ts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBy(at(ts, middle), asOf)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function cutBars(bars: BarsView, asOf: string | null): BarsView {
  const n = countUntil(bars.ts, asOf);
  if (n === bars.ts.length) return bars;
  return {
    ...bars,
    ts: bars.ts.slice(0, n),
    open: bars.open.slice(0, n),
    high: bars.high.slice(0, n),
    low: bars.low.slice(0, n),
    close: bars.close.slice(0, n),
    volume: bars.volume.slice(0, n),
    gap: bars.gap.slice(0, n),
  };
}

export function cutSeries(series: ConsensusSeries, asOf: string | null): ConsensusSeries {
  const n = countUntil(series.ts, asOf);
  if (n === series.ts.length) return series;
  return {
    ...series,
    ts: series.ts.slice(0, n),
    score: series.score.slice(0, n),
    action: series.action.slice(0, n),
    strength: series.strength.slice(0, n),
    agreement: series.agreement.slice(0, n),
    votes: series.votes.map((vote) => ({
      agent: vote.agent,
      score: vote.score.slice(0, n),
      confidence: vote.confidence.slice(0, n),
    })),
  };
}

export function cutIndicator(values: IndicatorSeries, asOf: string | null): IndicatorSeries {
  const n = countUntil(values.ts, asOf);
  if (n === values.ts.length) return values;
  const outputs = Object.fromEntries(Object.entries(values.outputs).map(([name, line]) => [name, line.slice(0, n)]));
  return { ...values, ts: values.ts.slice(0, n), outputs };
}

/** The bars with a live row: the newest bar replaced, or a new one behind it. An older row changes nothing. */
export function withPrice(bars: BarsView, row: Price): BarsView {
  const last = bars.ts.at(-1);
  if (row.symbol !== bars.symbol || (last !== undefined && instant(row.ts) < instant(last))) return bars;
  const n = last !== undefined && instant(row.ts) === instant(last) ? bars.ts.length - 1 : bars.ts.length;
  return {
    ...bars,
    ts: [...bars.ts.slice(0, n), row.ts],
    open: [...bars.open.slice(0, n), row.open],
    high: [...bars.high.slice(0, n), row.high],
    low: [...bars.low.slice(0, n), row.low],
    close: [...bars.close.slice(0, n), row.close],
    volume: [...bars.volume.slice(0, n), row.volume],
    gap: [...bars.gap.slice(0, n), bars.gap[n] ?? false],
  };
}

/** The series with a live signal as its newest row; the signal carries the same votes the series would. */
export function withSignal(series: ConsensusSeries, signal: SignalView): ConsensusSeries {
  const last = series.ts.at(-1);
  if (signal.symbol !== series.symbol || (last !== undefined && instant(signal.as_of) < instant(last))) return series;
  const n = last !== undefined && instant(signal.as_of) === instant(last) ? series.ts.length - 1 : series.ts.length;
  const votes = new Map(signal.votes.map((vote) => [vote.agent, vote]));
  return {
    ...series,
    ts: [...series.ts.slice(0, n), signal.as_of],
    score: [...series.score.slice(0, n), signal.score],
    action: [...series.action.slice(0, n), signal.action],
    strength: [...series.strength.slice(0, n), signal.strength],
    agreement: [...series.agreement.slice(0, n), signal.agreement],
    votes: series.votes.map((line) => ({
      agent: line.agent,
      score: [...line.score.slice(0, n), votes.get(line.agent)?.score ?? null],
      confidence: [...line.confidence.slice(0, n), votes.get(line.agent)?.confidence ?? null],
    })),
  };
}

/** Where the action changed, oldest first. Bars without a signal are passed over: silence is not a change. */
export function turnsOf(series: ConsensusSeries): Turn[] {
  const turns: Turn[] = [];
  let was: Action | null = null;
  series.action.forEach((action, index) => {
    if (action === null || action === undefined) return;
    if (action !== was) turns.push({ index, day: dayOf(at(series.ts, index)), action, was });
    was = action;
  });
  return turns;
}

/** What the consensus last said before the newest row, and when it said it for the first time. */
export function before(series: ConsensusSeries): { action: Action; score: number; ts: string } | null {
  for (let i = series.ts.length - 2; i >= 0; i--) {
    const action = series.action[i];
    const score = series.score[i];
    if (action && score !== null && score !== undefined) return { action, score, ts: at(series.ts, i) };
  }
  return null;
}

/** The change of the newest close against the one before; null for the first bar. */
export function dayChange(bars: BarsView): { amount: number; fraction: number } | null {
  const last = bars.close.at(-1);
  const previous = bars.close.at(-2);
  if (last === undefined || previous === undefined || previous === 0) return null;
  return { amount: last - previous, fraction: last / previous - 1 };
}

/** Rows of `values` put at the bars they belong to; a bar without one gets null. */
export function alignedTo(ts: readonly string[], of: readonly string[], values: readonly (number | null)[]): (number | null)[] {
  const indexOf = new Map(of.map((moment, index) => [instant(moment), index]));
  return ts.map((moment) => {
    const index = indexOf.get(instant(moment));
    return index === undefined ? null : (values[index] ?? null);
  });
}

function instant(ts: string): number {
  return Date.parse(ts);
}
