/**
 * Indicators of the registry on this chart: which pane, which parameters, which words. Nothing is known here by name:
 * an indicator that a plugin adds is shown like the others.
 */
import type { IndicatorSeries, IndicatorView } from "@/types";

import type { Pick } from "./view";

export interface FieldFault {
  field: string;
  message: string;
}

/**
 * Whether an indicator is drawn over the candles: it has no bounds of its own, and every value it takes has the size
 * of the price at that bar. An oscillator crosses zero or lies elsewhere, and gets a pane.
 */
export function isOverlay(bounds: IndicatorView["bounds"], outputs: IndicatorSeries["outputs"], close: readonly number[]): boolean {
  if (bounds !== null) return false;
  let seen = false;
  for (const line of Object.values(outputs)) {
    const offset = close.length - line.length;
    for (const [i, value] of line.entries()) {
      const price = close[i + offset];
      if (value === null || price === undefined) continue;
      if (value < price / 4 || value > price * 4) return false;
      seen = true;
    }
  }
  return seen;
}

/** Parameters by name, as the API takes them; a missing number takes the registry's default. */
export function paramsOf(pick: Pick, entry: IndicatorView): Record<string, number> {
  return Object.fromEntries(
    Object.entries(entry.params).map(([name, param], position) => [name, pick.params[position] ?? param.default]),
  );
}

export function pickOf(entry: IndicatorView, values: Record<string, number>): Pick {
  return { name: entry.name, params: Object.entries(entry.params).map(([name, param]) => values[name] ?? param.default) };
}

/** What is wrong with typed parameters, field by field; empty when the server will take them. */
export function faultsOf(entry: IndicatorView, typed: Record<string, string>): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [name, param] of Object.entries(entry.params)) {
    const text = (typed[name] ?? "").trim();
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) faults.push({ field: name, message: "Type a number." });
    else if (value < param.low || value > param.high) {
      faults.push({ field: name, message: `Choose ${String(param.low)} to ${param.high.toLocaleString("en-US")}.` });
    }
  }
  return faults;
}

/** What a pane or line is called: `EMA 20`, `Bollinger 20 2`. */
export function titleOf(pick: Pick): string {
  const name = pick.name.length <= 4 ? pick.name.toUpperCase() : pick.name.charAt(0).toUpperCase() + pick.name.slice(1).replaceAll("_", " ");
  return [name, ...pick.params.map(String)].join(" ");
}

/** Bounds that are worth a line in the pane: three tenths from either end of a closed range. */
export function guidesOf(bounds: IndicatorView["bounds"]): [number, number] | null {
  const [low, high] = bounds ?? [null, null];
  return low === null || high === null ? null : [low + (high - low) * 0.3, high - (high - low) * 0.3];
}
