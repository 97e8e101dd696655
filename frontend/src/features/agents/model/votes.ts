/** What an agent did on the newest signals: on how many symbols it voted, and where it was strongest. */
import type { SignalView } from "@/types";
import type { Histogram } from "@/ui";

export interface StrongVote {
  symbol: string;
  score: number;
  confidence: number;
}

/** The share of symbols it voted on; null when there is no signal to speak of. */
export function coverageOf(votes: Histogram, signals: number): number | null {
  return signals === 0 ? null : votes.voted / signals;
}

/** Its votes with the largest |score| × confidence; ties by symbol. */
export function strongestOf(signals: readonly SignalView[], agent: string, most: number): StrongVote[] {
  const votes: StrongVote[] = [];
  for (const signal of signals) {
    const vote = signal.votes.find((one) => one.agent === agent);
    if (vote?.score == null) continue;
    votes.push({ symbol: signal.symbol, score: vote.score, confidence: vote.confidence ?? 0 });
  }
  const push = (vote: StrongVote): number => Math.abs(vote.score) * vote.confidence;
  return votes.sort((a, b) => push(b) - push(a) || a.symbol.localeCompare(b.symbol)).slice(0, most);
}
