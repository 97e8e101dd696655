/** The pages that exist; absent features are absent here too. */
import type { IconName } from "@/ui";

export interface NavPage {
  path: string;
  name: string;
  icon: IconName;
  keys: string;
  group: "watch" | "Research";
}

export const PAGES: readonly NavPage[] = [
  { path: "/", name: "Overview", icon: "overview", keys: "g o", group: "watch" },
  { path: "/signals", name: "Signals", icon: "signals", keys: "g s", group: "watch" },
  { path: "/agents", name: "Agents", icon: "agents", keys: "g a", group: "watch" },
  { path: "/scans", name: "Scans", icon: "scans", keys: "g c", group: "Research" },
];

/** The title of the page at a path: its name, and what it is about. */
export function titleOf(path: string): { page: string; of: string | null } {
  const [, first = "", second] = path.split("/");
  if (first === "symbols") return { page: "Symbols", of: second === undefined ? null : decodeURIComponent(second) };
  const page = PAGES.find((one) => one.path === `/${first}`);
  return { page: page?.name ?? "No such page", of: null };
}
