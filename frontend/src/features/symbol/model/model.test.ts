import { describe, expect, test } from "vitest";

import { signal } from "@/lib/testing/samples";
import type { IndicatorSeries } from "@/types";

import { DAYS, TS, bars, entry, series } from "../samples";
import { adviceOf } from "./advice";
import { firstTurnAfter, nextBar, placeOf, previousBar, previousTurn } from "./cursor";
import { addDays, cursorDay, dayOf, daysBetween, nextWeekday } from "./days";
import { alignedTo, before, cutBars, cutIndicator, cutSeries, dayChange, turnsOf, withPrice, withSignal } from "./history";
import { faultsOf, familiesOf, guidesOf, paramsOf, pickOf, search, titleOf } from "./indicators";
import { lanesOf, markOf } from "./lanes";
import { firstDifference, planOf, shapeOf } from "./plan";
import { pythonOf } from "./python";
import { csvOf, linesOf, rowsOf } from "./rows";
import { summaryOf } from "./summary";
import { DEFAULT_PICKS, readPicks, readView, writeView } from "./view";

const EXTENT = { first: "2018-02-01", last: "2018-02-06" };
const ATR = entry({
  name: "atr", family: "volatility", units: ["move"], bounds: [0, null], description: "Average true range.", source: "Wilder (1978); TA-Lib ATR",
  params: { window: { default: 14, low: 1, high: 100000, choices: null }, smoothing: { default: "wilder", low: null, high: null, choices: ["wilder", "simple_mean"] } },
});
const BETA = entry({ name: "beta", family: "statistics", inputs: ["close", "other"], units: ["none"], bounds: null, description: "Slope of returns on those of another series.", source: "TA-Lib BETA" });
const SYMBOLS = new Set(["MSFT", "BRK.B"]);
const RSI: IndicatorSeries = { name: "rsi", symbol: "NVDA", params: { window: 14 }, ts: TS.slice(1), outputs: { rsi: [50, 40.5, null] } };

describe("the address", () => {
  test("a view survives being written and read", () => {
    const view = { asOf: "2018-02-05", range: "2Y" as const, picks: [{ name: "macd", params: [12, 26, 9] }, { name: "obv", params: [] }], heights: [52.5, 14, 33.5], table: true };
    expect(readView(writeView(view))).toEqual(view);
  });
  test("names of choices and a second symbol survive too", () => {
    const picks = [{ name: "atr", params: [14, "simple_mean"] }, { name: "beta", params: [5], other: "BRK.B" }, { name: "ratio", params: [], other: "^VIX" }];
    expect(readPicks("atr(14,simple_mean),beta(5,other=BRK.B),ratio(other=^VIX)")).toEqual(picks);
    expect(readView(writeView({ ...readView(new URLSearchParams()), picks })).picks).toEqual(picks);
  });
  test("the plain address is the plain page", () => {
    const view = readView(new URLSearchParams());
    expect(view).toEqual({ asOf: null, range: "8M", picks: DEFAULT_PICKS, heights: null, table: false });
    expect(writeView(view).toString()).toBe("");
  });
  test("no indicator at all is not the default set", () => {
    const view = { ...readView(new URLSearchParams()), picks: [] };
    expect(readView(writeView(view)).picks).toEqual([]);
  });
  test("what cannot be read is dropped", () => {
    expect(readView(new URLSearchParams("as_of=2018-02-30&range=5Y")).asOf).toBeNull();
    for (const text of ["52,", "0,100", "a,b", "-1", ""]) expect(readView(new URLSearchParams({ heights: text })).heights).toBeNull();
    expect(readPicks("ema(20),nonsense,sma(X),wma(1,,2),ema(20),rsi(14)")).toEqual([{ name: "ema", params: [20] }, { name: "rsi", params: [14] }]);
  });
});

