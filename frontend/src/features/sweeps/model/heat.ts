/** Cells of a heatmap: where each lies, how it is coloured, and the flat ground around the best. Pure. */
import type { HeatmapView } from "@/types";

export const SHADES = 48;
const PLATEAU = 0.9; // of the best

export interface Cell {
  column: number;
  row: number;
}

/** The largest cell; null when none is defined. The first of equals. */
export function bestCell(values: readonly (readonly (number | null)[])[]): (Cell & { value: number }) | null {
  let best: (Cell & { value: number }) | null = null;
  values.forEach((line, row) => {
    line.forEach((value, column) => {
      if (value !== null && (best === null || value > best.value)) best = { column, row, value };
    });
  });
  return best;
}

/** Cells that hang together with the best and have at least nine tenths of its value; only itself where that is not above 0. */
export function plateau(values: readonly (readonly (number | null)[])[], best: Cell & { value: number }): Cell[] {
  const found: Cell[] = [];
  const seen = new Set<string>();
  const waiting: Cell[] = [best];
  while (waiting.length > 0) {
    const cell = waiting.pop();
    if (cell === undefined || seen.has(`${String(cell.column)},${String(cell.row)}`)) continue;
    const value = values[cell.row]?.[cell.column];
    const inside = (cell.column === best.column && cell.row === best.row) || (value != null && best.value > 0 && value >= PLATEAU * best.value);
    if (!inside) continue;
    seen.add(`${String(cell.column)},${String(cell.row)}`);
    found.push(cell);
    for (const [x, y] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) waiting.push({ column: cell.column + x, row: cell.row + y });
  }
  return found;
}

/** The border around cells as a path; `size` is that of a cell in pixels. */
export function outline(cells: readonly Cell[], left: number, top: number, width: number, height: number): string {
  const inside = new Set(cells.map(({ column, row }) => `${String(column)},${String(row)}`));
  return cells
    .map(({ column, row }) => {
      const [x, y] = [left + column * width, top + row * height];
      const open = (dx: number, dy: number): boolean => !inside.has(`${String(column + dx)},${String(row + dy)}`);
      return `${open(0, -1) ? `M${String(x)} ${String(y)}h${String(width)}` : ""}${open(0, 1) ? `M${String(x)} ${String(y + height)}h${String(width)}` : ""}${open(-1, 0) ? `M${String(x)} ${String(y)}v${String(height)}` : ""}${open(1, 0) ? `M${String(x + width)} ${String(y)}v${String(height)}` : ""}`;
    })
    .join("");
}

/** Where the values lie: about zero when they are on both sides of it, else from the least to the most. */
export function range(values: readonly (readonly (number | null)[])[]): { low: number; high: number; about: boolean } | null {
  let low = Infinity;
  let high = -Infinity;
  for (const line of values) for (const value of line) if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
  if (low > high) return null;
  if (low < 0 && high > 0) { const most = Math.max(-low, high); return { low: -most, high: most, about: true }; }
  return { low, high: high === low ? low + 1e-9 : high, about: false };
}

/** One path of squares for each shade: as few drawings as shades, however many cells. */
export function shadePaths({ values }: Pick<HeatmapView, "values">, low: number, high: number, left: number, top: number, width: number, height: number): { shade: number; path: string }[] {
  const paths = new Map<number, string>();
  values.forEach((line, row) => {
    line.forEach((value, column) => {
      if (value === null) return;
      const shade = Math.max(0, Math.min(SHADES - 1, Math.floor(((value - low) / (high - low)) * SHADES)));
      paths.set(shade, `${paths.get(shade) ?? ""}M${(left + column * width).toFixed(2)} ${(top + row * height).toFixed(2)}h${width.toFixed(2)}v${height.toFixed(2)}h${(-width).toFixed(2)}z`);
    });
  });
  return [...paths].map(([shade, path]) => ({ shade, path }));
}

/** Marks along an axis of values: at most so many, evenly. */
export function axisMarks(values: readonly unknown[], most: number): number[] {
  const step = Math.max(1, Math.ceil(values.length / Math.max(1, most)));
  return values.flatMap((_, at) => (at % step === 0 ? [at] : []));
}
