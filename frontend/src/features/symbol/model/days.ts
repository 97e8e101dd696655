/** Calendar days of the exchange as `yyyy-mm-dd`. Daily bars are named by the day they close on, not by an instant. */

import { session } from "@/lib/time";

const DAY_MS = 86_400_000;
const known = new Map<string, string>(); // a history is looked through many times, and a time zone costs 10 µs

/** The exchange's day of an instant. */
export function dayOf(ts: string): string {
  let day = known.get(ts);
  if (day === undefined) known.set(ts, (day = session(ts)));
  return day;
}

/** The day of a cursor, which is a day itself or an instant. */
export function cursorDay(asOf: string): string {
  return isInstant(asOf) ? dayOf(asOf) : asOf;
}

/** Whether a bar that closed at `ts` is not after the cursor: of its day or an earlier one, or closed by that instant. */
export function isBy(ts: string, asOf: string): boolean {
  return isInstant(asOf) ? Date.parse(ts) <= Date.parse(asOf) : dayOf(ts) <= asOf;
}

export function isInstant(asOf: string): boolean {
  return asOf.length > "2018-02-05".length;
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Whole days from one day to another; negative when `to` is earlier. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

/** The next day on which an exchange may be open: not a Saturday or Sunday. Holidays are the server's to know. */
export function nextWeekday(day: string): string {
  let next = addDays(day, 1);
  while ([0, 6].includes(new Date(`${next}T00:00:00Z`).getUTCDay())) next = addDays(next, 1);
  return next;
}