describe("an instant as cursor", () => {
  test.each(["2018-02-05T15:30:00-05:00", "2018-02-05T20:30Z", "2018-02-05T20:30:00.5Z"])("%s stays as it is in the address", (asOf) => {
    const view = readView(new URLSearchParams({ as_of: asOf }));
    expect(view.asOf).toBe(asOf);
    expect(writeView(view).get("as_of")).toBe(asOf);
  });
  test.each(["2018-02-05T15:30:00", "2018-02-30T15:30:00Z", "2018-02-05T25:00:00Z", "yesterday"])("%s, which says no moment, is dropped", (asOf) => {
    expect(readView(new URLSearchParams({ as_of: asOf })).asOf).toBeNull();
  });
  test("before the close of its day it shows the day before, at the close that day", () => {
    expect(cutBars(bars(), "2018-02-05T15:30:00-05:00").ts.at(-1)).toBe("2018-02-02T21:00:00Z");
    expect(cutSeries(series(), "2018-02-05T21:00:00Z").ts.at(-1)).toBe("2018-02-05T21:00:00Z");
    expect(cutIndicator(RSI, "2018-02-05T20:59:59Z").ts.at(-1)).toBe("2018-02-02T21:00:00Z");
    expect([cursorDay("2018-02-06T02:00:00Z"), cursorDay("2018-02-06")]).toEqual(["2018-02-05", "2018-02-06"]);
  });
});

describe("days", () => {
  test("a close belongs to the exchange's day, in summer and in winter", () => {
    expect(dayOf("2018-02-05T21:00:00Z")).toBe("2018-02-05");
    expect(dayOf("2018-07-02T20:00:00Z")).toBe("2018-07-02");
    expect(dayOf("2018-02-06T02:00:00Z")).toBe("2018-02-05");
  });
  test("weekends are passed over", () => {
    expect(nextWeekday("2018-02-02")).toBe("2018-02-05");
    expect(addDays("2018-02-28", 1)).toBe("2018-03-01");
    expect(daysBetween("2018-02-01", "2018-03-01")).toBe(28);
  });
});

describe("the cursor", () => {
  test.each([null, "2018-02-01", "2018-02-03", "2018-02-05"])("nothing after %s is left in bars, consensus or indicators", (day) => {
    const late = (ts: readonly string[]): string[] => ts.filter((one) => day !== null && dayOf(one) > day);
    expect(late(cutBars(bars(), day).ts)).toEqual([]);
    expect(late(cutSeries(series(), day).ts)).toEqual([]);
    expect(late(cutIndicator(RSI, day).ts)).toEqual([]);
    const cut = cutBars(bars(), day);
    for (const column of [cut.open, cut.high, cut.low, cut.close, cut.volume, cut.gap]) expect(column).toHaveLength(cut.ts.length);
    for (const vote of cutSeries(series(), day).votes) expect(vote.score).toHaveLength(cut.ts.length);
  });
  test("a cut keeps what lies before it to the bit", () => {
    expect(cutBars(bars(), "2018-02-02").close).toEqual([240.5, 233.5]);
    expect(cutBars(bars(), null)).toEqual(bars());
  });
  test("a step back goes to the bar before, also from a day without one", () => {
    expect(previousBar(DAYS, "2018-02-05")).toBe("2018-02-02");
    expect(previousBar(DAYS, "2018-02-04")).toBe("2018-02-01");
    expect(previousBar(DAYS, "2018-02-01")).toBeNull();
  });
  test("a step forward ends at the newest bar, which is live", () => {
    expect(nextBar("2018-02-02", EXTENT)).toBe("2018-02-05");
    expect(nextBar("2018-02-05", EXTENT)).toBeNull();
  });
  test("turns are found on either side", () => {
    const turns = turnsOf(series());
    expect(turns.map(({ day, action, was }) => [day, action, was])).toEqual([["2018-02-02", "BUY", null], ["2018-02-05", "HOLD", "BUY"], ["2018-02-06", "SELL", "HOLD"]]);
    expect(previousTurn(turns, "2018-02-06")).toBe("2018-02-05");
    expect(firstTurnAfter(turns, "2018-02-02")).toBe("2018-02-05");
    expect(firstTurnAfter(turns, "2018-02-06")).toBeNull();
  });
  test("the slider's ends are the first and the newest day", () => {
    expect([placeOf("2018-02-01", EXTENT), placeOf("2018-02-06", EXTENT), placeOf("2020-01-01", EXTENT)]).toEqual([0, 1, 1]);
  });
});

