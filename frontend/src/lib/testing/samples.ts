/** Small whole things for tests. */
import type { FeedView, JobChanged, SessionDecided, SignalEmitted, SignalView } from "@/types";
import type { Delivered, Frame, SnapshotRow } from "../stream/frames";

export const CLOSE = "2018-02-05T21:00:00Z";

export function signal(more: Partial<SignalView> = {}): SignalView {
  return {
    signal_id: "a".repeat(64), input_hash: "b".repeat(64), revision: 1, symbol: "KSS", frame: "1d", universe: "@sp500", as_of: CLOSE, horizon: 5,
    action: "BUY", score: 0.67, threshold: 0.2, probability: null, calibrated: false, strength: 0.67, agreement: 0.74,
    votes: [
      { agent: "trend", score: 1, confidence: 0.8, weight: 0.8 },
      { agent: "mean_reversion", score: -0.4, confidence: 0.3, weight: 0.3 },
      { agent: "patterns", score: null, confidence: null, weight: 0 },
    ],
    missing: [], entry: 61.14, stop: 56.97, target: 67.4, warnings: [], ...more,
  };
}

export function emitted(seq: number, more: Partial<SignalView> = {}): Delivered {
  const { revision, ...rest } = signal(more);
  const body: SignalEmitted = { ...envelope(seq, `signals.consensus.${rest.symbol}`, rest.as_of), type: "signal.emitted.v1", revision, signal: rest };
  return { seq, key: body.routing_key, type: body.type, as_of: body.as_of, body };
}

/** Entries of a snapshot. */
export function shownSignal(more: Partial<SignalView> = {}): SnapshotRow {
  const body = signal(more);
  return { key: `signals.consensus.${body.symbol}`, type: "signal", as_of: body.as_of, body };
}

export function shownFeed(clock = CLOSE): SnapshotRow {
  const body: FeedView = {
    source: "sample", kind: "replay", state: "running", universe: "@sp500", frame: "1d", data_hash: "c".repeat(64), clock, first: "2013-02-08T21:00:00Z",
    last: "2018-02-07T21:00:00Z", session_s: 3, quarantined: 0, context: {}, updated_at: CLOSE,
  };
  return { key: "market.session", type: "feed", as_of: clock, body };
}

export function jobChanged(seq: number, more: Partial<JobChanged> = {}): Delivered {
  const body: JobChanged = { ...envelope(seq, "jobs.j1.progress", CLOSE), type: "job.changed.v1", job_id: "j1", kind: "scan", owner: "kv", state: "running", done: seq, total: 505, error: null, ...more };
  return { seq, key: body.routing_key, type: body.type, as_of: body.as_of, body };
}

export function decided(seq: number, as_of = CLOSE): Delivered {
  const body: SessionDecided = { ...envelope(seq, "market.session", as_of), type: "session.decided.v1", source: "sample", universe: "@sp500", signals: 505, new: 505, buy: 145, hold: 181, sell: 179, missing: [] };
  return { seq, key: body.routing_key, type: body.type, as_of, body };
}

export function eventsFrame(n: number, data: Delivered[]): Frame {
  return { n, cursor: data[data.length - 1]?.seq ?? null, room: "signals", type: "events", data };
}

function envelope(seq: number, routing_key: string, as_of: string): Pick<SignalEmitted, "event_id" | "occurred_at" | "as_of" | "routing_key" | "correlation_id"> {
  return { event_id: `00000000-0000-5000-8000-${String(seq).padStart(12, "0")}`, occurred_at: new Date(1_700_000_000_000 + seq * 1000).toISOString(), as_of, routing_key, correlation_id: "c" };
}
