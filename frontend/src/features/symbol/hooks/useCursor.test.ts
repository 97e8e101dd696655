import { act, renderHook, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { cutSeries } from "../model/history";
import { DAYS, series } from "../samples";
import { useCursor, type CursorMoves } from "./useCursor";

const EXTENT = { first: "2018-02-01", last: "2018-02-09" };

/** What was asked for, and where the cursor stood when it was. */
const asked: { until: string; cursor: string | null }[] = [];
let cursor: string | null = null;
let running: boolean[] = [];

beforeEach(() => {
  asked.length = 0;
  running = [];
  vi.stubGlobal("fetch", (url: string) => {
    const until = new URL(url, "http://gs.test").searchParams.get("as_of") ?? "";
    asked.push({ until, cursor });
    return Promise.resolve(Response.json(cutSeries(series(), until)));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

function go(day: string | null): void {
  cursor = day;
}
const seek = (now: boolean): void => { running.push(now); };
const failed = (error: unknown): never => { throw error; };

function at(asOf: string, days: readonly string[]): { current: { moves: CursorMoves; asOf: string | null } } {
  cursor = asOf;
  return renderHook(() => {
    const [place, setPlace] = useState<string | null>(asOf);
    const [effects] = useState(() => ({ go: (day: string | null) => { go(day); setPlace(day); }, seek, failed }));
    return { asOf: place, moves: useCursor({ symbol: "NVDA", asOf: place, days, settled: false, turns: [], extent: EXTENT }, effects) };
  }).result;
}

test("the next signal is looked for bar by bar, and nothing after the cursor is asked for", async () => {
  const hook = at("2018-02-02", DAYS.slice(0, 2));
  act(() => { hook.current.moves.forwardTurn(); });
  await waitFor(() => { expect(running).toEqual([true, false]); });
  expect(hook.current.asOf).toBe("2018-02-05");
  expect(asked).toEqual([{ until: "2018-02-05", cursor: "2018-02-05" }]);
});

test("without another signal the cursor goes on to the newest bar", async () => {
  const hook = at("2018-02-06", DAYS);
  act(() => { hook.current.moves.forwardTurn(); });
  await waitFor(() => { expect(running).toEqual([true, false]); });
  expect(hook.current.asOf).toBeNull();
  expect(asked.map(({ until }) => until)).toEqual(["2018-02-07", "2018-02-08"]);
  for (const { until, cursor: stood } of asked) expect(stood).toBe(until);
});

test("a move of the reader ends the search", async () => {
  const hook = at("2018-02-06", DAYS);
  act(() => { hook.current.moves.forwardTurn(); });
  act(() => { hook.current.moves.to("2018-02-02"); });
  await waitFor(() => { expect(running).toEqual([true, false]); });
  await waitFor(() => { expect(hook.current.asOf).toBe("2018-02-02"); });
  expect(asked).toHaveLength(1);
});

test("from an instant the cursor moves by the bars that it shows", () => {
  const hook = at("2018-02-05T15:30:00-05:00", DAYS.slice(0, 2));
  act(() => { hook.current.moves.forward(); });
  expect(hook.current.asOf).toBe("2018-02-05");
  const other = at("2018-02-05T15:30:00-05:00", DAYS.slice(0, 2));
  act(() => { other.current.moves.back(); });
  expect(other.current.asOf).toBe("2018-02-01");
});