describe("live rows", () => {
  const row = { symbol: "NVDA", ts: "2018-02-07T21:00:00Z", open: 1, high: 3, low: 1, close: 2, volume: 9 };
  test("a new bar goes behind the others, once", () => {
    const grown = withPrice(bars(), row);
    expect(grown.close).toEqual([240.5, 233.5, 213.7, 225.6, 2]);
    expect(withPrice(grown, row)).toEqual(grown);
    expect(grown.gap).toHaveLength(5);
  });
  test("a bar that is known is corrected, an older one and another symbol's change nothing", () => {
    expect(withPrice(bars(), { ...row, ts: "2018-02-06T21:00:00.000Z" }).close.at(-1)).toBe(2);
    expect(withPrice(bars(), { ...row, ts: "2018-02-02T21:00:00Z" })).toEqual(bars());
    expect(withPrice(bars(), { ...row, symbol: "AAPL" })).toEqual(bars());
  });
  test("a signal becomes the newest row of the consensus; an agent that did not vote stays silent", () => {
    const next = signal({ symbol: "NVDA", as_of: "2018-02-07T21:00:00Z", action: "SELL", score: -0.5, votes: [{ agent: "trend", score: -1, confidence: 0.5, weight: 0.5 }] });
    const grown = withSignal(series(), next);
    expect(grown.score.at(-1)).toBe(-0.5);
    expect(grown.votes.map((vote) => vote.score.at(-1))).toEqual([null, -1]);
    expect(withSignal(grown, next)).toEqual(grown);
    expect(withSignal(series(), signal({ symbol: "NVDA", as_of: TS[0] ?? "" }))).toEqual(series());
  });
  test("what was said before is the last bar with a signal", () => {
    expect(before(series())).toEqual({ action: "HOLD", score: 0.1, ts: TS[2] });
    expect(before(cutSeries(series(), "2018-02-02"))).toBeNull();
    expect(dayChange(bars())?.amount).toBeCloseTo(11.9);
  });
  test("a stored signal of the newest bar wins over the computed one, an older one does not", () => {
    expect(adviceOf(series(), signal({ symbol: "NVDA", as_of: TS[3] ?? "" }))?.stored).not.toBeNull();
    const computed = adviceOf(series(), signal({ symbol: "NVDA", as_of: TS[1] ?? "" }));
    expect([computed?.stored, computed?.action, computed?.votes[1]?.score]).toEqual([null, "SELL", -0.5]);
    expect(adviceOf(null, null)).toBeNull();
    expect(adviceOf(cutSeries(series(), "2018-02-01"), null)).toBeNull();
  });
});

describe("indicators", () => {
  test("parameters keep the order of the registry, and their defaults", () => {
    const keltner = entry({ name: "keltner", params: { window: { default: 20, low: 1, high: 99, choices: null }, multiplier: { default: 2, low: 0, high: 9, choices: null } } });
    expect(paramsOf({ name: "keltner", params: [10] }, keltner)).toEqual({ window: 10, multiplier: 2 });
    expect(pickOf(keltner, { multiplier: "3" }, SYMBOLS)).toEqual({ name: "keltner", params: [20, 3] });
    expect(pickOf(ATR, { window: "7", smoothing: "simple_mean" }, SYMBOLS)).toEqual({ name: "atr", params: [7, "simple_mean"] });
    expect(paramsOf({ name: "atr", params: [7] }, ATR)).toEqual({ window: 7, smoothing: "wilder" });
    expect(titleOf({ name: "keltner", params: [10, 2] })).toBe("Keltner 10 2");
    expect(titleOf({ name: "rsi", params: [14] })).toBe("RSI 14");
    expect(titleOf({ name: "atr", params: [14, "simple_mean"] })).toBe("ATR 14 simple mean");
    expect(titleOf({ name: "beta", params: [5], other: "MSFT" })).toBe("BETA 5 with MSFT");
  });
  test("a parameter outside its range is named with the range", () => {
    expect(faultsOf(entry(), { window: "14" }, SYMBOLS)).toEqual([]);
    expect(faultsOf(entry(), { window: "0" }, SYMBOLS)[0]?.message).toBe("Choose 1 to 100,000.");
    expect(faultsOf(entry(), { window: "" }, SYMBOLS)[0]?.message).toBe("Type a number.");
    expect(faultsOf(ATR, { window: "14", smoothing: "wilder" }, SYMBOLS)).toEqual([]);
  });
  test("an indicator of two symbols wants a second one of the feed, in any case", () => {
    expect(faultsOf(BETA, { window: "5" }, SYMBOLS)).toEqual([{ field: "other", message: "Type a symbol of the feed." }]);
    expect(faultsOf(BETA, { window: "5", other: " brk.b" }, SYMBOLS)).toEqual([]);
    expect(pickOf(BETA, { window: "5", other: " brk.b" }, SYMBOLS)).toEqual({ name: "beta", params: [5], other: "BRK.B" });
  });
  test("a search takes words in any order, and puts the names that fit first", () => {
    const registry = [ATR, BETA, entry(), entry({ name: "true_range", family: "volatility", description: "True range." })];
    const names = (words: string, family = ""): string[] => search(registry, words, family).map((one) => one.name);
    expect(names("")).toEqual(["atr", "beta", "rsi", "true_range"]);
    expect(names("RANGE true")).toEqual(["true_range", "atr"]);
    expect(names("ta-lib")).toEqual(["atr", "beta"]);
    expect(names("range", "volatility")).toEqual(["true_range", "atr"]);
    expect(names("rsi", "volatility")).toEqual([]);
    expect(familiesOf(registry)).toEqual([{ family: "momentum", count: 1 }, { family: "statistics", count: 1 }, { family: "volatility", count: 2 }]);
  });
  test("only a closed range has guides", () => {
    expect(guidesOf(entry({ bounds: [0, 100] }))).toEqual([30, 70]);
    expect(guidesOf(entry({ bounds: [0, null] }))).toBeNull();
    expect(guidesOf(entry({ family: "candles", bounds: [-200, 200] }))).toBeNull();
  });
});

