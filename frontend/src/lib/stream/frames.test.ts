import { describe, expect, it } from "vitest";

import { decided, emitted, eventsFrame, jobChanged, shownFeed, shownSignal, signal } from "../testing/samples";
import { EMPTY, applyEvents, applyPrices, applySnapshot, atPlace, follows, isKnown, merge, newer, readFrame, type LiveState } from "./frames";

function after(...events: Parameters<typeof applyEvents>[1][]): LiveState {
  return events.reduce<LiveState>((state, batch, index) => applyEvents(state, batch, index).state, EMPTY);
}

describe("frames", () => {
  it("follow each other by one and a jump is a gap", () => {
    expect(follows(1, eventsFrame(2, []))).toBe(true);
    expect(follows(1, eventsFrame(3, []))).toBe(false);
    expect(follows(1, eventsFrame(1, []))).toBe(false);
  });

  it("that are no frames read as nothing", () => {
    for (const text of ["", "{", "[]", "null", '{"n":"1","type":"ping"}', '{"type":"ping"}']) expect(readFrame(text)).toBeNull();
    expect(readFrame('{"n":1,"cursor":null,"room":null,"type":"ping","data":null}')?.n).toBe(1);
  });
});

describe("events", () => {
  it("put the newest bar of a symbol and when it arrived into the state", () => {
    const { state, fresh } = applyEvents(EMPTY, [emitted(1, { symbol: "AAPL" }), emitted(2)], 42);
    expect([...state.signals.keys()]).toEqual(["AAPL", "KSS"]);
    expect(state.arrived.get("KSS")).toBe(42);
    expect(fresh).toHaveLength(2);
  });

  it("that come twice change nothing, not even the identity of the state", () => {
    const state = after([emitted(1)]);
    const again = applyEvents(state, [emitted(1)], 99);
    expect(again.state).toBe(state);
    expect(again.fresh).toEqual([]);
  });

  it("keep a later revision and refuse an earlier one or an older bar", () => {
    const state = after([emitted(1, { revision: 2, score: 0.5 })], [emitted(2, { revision: 1 })], [emitted(3, { as_of: "2018-02-02T21:00:00Z", revision: 9 })]);
    expect(state.signals.get("KSS")).toMatchObject({ revision: 2, score: 0.5 });
  });

  it("leave the signals of other symbols as they were", () => {
    const before = after([emitted(1, { symbol: "AAPL" })]);
    const { state } = applyEvents(before, [emitted(2)], 1);
    expect(state.signals.get("AAPL")).toBe(before.signals.get("AAPL"));
  });

  it("keep the newest word on a job and on the session", () => {
    const state = after([jobChanged(5), decided(6)], [jobChanged(4)]);
    expect(state.jobs.get("j1")?.done).toBe(5);
    expect(state.session?.buy).toBe(145);
  });

  it("of a type that a newer server knows change nothing", () => {
    const unknown = { ...decided(1), body: { ...decided(1).body, type: "news.v9" } } as unknown as ReturnType<typeof decided>;
    expect(after([unknown]).session).toBeNull();
  });

  it("of a burst of 505 signals are applied in one step", () => {
    const burst = Array.from({ length: 505 }, (_, index) => emitted(index + 1, { symbol: `S${String(index)}` }));
    const { state } = applyEvents(EMPTY, burst, 1);
    expect(state.signals.size).toBe(505);
  });
});

