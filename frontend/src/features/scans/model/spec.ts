/** What a scan was asked: the job's specification in words, and the form that makes one. */
import { call } from "@/lib/python";
import { universeName } from "@/lib/universe";
import type { JobView, ScanCreate } from "@/types";

export interface ScanSpec {
  universe: string;
  agents: string[];
  asOf: string | null; // ISO time
  source: string;
}

export interface ScanForm {
  universe: string;
  agents: string[] | null; // null: all
  asOf: string; // yyyy-mm-dd; empty: the newest session
}

const FIELDS = ["universe", "agents", "as_of"] as const;
export type Field = (typeof FIELDS)[number];

/** The specification of a job. Missing parts are empty: a job of another version is still listed. */
export function specOf(job: Pick<JobView, "spec">): ScanSpec {
  const { universe, agents, as_of: asOf, source } = job.spec;
  return {
    universe: typeof universe === "string" ? universe : "",
    agents: Array.isArray(agents) ? agents.filter((name): name is string => typeof name === "string") : [],
    asOf: typeof asOf === "string" ? asOf : null,
    source: typeof source === "string" ? source : "",
  };
}

/** How many symbols a done scan has signals for; null: not done. */
export function hitsOf(job: Pick<JobView, "result">): number | null {
  const signals = job.result?.signals;
  return typeof signals === "number" ? signals : null;
}

/** The request of a form; what is left out takes the feed's default. */
export function requestOf(form: ScanForm): ScanCreate {
  const universe = form.universe.trim();
  return {
    universe: universe === "" ? null : universe,
    agents: form.agents,
    as_of: form.asOf === "" ? null : form.asOf,
    bars: null,
    priority: 5,
  };
}

/** What can be told without asking the server, by field. */
export function faultsOf(form: ScanForm): Partial<Record<Field, string>> {
  const faults: Partial<Record<Field, string>> = {};
  if (form.agents?.length === 0) faults.agents = "Choose at least one agent.";
  if (form.asOf !== "" && Number.isNaN(Date.parse(form.asOf))) faults.as_of = "Type a date like 2018-02-05.";
  return faults;
}

/** The server's faults by field of the form; `rest` is what belongs to no field: the message of the whole form. */
export function fieldFaults(
  errors: readonly { field: string; message: string }[],
  detail: string,
): { faults: Partial<Record<Field, string>>; rest: string | null } {
  const faults: Partial<Record<Field, string>> = {};
  for (const { field, message } of errors) {
    const name = FIELDS.find((one) => field === one || field.startsWith(`${one}.`));
    if (name !== undefined) faults[name] ??= message;
  }
  if (Object.keys(faults).length > 0) return { faults, rest: null };
  // a refusal by the scan itself names what it is about in its sentence, not in a list of fields
  const about = ([["as_of", /as_of|\bdate\b/], ["agents", /\bagents?\b/], ["universe", /\b(symbols?|universe)\b/]] as const).find(([, words]) => words.test(detail));
  return about === undefined ? { faults, rest: detail } : { faults: { [about[0]]: detail }, rest: null };
}

/** The address of the form, filled with what a scan was asked. */
export function formQuery(spec: ScanSpec, day: string | null): URLSearchParams {
  const query = new URLSearchParams();
  if (spec.universe !== "") query.set("universe", universeName(spec.universe));
  if (spec.agents.length > 0) query.set("agents", spec.agents.join(","));
  if (day !== null) query.set("as_of", day);
  return query;
}

export function readForm(query: URLSearchParams): ScanForm {
  const agents = query.get("agents");
  return {
    universe: query.get("universe") ?? "",
    agents: agents === null ? null : agents.split(",").filter((name) => name !== ""),
    asOf: query.get("as_of") ?? "",
  };
}

/** The scan as calls of the Python client: asked again it answers at once. Bars that somebody uploaded are not the server's to scan so. */
export function pythonOf(id: string, { universe, agents, asOf, source }: ScanSpec): string[] {
  if (source.startsWith("upload:")) return [`result = ${call("scan_table", [id])}`];
  const named = { universe: universe === "" ? null : universeName(universe), agents: agents.length === 0 ? null : agents, as_of: asOf };
  return [`result = ${call("scan", [], named)}`];
}
