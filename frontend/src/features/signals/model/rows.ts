/** Rows of the table: joined, filtered and sorted by pure functions. */
import type { Closes } from "@/lib/closes";
import { matches, type Test } from "@/lib/filters";
import { byText } from "@/lib/format";
import type { Action, Instrument, SignalView } from "@/types";

export interface Row {
  symbol: string;
  signal: SignalView;
  name: string | null;
  sector: string | null;
  changed: boolean;
  /** Newest closes, oldest first; empty when the bars are not known. */
  closes: readonly number[];
  last: number | null;
  /** Return of the newest bar, a fraction. */
  day: number | null;
}

export const COLUMNS = ["symbol", "name", "sector", "action", "score", "probability", "agreement", "votes", "last", "day", "bars", "age"] as const;
export type ColumnId = (typeof COLUMNS)[number];

export interface Sort {
  id: ColumnId;
  desc: boolean;
}

export const DEFAULT_SORT: readonly Sort[] = [{ id: "score", desc: true }];

const TEXT: ReadonlySet<ColumnId> = new Set(["symbol", "name", "sector", "action"]);
const ACTIONS: Record<Action, number> = { SELL: -1, HOLD: 0, BUY: 1 };

export function isText(id: ColumnId): boolean {
  return TEXT.has(id);
}

/** What a column sorts by; null goes last in either direction. Scores sort by size: the strongest of both sides first. */
export function sortValue(row: Row, id: ColumnId): number | string | null {
  const { signal } = row;
  switch (id) {
    case "symbol": return row.symbol;
    case "name": return row.name;
    case "sector": return row.sector;
    case "action": return ACTIONS[signal.action];
    case "score": return Math.abs(signal.score);
    case "probability": return signal.calibrated ? signal.probability : null;
    case "agreement": return signal.agreement;
    case "votes": return signal.votes.filter((vote) => vote.score !== null).length;
    case "last": return row.last;
    case "day": return row.day;
    case "bars": return overAll(row.closes);
    case "age": return Date.parse(signal.as_of);
  }
}

/** What a column's filter compares: the number as it is shown (per cent as per cent), the score with its sign. */
export function filterValue(row: Row, id: ColumnId): number | string | null {
  const percent = (value: number | null): number | null => (value === null ? null : value * 100);
  switch (id) {
    case "action": return row.signal.action;
    case "score": return row.signal.score;
    case "agreement": return percent(row.signal.agreement);
    case "day": return percent(row.day);
    case "bars": return percent(overAll(row.closes));
    case "age": return row.signal.as_of.slice(0, 10);
    default: return sortValue(row, id);
  }
}

/** Sorted by several columns, then by symbol; the input is left as it is. */
export function sortRows(rows: readonly Row[], by: readonly Sort[]): Row[] {
  return [...rows].sort((a, b) => {
    for (const { id, desc } of by) {
      const order = compare(sortValue(a, id), sortValue(b, id), desc);
      if (order !== 0) return order;
    }
    return byText(a.symbol, b.symbol);
  });
}

export type Show = "all" | "active" | "changed";

export interface Filter {
  show: Show;
  /** Words that must all occur in symbol, name or sector. */
  text: string;
  columns: readonly { id: ColumnId; test: Test }[];
}

export function filterRows(rows: readonly Row[], filter: Filter): Row[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return rows.filter((row) => {
    if (!inShow(row, filter.show)) return false;
    const text = `${row.symbol} ${row.name ?? ""} ${row.sector ?? ""}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return false;
    return filter.columns.every(({ id, test }) => matches(test, filterValue(row, id)));
  });
}

export function inShow(row: Pick<Row, "signal" | "changed">, show: Show): boolean {
  return show === "all" || (show === "active" ? row.signal.action !== "HOLD" : row.changed);
}

interface Sources {
  instruments: ReadonlyMap<string, Instrument>;
  changed: ReadonlySet<string>;
  closes: Closes;
}

const NOTHING: readonly number[] = [];

/** Signals with what is known about their symbols. */
export function join(signals: readonly SignalView[], { instruments, changed, closes }: Sources): Row[] {
  return signals.map((signal) => {
    const known = instruments.get(signal.symbol);
    const series = closes.get(signal.symbol) ?? NOTHING;
    const [before, last] = [series[series.length - 2], series[series.length - 1]];
    return {
      symbol: signal.symbol,
      signal,
      name: known?.name ?? null,
      sector: known?.sector ?? null,
      changed: changed.has(signal.symbol),
      closes: series,
      last: last ?? null,
      day: last === undefined || before === undefined || before === 0 ? null : last / before - 1,
    };
  });
}

/** `sort=-score,symbol` as a list; what is no column is left out. */
export function readSort(text: string): Sort[] {
  return text.split(",").flatMap((part) => {
    const desc = part.startsWith("-");
    const id = COLUMNS.find((column) => column === part.slice(desc ? 1 : 0));
    return id === undefined ? [] : [{ id, desc }];
  });
}

export function writeSort(by: readonly Sort[]): string {
  return by.map(({ id, desc }) => (desc ? `-${id}` : id)).join(",");
}

/** The next state of a header: its first direction, the other, off. Numbers begin with the largest. */
export function nextSort(by: readonly Sort[], id: ColumnId, add: boolean): Sort[] {
  const first = !isText(id);
  const known = by.find((one) => one.id === id);
  const others = add ? by.filter((one) => one.id !== id) : [];
  if (known === undefined) return [...others, { id, desc: first }];
  if (known.desc !== first) return others;
  return add ? by.map((one) => (one.id === id ? { id, desc: !first } : one)) : [{ id, desc: !first }];
}

/** How many symbols of `wanted` stand elsewhere than in `held`, or are new in it, or gone. */
export function moved(held: readonly string[], wanted: readonly string[]): number {
  const at = new Map(held.map((symbol, index) => [symbol, index]));
  const gone = held.length - wanted.filter((symbol) => at.has(symbol)).length;
  return gone + wanted.filter((symbol, index) => at.get(symbol) !== index).length;
}

function overAll(closes: readonly number[]): number | null {
  const [first, last] = [closes[0], closes[closes.length - 1]];
  return first === undefined || last === undefined || first === 0 || closes.length < 2 ? null : last / first - 1;
}

function compare(a: number | string | null, b: number | string | null, desc: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order = typeof a === "string" ? byText(a, String(b)) : a - Number(b);
  return desc ? -order : order;
}
