/** Numbers that follow from an equity curve. Pure. */
import type { Value } from "./charts/line";

export const ROLLING = 126; // bars: half a year of sessions

/**
 * Sharpe ratio of the last `window` bar returns, per year, at each bar; null before there are so many, where the returns
 * never vary, and from where the equity is not above zero. `year`: bars of a year; `riskFree`: yearly rate.
 */
export function rollingSharpe(equity: readonly Value[], year: number, riskFree = 0, window = ROLLING): Value[] {
  const returns = equity.map((value, at) => {
    const before = at === 0 ? null : equity[at - 1];
    return value === null || before == null || before <= 0 || value <= 0 ? null : value / before - 1;
  });
  let sum = 0;
  let squares = 0;
  let unknown = 0;
  return returns.map((value, at) => {
    if (value === null) unknown += 1;
    else { sum += value; squares += value * value; }
    const gone = returns[at - window];
    if (at >= window) {
      if (gone == null) unknown -= 1;
      else { sum -= gone; squares -= gone * gone; }
    }
    if (at < window || unknown > 0) return null;
    const mean = sum / window;
    const variance = (squares - window * mean * mean) / (window - 1);
    return variance > 1e-14 ? ((mean - riskFree / year) / Math.sqrt(variance)) * Math.sqrt(year) : null;
  });
}

export interface Year {
  year: number;
  /** Returns of January to December; null: no bar, or undefined. */
  months: (number | null)[];
  whole: number | null;
}

/** Monthly returns by year, with what they compound to. */
export function byYear(monthly: readonly Readonly<Record<string, unknown>>[]): Year[] {
  const years = new Map<number, Year>();
  for (const { year, month, return: value } of monthly) {
    if (typeof year !== "number" || typeof month !== "number") continue;
    const row = years.get(year) ?? { year, months: Array<number | null>(12).fill(null), whole: null };
    years.set(year, row);
    if (typeof value !== "number") continue;
    row.months[month - 1] = value;
    row.whole = (1 + (row.whole ?? 0)) * (1 + value) - 1;
  }
  return [...years.values()].sort((a, b) => a.year - b.year);
}
