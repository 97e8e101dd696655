import { describe, expect, it } from "vitest";

import { signal } from "@/lib/testing/samples";
import type { ChangeView } from "@/types";
import { bySector, countActions, kindsOf, missingAgents, net, shown } from "./summary";

const change = (was: ChangeView["was"], now: ChangeView["was"]): ChangeView => ({ signal: signal({ action: now }), was, was_score: 0, was_as_of: "2018-02-02T21:00:00Z" });

describe("the strip", () => {
  it("counts actions, and the signals that should have a probability and have none", () => {
    const rows = [signal(), signal({ action: "SELL" }), signal({ action: "HOLD" }), signal({ calibrated: true, probability: 0.5 })];
    expect(countActions(rows)).toEqual({ buy: 2, hold: 1, sell: 1, total: 4, uncalibrated: 2 });
  });

  it("names missing agents by how many signals they are missing from", () => {
    expect(missingAgents([signal({ missing: ["volatility"] }), signal({ missing: ["volatility", "trend"] }), signal()])).toEqual([
      { agent: "volatility", signals: 2 },
      { agent: "trend", signals: 1 },
    ]);
  });

  it("tells the kinds of change apart, most frequent first", () => {
    expect(kindsOf([change("BUY", "HOLD"), change("HOLD", "SELL"), change("BUY", "HOLD")])).toEqual([
      { was: "BUY", now: "HOLD", number: 2 },
      { was: "HOLD", now: "SELL", number: 1 },
    ]);
  });

  it("shows new buys and new sells apart", () => {
    const changes = [change("BUY", "HOLD"), change("HOLD", "SELL")];
    expect([shown(changes, "all"), shown(changes, "buy"), shown(changes, "sell")].map((list) => list.length)).toEqual([2, 0, 1]);
  });
});

describe("breadth", () => {
  it("is the share of buys less the share of sells in points, and unknown for an empty group", () => {
    expect(net({ buy: 3, hold: 4, sell: 1 })).toBe(25);
    expect(net({ buy: 0, hold: 0, sell: 0 })).toBeNull();
  });

  it("sorts sectors by net, empty ones last", () => {
    const sector = (name: string, buy: number, sell: number): Parameters<typeof bySector>[0][number] => ({ sector: name, buy, hold: 0, sell, day: null });
    expect(bySector([sector("empty", 0, 0), sector("down", 0, 2), sector("up", 2, 0)]).map((one) => one.sector)).toEqual(["up", "down", "empty"]);
  });
});
