/** The metrics of a result: their words, units, places, and which end is the better one. The keys are the API's. */
import { NONE, change, count, fixed, percent, price, signed } from "./format";

interface Metric {
  /** "Max drawdown" */
  name: string;
  /** What stands in a column's head beside the name: "%", "bps". */
  unit?: string;
  show: (value: number | null | undefined) => string;
  /** Where the better values are; absent where neither end is. */
  better?: "high" | "low";
}

const ratio = (value: number | null | undefined): string => signed(value, 2);

export const METRICS: Readonly<Record<string, Metric>> = {
  total_return: { name: "Total return", show: change, better: "high" },
  cagr: { name: "CAGR", show: change, better: "high" },
  sharpe: { name: "Sharpe", show: ratio, better: "high" },
  sortino: { name: "Sortino", show: ratio, better: "high" },
  calmar: { name: "Calmar", show: ratio, better: "high" },
  omega: { name: "Omega", show: (value) => fixed(value, 2), better: "high" },
  volatility: { name: "Volatility, yearly", show: percent, better: "low" },
  max_drawdown: { name: "Max drawdown", show: change, better: "high" },
  max_drawdown_duration: { name: "Longest drawdown", unit: "bars", show: count, better: "low" },
  win_rate: { name: "Win rate", show: percent, better: "high" },
  profit_factor: { name: "Profit factor", show: (value) => fixed(value, 2), better: "high" },
  expectancy: { name: "Expectancy, per trade", show: (value) => change(value, 2), better: "high" },
  sqn: { name: "SQN", show: ratio, better: "high" },
  trades: { name: "Trades", show: count },
  exposure: { name: "Exposure", show: percent },
  turnover: { name: "Turnover, per year", show: (value) => fixed(value, 2) },
  fees_paid: { name: "Fees paid", show: count, better: "low" },
  break_even_bps: { name: "Break-even", unit: "bps", show: (value) => fixed(value, 1), better: "high" },
};

const FOLD = /^(train|test)_(.+)$/;

/** What is no metric but stands in tables: of trades, folds and curves. */
const OTHERS: Readonly<Record<string, { name: string; show?: Metric["show"] }>> = {
  symbol: { name: "Symbol" },
  side: { name: "Side" },
  entry_ts: { name: "Entered" },
  exit_ts: { name: "Left" },
  shares: { name: "Shares", show: (value) => fixed(value, 2) },
  entry_price: { name: "Entry price", show: price },
  exit_price: { name: "Exit price", show: price },
  fees: { name: "Fees", show: (value) => fixed(value, 2) },
  borrow: { name: "Borrow", show: (value) => fixed(value, 2) },
  pnl: { name: "Profit", show: (value) => signed(value, 0) },
  return: { name: "Return", show: (value) => change(value, 2) },
  bars: { name: "Bars", show: count },
  reason: { name: "Reason" },
  set: { name: "Set", show: (value) => (value == null ? NONE : String(value)) },
  fold: { name: "Fold", show: (value) => (value == null ? NONE : String(value)) },
  partial: { name: "Partial" },
  first: { name: "from" },
  last: { name: "to" },
  score: { name: "score", show: ratio },
  ts: { name: "Session" },
  equity: { name: "Equity", show: count },
  benchmark: { name: "Benchmark", show: count },
  drawdown: { name: "Drawdown", show: change },
  fee_bps: { name: "Fee, bps", show: (value) => fixed(value, 1) },
  from: { name: "From" },
  to: { name: "To" },
  count: { name: "Sets", show: count },
};

export const METRIC_NAMES: readonly string[] = Object.keys(METRICS);

/** Metrics that a list of results shows. */
export const HEADLINE = ["total_return", "sharpe", "max_drawdown", "trades"] as const;

/** What a result has only with a benchmark beside it. */
export const BESIDE: Readonly<Record<string, Metric>> = {
  excess_return: { name: "Excess return", show: change },
  beta: { name: "Beta", show: ratio },
  alpha: { name: "Alpha, yearly", show: change },
  correlation: { name: "Correlation", show: ratio },
  tracking_error: { name: "Tracking error", show: percent },
  information_ratio: { name: "Information ratio", show: ratio },
};

/** "Max drawdown" for `max_drawdown`; for a name we do not know, such as that of a parameter, the name. */
export function metricName(key: string): string {
  const known = METRICS[key] ?? BESIDE[key];
  if (known !== undefined) return known.unit === undefined ? known.name : `${known.name}, ${known.unit}`;
  const tested = FOLD.exec(key);
  if (tested !== null) {
    const [, side = "", base = ""] = tested;
    const other = OTHERS[base];
    return other === undefined ? `${metricName(base)}, ${side}` : `${side.charAt(0).toUpperCase()}${side.slice(1)} ${other.name.toLowerCase()}`;
  }
  return OTHERS[key]?.name ?? key;
}

/** A value of a metric, as it is read. */
export function metricText(key: string, value: number | null | undefined): string {
  if (value == null) return NONE;
  const base = FOLD.exec(key)?.[2] ?? key; // of a fold: `test_sharpe`
  return (METRICS[base] ?? BESIDE[base] ?? OTHERS[base])?.show?.(value) ?? general(value);
}

/** A number of unknown meaning: whole ones grouped, others to four digits, as one types them. */
export function general(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return NONE;
  if (Number.isInteger(value)) return count(value);
  const places = Math.max(0, 3 - Math.floor(Math.log10(Math.abs(value))));
  return fixed(value, Math.min(8, places)).replace(/0+$/, "");
}

/** Which of these values is the best; null where neither end is, or nothing is defined. The first of equals. */
export function bestAt(key: string, values: readonly (number | null)[]): number | null {
  const better = METRICS[key]?.better;
  if (better === undefined) return null;
  let best: number | null = null;
  values.forEach((value, at) => {
    if (value === null) return;
    const held = best === null ? null : (values[best] ?? null);
    if (held === null || (better === "high" ? value > held : value < held)) best = at;
  });
  return best;
}
