/** The chart's data as rows: for the table, for the CSV file, and in one paragraph for those who do not see it. */
import type { Action, BarsView, ConsensusSeries, IndicatorSeries } from "@/types";

import { at } from "./at";
import { dayOf } from "./days";
import { alignedTo } from "./history";
import { titleOf } from "./indicators";
import type { Pick } from "./view";

export interface Line {
  title: string;
  values: (number | null)[];
}

export interface Row {
  day: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  action: Action | null;
  score: number | null;
  lines: (number | null)[];
}

/** Values of indicators, one per bar, in the order of the picks; several outputs are several lines. */
export function linesOf(bars: BarsView, picks: readonly { pick: Pick; values: IndicatorSeries }[]): Line[] {
  return picks.flatMap(({ pick, values }) => {
    const outputs = Object.entries(values.outputs);
    return outputs.map(([name, line]) => ({
      title: outputs.length === 1 ? titleOf(pick) : `${titleOf(pick)} ${name.replaceAll("_", " ")}`,
      values: alignedTo(bars.ts, values.ts, line),
    }));
  });
}

/** One row per bar, newest first. */
export function rowsOf(bars: BarsView, series: ConsensusSeries | null, lines: readonly Line[]): Row[] {
  const scores = series === null ? [] : alignedTo(bars.ts, series.ts, series.score);
  const actions = new Map(series?.ts.map((ts, i) => [dayOf(ts), series.action[i] ?? null]));
  return bars.ts
    .map((ts, i) => {
      const day = dayOf(ts);
      return {
        day,
        open: at(bars.open, i),
        high: at(bars.high, i),
        low: at(bars.low, i),
        close: at(bars.close, i),
        volume: at(bars.volume, i),
        action: actions.get(day) ?? null,
        score: scores[i] ?? null,
        lines: lines.map((line) => line.values[i] ?? null),
      };
    })
    .reverse();
}

/** The rows as a CSV file, oldest first, with full precision; an unknown value is an empty field. */
export function csvOf(symbol: string, rows: readonly Row[], lines: readonly Line[]): string {
  const head = ["symbol", "day", "open", "high", "low", "close", "volume", "action", "score", ...lines.map((line) => line.title)];
  const body = [...rows].reverse().map((row) => [
    symbol, row.day, row.open, row.high, row.low, row.close, row.volume, row.action, row.score, ...row.lines,
  ]);
  return [head, ...body].map((fields) => fields.map(field).join(",")).join("\r\n") + "\r\n";
}

function field(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
