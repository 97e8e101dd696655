import { describe, expect, test } from "vitest";

import { apiFilters } from "@/lib/filters";
import { bestAt, metricName, metricText } from "@/lib/metrics";
import { RequestError } from "@/lib/problem";
import { SMA, run } from "@/lib/testing/research";

import { readBelief } from "./belief";
import { linePath, reach, spread, thinned, timeTicks } from "./charts/line";
import { OWN, bodyOf, faultsOf, formOf, formQuery, paramNote, pythonOf, rangeText, readForm, readPairs, refusalOf } from "./forms/form";
import { byYear, rollingSharpe } from "./rolling";

const refused = (detail: string, fields: { field: string; message: string }[] = []): RequestError => new RequestError(422, "Invalid", detail, { fields });

describe("the form", () => {
  test("what is left empty is not sent; numbers are numbers, rates stay as typed", () => {
    const form = { strategy: "sma_cross", "p.fast": "10", "p.slow": " ", symbols: " ", fees: "5bps", cash: "50000", fill: "close" };
    expect(bodyOf("backtest", form, SMA.params)).toEqual({ strategy: "sma_cross", bars: null, symbols: null, rules: { fees: "5bps", cash: 50_000, fill: "close" }, params: { fast: 10 } });
  });
  test("a sweep sends ranges as texts, a walk-forward its lengths", () => {
    const form = { strategy: "sma_cross", "p.fast": "5:50", "p.slow": "30", search: "optuna", trials: "500", sample: "9", train: "504", test: "126", anchored: "yes" };
    expect(bodyOf("sweep", form, SMA.params)).toMatchObject({ grid: { fast: "5:50", slow: 30 }, metric: "sharpe", search: "optuna", trials: 500, sample: null, seed: 0 });
    expect(bodyOf("walkforward", form, SMA.params)).toMatchObject({ train: 504, test: 126, purge: 0, embargo: 0, anchored: true, sample: 9 });
    expect(bodyOf("walkforward", form, SMA.params)).not.toHaveProperty("search");
  });
  test("symbols to try are a list", () => {
    const pair = [{ name: "other", kind: "symbol" as const, default: null, low: null, high: null, whole: false, description: "" }];
    expect(bodyOf("sweep", { strategy: "pairs_zscore", "p.other": "KO, PEP" }, pair)).toMatchObject({ grid: { other: ["KO", "PEP"] } });
  });
  test("one's own expressions are sent with their parameters", () => {
    const form = { strategy: OWN, enter: "rsi(n) < 30", exit: "", stop: "2 * atr(14)", pairs: "n=5:20 other=KO" };
    expect(bodyOf("sweep", form, [])).toMatchObject({ strategy: { enter: "rsi(n) < 30", stop: "2 * atr(14)" }, grid: { n: "5:20", other: "KO" } });
    expect([readPairs("n=5 m"), readPairs("  ")]).toEqual([null, {}]);
  });
  test("what can be told without asking is told by field", () => {
    expect(faultsOf("backtest", { strategy: OWN, pairs: "n" })).toEqual({ enter: "Write when to enter, such as rsi(14) < 30.", pairs: "Write name=value, such as fast=10 slow=30." });
    expect(faultsOf("walkforward", { strategy: "sma_cross", train: "a", cash: "much" })).toMatchObject({ train: "Type a whole number.", test: "Type a number of sessions.", cash: "Cash is a number." });
    expect(faultsOf("sweep", { strategy: "sma_cross", search: "optuna" })).toHaveProperty("trials");
    expect(faultsOf("sweep", { strategy: "sma_cross", fees: "nonsense" })).toEqual({}); // the server knows what a rate may be
  });
  test("a refusal lands on the field it is about", () => {
    const fault = (detail: string, form = { strategy: "sma_cross" }): object => refusalOf(refused(detail), "sweep", form, SMA.params).faults;
    expect(fault("sma_cross: fast must lie between 1 and 2000, not 0")).toHaveProperty("p.fast");
    expect(fault("fees of 5 would be 500% of the traded value")).toHaveProperty("fees");
    expect(fault("there is no symbol 'NOPE' in these bars")).toHaveProperty("symbols");
    expect(fault("custom: exit: at character 1 ('enterr'): there is no indicator called 'enterr'", { strategy: OWN })).toHaveProperty("exit");
    expect(refusalOf(refused("x", [{ field: "rules.cash", message: "a number" }]), "sweep", { strategy: "sma_cross" }, SMA.params).faults).toEqual({ cash: "a number" });
    expect(refusalOf(refused("something else"), "sweep", { strategy: "sma_cross" }, SMA.params)).toEqual({ faults: {}, rest: "something else" });
    expect(refusalOf(new RequestError(503, "Away", "later"), "sweep", {}, [])).toEqual({ faults: {}, rest: null });
  });
  test("a result can be asked again", () => {
    const backtest = formOf(run("backtest"), [SMA]);
    expect(backtest).toEqual({ strategy: "sma_cross", "p.fast": "10", "p.slow": "30", symbols: "AAPL", fees: "0.0005", slippage: "0.0002" });
    expect(readForm(new URLSearchParams(formQuery(backtest)))).toEqual(backtest);
    expect(formOf(run("walkforward"), [SMA])).toMatchObject({ "p.fast": "5:8", "p.slow": "20:35:5", train: "504", test: "126", purge: "5" });
    const guided = run("sweep");
    expect(formOf({ ...guided, spec: { ...guided.spec, search: { by: "optuna", trials: 50, batch: 50 } } }, [SMA])).toMatchObject({ search: "optuna", trials: "50" });
    expect(formOf(guided, [])).toMatchObject({ strategy: OWN, enter: "sma(fast) crosses_above sma(slow)", pairs: "fast=5:8 slow=20:35:5" });
  });
  test("values are written as they are typed", () => {
    expect([rangeText([5, 6, 7]), rangeText([20, 25, 30]), rangeText([5, 10]), rangeText([0.5, 1]), rangeText(["KO", "PEP"])]).toEqual(["5:8", "20:35:5", "5,10", "0.5,1", "KO,PEP"]);
    expect(SMA.params.map((param) => paramNote(param, false))[0]).toBe("Bars of the fast average; 1 to 2000; empty: 10.");
  });
  test("the same question in Python", () => {
    expect(pythonOf("backtest", { strategy: "sma_cross", "p.fast": "10", fees: "5bps" }, SMA.params)).toEqual(['result = client.backtest("sma_cross", fast=10, fees="5bps")']);
    expect(pythonOf("walkforward", { strategy: OWN, enter: "rsi(n) < 30", pairs: "n=5:20", train: "504", test: "126", anchored: "yes" }, [])).toEqual([
      'strategy = gs.strategy(enter="rsi(n) < 30", n=5)', 'result = client.walk_forward(strategy, n="5:20", train=504, test=126, anchored=True)',
    ]);
  });
});

