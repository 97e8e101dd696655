/** What the strip says, out of the newest signals: pure. */
import { byText } from "@/lib/format";
import type { Action, BreadthPoint, ChangeView, SectorBreadth, SignalView } from "@/types";

export interface Counts {
  buy: number;
  hold: number;
  sell: number;
  total: number;
  uncalibrated: number;
}

export function countActions(signals: readonly SignalView[]): Counts {
  const counts: Counts = { buy: 0, hold: 0, sell: 0, total: signals.length, uncalibrated: 0 };
  for (const signal of signals) {
    counts[name(signal.action)] += 1;
    if (signal.action !== "HOLD" && !signal.calibrated) counts.uncalibrated += 1;
  }
  return counts;
}

/** How many signals each agent is missing from, most first. */
export function missingAgents(signals: readonly SignalView[]): { agent: string; signals: number }[] {
  const missing = new Map<string, number>();
  for (const signal of signals) for (const agent of signal.missing) missing.set(agent, (missing.get(agent) ?? 0) + 1);
  return [...missing].map(([agent, number]) => ({ agent, signals: number })).sort((a, b) => b.signals - a.signals);
}

export interface Kind {
  was: Action;
  now: Action;
  number: number;
}

/** Changes by kind, most frequent first. */
export function kindsOf(changes: readonly ChangeView[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const { was, signal } of changes) {
    const key = `${was} ${signal.action}`;
    const kind = kinds.get(key) ?? { was, now: signal.action, number: 0 };
    kinds.set(key, { ...kind, number: kind.number + 1 });
  }
  return [...kinds.values()].sort((a, b) => b.number - a.number);
}

/** Share of buys less share of sells, in points from −100 to 100; null for an empty group. */
export function net({ buy, hold, sell }: Pick<SectorBreadth | BreadthPoint, "buy" | "hold" | "sell">): number | null {
  const all = buy + hold + sell;
  return all === 0 ? null : (100 * (buy - sell)) / all;
}

/** Sectors by net breadth, largest first; empty ones last. */
export function bySector(sectors: readonly SectorBreadth[]): SectorBreadth[] {
  return [...sectors].sort((a, b) => (net(b) ?? -Infinity) - (net(a) ?? -Infinity) || byText(a.sector, b.sector));
}

export type Show = "all" | "buy" | "sell";

/** Changes that are shown: all, those that became a buy, those that became a sell. */
export function shown(changes: readonly ChangeView[], show: Show): ChangeView[] {
  if (show === "all") return [...changes];
  return changes.filter(({ signal }) => signal.action === (show === "buy" ? "BUY" : "SELL"));
}

function name(action: Action): "buy" | "hold" | "sell" {
  return action === "BUY" ? "buy" : action === "SELL" ? "sell" : "hold";
}
