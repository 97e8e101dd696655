/**
 * What the Symbol page shows, as its URL says it: the as-of moment, the visible range, the indicators and how high their
 * panes are, chart or table.
 *
 * Indicators are written as in the expression language, `ema(20)`, `atr(14,ema)`, `beta(5,other=MSFT)`; numbers and
 * names of choices stand in the order of the registry's parameters. What cannot be read is dropped, so an old or edited
 * link opens with what it still says.
 */

export const RANGES = { "3M": 63, "8M": 168, "2Y": 504, All: null } as const; // bars; null: the whole history

export type Range = keyof typeof RANGES;

export interface Pick {
  name: string;
  params: (number | string)[]; // a string names a choice
  /** The symbol it compares this one with; only for an indicator of two. */
  other?: string;
}

export interface View {
  asOf: string | null; // a day, yyyy-mm-dd in exchange time, or an instant with its zone; null: the newest bar, live
  range: Range;
  picks: Pick[];
  heights: readonly number[] | null; // share of each pane from the top, per cent; null: as by default
  table: boolean;
}

export const DEFAULT_PICKS: readonly Pick[] = [
  { name: "ema", params: [20] },
  { name: "ema", params: [50] },
  { name: "sma", params: [200] },
  { name: "rsi", params: [14] },
];

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
const PICK = /^([a-z][a-z0-9_]*)\(([^()]*)\)$/;
const CHOICE = /^[a-z][a-z0-9_]*$/;
const OTHER = "other=";
const MOST_PICKS = 12;

export function readView(query: URLSearchParams): View {
  const asOf = query.get("as_of");
  const range = query.get("range") ?? "";
  const panes = query.get("panes");
  return {
    asOf: asOf !== null && (isDay(asOf) || isInstant(asOf)) ? asOf : null,
    range: range in RANGES ? (range as Range) : "8M",
    picks: panes === null ? [...DEFAULT_PICKS] : readPicks(panes),
    heights: readHeights(query.get("heights") ?? ""),
    table: query.get("view") === "table",
  };
}

/** The query of a view; what is as by default is left out, so that the plain address is the plain page. */
export function writeView(view: View): URLSearchParams {
  const query = new URLSearchParams();
  if (view.asOf !== null) query.set("as_of", view.asOf);
  if (view.range !== "8M") query.set("range", view.range);
  const panes = view.picks.map(pickText).join(",");
  if (panes !== DEFAULT_PICKS.map(pickText).join(",")) query.set("panes", panes);
  if (view.heights !== null) query.set("heights", view.heights.join(","));
  if (view.table) query.set("view", "table");
  return query;
}

export function readPicks(text: string): Pick[] {
  const picks: Pick[] = [];
  for (const part of text.split(/,(?![^(]*\))/)) {
    const [, name, list] = PICK.exec(part.trim()) ?? [];
    if (name === undefined || list === undefined) continue;
    const words = list.trim() === "" ? [] : list.split(",").map((word) => word.trim());
    const other = words.find((word) => word.startsWith(OTHER))?.slice(OTHER.length);
    const params = words.filter((word) => !word.startsWith(OTHER)).map((word) => (CHOICE.test(word) ? word : word === "" ? NaN : Number(word)));
    const pick = { name, params, ...(other !== undefined && { other }) };
    if (params.every((param) => typeof param === "string" || Number.isFinite(param)) && !picks.some((one) => samePick(one, pick))) {
      picks.push(pick);
    }
  }
  return picks.slice(0, MOST_PICKS);
}

export function pickText(pick: Pick): string {
  return `${pick.name}(${[...pick.params, ...(pick.other === undefined ? [] : [`${OTHER}${pick.other}`])].join(",")})`;
}

export function samePick(one: Pick, other: Pick): boolean {
  return pickText(one) === pickText(other);
}

/** `52,14.5,33.5`; null for what is no list of shares. */
function readHeights(text: string): number[] | null {
  const shares = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  return shares.every((share) => share > 0 && share <= 100) ? shares : null;
}

export function isDay(text: string): boolean {
  if (!DAY.test(text)) return false;
  const moment = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(moment.valueOf()) && moment.toISOString().startsWith(text);
}

function isInstant(text: string): boolean {
  return INSTANT.test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text));
}
