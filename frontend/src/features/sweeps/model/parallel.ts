/** Sets as lines over columns of numbers, and which of them lie within chosen ranges. Pure. */

export interface Line {
  at: number;
  /** One for each column; null: undefined. */
  values: readonly (number | null)[];
  /** Where its metric lies among all, 0 to 1; 0 where it is undefined. */
  share: number;
}

export interface Range {
  low: number;
  high: number;
}

/** Columns to lines. `by`: the column that colours them. */
export function linesOf(columns: readonly (readonly (number | null)[])[], by: number): Line[] {
  const metric = columns[by] ?? [];
  let low = Infinity;
  let high = -Infinity;
  for (const value of metric) if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, at) => {
    const value = metric[at];
    return { at, values: columns.map((column) => column[at] ?? null), share: value == null || high <= low ? 0 : (value - low) / (high - low) };
  });
}

/** Whether a line lies within all ranges; an undefined value lies in none. */
export function passes(line: Line, names: readonly string[], ranges: Readonly<Record<string, Range>>): boolean {
  return names.every((name, at) => {
    const range = ranges[name];
    if (range === undefined) return true;
    const value = line.values[at];
    return value != null && value >= range.low && value <= range.high;
  });
}
