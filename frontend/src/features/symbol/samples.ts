/** A short history for tests: sessions of early February 2018, with a weekend in it. */
import type { BarsView, ConsensusSeries, IndicatorView } from "@/types";

export const TS = ["2018-02-01T21:00:00Z", "2018-02-02T21:00:00Z", "2018-02-05T21:00:00Z", "2018-02-06T21:00:00Z"];
export const DAYS = ["2018-02-01", "2018-02-02", "2018-02-05", "2018-02-06"];

export function bars(more: Partial<BarsView> = {}): BarsView {
  return {
    symbol: "NVDA", frame: "1d", adjust: "splits", data_hash: "d".repeat(64), ts: TS,
    open: [238, 237, 227, 205], high: [246, 239, 233, 226], low: [237, 230, 205, 204], close: [240.5, 233.5, 213.7, 225.6],
    volume: [13e6, 17e6, 29.1e6, 31e6], gap: [false, false, false, false], ...more,
  };
}

export function series(more: Partial<ConsensusSeries> = {}): ConsensusSeries {
  return {
    symbol: "NVDA", ts: TS, score: [null, 0.56, 0.1, -0.3], action: [null, "BUY", "HOLD", "SELL"], strength: [null, 0.56, 0.1, 0.3],
    agreement: [null, 0.9, 0.5, 0.7], threshold: 0.2,
    votes: [
      { agent: "patterns", score: [null, null, 0.1, null], confidence: [null, null, 0.2, null] },
      { agent: "trend", score: [null, 0.9, 0.4, -0.5], confidence: [null, 0.8, 0.6, 0.4] },
    ],
    ...more,
  };
}

export function entry(more: Partial<IndicatorView> = {}): IndicatorView {
  return {
    name: "rsi", family: "momentum", inputs: ["close"], params: { window: { default: 14, low: 1, high: 100000, choices: null } }, outputs: ["rsi"], warmup: 14,
    bounds: [0, 100], units: ["none"], engine: "numba", repaints: false, source: "Wilder (1978)", description: "Wilder's relative strength index.",
    formula: "100 * gain / (gain + loss)", notes: "", ...more,
  };
}
