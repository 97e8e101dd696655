/**
 * Moving the as-of cursor: by a bar, by a turn of the signal, to either end.
 *
 * What lies before the cursor is known and answered here. What lies after it is not: a step forward gives the day to
 * go to, and only then the server is asked whether a bar closed on it.
 */
import { daysBetween, nextWeekday } from "./days";
import type { Turn } from "./history";

export interface Extent {
  first: string; // day of the symbol's first bar
  last: string; // day of its newest bar the feed has shown
}

/** The day of the bar before the one that a day shows; null at the first bar. `days` are those of the known bars. */
export function previousBar(days: readonly string[], day: string): string | null {
  let shown = days.length - 1;
  while (shown >= 0 && (days[shown] ?? "") > day) shown -= 1;
  return days[shown - 1] ?? null;
}

/** The next day to ask about; null: that is the newest bar, so follow live again. */
export function nextBar(shown: string, extent: Extent): string | null {
  const day = nextWeekday(shown);
  return day >= extent.last ? null : day;
}

/** The newest turn before the shown bar; null when there is none. */
export function previousTurn(turns: readonly Turn[], shown: string): string | null {
  return turns.filter((turn) => turn.day < shown).at(-1)?.day ?? null;
}

/** The first turn after a bar among turns that were looked up; null when there is none. */
export function firstTurnAfter(turns: readonly Turn[], shown: string): string | null {
  return turns.find((turn) => turn.day > shown && turn.was !== null)?.day ?? null;
}

/** Where a day lies on the slider, 0 at the first day to 1 at the last. */
export function placeOf(day: string, extent: Extent): number {
  const whole = daysBetween(extent.first, extent.last);
  return whole <= 0 ? 1 : Math.min(1, Math.max(0, daysBetween(extent.first, day) / whole));
}
