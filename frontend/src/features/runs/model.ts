/** Results beside each other: one axis of time for their curves, and what their questions do not share. Pure. */
import { isObject } from "@/lib/research";
import { numbers, texts } from "@/research/curves";
import { rangeText } from "@/research/forms/form";
import type { RunDetail, TableRows } from "@/types";

/** Short names that tell results apart: the title's beginning and the id. */
export function labelsOf(runs: readonly Pick<RunDetail, "title" | "result_id">[]): string[] {
  return runs.map(({ title, result_id: id }) => `${title.split(/[ :]/)[0] ?? ""} ${id.slice(0, 4)}`);
}

/** Curves over all sessions that any of them has, each divided by its first value; null where it has none. */
export function aligned(pages: readonly TableRows[]): { ts: string[]; values: (number | null)[][] } {
  const ts = [...new Set(pages.flatMap((page) => texts(page, "ts")))].sort();
  const at = new Map(ts.map((iso, place) => [iso, place]));
  const values = pages.map((page) => {
    const curve = new Array<number | null>(ts.length).fill(null);
    const equity = numbers(page, "equity");
    const first = equity.find((value) => value !== null) ?? null;
    texts(page, "ts").forEach((iso, row) => {
      const value = equity[row];
      if (value != null && first !== null && first !== 0) curve[at.get(iso) ?? 0] = value / first;
    });
    return curve;
  });
  return { ts, values };
}

const UNREAD = /(^|\.)(description|until)$|^strategy\.(params|source)/; // words, what the hash of the data says better, ranges of parameters

/** Fields of the questions that are not the same in all, by their path; null: not asked. */
export function differences(specs: readonly Readonly<Record<string, unknown>>[]): { field: string; values: (string | null)[] }[] {
  const flats = specs.map((spec) => new Map(flat(spec)));
  const fields = [...new Set(flats.flatMap((one) => [...one.keys()]))];
  return fields
    .map((field) => ({ field, values: flats.map((one) => one.get(field) ?? null) }))
    .filter(({ field, values }) => new Set(values).size > 1 && !UNREAD.test(field));
}

function flat(facts: unknown, before = ""): [string, string][] {
  if (isObject(facts)) return Object.entries(facts).flatMap(([key, value]) => flat(value, before === "" ? key : `${before}.${key}`));
  if (facts === null || facts === undefined || facts === "") return [];
  return [[before, Array.isArray(facts) ? rangeText(facts) : String(facts)]];
}
