/**
 * The form of a research question: texts by field, as they stand in the address, and what they ask of the API. Pure.
 *
 * Fields of parameters are called "p.fast". What is left empty takes the server's default and is not sent.
 */
import { RequestError } from "@/lib/problem";
import { call, raw, type PythonValue } from "@/lib/python";
import { objectOf, textOf, type Kind } from "@/lib/research";
import type { RunDetail, StrategyParam, StrategyView } from "@/types";

export type Form = Readonly<Record<string, string>>;
export type Faults = Readonly<Record<string, string>>;

/** The strategy that a person writes here. */
export const OWN = "own";
export const DEFAULT_STRATEGY = "sma_cross";

export interface FieldWords {
  name: string;
  label: string;
  note: string;
  placeholder?: string;
}

/** The expressions of one's own strategy; the first two stand in the form, the others behind "Shorts, stops and size". */
export const EXPRESSIONS: readonly FieldWords[] = [
  { name: "enter", label: "Enter", note: "Buys at the next open after this is true.", placeholder: "rsi(14) < 30 and close > sma(200)" },
  { name: "exit", label: "Exit", note: "Sells. Empty: held to the end, or to a stop or target.", placeholder: "rsi(14) > 55" },
  { name: "short_enter", label: "Short enter", note: "Sells short when this is true." },
  { name: "short_exit", label: "Short exit", note: "Buys back." },
  { name: "stop", label: "Stop", note: "Distance from the fill, in money.", placeholder: "2 * atr(14)" },
  { name: "target", label: "Target", note: "Distance from the fill, in money.", placeholder: "3 * atr(14)" },
  { name: "trail", label: "Trail", note: "Distance of a trailing stop, in money." },
  { name: "size", label: "Size", note: "Fraction of equity, 0 to 1. Empty: all of it." },
];

/** Rules that are numbers or texts; `fill` and `mode` are choices. The second half stands behind "More rules". */
export const RULES: readonly (FieldWords & { whole?: boolean; shared?: boolean; text?: boolean })[] = [
  { name: "fees", label: "Fees, per side", note: "5bps, 0.05% or 0.0005.", placeholder: "0", text: true },
  { name: "slippage", label: "Slippage", note: "Against the trader, as fees.", placeholder: "0", text: true },
  { name: "cash", label: "Cash", note: "Money at the start.", placeholder: "100000" },
  { name: "leverage", label: "Leverage", note: "Largest size, a fraction of equity.", placeholder: "1" },
  { name: "borrow", label: "Borrow", note: "Yearly rate on what is short: 1% or 0.01.", placeholder: "0", text: true },
  { name: "fee_per_share", label: "Fee per share", note: "In money, per side.", placeholder: "0" },
  { name: "fee_per_trade", label: "Fee per trade", note: "In money, per side.", placeholder: "0" },
  { name: "volume_limit", label: "Volume limit", note: "Largest share of a bar's volume that an entry takes." },
  { name: "risk_free", label: "Risk-free rate", note: "Yearly: 2% or 0.02.", placeholder: "0", text: true },
  { name: "max_positions", label: "Most positions", note: "At one time; shared cash only.", whole: true, shared: true },
  { name: "rank", label: "Rank", note: "Expression; the largest come first. Shared cash only.", placeholder: "roc(60)", shared: true, text: true },
  { name: "rebalance", label: "Rebalance", note: "Sessions between resizings; shared cash only.", whole: true, shared: true },
  { name: "max_exposure", label: "Most exposure", note: "Positions over equity; shared cash only.", shared: true },
];
export const FIRST_RULES = 3;

const CHOICES = ["fill", "mode"] as const;
const LENGTHS = ["train", "test", "purge", "embargo"] as const;
const WHOLE: readonly string[] = ["sample", "seed", "trials", ...LENGTHS];

