/** What the page says about the newest bar that is shown: the stored signal, or else what the series computes for it. */
import type { Action, ConsensusSeries, SignalView, Vote } from "@/types";

import { dayOf } from "./days";

export interface Advice {
  action: Action;
  score: number;
  agreement: number | null;
  threshold: number;
  asOf: string;
  votes: Vote[];
  missing: string[];
  /** null: computed from the bars, never stored, so without levels, weights and ids. */
  stored: SignalView | null;
}

/** null: neither says anything, as in warm-up. A stored signal of an earlier bar gives way to a computed newer one. */
export function adviceOf(series: ConsensusSeries | null, signal: SignalView | null): Advice | null {
  const last = series === null ? -1 : series.ts.length - 1;
  const ts = series?.ts[last];
  if (signal !== null && (ts === undefined || dayOf(signal.as_of) >= dayOf(ts))) {
    const { action, score, agreement, threshold, as_of: asOf, votes, missing } = signal;
    return { action, score, agreement, threshold, asOf, votes, missing, stored: signal };
  }
  const action = series?.action[last];
  const score = series?.score[last];
  if (series === null || ts === undefined || action == null || score == null) return null;
  return {
    action,
    score,
    agreement: series.agreement[last] ?? null,
    threshold: series.threshold,
    asOf: ts,
    votes: series.votes.map((vote) => ({ agent: vote.agent, score: vote.score[last] ?? null, confidence: vote.confidence[last] ?? null, weight: 0 })),
    missing: [],
    stored: null,
  };
}
