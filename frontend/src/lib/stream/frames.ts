/**
 * What frames of the websocket do to the state of a view: pure functions, no clock, no socket.
 *
 * Frames count 1, 2, 3 … per connection; a jump is a gap and nothing of that frame is applied. Events are applied so
 * that a repeat changes nothing: the newest bar and revision of a signal, the newest word on a job or an agent, wins.
 *
 * Nothing after the feed's clock counts before the clock gets there: signals of a session come before it is decided, and
 * somebody may scan a day that the replay has yet to reach. Signals of another universe than the feed's never count.
 */
import type { AgentChanged, AgentView, AnyEvent, FeedView, JobChanged, JobView, Price, SessionDecided, SignalView } from "@/types";

const SEEN = 4096; // numbers remembered to drop what two rooms deliver twice

export interface Delivered {
  seq: number;
  key: string;
  type: string;
  as_of: string;
  body: AnyEvent;
}

/** A server that the gateway cannot reach, and since when (wall time, ISO). */
export interface Outage {
  server: string;
  since: string;
}

/** How one thing is, as the API shows it. */
export type SnapshotRow =
  | { key: string; type: "signal"; as_of: string; body: SignalView }
  | { key: string; type: "job"; as_of: string; body: JobView }
  | { key: string; type: "agent"; as_of: string | null; body: AgentView }
  | { key: string; type: "feed"; as_of: string; body: FeedView };

/** Where the feed is: its market time and the id of its universe. */
export type Place = Pick<FeedView, "clock" | "universe">;

interface Head {
  n: number;
  cursor: number | null;
  room: string | null;
}

export type Frame =
  | (Head & { type: "welcome"; data: { ping_s: number; stale?: Outage[] } })
  | (Head & { type: "subscribed"; data: { rooms: string[]; recovered: boolean; snapshot: SnapshotRow[] | null } })
  | (Head & { type: "events"; data: Delivered[] })
  | (Head & { type: "prices"; data: Price[] })
  | (Head & { type: "ping"; data: unknown })
  | (Head & { type: "error"; data: unknown })
  | (Head & { type: "stale"; data: Outage })
  | (Head & { type: "fresh"; data: Outage });

export interface LiveState {
  /** Where the feed is; null: not known yet, and then everything counts. */
  feed: Place | null;
  /** Newest signal per symbol of those that arrived, not after the clock; empty until one does. */
  signals: ReadonlyMap<string, SignalView>;
  /** Signals after the clock: of each symbol the nearest, until the clock gets there. */
  ahead: ReadonlyMap<string, SignalView>;
  jobs: ReadonlyMap<string, JobChanged>;
  agents: ReadonlyMap<string, AgentChanged>;
  prices: ReadonlyMap<string, Price>;
  /** The session that was decided last. */
  session: SessionDecided | null;
  /** When a symbol's signal of the newest session arrived here, wall time in ms. */
  arrived: ReadonlyMap<string, number>;
  seen: ReadonlySet<number>;
}

export const EMPTY: LiveState = {
  feed: null, signals: new Map(), ahead: new Map(), jobs: new Map(), agents: new Map(), prices: new Map(), session: null, arrived: new Map(), seen: new Set(),
};

/** The text of a frame, or null for anything else. */
export function readFrame(text: string): Frame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // the caller treats garbage as a gap: it closes and resumes
  }
  return isFrame(value) ? value : null;
}

/** Whether a frame follows the one before. */
export function follows(previous: number, frame: Frame): boolean {
  return frame.n === previous + 1;
}

/** The state after events, and those that were new, in order. The same state object when there were none. */
export function applyEvents(state: LiveState, events: readonly Delivered[], now: number): { state: LiveState; fresh: Delivered[] } {
  const fresh = events.filter((event) => !state.seen.has(event.seq));
  if (fresh.length === 0) return { state, fresh };
  let next = draftOf(state);
  const jobs = new Map(state.jobs);
  const agents = new Map(state.agents);
  for (const { body } of fresh) {
    switch (body.type) {
      case "signal.emitted.v1":
        put(next, { ...body.signal, revision: body.revision }, now);
        break;
      case "job.changed.v1":
        if (later(body, jobs.get(body.job_id))) jobs.set(body.job_id, body);
        break;
      case "agent.changed.v1":
        if (later(body, agents.get(body.agent))) agents.set(body.agent, body);
        break;
      case "session.decided.v1":
        if (later(body, next.session ?? undefined)) next = { ...moved(next, { clock: body.as_of, universe: body.universe }, now), session: body };
        break;
      default:
        body satisfies never; // a type of a newer server: its meaning is unknown here, so it changes nothing
    }
  }
  return { state: { ...next, jobs, agents, seen: remember(state.seen, fresh) }, fresh };
}

