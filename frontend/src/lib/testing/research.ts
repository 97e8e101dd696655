/** Small whole results for tests of the research pages. */
import type { EstimateView, JobView, RunDetail, StrategyView, TableRows, TableView } from "@/types";
import { CLOSE } from "./samples";

export const RUN = "a".repeat(32);
export const JOB = "1".repeat(32);

export const SMA: StrategyView = {
  name: "sma_cross", description: "Buys when the fast average crosses above the slow one.", source: "Brock (1992)", where: "fast < slow",
  params: [
    { name: "fast", kind: "number", default: 10, low: 1, high: 2000, whole: true, description: "bars of the fast average" },
    { name: "slow", kind: "number", default: 30, low: 2, high: 5000, whole: true, description: "bars of the slow average" },
  ],
  rules: { enter: "sma(fast) crosses_above sma(slow)", exit: "sma(fast) crosses_below sma(slow)" },
};

export const ESTIMATE: EstimateView = { sets: 485, symbols: 8, bars: 10_072, backtests: 3_880, chunks: 2, core_seconds: 4.2, worker_bytes: 48_000_000, result_id: RUN, known: false };

export function researchJob(more: Partial<JobView> = {}): JobView {
  return {
    job_id: JOB, kind: "sweep", spec: {}, owner: "kv", priority: 4, state: "running", done: 100, total: 485, rate: 50, eta_s: 8.1, error: null, result: null,
    result_id: null, title: "sma_cross on AAPL", created_at: CLOSE, started_at: CLOSE, updated_at: "2018-02-05T21:00:08Z", ...more,
  };
}

const STRATEGY = { name: "sma_cross", description: "Buys.", source: "", params: { fast: { low: 1, high: 2000, whole: true, default: 10 } }, enter: "sma(fast) crosses_above sma(slow)", exit: "sma(fast) crosses_below sma(slow)", where: "fast < slow" };
const RULES = { cash: 100_000, fees: 0.0005, slippage: 0.0002, fill: "next_open", mode: "independent", leverage: 1, risk_free: 0, rank: null };
const BELIEF = { psr: 0.82, dsr: 0.64, trials: 486, effective_trials: 52.1, min_track_bars: 4073, sharpe_low: -0.36, sharpe_high: 1.12 };
const METRICS = { total_return: 0.128, cagr: 0.024, sharpe: 0.41, max_drawdown: -0.1, trades: 182, break_even_bps: 32.1, win_rate: null };
const DATA = { hash: "d".repeat(64), symbols: 1, bars: 4, sessions: 4, first: "2018-02-01T21:00:00Z", last: "2018-02-06T21:00:00Z", frame: "1d" };

export function run(kind: "backtest" | "sweep" | "walkforward", more: Partial<RunDetail> = {}): RunDetail {
  const grid = { axes: { fast: [5, 6, 7], slow: [20, 25, 30] }, where: null, sample: null, seed: 0 };
  const spec = { kind, strategy: STRATEGY, rules: RULES, universe: "list", data: DATA.hash, source: { bars: "feed", symbols: "AAPL", until: null } };
  const base = { result_id: RUN, kind, title: `sma_cross on AAPL`, owner: "kv", job_id: JOB, created_at: CLOSE, metrics: METRICS, context: BELIEF, warnings: [] };
  if (kind === "sweep") {
    const best = { set: 4, fast: 6, slow: 25, sharpe: 0.36, total_return: 0.15, portfolio: { ...METRICS, sharpe: 0.48 } };
    return { ...base, spec: { ...spec, grid, metric: "sharpe" }, facts: { metric: "sharpe", sets: 9, symbols: 1, top: [best], context: { ...BELIEF, pbo: 0.74, plateau: 0.57 } }, ...more };
  }
  const context = { ...BELIEF, rules: RULES, annualisation: 252, data: DATA, benchmark: { kind: "buy_and_hold", total_return: 0.56, sharpe: 0.83, beta: 0.41 }, monthly: [{ year: 2018, month: 1, return: 0.018 }, { year: 2018, month: 2, return: -0.033 }], cost_curve: [[0, 0.15], [50, -0.05]], walkforward: { efficiency: -0.26 } };
  const facts = { metrics: METRICS, reasons: { win_rate: "no trade was closed" }, by_symbol: { AAPL: METRICS }, context };
  return { ...base, spec: kind === "backtest" ? { ...spec, params: { fast: 10, slow: 30 } } : { ...spec, grid, metric: "sharpe", lengths: { train: 504, test: 126, purge: 5, embargo: 0, anchored: false } }, facts, ...more };
}

