/**
 * What the chart shows, as plain data: which lines lie over the candles, which get a pane, everything aligned to the
 * bars. The chart itself only draws a plan.
 */
import type { Action, BarsView, ConsensusSeries, IndicatorSeries, IndicatorView, SignalView } from "@/types";

import { at } from "./at";
import { dayOf } from "./days";
import { alignedTo, turnsOf } from "./history";
import { guidesOf, isLevel, isMarks, titleOf } from "./indicators";
import { pickText, type Pick } from "./view";

type Values = (number | null)[];

export interface PlanLine {
  key: string;
  title: string;
  /** What tells it from the other lines of its indicator beside it; empty where it stands alone. */
  label: string;
  values: Values;
  histogram: boolean;
  /** Does not widen the price scale: a long average far from the candles would squash them. */
  passive: boolean;
}

export interface PlanPane {
  key: string;
  title: string;
  guides: [number, number] | null;
  range: [number, number] | null;
  lines: PlanLine[];
}

export interface Plan {
  symbol: string;
  days: string[];
  bars: BarsView;
  overlays: PlanLine[];
  panes: PlanPane[];
  consensus: { score: Values; threshold: number } | null;
  votes: { agent: string; score: Values; confidence: Values }[];
  turns: { index: number; action: Action }[];
  levels: { title: "stop" | "target"; price: number; above: boolean }[]; // above the newest close
  /** Day of the cursor; null: live. */
  asOf: string | null;
}

export interface Shown {
  pick: Pick;
  entry: IndicatorView;
  values: IndicatorSeries;
}

const LONG = 100; // bars; from here an average may lie far from the candles

export function planOf(
  bars: BarsView,
  series: ConsensusSeries | null,
  signal: SignalView | null,
  shown: readonly Shown[],
  asOf: string | null,
): Plan {
  const days = bars.ts.map(dayOf);
  const indexOf = new Map(days.map((day, index) => [day, index]));
  const overlays: PlanLine[] = [];
  const panes: PlanPane[] = [];
  for (const { pick, entry, values } of shown) {
    overlays.push(...linesOf(bars, pick, values, entry, true));
    const lines = linesOf(bars, pick, values, entry, false);
    if (lines.length > 0) panes.push({ key: pickText(pick), title: titleOf(pick), guides: guidesOf(entry), range: rangeOf(entry.bounds), lines });
  }
  const score = series === null ? [] : alignedTo(bars.ts, series.ts, series.score);
  const isCurrent = signal !== null && signal.symbol === bars.symbol && dayOf(signal.as_of) === days.at(-1);
  return {
    symbol: bars.symbol,
    days,
    bars,
    overlays,
    panes,
    consensus: series === null ? null : { score, threshold: series.threshold },
    votes: (series?.votes ?? []).map((vote) => ({
      agent: vote.agent,
      score: alignedTo(bars.ts, series?.ts ?? [], vote.score),
      confidence: alignedTo(bars.ts, series?.ts ?? [], vote.confidence),
    })),
    turns: series === null ? [] : turnsOf(series).flatMap(({ day, action }) => {
      const index = indexOf.get(day);
      return index === undefined ? [] : [{ index, action }];
    }),
    levels: isCurrent ? levelsOf(signal, bars.close.at(-1) ?? 0) : [],
    asOf,
  };
}

/** What decides whether the chart's series must be made anew: everything but the values. */
export function shapeOf(plan: Plan): string {
  return JSON.stringify([
    plan.symbol,
    plan.overlays.map((line) => line.key),
    plan.panes.map((pane) => [pane.key, pane.lines.map((line) => line.key)]),
    plan.consensus?.threshold ?? null,
    plan.votes.map((vote) => vote.agent),
  ]);
}

/** The first row in which two columns differ; the shorter length when one begins like the other. */
export function firstDifference<T>(before: readonly T[], after: readonly T[], same: (a: T, b: T) => boolean): number {
  const shared = Math.min(before.length, after.length);
  for (let i = 0; i < shared; i++) if (!same(at(before, i), at(after, i))) return i;
  return shared;
}

/** The outputs of an indicator that are levels of the price, or those that are not. */
function linesOf(bars: BarsView, pick: Pick, values: IndicatorSeries, entry: IndicatorView, levels: boolean): PlanLine[] {
  const only = entry.outputs.length === 1;
  const outputs = Object.entries(values.outputs).filter(([name]) => isLevel(entry, name) === levels);
  const [first] = pick.params;
  return outputs.map(([name, line]) => ({
    key: `${pickText(pick)}.${name}`,
    title: only ? titleOf(pick) : `${titleOf(pick)} ${name.replaceAll("_", " ")}`,
    label: outputs.length === 1 ? "" : name.replaceAll("_", " "),
    values: alignedTo(bars.ts, values.ts, line),
    histogram: isMarks(entry) || name === "hist",
    passive: typeof first === "number" && first >= LONG,
  }));
}

function rangeOf(bounds: IndicatorView["bounds"]): [number, number] | null {
  const [low, high] = bounds ?? [null, null];
  return low === null || high === null ? null : [low, high];
}

function levelsOf(signal: SignalView, close: number): Plan["levels"] {
  return (["target", "stop"] as const).flatMap((title) => {
    const price = signal[title];
    return price === null ? [] : [{ title, price, above: price > close }];
  });
}
