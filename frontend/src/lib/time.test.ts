import { describe, expect, it } from "vitest";

import { clock, date, day, moment, session, sessionsBetween } from "./time";

const CLOSE = "2018-02-05T21:00:00Z";

describe("market time", () => {
  it("is shown in the exchange's zone or in UTC", () => {
    expect(moment(CLOSE, "exchange")).toBe("Mon 5 Feb 2018 16:00");
    expect(moment(CLOSE, "utc")).toBe("Mon 5 Feb 2018 21:00");
  });

  it("heeds summer time", () => {
    expect(clock("2017-07-03T17:00:00Z", "exchange")).toBe("13:00");
  });

  it("has short forms", () => {
    expect([day(CLOSE, "exchange"), date(CLOSE, "exchange"), session(CLOSE)]).toEqual(["Mon 5 Feb", "5 Feb 2018", "2018-02-05"]);
  });

  it("counts weekdays between sessions", () => {
    expect(sessionsBetween("2018-02-02T21:00:00Z", CLOSE)).toBe(1);
    expect(sessionsBetween(CLOSE, CLOSE)).toBe(0);
    expect(sessionsBetween(CLOSE, "2018-02-02T21:00:00Z")).toBe(0);
  });
});
