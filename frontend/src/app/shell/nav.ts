/** The pages that exist; absent features are absent here too. */
import type { IconName } from "@/ui";

export interface NavPage {
  path: string;
  name: string;
  icon: IconName;
  keys: string;
  group: "watch" | "Research" | "System";
}

export const PAGES: readonly NavPage[] = [
  { path: "/", name: "Overview", icon: "overview", keys: "g o", group: "watch" },
  { path: "/signals", name: "Signals", icon: "signals", keys: "g s", group: "watch" },
  { path: "/agents", name: "Agents", icon: "agents", keys: "g a", group: "watch" },
  { path: "/scans", name: "Scans", icon: "scans", keys: "g c", group: "Research" },
  { path: "/backtests", name: "Backtests", icon: "backtests", keys: "g b", group: "Research" },
  { path: "/sweeps", name: "Sweeps", icon: "sweeps", keys: "g p", group: "Research" },
  { path: "/walkforwards", name: "Walk-forward", icon: "walkforwards", keys: "g w", group: "Research" },
  { path: "/runs", name: "Runs", icon: "runs", keys: "g r", group: "Research" },
  { path: "/jobs", name: "Jobs", icon: "jobs", keys: "g j", group: "System" },
];

/** The title of the page at a path: its name, and what it is about. */
export function titleOf(path: string): { page: string; of: string | null } {
  const [, first = "", second] = path.split("/");
  if (first === "symbols") return { page: "Symbols", of: second === undefined ? null : decodeURIComponent(second) };
  if (first === "compare") return { page: "Runs", of: "Compare" };
  if (first === "runs" && path.endsWith("/report")) return { page: "Runs", of: "Report" };
  const page = PAGES.find((one) => one.path === `/${first}`);
  return { page: page?.name ?? "No such page", of: null };
}
