import { describe, expect, it } from "vitest";

import { NONE, change, count, fixed, milliseconds, percent, plural, price, signed, span } from "./format";

describe("numbers", () => {
  it("have a real minus, never a hyphen", () => {
    expect(fixed(-0.26, 2)).toBe("\u22120.26");
    expect(change(-0.041)).toBe("\u22124.1%");
    for (const text of [fixed(-1, 0), signed(-1), change(-0.5), price(-3)]) expect(text).not.toContain("-");
  });

  it("have a sign where they are changes, and zero has none", () => {
    expect(signed(0.26)).toBe("+0.26");
    expect(signed(0)).toBe("0.00");
    expect(signed(-0.001)).toBe("0.00");
    expect(signed(0.001)).toBe("0.00");
  });

  it("that are not there are a dash", () => {
    for (const value of [null, undefined, Number.NaN, Infinity]) expect(fixed(value, 2)).toBe(NONE);
    expect([percent(null), change(null), price(null), count(null), milliseconds(null)]).toEqual([NONE, NONE, NONE, NONE, NONE]);
  });

  it("of prices below one have four places", () => {
    expect([price(61.137), price(0.12345)]).toEqual(["61.14", "0.1235"]);
  });

  it("are grouped", () => {
    expect(count(18_442)).toBe("18,442");
    expect(plural(1, "row")).toBe("1 row");
    expect(plural(505, "symbol")).toBe("505 symbols");
  });
});

describe("spans", () => {
  it("read as people say them", () => {
    expect([0.42, 12.4, 190, 7300, 90_000 * 2].map(span)).toEqual(["0.4 s", "12 s", "3 min", "2 h", "2 d"]);
  });
});
