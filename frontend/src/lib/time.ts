/** Market times for people. Everything stored is UTC; shown is the exchange's zone, UTC or the reader's own. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Zone = "exchange" | "utc" | "local";
export const ZONES: readonly Zone[] = ["exchange", "utc", "local"];
const EXCHANGE = "America/New_York";

interface ZoneState {
  zone: Zone;
}

export const useZone = create<ZoneState>()(persist((): ZoneState => ({ zone: "exchange" }), { name: "gs.zone" }));

/** Exchange, then UTC, then local, then exchange. */
export function nextZone(): void {
  useZone.setState(({ zone }) => ({ zone: ZONES[(ZONES.indexOf(zone) + 1) % ZONES.length] ?? "exchange" }));
}

/** "exchange (ET)", "UTC", "local (Europe/Berlin)". */
export function zoneName(zone: Zone): string {
  if (zone === "exchange") return "exchange (ET)";
  return zone === "utc" ? "UTC" : `local (${Intl.DateTimeFormat().resolvedOptions().timeZone})`;
}

/** The short word behind a time: "ET", "UTC", "local". */
export function zoneMark(zone: Zone): string {
  return zone === "exchange" ? "ET" : zone === "utc" ? "UTC" : "local";
}

interface Parts {
  weekday: string;
  day: string;
  month: string;
  year: string;
  hour: string;
  minute: string;
  second: string;
}

/** "Mon 5 Feb 2018 16:00" without the mark. */
export function moment(iso: string, zone: Zone): string {
  const at = parts(iso, zone);
  return `${at.weekday} ${at.day} ${at.month} ${at.year} ${at.hour}:${at.minute}`;
}

/** "16:00". */
export function clock(iso: string, zone: Zone): string {
  const at = parts(iso, zone);
  return `${at.hour}:${at.minute}`;
}

/** "Mon 5 Feb". */
export function day(iso: string, zone: Zone): string {
  const at = parts(iso, zone);
  return `${at.weekday} ${at.day} ${at.month}`;
}

/** "5 Feb 2018". */
export function date(iso: string, zone: Zone): string {
  const at = parts(iso, zone);
  return `${at.day} ${at.month} ${at.year}`;
}

/** "2018-02-05": the session of a market time, in the exchange's zone. */
export function session(iso: string): string {
  const at = parts(iso, "exchange");
  return `${at.year}-${String(MONTHS.indexOf(at.month) + 1).padStart(2, "0")}-${at.day.padStart(2, "0")}`;
}

/** Weekdays from one market time to a later one: how many sessions behind, holidays counted as sessions. */
export function sessionsBetween(earlier: string, later: string): number {
  const from = Date.parse(`${session(earlier)}T00:00:00Z`);
  const to = Date.parse(`${session(later)}T00:00:00Z`);
  let sessions = 0;
  for (let at = from + DAY_MS; at <= to && sessions < 1000; at += DAY_MS) {
    const weekday = new Date(at).getUTCDay();
    if (weekday !== 0 && weekday !== 6) sessions += 1;
  }
  return sessions;
}

/** "16:02" on the reader's own clock: for what happened to the system, never for market time. */
export function wallTime(at: string | number): string {
  return wall.format(new Date(at));
}

const wall = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY_MS = 86_400_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const formats = new Map<Zone, Intl.DateTimeFormat>();

function parts(iso: string, zone: Zone): Parts {
  const found: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of formatOf(zone).formatToParts(new Date(iso))) found[type] = value;
  const month = MONTHS[Number(found.month) - 1] ?? "";
  return { weekday: found.weekday ?? "", day: String(Number(found.day)), month, year: found.year ?? "", hour: found.hour ?? "", minute: found.minute ?? "", second: found.second ?? "" };
}

function formatOf(zone: Zone): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    const timeZone = zone === "exchange" ? EXCHANGE : zone === "utc" ? "UTC" : undefined;
    format = new Intl.DateTimeFormat("en-GB", {
      weekday: "short", day: "numeric", month: "numeric", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
      ...(timeZone !== undefined && { timeZone }),
    });
    formats.set(zone, format);
  }
  return format;
}