describe("vote lanes", () => {
  const lane = lanesOf(2, 100)[1] ?? { top: 0, middle: 0, half: 0 };
  test("lanes share the height", () => {
    expect(lane).toEqual({ top: 50, middle: 75, half: 20 });
  });
  test("up stands on the zero line, down hangs from it, silence is neither", () => {
    expect(markOf(1, 1, lane)).toEqual({ y: 55, height: 20, direction: "up", opacity: 1 });
    expect(markOf(-0.5, 0, lane)).toEqual({ y: 75, height: 10, direction: "down", opacity: 0.25 });
    expect(markOf(null, null, lane).direction).toBe("abstained");
    expect(markOf(0, 1, lane).direction).toBe("flat");
  });
});

describe("the plan", () => {
  const shown = [
    { pick: { name: "rsi", params: [14] }, entry: entry(), values: RSI },
    { pick: { name: "sma", params: [200] }, entry: entry({ name: "sma", bounds: null, outputs: ["sma"], units: ["price"] }), values: { ...RSI, outputs: { sma: [230, 231, 232] } } },
  ];
  const plan = planOf(bars(), series(), signal({ symbol: "NVDA", as_of: TS[3] ?? "", stop: 197.1, target: 238.6 }), shown, null);
  test("everything is aligned to the bars", () => {
    expect(plan.panes[0]?.lines[0]?.values).toEqual([null, 50, 40.5, null]);
    expect(plan.overlays[0]).toMatchObject({ title: "SMA 200", passive: true, values: [null, 230, 231, 232] });
    expect(plan.levels).toEqual([{ title: "target", price: 238.6, above: true }, { title: "stop", price: 197.1, above: false }]);
    expect(plan.turns).toEqual([{ index: 1, action: "BUY" }, { index: 2, action: "HOLD" }, { index: 3, action: "SELL" }]);
  });
  test("levels of the price lie over the candles, the other outputs of the same indicator get a pane", () => {
    const stop = entry({ name: "supertrend", bounds: null, outputs: ["value", "direction"], units: ["price", "none"] });
    const values = { ...RSI, name: "supertrend", outputs: { value: [230, 231, 232], direction: [1, 1, -1] } };
    const { overlays, panes } = planOf(bars(), null, null, [{ pick: { name: "supertrend", params: [10, 3] }, entry: stop, values }], null);
    expect(overlays).toMatchObject([{ key: "supertrend(10,3).value", title: "Supertrend 10 3 value", label: "", values: [null, 230, 231, 232] }]);
    expect(panes.map((pane) => [pane.key, pane.lines.map((line) => line.title)])).toEqual([["supertrend(10,3)", ["Supertrend 10 3 direction"]]]);
    for (const units of [["move"], ["volume"], ["none"]] as const) {
      const plan = planOf(bars(), null, null, [{ pick: { name: "rsi", params: [14] }, entry: entry({ units: [...units] }), values: RSI }], null);
      expect([plan.overlays.length, plan.panes.length]).toEqual([0, 1]);
    }
  });
  test("a candle pattern stands as bars in a pane of its own, never as a line", () => {
    const doji = { pick: { name: "cdldoji", params: [] }, entry: entry({ name: "cdldoji", family: "candles", params: {}, outputs: ["cdldoji"], bounds: [-200, 200] }), values: { ...RSI, name: "cdldoji", outputs: { cdldoji: [0, 100, -100] } } };
    const pane = planOf(bars(), null, null, [doji], null).panes[0];
    expect(pane).toMatchObject({ guides: null, range: [-200, 200], lines: [{ histogram: true, values: [null, 0, 100, -100] }] });
    expect(plan.panes[0]?.lines[0]?.histogram).toBe(false);
  });
  test("levels of an earlier signal are not drawn on a later bar", () => {
    expect(planOf(bars(), series(), signal({ symbol: "NVDA", as_of: TS[1] ?? "" }), [], null).levels).toEqual([]);
  });
  test("a new bar does not change the shape, another indicator does", () => {
    expect(shapeOf(planOf(cutBars(bars(), "2018-02-05"), series(), null, shown, "2018-02-05"))).toBe(shapeOf(plan));
    expect(shapeOf(planOf(bars(), series(), null, shown.slice(1), null))).not.toBe(shapeOf(plan));
  });
  test("the first difference is where drawing has to begin", () => {
    const same = (a: number, b: number): boolean => a === b;
    expect([firstDifference([1, 2, 3], [1, 2, 3, 4], same), firstDifference([1, 2, 3], [1, 9, 3], same), firstDifference([], [1], same)]).toEqual([3, 1, 0]);
  });
  test("rows of values of other bars are left out", () => {
    expect(alignedTo(TS, ["2018-02-02T21:00:00+00:00"], [7])).toEqual([null, 7, null, null]);
  });
  test("the words say what the picture shows", () => {
    const words = summaryOf(plan, 2);
    expect(words).toContain("NVDA, 2 daily bars from 5 Feb 2018 to 6 Feb 2018.");
    expect(words).toContain("Consensus sell at −0.30; it turned 2 times in this range.");
    expect(summaryOf(planOf(bars({ ts: [], close: [] }), null, null, [], null), null)).toBe("NVDA: no bars.");
  });
  test("the table is newest first and the file oldest first, with nothing made up", () => {
    const lines = linesOf(bars(), shown);
    const rows = rowsOf(bars(), series(), lines);
    expect(rows[0]).toMatchObject({ day: "2018-02-06", action: "SELL", score: -0.3, lines: [null, 232] });
    expect(rows.at(-1)).toMatchObject({ day: "2018-02-01", action: null, score: null });
    const csv = csvOf("NVDA", rows, lines).split("\r\n");
    expect(csv[0]).toBe("symbol,day,open,high,low,close,volume,action,score,RSI 14,SMA 200");
    expect(csv[1]).toBe("NVDA,2018-02-01,238,246,237,240.5,13000000,,,,");
    expect(csv).toHaveLength(6);
  });
});

