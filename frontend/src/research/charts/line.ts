/** Lines over many bars as SVG paths: at most two points for each pixel column, so the least and the most stay. Pure. */

export type Value = number | null;

/** A path through the values; broken where one is null. `x` maps positions, `y` values, both to pixels. */
export function linePath(values: readonly Value[], x: (at: number) => number, y: (value: number) => number): string {
  let path = "";
  let pen = false;
  for (const { at, value } of thinned(values, x)) {
    if (value === null) pen = false;
    else {
      path += `${pen ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = true;
    }
  }
  return path;
}

/** The area between the line and a level. */
export function areaPath(values: readonly Value[], x: (at: number) => number, y: (value: number) => number, level: number): string {
  const points = thinned(values, x).filter((point): point is { at: number; value: number } => point.value !== null);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return "";
  const base = y(level).toFixed(1);
  return `M${x(first.at).toFixed(1)} ${base}${points.map(({ at, value }) => `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("")}L${x(last.at).toFixed(1)} ${base}Z`;
}

/** All points, or where they are denser than pixels, the least and the most of each column in the order they come. */
export function thinned(values: readonly Value[], x: (at: number) => number): { at: number; value: Value }[] {
  const count = values.length;
  const dense = count > 2 && (x(count - 1) - x(0)) / (count - 1) < 0.5;
  const all = values.map((value, at) => ({ at, value }));
  if (!dense) return all;
  const kept: { at: number; value: Value }[] = [];
  let column = -1;
  let low: { at: number; value: number } | null = null;
  let high: { at: number; value: number } | null = null;
  const put = (): void => {
    if (low === null || high === null) return;
    if (low.at === high.at) kept.push(low);
    else kept.push(...(low.at < high.at ? [low, high] : [high, low]));
    low = high = null;
  };
  for (const { at, value } of all) {
    const here = Math.floor(x(at));
    if (here !== column) put();
    column = here;
    if (value === null) {
      put();
      kept.push({ at, value });
      continue;
    }
    if (low === null || value < low.value) low = { at, value };
    if (high === null || value > high.value) high = { at, value };
  }
  put();
  return kept;
}

/** The least and the most of several lines and levels; null when there is none. A flat range is widened. */
export function reach(lines: readonly (readonly Value[])[], levels: readonly number[] = []): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of [...levels, ...lines.flat()]) {
    if (value === null || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return null;
  if (low === high) return [low - (Math.abs(low) || 1) * 0.05, high + (Math.abs(high) || 1) * 0.05];
  return [low, high];
}

/** Positions of sessions that get a name below the axis: starts of months or years, with room between them. */
export function timeTicks(ts: readonly number[], room: number): { at: number; text: string }[] {
  const most = Math.max(2, Math.floor(room));
  const months = ts.map((ms) => { const day = new Date(ms); return day.getUTCFullYear() * 12 + day.getUTCMonth(); });
  const span = (months.at(-1) ?? 0) - (months[0] ?? 0);
  const step = [1, 2, 3, 6, 12, 24, 60, 120].find((months_) => span / months_ <= most) ?? 240;
  const ticks: { at: number; text: string }[] = [];
  months.forEach((month, at) => {
    if (at === 0 || month === months[at - 1] || month % step !== 0) return;
    const year = Math.floor(month / 12);
    ticks.push({ at, text: step >= 12 || month % 12 === 0 ? String(year) : `${NAMES[month % 12] ?? ""}${ticks.length === 0 ? ` ${String(year)}` : ""}` });
  });
  return ticks;
}

const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
export { NAMES as MONTHS };

/** Places for labels at the ends of lines so that none covers another: wanted heights in, heights out, same order. */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at);
  const placed: number[] = [];
  let last = -Infinity;
  for (const { at } of order) {
    last = Math.max(at, last + gap);
    placed.push(last);
  }
  const found = new Array<number>(wanted.length).fill(0);
  let roof = Infinity;
  for (let i = order.length - 1; i >= 0; i -= 1) {
    const at = Math.max(low, Math.min(placed[i] ?? 0, roof - gap, high));
    found[order[i]?.index ?? 0] = at;
    roof = at;
  }
  return found;
}