describe("signals of another moment than the one shown", () => {
  const TODAY = applySnapshot(EMPTY, [shownFeed(), shownSignal(), shownSignal({ symbol: "HALT", as_of: "2018-02-01T21:00:00Z" })], 0);
  const rows = [...TODAY.signals.values()];
  const TOMORROW = "2018-02-06T21:00:00Z";
  const DAY_AFTER = "2018-02-07T21:00:00Z";

  it("of an earlier day change no row and tint none", () => {
    const { state } = applyEvents(TODAY, [emitted(1, { as_of: "2018-02-01T21:00:00Z", action: "SELL" }), emitted(2, { symbol: "HALT", as_of: "2018-01-31T21:00:00Z" })], 9);
    expect(merge(rows, state.signals)).toEqual(rows);
    expect(state.arrived.size).toBe(0);
  });

  it("of a day after the clock change nothing until the clock gets there", () => {
    const { state } = applyEvents(TODAY, [emitted(1, { as_of: TOMORROW, action: "SELL" })], 9);
    expect(merge(rows, state.signals)).toEqual(rows);
    expect(state.arrived.size).toBe(0);
    const there = applyEvents(state, [decided(2, TOMORROW)], 10).state;
    expect(merge(rows, there.signals)[0]).toMatchObject({ as_of: TOMORROW, action: "SELL" });
    expect([...there.arrived]).toEqual([["KSS", 10]]);
    expect(there.ahead.size).toBe(0);
  });

  it("of a later day, scanned before, do not stand in the way of the next session", () => {
    const { state } = applyEvents(TODAY, [emitted(1, { as_of: DAY_AFTER, score: 0.9 }), emitted(2, { as_of: TOMORROW, score: 0.1 }), decided(3, TOMORROW)], 9);
    expect(state.signals.get("KSS")).toMatchObject({ as_of: TOMORROW, score: 0.1 });
  });

  it("of one day to come count with their later revision", () => {
    const { state } = applyEvents(TODAY, [emitted(1, { as_of: TOMORROW, revision: 2, score: 0.9 }), emitted(2, { as_of: TOMORROW }), decided(3, TOMORROW)], 9);
    expect(state.signals.get("KSS")?.revision).toBe(2);
  });

  it("of another universe never count", () => {
    const { state } = applyEvents(TODAY, [emitted(1, { universe: "list:0", revision: 9 }), emitted(2, { universe: "list:0", as_of: TOMORROW }), decided(3, TOMORROW)], 9);
    expect(merge(rows, state.signals)).toEqual(rows);
  });

  it("wait again when the clock is set back", () => {
    const back = atPlace(applyEvents(TODAY, [emitted(1, { as_of: TOMORROW }), decided(2, TOMORROW)], 9).state, { clock: "2018-02-05T21:00:00Z", universe: "@sp500" }, 10);
    expect([back.signals.has("KSS"), back.ahead.has("KSS")]).toEqual([false, true]);
  });
});

describe("a snapshot", () => {
  it("counts as known and not as arrived", () => {
    const state = applySnapshot(EMPTY, [shownFeed(), shownSignal()], 1);
    expect(state.signals.size).toBe(1);
    expect(state.arrived.size).toBe(0);
  });

  it("is overlaid by what arrived, per symbol the newer one, and unchanged rows keep their identity", () => {
    const rows = [signal({ symbol: "AAPL" }), signal()];
    const arrived = after([emitted(1, { as_of: "2018-02-06T21:00:00Z", action: "SELL" }), emitted(2, { symbol: "NEW" })]).signals;
    const merged = merge(rows, arrived);
    expect(merged.map((row) => row.symbol)).toEqual(["AAPL", "KSS", "NEW"]);
    expect(merged[0]).toBe(rows[0]);
    expect(merged[1]?.action).toBe("SELL");
  });

  it("that was read later than an event wins over it", () => {
    const arrived = after([emitted(1, { as_of: "2018-02-02T21:00:00Z" })]).signals;
    expect(merge([signal()], arrived)[0]?.as_of).toBe(signal().as_of);
  });
});

describe("prices", () => {
  it("count only with their newest per symbol", () => {
    const row = { symbol: "KSS", ts: "2018-02-05T21:00:00Z", open: 1, high: 2, low: 1, close: 2, volume: 3 };
    expect(applyPrices(EMPTY, [row, { ...row, close: 1.5 }]).prices.get("KSS")?.close).toBe(1.5);
  });
});

describe("what the feed has not reached", () => {
  it("is not known, and all is before the feed is", () => {
    const feed = { clock: "2018-02-05T21:00:00Z", universe: "@sp500" };
    expect([isKnown("2018-02-05T21:00:00+00:00", feed), isKnown("2018-02-06T21:00:00Z", feed), isKnown("2018-02-06T21:00:00Z", null)]).toEqual([true, false, true]);
  });
});

describe("newer", () => {
  it("looks at the bar first and at the revision second", () => {
    expect(newer(signal(), undefined)).toBe(true);
    expect(newer(signal(), signal())).toBe(false);
    expect(newer(signal({ revision: 2 }), signal())).toBe(true);
  });
});
