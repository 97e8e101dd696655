/**
 * Indicators of the registry on this chart: which pane, which parameters, which words. Nothing is known here by name:
 * an indicator that a plugin adds is shown like the others.
 */
import type { IndicatorView } from "@/types";

import type { Pick } from "./view";

/** The symbols of the feed. */
export interface Symbols {
  has: (symbol: string) => boolean;
}

export interface FieldFault {
  field: string;
  message: string;
}

/** Whether an output is drawn over the candles: it is a level of the price. Everything else gets a pane. */
export function isLevel({ outputs, units }: IndicatorView, output: string): boolean {
  return units[outputs.indexOf(output)] === "price";
}

/** Whether its values are marks at single bars, with nothing between them that a line could join. */
export function isMarks({ family }: IndicatorView): boolean {
  return family === "candles";
}

/** Whether it compares the symbol with a second one. */
export function isOfTwo({ inputs }: IndicatorView): boolean {
  return inputs.includes("other");
}

/** Parameters by name, as the API takes them; a missing one takes the registry's default. */
export function paramsOf(pick: Pick, entry: IndicatorView): Record<string, number | string> {
  return Object.fromEntries(
    Object.entries(entry.params).map(([name, param], position) => [name, pick.params[position] ?? param.default]),
  );
}

/** What was typed as a pick, once it has no faults: a field left out takes its default. */
export function pickOf(entry: IndicatorView, typed: Record<string, string>, symbols: Symbols): Pick {
  const params = Object.entries(entry.params).map(([name, param]) => {
    const text = typed[name];
    return text === undefined ? param.default : param.choices === null ? Number(text) : text;
  });
  return { name: entry.name, params, ...(isOfTwo(entry) && { other: symbolOf(typed["other"], symbols) }) };
}

/** What is wrong with typed parameters, field by field; empty when the server will take them. */
export function faultsOf(entry: IndicatorView, typed: Record<string, string>, symbols: Symbols): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [name, { low, high, choices }] of Object.entries(entry.params)) {
    if (choices !== null) continue; // a list of what is allowed has no faults
    const text = (typed[name] ?? "").trim();
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) faults.push({ field: name, message: "Type a number." });
    else if (value < (low ?? -Infinity) || value > (high ?? Infinity)) faults.push({ field: name, message: `Choose ${rangeText(low, high)}.` });
  }
  if (isOfTwo(entry) && !symbols.has(symbolOf(typed["other"], symbols))) faults.push({ field: "other", message: "Type a symbol of the feed." });
  return faults;
}

function symbolOf(typed: string | undefined, symbols: Symbols): string {
  const text = (typed ?? "").trim();
  return symbols.has(text) ? text : text.toUpperCase();
}

export function rangeText(low: number | null, high: number | null): string {
  return `${String(low)} to ${high?.toLocaleString("en-US") ?? ""}`;
}

/** Indicators of a family (empty: of any) with all the words in name, description or source; names that fit best first. */
export function search(registry: readonly IndicatorView[], words: string, family: string): IndicatorView[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const place = ({ name }: IndicatorView): number => {
    const [first] = wanted;
    return first === undefined || name === first ? 0 : name.startsWith(first) ? 1 : name.includes(first) ? 2 : 3;
  };
  return registry
    .filter((entry) => family === "" || entry.family === family)
    .filter(({ name, description, source }) => {
      const text = `${name} ${description} ${source}`.toLowerCase();
      return wanted.every((word) => text.includes(word));
    })
    .sort((one, two) => place(one) - place(two)); // stable: equals stay in the order of the registry
}

/** Every family with how many it holds, in alphabetical order. */
export function familiesOf(registry: readonly IndicatorView[]): { family: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { family } of registry) counts.set(family, (counts.get(family) ?? 0) + 1);
  return [...counts].map(([family, count]) => ({ family, count })).sort((one, two) => one.family.localeCompare(two.family));
}

/** What a pane or line is called: `EMA 20`, `ATR 14 wilder`, `Beta 5 with MSFT`. */
export function titleOf(pick: Pick): string {
  const name = pick.name.length <= 4 ? pick.name.toUpperCase() : pick.name.charAt(0).toUpperCase() + pick.name.slice(1).replaceAll("_", " ");
  return [name, ...pick.params.map((param) => String(param).replaceAll("_", " ")), ...(pick.other === undefined ? [] : ["with", pick.other])].join(" ");
}

/** Bounds that are worth a line in the pane: three tenths from either end of a closed range. */
export function guidesOf(entry: IndicatorView): [number, number] | null {
  const [low, high] = entry.bounds ?? [null, null];
  return low === null || high === null || isMarks(entry) ? null : [low + (high - low) * 0.3, high - (high - low) * 0.3];
}
