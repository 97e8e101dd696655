/** The result of a scan as one table: its signals, strongest first, each with what the other scan said. */
import type { Action, ScanDifference, ScanResultView, SignalView } from "@/types";

export type Kind = "new" | "gone" | "changed" | "kept";
export const KINDS: readonly Kind[] = ["new", "changed", "gone", "kept"];

export interface OutcomeRow {
  rank: number | null; // null: gone, it has no place in this scan
  symbol: string;
  signal: SignalView | null;
  kind: Kind | null; // null: nothing to compare with
  was: Action | null;
  wasScore: number | null;
}

/** Rows of the result in its order, then what is gone. `difference` null: there is no other scan. */
export function rowsOf(result: ScanResultView, difference: ScanDifference | null): OutcomeRow[] {
  const changes = new Map(
    [...(difference?.new ?? []), ...(difference?.changed ?? [])].map((change) => [change.symbol, change]),
  );
  const rows = result.signals.map((signal, i): OutcomeRow => {
    const change = changes.get(signal.symbol);
    const kind = difference === null ? null : change === undefined ? "kept" : change.was === null ? "new" : "changed";
    const was = change === undefined ? (difference === null ? null : signal.action) : change.was;
    return { rank: i + 1, symbol: signal.symbol, signal, kind, was, wasScore: change?.was_score ?? null };
  });
  const gone = (difference?.gone ?? []).map(
    (change): OutcomeRow => ({ rank: null, symbol: change.symbol, signal: null, kind: "gone", was: change.was, wasScore: change.was_score }),
  );
  return [...rows, ...gone];
}

export function countKinds(rows: readonly OutcomeRow[]): Record<Kind, number> {
  const counts = { new: 0, changed: 0, gone: 0, kept: 0 };
  for (const { kind } of rows) if (kind !== null) counts[kind] += 1;
  return counts;
}

/** Symbols by the reason why they have no signal, the most frequent reason first. */
export function byReason(skipped: Record<string, string>): { reason: string; symbols: string[] }[] {
  const reasons = new Map<string, string[]>();
  for (const [symbol, reason] of Object.entries(skipped)) {
    const symbols = reasons.get(reason);
    if (symbols === undefined) reasons.set(reason, [symbol]);
    else symbols.push(symbol);
  }
  return [...reasons]
    .map(([reason, symbols]) => ({ reason, symbols: symbols.sort() }))
    .sort((a, b) => b.symbols.length - a.symbols.length || a.reason.localeCompare(b.reason));
}
