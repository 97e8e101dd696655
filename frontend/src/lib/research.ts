/** Backtests, sweeps, walk-forwards: what is asked, what comes back, and where each thing is. */
import type { JobView } from "@/types";

export type Kind = "backtest" | "sweep" | "walkforward";

/** A kind in words, and its addresses in the API and here. */
export interface KindWords {
  kind: Kind;
  /** "backtest", "sweep", "walk-forward" */
  noun: string;
  many: string;
  api: string;
  path: string;
}

export const KINDS: Record<Kind, KindWords> = {
  backtest: { kind: "backtest", noun: "backtest", many: "Backtests", api: "/v1/backtests", path: "/backtests" },
  sweep: { kind: "sweep", noun: "sweep", many: "Sweeps", api: "/v1/sweeps", path: "/sweeps" },
  walkforward: { kind: "walkforward", noun: "walk-forward", many: "Walk-forwards", api: "/v1/walkforwards", path: "/walkforwards" },
};

/** The words of a kind that a server named; null for one that is not research. */
export function kindOf(kind: string): KindWords | null {
  return kind === "backtest" || kind === "sweep" || kind === "walkforward" ? KINDS[kind] : null;
}

/** Where a result is shown. */
export function runPath(kind: string, resultId: string): string {
  return `${kindOf(kind)?.path ?? "/runs"}/${resultId}`;
}

/** Where a job is shown: how far it is, or what became of it. */
export function jobPath(job: Pick<JobView, "kind" | "job_id">): string {
  if (job.kind === "scan") return `/scans/${job.job_id}`;
  const words = kindOf(job.kind);
  return words === null ? `/jobs?open=${job.job_id}` : `${words.path}/jobs/${job.job_id}`;
}

/** Whether a job will not change any more. */
export function isOver(job: Pick<JobView, "state">): boolean {
  return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}

/** A number that a specification or a context holds under a name; null for anything else. */
export function numberOf(facts: Readonly<Record<string, unknown>> | null | undefined, name: string): number | null {
  const value = facts?.[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** An object that a specification holds under a name; empty for anything else, as other versions may say it otherwise. */
export function objectOf(facts: Readonly<Record<string, unknown>> | null | undefined, name: string): Readonly<Record<string, unknown>> {
  const value = facts?.[name];
  return isObject(value) ? value : {};
}

/** The rows that a specification holds under a name. */
export function rowsOf(facts: Readonly<Record<string, unknown>> | null | undefined, name: string): Readonly<Record<string, unknown>>[] {
  const value = facts?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function textOf(facts: Readonly<Record<string, unknown>> | null | undefined, name: string): string | null {
  const value = facts?.[name];
  return typeof value === "string" && value !== "" ? value : null;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