describe("the view in Python", () => {
  test("has every call up to the same moment, and parameters by name", () => {
    const picks = [{ name: "rsi", params: [21] }, { name: "rsi", params: [] }, { name: "nowhere", params: [1] }];
    expect(pythonOf("BRK.B", "2018-02-05", picks, [entry()])).toEqual([
      'bars = client.bars("BRK.B", as_of="2018-02-05")',
      'signal = client.signal("BRK.B", as_of="2018-02-05")',
      'rsi_21 = client.indicator("rsi", "BRK.B", as_of="2018-02-05", window=21)',
      'rsi = client.indicator("rsi", "BRK.B", as_of="2018-02-05", window=14)',
    ]);
    expect(pythonOf("AAPL", null, [{ name: "atr", params: [7, "simple_mean"] }, { name: "beta", params: [5], other: "BRK.B" }], [ATR, BETA]).slice(2)).toEqual([
      'atr_7_simple_mean = client.indicator("atr", "AAPL", window=7, smoothing="simple_mean")',
      'beta_5_BRK_B = client.indicator("beta", "AAPL", other="BRK.B", window=5)',
    ]);
    expect(pythonOf("AAPL", null, [], [])).toEqual(['bars = client.bars("AAPL")', 'signal = client.signal("AAPL")']);
  });
});
