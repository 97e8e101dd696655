/** What a result says about its own credibility, from its context and facts. Pure. */
import { numberOf, objectOf, textOf } from "@/lib/research";
import type { RunDetail } from "@/types";

export interface Belief {
  dsr: number | null;
  psr: number | null;
  trials: number | null;
  /** Independent trials that all are worth. */
  effective: number | null;
  /** Of the yearly Sharpe ratio. */
  interval: { low: number; high: number; share: string } | null;
  /** Bars it has, and bars after which it would be above 0 with 95 %; null: not even in endless time. */
  bars: number | null;
  needed: number | null;
  fill: string;
  /** Per side, a fraction. */
  fees: number | null;
  /* undefined: this kind of result does not say. */
  breakEven?: number | null;
  pbo?: number | null;
  loss?: number | null;
  plateau?: number | null;
  check?: number | null;
  spa?: number | null;
  efficiency?: number | null;
}

/** `context` of the row and that of the facts say the same; what only one of them has is taken from it. */
export function readBelief(run: Pick<RunDetail, "kind" | "context" | "facts" | "spec" | "metrics">): Belief {
  const context = { ...objectOf(run.facts, "context"), ...run.context };
  const rules = { ...objectOf(run.spec, "rules"), ...objectOf(context, "rules") };
  const year = numberOf(context, "annualisation") ?? 252;
  const told = <K extends string>(key: K, name: string, facts: Readonly<Record<string, unknown>> = context): Partial<Record<K, number | null>> => (name in facts ? ({ [key]: numberOf(facts, name) } as Record<K, number | null>) : {});
  return {
    dsr: numberOf(context, "dsr"),
    psr: numberOf(context, "psr"),
    trials: numberOf(context, "trials"),
    effective: numberOf(context, "effective_trials"),
    interval: intervalOf(context, year),
    bars: numberOf(objectOf(context, "data"), "sessions"),
    needed: numberOf(context, "min_track_bars"),
    fill: textOf(rules, "fill") ?? "next_open",
    fees: numberOf(rules, "fees"),
    ...(run.kind !== "sweep" && { breakEven: run.metrics.break_even_bps ?? null }),
    ...told("pbo", "pbo"),
    ...told("loss", "probability_of_loss"),
    ...told("plateau", "plateau"),
    ...told("check", "reality_check"),
    ...told("spa", "spa"),
    ...told("efficiency", "efficiency", objectOf(context, "walkforward")),
  };
}

function intervalOf(context: Readonly<Record<string, unknown>>, year: number): Belief["interval"] {
  const [low, high] = [numberOf(context, "sharpe_low"), numberOf(context, "sharpe_high")];
  if (low !== null && high !== null) return { low, high, share: "90 %" };
  const edges = context.sharpe_interval_per_bar;
  if (!Array.isArray(edges) || typeof edges[0] !== "number" || typeof edges[1] !== "number") return null;
  const root = Math.sqrt(year);
  return { low: edges[0] * root, high: edges[1] * root, share: "95 %" };
}