/** What `param` takes: its meaning, range and default, in words. */
export function paramNote(param: StrategyParam, swept: boolean): string {
  const usual = param.default === null ? "must be given" : `empty: ${String(param.default)}${swept ? " only" : ""}`;
  const text = [param.description, param.kind === "symbol" ? "a symbol" : rangeWords(param), usual].filter((part) => part !== "").join("; ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

const NO_LIMIT = 1e12;

function rangeWords({ low, high }: StrategyParam): string {
  const floor = low !== null && low > -NO_LIMIT;
  const roof = high !== null && high < NO_LIMIT;
  if (floor && roof) return `${String(low)} to ${String(high)}`;
  return floor ? `at least ${String(low)}` : roof ? `at most ${String(high)}` : "";
}

export function readForm(query: URLSearchParams): Form {
  return { strategy: DEFAULT_STRATEGY, ...Object.fromEntries(query) };
}

export function formQuery(form: Form): string {
  return new URLSearchParams(Object.entries(form).filter(([, text]) => text.trim() !== "")).toString();
}

/** "fast=5:50 slow=20:200:5" as parameters by name; null where it cannot be read. */
export function readPairs(text: string): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const part of text.split(/\s+/).filter((one) => one !== "")) {
    const [, name, value] = /^([a-z_]\w*)=(.+)$/i.exec(part) ?? [];
    if (name === undefined || value === undefined) return null;
    found[name] = value;
  }
  return found;
}

/** What can be told without asking the server. */
export function faultsOf(kind: Kind, form: Form): Faults {
  const faults: Record<string, string> = {};
  if (form.strategy === OWN) {
    if (given(form, "enter") === null && given(form, "short_enter") === null) faults.enter = "Write when to enter, such as rsi(14) < 30.";
    if (readPairs(form.pairs ?? "") === null) faults.pairs = kind === "backtest" ? "Write name=value, such as fast=10 slow=30." : "Write name=values, such as fast=5:50 slow=20:200:5.";
  }
  for (const { name, label, text, whole } of RULES) {
    const value = given(form, name);
    if (value === null || text === true) continue;
    if (whole === true ? !isWhole(value) : !isNumber(value)) faults[name] = `${label} is a ${whole === true ? "whole " : ""}number.`;
  }
  for (const name of WHOLE) {
    const value = given(form, name);
    if (value !== null && !isWhole(value)) faults[name] = "Type a whole number.";
  }
  if (kind === "walkforward") for (const name of ["train", "test"]) if (given(form, name) === null) faults[name] = "Type a number of sessions.";
  if (kind === "sweep" && form.search === "optuna" && given(form, "trials") === null) faults.trials = "Type how many sets to try.";
  return faults;
}

/** The request of a form. */
export function bodyOf(kind: Kind, form: Form, params: readonly StrategyParam[]): Record<string, unknown> {
  const values = valuesOf(kind, form, params);
  const rules = rulesOf(form);
  const grid = { grid: values, where: given(form, "where"), metric: given(form, "metric") ?? "sharpe", sample: whole(form, "sample"), seed: whole(form, "seed") ?? 0 };
  return {
    strategy: form.strategy === OWN ? expressionsOf(form) : form.strategy,
    bars: given(form, "bars"),
    symbols: given(form, "symbols"),
    rules,
    ...(kind === "backtest" && { params: values }),
    ...(kind === "sweep" && { ...grid, search: form.search === "optuna" ? "optuna" : "grid", ...(form.search === "optuna" && { trials: whole(form, "trials"), sample: null }) }),
    ...(kind === "walkforward" && { ...grid, ...Object.fromEntries(LENGTHS.map((name) => [name, whole(form, name) ?? 0])), anchored: form.anchored === "yes" }),
  };
}

