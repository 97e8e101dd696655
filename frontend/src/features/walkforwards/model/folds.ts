/** The folds of a walk-forward as rows, from the columns of its table. Pure. */
import type { TableRows } from "@/types";

export interface Fold {
  fold: number;
  partial: boolean;
  /** Times in ms. */
  trainFirst: number;
  trainLast: number;
  testFirst: number;
  testLast: number;
  /** The chosen parameters, by name. */
  chosen: Readonly<Record<string, number | string>>;
  trainScore: number | null;
  trainReturn: number | null;
  /** `test_sharpe` and the like, by the metric's name. */
  tested: Readonly<Record<string, number | null>>;
}

const KNOWN = new Set(["fold", "partial", "train_first", "train_last", "test_first", "test_last", "train_score", "train_return"]);

export function foldsOf(page: TableRows): Fold[] {
  const names = page.columns.map(({ name }) => name);
  return page.rows.map((row) => {
    const cell = (name: string): unknown => row[names.indexOf(name)];
    const number = (name: string): number | null => { const value = cell(name); return typeof value === "number" ? value : null; };
    const time = (name: string): number => Date.parse(String(cell(name)));
    const rest = names.filter((name) => !KNOWN.has(name));
    return {
      fold: number("fold") ?? 0,
      partial: cell("partial") === true,
      trainFirst: time("train_first"),
      trainLast: time("train_last"),
      testFirst: time("test_first"),
      testLast: time("test_last"),
      chosen: Object.fromEntries(rest.filter((name) => !name.startsWith("test_")).flatMap((name) => { const value = cell(name); return typeof value === "number" || typeof value === "string" ? [[name, value]] : []; })),
      trainScore: number("train_score"),
      trainReturn: number("train_return"),
      tested: Object.fromEntries(rest.filter((name) => name.startsWith("test_")).map((name) => [name.slice("test_".length), number(name)])),
    };
  });
}

/** What to hold in sample against out of sample: the metric that chose, where the tests have it, else the returns. */
export function pairsOf(folds: readonly Fold[], metric: string): { key: string; pairs: { fold: Fold; x: number; y: number }[] } {
  const same = folds.some(({ tested }) => metric in tested);
  const key = same ? metric : "total_return";
  const pairs = folds.flatMap((fold) => {
    const [x, y] = [same ? fold.trainScore : fold.trainReturn, fold.tested[key] ?? null];
    return x === null || y === null ? [] : [{ fold, x, y }];
  });
  return { key, pairs };
}
