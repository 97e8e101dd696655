/** What a few typed letters mean: fuzzy search in memory, tickers first. */
import { byText } from "./format";

export interface Entry {
  id: string;
  section: "Symbols" | "Pages" | "Agents" | "Jobs" | "Commands";
  label: string;
  detail?: string | undefined;
  shortcut?: string | undefined;
  run: () => void;
}

/** How well `text` answers `query` (lower case), 0 for not at all: whole, beginning, word's beginning, inside, letters in order. */
export function score(query: string, text: string): number {
  const at = text.toLowerCase();
  if (at === query) return 100;
  if (at.startsWith(query)) return 80 - Math.min(20, at.length - query.length);
  if (at.split(/[\s_\-./]+/).some((word) => word.startsWith(query))) return 50;
  if (at.includes(query)) return 30;
  let from = 0;
  for (const letter of query) {
    from = at.indexOf(letter, from) + 1;
    if (from === 0) return 0;
  }
  return query.length > 1 ? 10 : 0;
}

/** The best entries for a query, best first; without one: what was used last, then pages and commands. */
export function best(entries: readonly Entry[], query: string, recent: readonly string[], limit = 40): Entry[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") {
    const used = recent.map((id) => entries.find((entry) => entry.id === id)).filter((entry) => entry !== undefined);
    return [...used, ...entries.filter((entry) => entry.section !== "Symbols" && !recent.includes(entry.id))].slice(0, limit);
  }
  return entries
    .map((entry) => ({ entry, points: points(entry, wanted, recent) }))
    .filter(({ points: number }) => number > 0)
    .sort((a, b) => b.points - a.points || byText(a.entry.label, b.entry.label))
    .slice(0, limit)
    .map(({ entry }) => entry);
}

function points(entry: Entry, wanted: string, recent: readonly string[]): number {
  const name = score(wanted, entry.label);
  const ticker = entry.section === "Symbols" && name >= 60 ? 15 : 0; // a ticker that begins so comes before pages
  const inside = score(wanted, entry.detail ?? ""); // whole words of a description; scattered letters mean nothing there
  const most = Math.max(name + ticker, inside >= 30 ? inside * 0.6 : 0);
  return most === 0 ? 0 : most + (recent.includes(entry.id) ? 5 : 0);
}