/** The same question as calls of the Python client. */
export function pythonOf(kind: Kind, form: Form, params: readonly StrategyParam[]): string[] {
  const own = form.strategy === OWN;
  const values = valuesOf(kind, form, params) as Record<string, PythonValue>;
  const searched: Record<string, PythonValue> = { where: given(form, "where"), metric: given(form, "metric"), sample: whole(form, "sample"), seed: whole(form, "seed") };
  const more: Record<string, PythonValue> = {
    symbols: given(form, "symbols"),
    ...rulesOf(form) as Record<string, PythonValue>,
    ...(kind !== "backtest" && searched),
    ...(kind === "sweep" && form.search === "optuna" && { search: "optuna", trials: whole(form, "trials") }),
    ...(kind === "walkforward" && { ...Object.fromEntries(LENGTHS.map((name) => [name, whole(form, name)])), anchored: form.anchored === "yes" ? raw("True") : null }),
  };
  const verb = kind === "walkforward" ? "walk_forward" : kind;
  if (!own) return [`result = ${call(verb, [form.strategy ?? ""], { ...values, ...more })}`];
  const usual = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, firstOf(value)])); // free names need a value
  const written = call("strategy", [], { ...expressionsOf(form), ...usual }).replace(/^client\./, "gs.");
  return [`strategy = ${written}`, `result = ${call(verb, [raw("strategy")], { ...values, ...more })}`];
}

function firstOf(value: PythonValue): PythonValue {
  const first = typeof value === "string" ? /^-?\d+(\.\d+)?/.exec(value)?.[0] : undefined;
  return first === undefined ? value : Number(first);
}

/** The form that asks what a result was asked. `known`: the built-in strategies. */
export function formOf(run: Pick<RunDetail, "kind" | "spec">, known: readonly StrategyView[]): Form {
  const { spec } = run;
  const strategy = objectOf(spec, "strategy");
  const name = textOf(strategy, "name") ?? OWN;
  const own = !known.some((one) => one.name === name);
  const source = objectOf(spec, "source");
  const bars = textOf(source, "bars");
  const grid = objectOf(spec, "grid");
  const values = Object.entries(run.kind === "backtest" ? objectOf(spec, "params") : objectOf(grid, "axes")).map(([key, value]) => [key, Array.isArray(value) ? rangeText(value) : String(value)] as const);
  const rules = Object.entries(objectOf(spec, "rules")).filter(([key, value]) => value !== null && value !== USUAL[key]);
  const search = objectOf(spec, "search");
  const texts: Record<string, unknown> = {
    strategy: own ? OWN : name,
    ...(own && Object.fromEntries(EXPRESSIONS.map(({ name: key }) => [key, strategy[key]]))),
    ...(own ? { pairs: values.map(([key, text]) => `${key}=${text.replaceAll(" ", "")}`).join(" ") } : Object.fromEntries(values.map(([key, text]) => [`p.${key}`, text]))),
    symbols: source.symbols,
    bars: bars?.startsWith("upload:") === true ? bars.slice("upload:".length) : null,
    ...Object.fromEntries(rules),
    where: grid.where,
    sample: grid.sample,
    seed: grid.seed === 0 ? null : grid.seed,
    metric: spec.metric === "sharpe" ? null : spec.metric,
    ...(textOf(search, "by") === "optuna" && { search: "optuna", trials: search.trials }),
    ...Object.fromEntries(Object.entries(objectOf(spec, "lengths")).map(([key, value]) => [key, value === true ? "yes" : value === false || value === 0 ? null : value])),
  };
  return Object.fromEntries(Object.entries(texts).flatMap(([key, value]) => (typeof value === "string" || typeof value === "number" ? [[key, String(value)]] : [])));
}

/** What a rule is when nobody says; not worth a field. */
const USUAL: Readonly<Record<string, unknown>> = { cash: 100_000, fees: 0, slippage: 0, fill: "next_open", leverage: 1, borrow: 0, fee_per_share: 0, fee_per_trade: 0, mode: "independent", risk_free: 0 };

/** Values as a person types them: whole numbers in even steps as "5:50" or "20:200:5", others one by one. */
export function rangeText(values: readonly unknown[]): string {
  const numbers = values.filter((value): value is number => Number.isInteger(value));
  const [first = 0, second = 0] = numbers;
  const step = second - first;
  const last = numbers.at(-1) ?? 0;
  const even = numbers.length === values.length && numbers.length > 2 && step > 0 && numbers.every((value, at) => value === first + at * step);
  if (even) return step === 1 ? `${String(first)}:${String(last + 1)}` : `${String(first)}:${String(last + step)}:${String(step)}`;
  return values.map(String).join(",");
}