describe("numbers", () => {
  test("a rolling Sharpe is that of each window alone", () => {
    const equity = [100, 101, 99, 103, 102, 104];
    const returns = equity.map((value, at) => (at === 0 ? 0 : value / (equity[at - 1] ?? 1) - 1)).slice(3);
    const mean = returns.reduce((sum, one) => sum + one, 0) / 3;
    const deviation = Math.sqrt(returns.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 2);
    const rolled = rollingSharpe(equity, 252, 0, 3);
    expect(rolled.slice(0, 3)).toEqual([null, null, null]);
    expect(rolled[5]).toBeCloseTo((mean / deviation) * Math.sqrt(252), 9);
  });
  test("what never varies, or fell to zero, has none", () => {
    expect(rollingSharpe([100, 100, 100, 100], 252, 0, 2)).toEqual([null, null, null, null]);
    expect(rollingSharpe([100, 0, 100, 101, 103, 102], 252, 0, 2).slice(0, 4)).toEqual([null, null, null, null]);
    expect(rollingSharpe([100, 0, 100, 101, 103, 102], 252, 0, 2)[4]).not.toBeNull();
  });
  test("months compound to their year; what is not there stays empty", () => {
    expect(byYear([{ year: 2018, month: 2, return: -0.5 }, { year: 2018, month: 1, return: 0.5 }, { year: 2017, month: 12, return: null }])).toMatchObject([{ year: 2017, whole: null }, { year: 2018, whole: -0.25, months: [0.5, -0.5, null, null, null, null, null, null, null, null, null, null] }]);
  });
  test("metrics have their own places, units and better end", () => {
    expect([metricText("total_return", 0.128), metricText("test_sharpe", -0.2), metricText("trades", 1182), metricText("sharpe", null), metricText("fast", 10), metricText("multiplier", 3.5)]).toEqual(["+12.8%", "−0.20", "1,182", "—", "10", "3.5"]);
    expect([metricName("max_drawdown"), metricName("test_sharpe"), metricName("train_first"), metricName("fast")]).toEqual(["Max drawdown", "Sharpe, test", "Train from", "fast"]);
    expect([bestAt("sharpe", [0.1, null, 0.3]), bestAt("volatility", [0.1, 0.05]), bestAt("max_drawdown", [-0.1, -0.2]), bestAt("trades", [1, 2]), bestAt("sharpe", [null])]).toEqual([2, 1, 0, null, null]);
  });
  test("what is typed over a column is what the API filters by", () => {
    expect(apiFilters("sharpe", "0.2..0.5", false)).toEqual(["sharpe:ge:0.2", "sharpe:le:0.5"]);
    expect([apiFilters("fast", "= 5", false), apiFilters("fast", "> 5", false), apiFilters("symbol", " AAPL ", true), apiFilters("fast", "", false), apiFilters("fast", "x", false)]).toEqual([["fast:eq:5"], ["fast:gt:5"], ["symbol:eq:AAPL"], [], "bad"]);
  });
  test("a result says how far it can be believed", () => {
    expect(readBelief(run("sweep"))).toMatchObject({ dsr: 0.64, trials: 486, pbo: 0.74, plateau: 0.57, interval: { low: -0.36, high: 1.12, share: "90 %" }, fill: "next_open" });
    expect(readBelief(run("sweep"))).not.toHaveProperty("breakEven");
    expect(readBelief(run("walkforward"))).toMatchObject({ efficiency: -0.26, breakEven: 32.1, bars: 4 });
    const perBar = run("backtest", { context: { sharpe_interval_per_bar: [-0.01, 0.1] } });
    expect(readBelief({ ...perBar, facts: { context: { annualisation: 100 } } }).interval).toEqual({ low: -0.1, high: 1, share: "95 %" });
  });
});

