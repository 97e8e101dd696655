import { beforeEach, describe, expect, it } from "vitest";

import { decided, emitted, eventsFrame, shownFeed, shownSignal } from "../testing/samples";
import type { Frame } from "./frames";
import { applyFrames, forgetArrived, setPlace, useStream } from "./store";

beforeEach(() => {
  forgetArrived();
  useStream.setState({ feed: null, cursor: null, outages: [], reloaded: false });
});

const subscribed = (n: number, recovered: boolean, rooms = ["signals", "jobs"]): Frame => ({ n, cursor: 7, room: null, type: "subscribed", data: { rooms, recovered, snapshot: recovered ? null : [shownFeed(), shownSignal()] } });

describe("frames of one animation frame", () => {
  it("are applied together, in order, and move the cursor", () => {
    const { state, fresh } = applyFrames(useStream.getState(), [eventsFrame(2, [emitted(8)]), eventsFrame(3, [emitted(9, { symbol: "AAPL" })])], 5);
    expect(state.cursor).toBe(9);
    expect(state.heardAt).toBe(5);
    expect(fresh.map((event) => event.seq)).toEqual([8, 9]);
  });

  it("of a resumed connection keep what had arrived", () => {
    const before = applyFrames(useStream.getState(), [eventsFrame(1, [emitted(6)])], 1).state;
    const { state, reload } = applyFrames(before, [subscribed(2, true)], 2);
    expect(state.signals.size).toBe(1);
    expect(reload).toBe(false);
  });

  it("of a connection that lost its place keep only the snapshot, say so, and ask to read anew", () => {
    const before = applyFrames(useStream.getState(), [subscribed(1, false), eventsFrame(2, [emitted(6, { symbol: "OLD" })])], 1).state;
    const { state, reload } = applyFrames(before, [subscribed(2, false)], 2);
    expect([...state.signals.keys()]).toEqual(["KSS"]);
    expect(state.reloaded).toBe(true);
    expect(reload).toBe(true);
  });

  it("of a first connection are not called a reload", () => {
    expect(applyFrames(useStream.getState(), [subscribed(2, false)], 2).state.reloaded).toBe(false);
  });

  it("of a further room keep what had arrived", () => {
    const before = applyFrames(useStream.getState(), [subscribed(1, false), eventsFrame(2, [emitted(6, { symbol: "OLD" })])], 1).state;
    const { state, reload } = applyFrames(before, [{ n: 3, cursor: 7, room: null, type: "subscribed", data: { rooms: ["prices"], recovered: false, snapshot: [] } }], 2);
    expect([...state.signals.keys()]).toEqual(["KSS", "OLD"]);
    expect([reload, state.reloaded]).toEqual([false, false]);
  });

  it("name a server that is away until it is back", () => {
    const outage = { server: "PostgreSQL", since: "2026-01-05T21:00:00Z" };
    const stale = applyFrames(useStream.getState(), [{ n: 2, cursor: 1, room: null, type: "stale", data: outage }], 1);
    expect(stale.state.outages).toEqual([outage]);
    const fresh = applyFrames(stale.state, [{ n: 3, cursor: 1, room: null, type: "fresh", data: outage }], 2);
    expect(fresh.state.outages).toEqual([]);
    expect(fresh.reload).toBe(true);
  });
});

describe("a feed whose clock is read by HTTP", () => {
  it("takes back what is after it, and still stands there when what arrived is forgotten", () => {
    useStream.setState(applyFrames(useStream.getState(), [eventsFrame(1, [emitted(1), decided(2), emitted(3, { symbol: "AAPL", as_of: "2018-02-02T21:00:00Z" })])], 1).state);
    setPlace({ clock: "2018-02-02T21:00:00Z", universe: "@sp500" });
    expect([...useStream.getState().signals.keys()]).toEqual(["AAPL"]);
    forgetArrived();
    const { state } = applyFrames(useStream.getState(), [eventsFrame(2, [emitted(4)])], 2);
    expect(state.signals.size).toBe(0);
  });
});
