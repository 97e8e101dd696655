/** How an agent's scores lie: 11 bins from −1 to +1, beside how many abstained. */
import { memo, type JSX } from "react";

import { count } from "@/lib/format";
import type { SignalView } from "@/types";

export const BINS = 11;

export interface Histogram {
  bins: number[];
  voted: number;
  abstained: number;
  missing: number;
}

/** Votes of one agent over the newest signals. */
export function histogram(signals: readonly SignalView[], agent: string): Histogram {
  const found: Histogram = { bins: Array.from({ length: BINS }, () => 0), voted: 0, abstained: 0, missing: 0 };
  for (const signal of signals) {
    if (signal.missing.includes(agent)) found.missing += 1;
    const vote = signal.votes.find((one) => one.agent === agent);
    if (vote === undefined) continue;
    if (vote.score === null) found.abstained += 1;
    else {
      const bin = Math.min(BINS - 1, Math.floor(((vote.score + 1) / 2) * BINS));
      found.bins[bin] = (found.bins[bin] ?? 0) + 1;
      found.voted += 1;
    }
  }
  return found;
}

export const VotesHistogram = memo(function VotesHistogram({ of, width = 58, height = 18 }: { of: Histogram; width?: number; height?: number }): JSX.Element {
  const most = Math.max(1, ...of.bins);
  const step = width / BINS;
  const label = `${count(of.voted)} votes, ${count(of.bins.slice(0, 5).reduce((a, b) => a + b, 0))} below zero, ${count(of.bins.slice(6).reduce((a, b) => a + b, 0))} above, ${count(of.abstained)} abstained`;
  return (
    <svg role="img" aria-label={label} width={width} height={height} className="shrink-0">
      <title>{label}</title>
      {of.bins.map((number, bin) => {
        const tall = number === 0 ? 1 : Math.max(1.5, (number / most) * height);
        const colour = bin < 5 ? "var(--gs-down)" : bin > 5 ? "var(--gs-up)" : "var(--gs-hold)";
        return <rect key={bin} x={bin * step} y={height - tall} width={step - 1} height={tall} fill={number === 0 ? "var(--gs-line)" : colour} />;
      })}
    </svg>
  );
});
