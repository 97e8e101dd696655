/** Any two parameters against each other: the best or the median over the others. */
import { scaleLinear } from "d3-scale";
import { useMemo, useState, type JSX, type KeyboardEvent, type PointerEvent } from "react";

import { metricName, metricText } from "@/lib/metrics";
import type { HeatmapView } from "@/types";
import { useHeatmap } from "@/lib/runs";
import { token, useTheme, type Theme } from "@/lib/theme";
import { useUrlChoice, useUrlText } from "@/lib/url";
import { ErrorPanel, Panel, Segments, Skeleton } from "@/ui";
import { Figure } from "@/research/charts/Figure";

import { SHADES, axisMarks, bestCell, outline, plateau, range, shadePaths, type Cell } from "../model/heat";

const LEFT = 52;
const BOTTOM = 34;
const TOP = 6;
const RIGHT = 8;
const LEGEND = 30;

interface HeatmapProps {
  id: string;
  /** At least two. */
  params: readonly string[];
  metric: string;
}

export function Heatmap({ id, params, metric }: HeatmapProps): JSX.Element {
  const [xText, setX] = useUrlText("x", params[0] ?? "");
  const [yText, setY] = useUrlText("y", params[1] ?? "");
  const x = params.includes(xText) ? xText : (params[0] ?? "");
  const y = params.includes(yText) && yText !== x ? yText : (params.find((name) => name !== x) ?? "");
  const [by, setBy] = useUrlChoice("by", ["median", "best"] as const, "median");
  const query = useHeatmap(id, x, y, metric, by);
  const title = `${metricName(metric)} by ${x} and ${y}`;
  const pick = (label: string, value: string, set: (name: string) => void): JSX.Element => (
    <label className="flex items-center gap-1.5 text-small text-muted">
      {label}
      <select className="gs-input !h-7" value={value} onChange={(event) => { set(event.target.value); }}>
        {params.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  );
  const actions = (
    <>
      {params.length > 2 && <>{pick("x", x, (name) => { if (name === y) setY(x); setX(name); })}{pick("y", y, (name) => { if (name === x) setX(y); setY(name); })}</>}
      {params.length > 2 && <Segments label="Of the other parameters" value={by} onChange={setBy} options={[{ value: "median", label: "Median" }, { value: "best", label: "Best" }]} />}
    </>
  );
  if (query.isPending) return <Panel title="Heatmap"><Skeleton rows={9} label="Reading the heatmap" /></Panel>;
  if (query.data === undefined) return <Panel title="Heatmap"><ErrorPanel what="Reading the heatmap" error={query.error} retry={() => void query.refetch()} /></Panel>;
  const view = query.data;
  const best = bestCell(view.values);
  return (
    <Figure
      title={title}
      name={`heatmap-${x}-${y}`}
      updating={query.isPlaceholderData}
      note={params.length > 2 ? `${by} over the other parameters` : undefined}
      actions={actions}
      summary={best === null ? `No cell of ${x} and ${y} has a ${metricName(metric)}.` : `${metricName(metric)} is best at ${x} ${String(view.x[best.column])} and ${y} ${String(view.y[best.row])} with ${metricText(metric, best.value)}; ${String(plateau(view.values, best).length)} neighbouring cells have at least nine tenths of it.`}
      data={() => ({ header: [`${y} \\ ${x}`, ...view.x.map(String)], rows: view.y.map((value, row) => [String(value), ...(view.values[row] ?? [])]) })}
      show={(value) => metricText(metric, value)}
    >
      {(width) => <Drawing width={width} view={view} x={x} y={y} metric={metric} />}
    </Figure>
  );
}

function Drawing({ width, view, x, y, metric }: { width: number; view: HeatmapView; x: string; y: string; metric: string }): JSX.Element {
  const theme = useTheme();
  const [at, setAt] = useState<Cell | null>(null);
  const columns = view.x.length;
  const rows = view.y.length;
  const height = Math.max(160, Math.min(420, rows * 22));
  const cellWidth = (width - LEFT - RIGHT) / Math.max(1, columns);
  const cellHeight = height / Math.max(1, rows);
  // the smallest y at the bottom, as on any axis
  const flipped = useMemo(() => ({ values: [...view.values].reverse() }), [view.values]);
  const reach = useMemo(() => range(flipped.values), [flipped]);
  const colors = useMemo(() => shades(theme, reach?.about === true), [theme, reach]);
  const paths = useMemo(() => (reach === null ? [] : shadePaths(flipped, reach.low, reach.high, LEFT, TOP, cellWidth, cellHeight)), [flipped, reach, cellWidth, cellHeight]);
  const best = useMemo(() => bestCell(flipped.values), [flipped]);
  const flat = useMemo(() => (best === null ? [] : plateau(flipped.values, best)), [flipped, best]);
  const here = at ?? best;
  const value = here === null ? null : (flipped.values[here.row]?.[here.column] ?? null);
  const words = here === null ? "" : `${x} ${String(view.x[here.column])}, ${y} ${String(view.y[rows - 1 - here.row])}: ${value === null ? "undefined or not tried" : metricText(metric, value)}`;
  const move = (event: PointerEvent): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - LEFT) / cellWidth);
    const row = Math.floor((event.clientY - box.top - TOP) / cellHeight);
    setAt(column >= 0 && column < columns && row >= 0 && row < rows ? { column, row } : null);
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step === undefined || here === null) return;
    event.preventDefault();
    setAt({ column: Math.max(0, Math.min(columns - 1, here.column + (step[0] ?? 0))), row: Math.max(0, Math.min(rows - 1, here.row + (step[1] ?? 0))) });
  };
  const place = (cell: Cell): { x: number; y: number; width: number; height: number } => ({ x: LEFT + cell.column * cellWidth, y: TOP + cell.row * cellHeight, width: cellWidth, height: cellHeight });
  const narrow = width < 480; // no room for words beside the legend
  const whole = TOP + height + BOTTOM + LEGEND + (narrow ? 16 : 0);
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Cell of the heatmap"
      aria-valuemin={0}
      aria-valuemax={columns * rows - 1}
      aria-valuenow={here === null ? 0 : here.row * columns + here.column}
      aria-valuetext={words}
      className="-outline-offset-1"
      onPointerMove={move}
      onPointerLeave={() => { setAt(null); }}
      onKeyDown={key}
      onBlur={() => { setAt(null); }}
    >
      <svg data-drawn="" aria-hidden="true" width={width} height={whole} className="block" fontSize={11}>
        <defs>
          <pattern id="gs-none" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <path d="M0 0V6" stroke="var(--gs-line-strong)" strokeOpacity={0.45} />
          </pattern>
          <linearGradient id="gs-heat">{colors.map((color, index) => <stop key={index} offset={index / (SHADES - 1)} stopColor={color} />)}</linearGradient>
        </defs>
        <rect x={LEFT} y={TOP} width={cellWidth * columns} height={height} fill="url(#gs-none)" />
        {paths.map(({ shade, path }) => <path key={shade} d={path} fill={colors[shade]} shapeRendering="crispEdges" />)}
        {flat.length > 1 && <path d={outline(flat, LEFT, TOP, cellWidth, cellHeight)} fill="none" stroke="var(--gs-text)" strokeWidth={1.2} strokeDasharray="3 2" />}
        {best !== null && <rect {...place(best)} fill="none" stroke="var(--gs-gold-line)" strokeWidth={2} />}
        {at !== null && <rect {...place(at)} fill="none" stroke="var(--gs-focus)" strokeWidth={1.5} />}
        {axisMarks(view.x, (width - LEFT) / 40).map((column) => <text key={column} x={LEFT + (column + 0.5) * cellWidth} y={TOP + height + 14} textAnchor="middle" fill="var(--gs-muted)">{String(view.x[column])}</text>)}
        {axisMarks(view.y, height / 16).map((row) => <text key={row} x={LEFT - 6} y={TOP + height - (row + 0.5) * cellHeight} dy="0.35em" textAnchor="end" fill="var(--gs-muted)">{String(view.y[row])}</text>)}
        <text x={LEFT + (cellWidth * columns) / 2} y={TOP + height + 28} textAnchor="middle" fill="var(--gs-faint)">{x}</text>
        <text transform={`translate(10 ${String(TOP + height / 2)}) rotate(-90)`} textAnchor="middle" fill="var(--gs-faint)">{y}</text>
        {reach !== null && (
          <g transform={`translate(${String(LEFT)} ${String(whole - (narrow ? 38 : 22))})`}>
            <text x={0} y={9} fill="var(--gs-muted)">{metricText(metric, reach.low)}</text>
            <rect x={50} y={1} width={110} height={8} fill="url(#gs-heat)" stroke="var(--gs-line)" />
            <text x={168} y={9} fill="var(--gs-muted)">{metricText(metric, reach.high)}</text>
          </g>
        )}
        <text x={narrow ? LEFT : width - RIGHT} y={whole - 13} textAnchor={narrow ? "start" : "end"} fill="var(--gs-text)">{at === null && best !== null ? `best: ${words}` : words}</text>
      </svg>
    </div>
  );
}

/** The colours of a theme from the least to the most: from down to up about zero, else the sequential scale. */
function shades(theme: Theme, about: boolean): string[] {
  const names = [1, 2, 3, 4, 5].map((step) => token(`${about ? "div" : "seq"}-${String(step)}`));
  if (names.some((name) => name === "")) return Array.from({ length: SHADES }, () => (theme === "dark" ? "#6953a0" : "#a996e2")); // nothing is styled, as in tests
  const scale = scaleLinear<string>(names.map((_, at) => at / 4), names);
  return Array.from({ length: SHADES }, (_, at) => scale(at / (SHADES - 1)));
}
