import { describe, expect, it } from "vitest";

import { matches, readTest } from "@/lib/filters";
import { signal } from "@/lib/testing/samples";
import type { Instrument } from "@/types";
import { filterRows, join, moved, nextSort, readSort, sortRows, writeSort, type Filter, type Row } from "./rows";

const instrument = (symbol: string, name: string, sector: string): [string, Instrument] => [symbol, { symbol, name, sector, first: "", last: "", bars: 1 }];
const instruments = new Map([instrument("KSS", "Kohl's Corp.", "Consumer Discretionary"), instrument("XOM", "Exxon Mobil", "Energy")]);

function rows(): Row[] {
  const signals = [
    signal(),
    signal({ symbol: "XOM", action: "SELL", score: -0.8, agreement: 0.9 }),
    signal({ symbol: "GE", action: "HOLD", score: 0.05, calibrated: true, probability: 0.5 }),
  ];
  const closes = new Map([["KSS", [50, 60, 63]], ["XOM", [80, 76]]]);
  return join(signals, { instruments, changed: new Set(["XOM"]), closes });
}

const symbols = (found: readonly Row[]): string[] => found.map((row) => row.symbol);
const filter = (more: Partial<Filter> = {}): Filter => ({ show: "all", text: "", columns: [], ...more });

describe("joined rows", () => {
  it("know name, sector, last close and the day's change", () => {
    const [kss, , ge] = rows();
    expect(kss).toMatchObject({ name: "Kohl's Corp.", last: 63, day: 63 / 60 - 1, changed: false });
    expect(ge).toMatchObject({ name: null, last: null, day: null });
  });
});

describe("sorting", () => {
  it("puts the strongest of both sides first", () => {
    expect(symbols(sortRows(rows(), [{ id: "score", desc: true }]))).toEqual(["XOM", "KSS", "GE"]);
  });

  it("puts what is not known last in both directions", () => {
    for (const desc of [true, false]) expect(symbols(sortRows(rows(), [{ id: "last", desc }])).at(-1)).toBe("GE");
  });

  it("never takes an uncalibrated probability for a number", () => {
    for (const desc of [true, false]) expect(symbols(sortRows(rows(), [{ id: "probability", desc }]))[0]).toBe("GE");
  });

  it("goes on with the next column where the first is equal, then with the symbol", () => {
    const same = rows().map((row) => ({ ...row, sector: "one" }));
    expect(symbols(sortRows(same, [{ id: "sector", desc: false }, { id: "agreement", desc: true }]))).toEqual(["XOM", "GE", "KSS"]);
  });

  it("leaves its input as it was", () => {
    const before = rows();
    sortRows(before, [{ id: "symbol", desc: false }]);
    expect(symbols(before)).toEqual(["KSS", "XOM", "GE"]);
  });

  it("is written into the URL and read back, without what is no column", () => {
    expect(writeSort(readSort("-score,symbol,nonsense,-"))).toBe("-score,symbol");
  });

  it("of a header goes from its first direction to the other to none, and Shift adds", () => {
    const one = nextSort([], "score", false);
    expect(one).toEqual([{ id: "score", desc: true }]);
    expect(nextSort(one, "score", false)).toEqual([{ id: "score", desc: false }]);
    expect(nextSort([{ id: "score", desc: false }], "score", false)).toEqual([]);
    expect(nextSort(one, "symbol", true)).toEqual([{ id: "score", desc: true }, { id: "symbol", desc: false }]);
    expect(nextSort(one, "symbol", false)).toEqual([{ id: "symbol", desc: false }]);
  });
});

describe("filters", () => {
  it("show all, buys and sells, or what changed", () => {
    expect(symbols(filterRows(rows(), filter({ show: "active" })))).toEqual(["KSS", "XOM"]);
    expect(symbols(filterRows(rows(), filter({ show: "changed" })))).toEqual(["XOM"]);
  });

  it("want every word somewhere in symbol, name or sector", () => {
    expect(symbols(filterRows(rows(), filter({ text: "kohl disc" })))).toEqual(["KSS"]);
    expect(symbols(filterRows(rows(), filter({ text: "kohl energy" })))).toEqual([]);
  });

  it("of a column compare the number as it is shown", () => {
    const test = readTest("-6..-4", false);
    if (test === null || test === "bad") throw new Error("unread");
    expect(symbols(filterRows(rows(), filter({ columns: [{ id: "day", test }] })))).toEqual(["XOM"]);
  });

  it("read comparisons, ranges and the real minus, and refuse the rest", () => {
    const passes = (text: string, value: number): boolean => {
      const test = readTest(text, false);
      return test !== null && test !== "bad" && matches(test, value);
    };
    expect([passes("> 0.2", 0.2), passes(">=0.2", 0.2), passes("<0.2", 0.1), passes("0.2", 0.3), passes("= 1", 1)]).toEqual([false, true, true, true, true]);
    expect(passes("−0.5..0.5", -0.5)).toBe(true);
    expect(passes("70%", 71)).toBe(true);
    for (const text of ["abc", "> x", "1..", "1 2"]) expect(readTest(text, false)).toBe("bad");
    expect(readTest("  ", false)).toBeNull();
  });

  it("never pass what is not known", () => {
    const test = readTest("<= 1000", false);
    if (test === null || test === "bad") throw new Error("unread");
    expect(matches(test, null)).toBe(false);
  });
});

describe("an order that is held", () => {
  it("counts the rows that would move", () => {
    expect(moved(["a", "b", "c"], ["a", "b", "c"])).toBe(0);
    expect(moved(["a", "b", "c"], ["b", "a", "c"])).toBe(2);
    expect(moved(["a", "b"], ["a", "b", "c"])).toBe(1);
    expect(moved(["a", "b", "c"], ["a", "b"])).toBe(1);
  });
});