describe("lines", () => {
  test("many bars keep the least and the most of each pixel", () => {
    const values = Array.from({ length: 10_000 }, (_, at) => (at === 5_005 ? 99 : Math.sin(at)));
    const kept = thinned(values, (at) => at / 100);
    expect(kept.length).toBeLessThanOrEqual(202);
    expect(kept.some(({ value }) => value === 99)).toBe(true);
    expect(kept.every(({ at }, i) => i === 0 || at > (kept[i - 1]?.at ?? 0))).toBe(true);
  });
  test("a line is broken where it is not defined", () => {
    expect(linePath([1, null, 2, 3], (at) => at * 10, (value) => value)).toBe("M0.0 1.0M20.0 2.0L30.0 3.0");
  });
  test("a flat line has a range, nothing has none", () => {
    expect(reach([[5, 5]])).toEqual([4.75, 5.25]);
    expect(reach([[null]])).toBeNull();
  });
  test("labels do not cover each other and stay inside", () => {
    const places = spread([50, 51, 52], 10, 0, 60);
    expect([...places].sort((a, b) => a - b)).toEqual([40, 50, 60]);
  });
  test("time has as many names as there is room for", () => {
    const days = Array.from({ length: 1_000 }, (_, at) => Date.UTC(2014, 0, 2) + at * 86_400_000 * 1.45);
    const ticks = timeTicks(days, 6);
    expect(ticks.length).toBeGreaterThan(2);
    expect(ticks.length).toBeLessThanOrEqual(7);
  });
});