const number = (name: string): TableRows["columns"][number] => ({ name, type: "number" });
const time = (name: string): TableRows["columns"][number] => ({ name, type: "time" });
const DAYS = ["2018-02-01T21:00:00Z", "2018-02-02T21:00:00Z", "2018-02-05T21:00:00Z", "2018-02-06T21:00:00Z"];

export const ROWS: Record<string, TableRows> = {
  equity: page([time("ts"), number("equity"), number("drawdown"), number("exposure"), number("benchmark")], DAYS.map((ts, at) => [ts, 100_000 + at * 500, at === 2 ? -0.02 : 0, at / 4, 100_000 + at * 700])),
  trades: page([{ name: "symbol", type: "text" }, { name: "side", type: "text" }, time("entry_ts"), time("exit_ts"), number("return"), { name: "bars", type: "integer" }], [["AAPL", "long", DAYS[0] ?? "", DAYS[2] ?? "", 0.021, 2], ["AAPL", "long", DAYS[2] ?? "", null, -0.004, 1]]),
  sets: page([{ name: "set", type: "integer" }, { name: "fast", type: "integer" }, { name: "slow", type: "integer" }, number("sharpe"), number("total_return")], [[4, 6, 25, 0.36, 0.15], [0, 5, 20, 0.1, 0.02], [8, 7, 30, null, null]]),
  folds: page([{ name: "fold", type: "integer" }, { name: "partial", type: "boolean" }, time("train_first"), time("train_last"), time("test_first"), time("test_last"), { name: "fast", type: "integer" }, number("train_score"), number("train_return"), number("test_sharpe"), number("test_total_return")], [[0, false, "2015-02-02T21:00:00Z", "2016-02-02T21:00:00Z", "2016-02-09T21:00:00Z", "2016-08-09T21:00:00Z", 5, 0.3, 0.1, -0.2, -0.01], [1, true, "2015-08-02T21:00:00Z", "2016-08-02T21:00:00Z", "2016-08-09T21:00:00Z", "2016-10-09T21:00:00Z", 6, 0.5, 0.08, 0.7, 0.02]]),
  drift: page([{ name: "parameter", type: "text" }, { name: "distinct", type: "integer" }, { name: "changes", type: "integer" }, number("mean_step")], [["fast", 2, 1, 0.13]]),
};

function page(columns: TableRows["columns"], rows: TableRows["rows"]): TableRows {
  return { columns, rows, total: rows.length, offset: 0 };
}

/** What the API answers about the one result there is; null: it has nothing at this address. */
export function answerOf(url: string, detail: RunDetail): unknown {
  const path = new URL(url, "http://gs.test").pathname;
  const table = /\/tables\/(\w+)$/.exec(path)?.[1];
  if (table !== undefined) return ROWS[table] ?? null;
  if (path.endsWith("/tables")) return Object.entries(ROWS).map(([name, { columns, total }]): TableView => ({ name, columns, rows: total }));
  if (path.endsWith("/heatmap")) return { x: [5, 6, 7], y: [20, 25, 30], values: [[0.1, 0.2, null], [0.3, 0.36, 0.34], [-0.1, 0, 0.1]], metric: "sharpe", by: "median" };
  if (path.endsWith("/slices")) return [{ parameter: "fast", values: [5, 6, 7], low: [0, 0.1, 0.1], median: [0.1, 0.2, 0.2], high: [0.2, 0.3, 0.3], best: [0.3, 0.36, 0.34], sets: [3, 3, 3] }];
  if (path.endsWith("/histogram")) return { edges: [-0.1, 0, 0.2, 0.4], counts: [2, 4, 2], undefined: 1 };
  if (path.endsWith("/nodes")) return [{ node: "10.0.0.1", chunks: 2, work_s: 3.1, rate: 50, share: 1 }];
  if (path.endsWith("/v1/strategies")) return [SMA];
  if (path.endsWith("/estimate")) return ESTIMATE;
  if (path.includes("/v1/runs/")) return detail;
  if (path.endsWith("/v1/runs")) return { items: [detail, { ...detail, result_id: "b".repeat(32), title: "other on AAPL", metrics: { ...detail.metrics, sharpe: 0.9 } }], next: null };
  if (/\/v1\/jobs\/\w+$/.test(path)) return researchJob();
  if (path.endsWith("/v1/jobs")) return { items: [researchJob(), researchJob({ job_id: "2".repeat(32), kind: "backtest", state: "failed", error: "No worker answered in 30 s.", title: "custom on KO" })], next: null };
  return null;
}
