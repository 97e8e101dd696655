/** Filters of single columns: words for text, comparisons for numbers. */

export type Test = { kind: "text"; word: string } | { kind: "range"; low: number; high: number; lowOpen: boolean; highOpen: boolean };

const NUMBER = String.raw`[-−+]?\d+(?:\.\d+)?|[-−+]?\.\d+`;
const COMPARED = new RegExp(`^(>=|<=|>|<|=)?\\s*(${NUMBER})\\s*%?$`);
const BETWEEN = new RegExp(`^(${NUMBER})\\s*\\.\\.\\s*(${NUMBER})$`);

export const HOW = "Write > 0.2, <= 0.5 or 0.2..0.5";

/** The test that a text asks for; null for none (empty), "bad" for one that cannot be read. */
export function readTest(text: string, isText: boolean): Test | null | "bad" {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (isText) return { kind: "text", word: trimmed.toLowerCase() };
  const between = BETWEEN.exec(trimmed);
  if (between !== null) return { kind: "range", low: number(between[1]), high: number(between[2]), lowOpen: false, highOpen: false };
  const compared = COMPARED.exec(trimmed);
  if (compared === null) return "bad";
  const value = number(compared[2]);
  switch (compared[1] ?? ">=") {
    case ">": return { kind: "range", low: value, high: Infinity, lowOpen: true, highOpen: false };
    case "<": return { kind: "range", low: -Infinity, high: value, lowOpen: false, highOpen: true };
    case "<=": return { kind: "range", low: -Infinity, high: value, lowOpen: false, highOpen: false };
    case "=": return { kind: "range", low: value, high: value, lowOpen: false, highOpen: false };
    default: return { kind: "range", low: value, high: Infinity, lowOpen: false, highOpen: false };
  }
}

/** Whether a value passes; what is not there (null) passes no filter. */
export function matches(test: Test, value: number | string | null): boolean {
  if (value === null) return false;
  if (test.kind === "text") return String(value).toLowerCase().includes(test.word);
  if (typeof value === "string") return false;
  return (test.lowOpen ? value > test.low : value >= test.low) && (test.highOpen ? value < test.high : value <= test.high);
}

function number(text: string | undefined): number {
  return Number((text ?? "").replace("−", "-"));
}

/** What is typed over a column, as the API's filters of a table: `sharpe:gt:0.2`. None for nothing, "bad" for what cannot be read. */
export function apiFilters(column: string, text: string, isText: boolean): string[] | "bad" {
  if (isText) return text.trim() === "" ? [] : [`${column}:eq:${text.trim()}`];
  const test = readTest(text, false);
  if (test === "bad") return "bad";
  if (test?.kind !== "range") return [];
  if (test.low === test.high) return [`${column}:eq:${String(test.low)}`];
  return [
    ...(test.low > -Infinity ? [`${column}:${test.lowOpen ? "gt" : "ge"}:${String(test.low)}`] : []),
    ...(test.high < Infinity ? [`${column}:${test.highOpen ? "lt" : "le"}:${String(test.high)}`] : []),
  ];
}