/** The state when the feed is there: what waited for it counts from now on, and what is after it waits. */
export function atPlace(state: LiveState, feed: Place, now: number): LiveState {
  if (state.feed?.clock === feed.clock && state.feed.universe === feed.universe) return state;
  return moved(draftOf(state), feed, now);
}

/** The state with the feed and the signals of a snapshot; those count as known, not as arrived now. */
export function applySnapshot(state: LiveState, rows: readonly SnapshotRow[], now: number): LiveState {
  const feed = rows.find((row) => row.type === "feed")?.body;
  const next = draftOf(feed === undefined ? state : atPlace(state, feed, now));
  for (const row of rows) if (row.type === "signal") put(next, row.body, null);
  return next;
}

/** The state after prices; only the newest of a symbol counts. */
export function applyPrices(state: LiveState, rows: readonly Price[]): LiveState {
  const prices = new Map(state.prices);
  for (const row of rows) prices.set(row.symbol, row);
  return { ...state, prices };
}

/** Rows of a snapshot with what arrived since; per symbol the newer one. Unchanged rows keep their identity. */
export function merge(rows: readonly SignalView[], arrived: ReadonlyMap<string, SignalView>): SignalView[] {
  if (arrived.size === 0) return [...rows];
  const known = new Set<string>();
  const merged = rows.map((row) => {
    known.add(row.symbol);
    const other = arrived.get(row.symbol);
    return other !== undefined && newer(other, row) ? other : row;
  });
  for (const [symbol, signal] of arrived) if (!known.has(symbol)) merged.push(signal);
  return merged;
}

/** Whether `signal` says something later than `known`: a later bar, or a later revision of the same one. */
export function newer(signal: SignalView, known: SignalView | undefined): boolean {
  if (known === undefined) return true;
  const at = Date.parse(signal.as_of) - Date.parse(known.as_of);
  return at > 0 || (at === 0 && signal.revision > known.revision);
}

/** Whether something with this market time may be shown: the feed has been there. */
export function isKnown(ts: string, feed: Place | null): boolean {
  return feed === null || Date.parse(ts) <= Date.parse(feed.clock);
}

interface Draft extends LiveState {
  signals: Map<string, SignalView>;
  ahead: Map<string, SignalView>;
  arrived: Map<string, number>;
}

function draftOf(state: LiveState): Draft {
  return { ...state, signals: new Map(state.signals), ahead: new Map(state.ahead), arrived: new Map(state.arrived) };
}

function moved(state: Draft, { clock, universe }: Place, now: number): Draft {
  const next: Draft = { ...state, feed: { clock, universe }, signals: new Map(), ahead: new Map() };
  for (const signal of state.signals.values()) put(next, signal, null);
  for (const signal of state.ahead.values()) put(next, signal, now);
  return next;
}

/** Put a signal where it belongs. `now`: it arrived then; null: it was known before. One of an earlier session is no news. */
function put({ feed, signals, ahead, arrived }: Draft, signal: SignalView, now: number | null): void {
  const { symbol, as_of, universe } = signal;
  if (feed !== null && universe !== feed.universe) return;
  if (!isKnown(as_of, feed)) {
    if (nearer(signal, ahead.get(symbol))) ahead.set(symbol, signal);
    return;
  }
  if (!newer(signal, signals.get(symbol))) return;
  signals.set(symbol, signal);
  if (now !== null && (feed === null || Date.parse(as_of) === Date.parse(feed.clock))) arrived.set(symbol, now);
}

/** Whether the clock gets to `signal` before it gets to `waiting`; of one bar the later revision counts. */
function nearer(signal: SignalView, waiting: SignalView | undefined): boolean {
  if (waiting === undefined) return true;
  const at = Date.parse(signal.as_of) - Date.parse(waiting.as_of);
  return at < 0 || (at === 0 && signal.revision > waiting.revision);
}

function later(event: { occurred_at: string }, known: { occurred_at: string } | undefined): boolean {
  return known === undefined || Date.parse(event.occurred_at) >= Date.parse(known.occurred_at);
}

function remember(seen: ReadonlySet<number>, fresh: readonly Delivered[]): ReadonlySet<number> {
  const all = [...seen, ...fresh.map((event) => event.seq)];
  return new Set(all.slice(-SEEN));
}

function isFrame(value: unknown): value is Frame {
  return typeof value === "object" && value !== null && "n" in value && "type" in value && typeof value.n === "number";
}