/** What the server refused, by field of the form; `rest`: what belongs to none of them. */
export function refusalOf(error: Error | null, kind: Kind, form: Form, params: readonly StrategyParam[]): { faults: Faults; rest: string | null } {
  if (!(error instanceof RequestError) || error.status !== 422) return { faults: {}, rest: null };
  const names = fieldNames(form, params);
  const faults: Record<string, string> = {};
  for (const { field, message } of error.fields) {
    const parts = field.split(".");
    const name = [...parts].reverse().flatMap((part) => [`p.${part}`, part]).find((one) => names.includes(one));
    if (name !== undefined) faults[name] ??= message;
  }
  if (Object.keys(faults).length > 0) return { faults, rest: null };
  const about = aboutField(error.message, names, kind);
  return about === null ? { faults, rest: error.message } : { faults: { [about]: error.message }, rest: null };
}

/** The field that a sentence is about: an expression before a colon, then whatever it names first. */
function aboutField(sentence: string, names: readonly string[], kind: Kind): string | null {
  const led = names.find((name) => new RegExp(`(^|[\\s:])${name}:`).test(sentence));
  if (led !== undefined) return led;
  const at = (word: string): number => new RegExp(`(?<![\\w.])${word}(?!\\w)`).exec(sentence)?.index ?? Infinity;
  const found = names
    .map((name) => ({ name, at: at(name.replace(/^p\./, "")) }))
    .filter((one) => one.at < Infinity && one.name !== "strategy")
    .sort((a, b) => a.at - b.at)[0];
  if (found !== undefined) return found.name;
  if (/\b(symbols?|universe)\b/.test(sentence)) return "symbols";
  if (/\bstrategy\b/.test(sentence)) return "strategy";
  return kind === "walkforward" && /\b(bars|sessions)\b/.test(sentence) ? "train" : null;
}

function fieldNames(form: Form, params: readonly StrategyParam[]): string[] {
  const own = form.strategy === OWN ? [...EXPRESSIONS.map(({ name }) => name), "pairs"] : params.map(({ name }) => `p.${name}`);
  return [...own, "strategy", "symbols", ...RULES.map(({ name }) => name), ...CHOICES, "where", "metric", ...WHOLE];
}

function valuesOf(kind: Kind, form: Form, params: readonly StrategyParam[]): Record<string, number | string | string[]> {
  const typed = form.strategy === OWN ? Object.entries(readPairs(form.pairs ?? "") ?? {}) : params.flatMap(({ name }) => { const text = given(form, `p.${name}`); return text === null ? [] : [[name, text] as const]; });
  return Object.fromEntries(
    typed.map(([name, text]) => {
      if (isNumber(text)) return [name, Number(text)];
      const symbol = params.find((param) => param.name === name)?.kind === "symbol";
      return [name, symbol && kind !== "backtest" ? text.split(",").map((one) => one.trim()) : text];
    }),
  );
}

function rulesOf(form: Form): Record<string, number | string> {
  const typed = RULES.flatMap(({ name, text }): [string, number | string][] => {
    const value = given(form, name);
    return value === null ? [] : [[name, text !== true && isNumber(value) ? Number(value) : value]];
  });
  return Object.fromEntries([...typed, ...CHOICES.flatMap((name): [string, string][] => { const value = given(form, name); return value === null ? [] : [[name, value]]; })]);
}

function expressionsOf(form: Form): Record<string, string> {
  return Object.fromEntries(EXPRESSIONS.flatMap(({ name }): [string, string][] => { const text = given(form, name); return text === null ? [] : [[name, text]]; }));
}

function given(form: Form, name: string): string | null {
  const text = form[name]?.trim() ?? "";
  return text === "" ? null : text;
}

function whole(form: Form, name: string): number | null {
  const text = given(form, name);
  return text !== null && isWhole(text) ? Number(text) : null;
}

const isNumber = (text: string): boolean => /^-?(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text.trim());
const isWhole = (text: string): boolean => /^\d+$/.test(text.trim());
