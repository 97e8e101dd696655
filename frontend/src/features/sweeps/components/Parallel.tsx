/**
 * Every set as a line across its parameters and metrics. A range drawn on an axis is a filter of the table below, and a
 * filter typed there is a range here. Above 2,000 lines they are drawn on a canvas.
 */
import { scaleLinear, scalePoint, type ScaleLinear } from "d3-scale";
import { useEffect, useMemo, useRef, useState, type JSX, type PointerEvent } from "react";

import { readTest } from "@/lib/filters";
import { count, plural } from "@/lib/format";
import { metricName, metricText } from "@/lib/metrics";
import type { ColumnView } from "@/types";
import { useRows } from "@/lib/runs";
import { token, useTheme } from "@/lib/theme";
import { Empty, ErrorPanel, Panel, Skeleton } from "@/ui";
import { Figure } from "@/research/charts/Figure";
import { isNumber, useTableFilters } from "@/research/RowsTable";
import { numbers } from "@/research/curves";

import { linesOf, passes, type Line, type Range } from "../model/parallel";

const HEIGHT = 260;
const EDGE = { top: 34, bottom: 22, side: 46 };
const CANVAS_ABOVE = 2_000;
const MOST = 5_000;

interface ParallelProps {
  id: string;
  columns: readonly ColumnView[];
  metric: string;
  sets: number;
}

export function Parallel({ id, columns, metric, sets }: ParallelProps): JSX.Element {
  const names = useMemo(() => columns.filter(({ name, type }) => isNumber(type) && name !== "set").map(({ name }) => name), [columns]);
  const query = useRows(id, "sets", { sort: `-${metric}` }, MOST);
  const filters = useTableFilters(columns);
  const lines = useMemo(() => linesOf(names.map((name) => numbers(query.data, name)), names.indexOf(metric)), [names, query.data, metric]);
  const ranges = useMemo(() => Object.fromEntries(names.flatMap((name): [string, Range][] => {
    const test = readTest(filters.typed[name] ?? "", false);
    return test === null || test === "bad" || test.kind !== "range" ? [] : [[name, { low: test.low, high: test.high }]];
  })), [names, filters.typed]);
  if (query.isPending) return <Panel title="Sets as lines"><Skeleton rows={8} label="Reading the sets" /></Panel>;
  if (query.data === undefined) return <Panel title="Sets as lines"><ErrorPanel what="Reading the sets" error={query.error} retry={() => void query.refetch()} /></Panel>;
  if (lines.length === 0) return <Panel title="Sets as lines"><Empty>No set has numbers to draw.</Empty></Panel>;
  const kept = lines.filter((line) => passes(line, names, ranges)).length;
  return (
    <Figure
      title="Sets as lines"
      name="sets"
      note={sets > lines.length ? `the ${count(lines.length)} best of ${count(sets)} by ${metricName(metric)}; drag on an axis to choose` : "drag on an axis to choose, or filter the table"}
      summary={`${plural(lines.length, "set")} over ${names.map(metricName).join(", ")}; ${plural(kept, "set")} within the chosen ranges.`}
      data={() => ({ header: names, rows: lines.map(({ values }) => values) })}
      actions={Object.keys(ranges).length > 0 && <button type="button" className="gs-button" onClick={filters.clear}>Clear ranges</button>}
    >
      {(width) => <Drawing width={width} names={names} lines={lines} ranges={ranges} metric={metric} onRange={(name, range) => { filters.set(name, range === null ? "" : `${text(range.low)}..${text(range.high)}`); }} />}
    </Figure>
  );
}

function text(value: number): string {
  return String(Number(value.toPrecision(4)));
}

interface DrawingProps {
  width: number;
  names: readonly string[];
  lines: readonly Line[];
  ranges: Readonly<Record<string, Range>>;
  metric: string;
  onRange: (name: string, range: Range | null) => void;
}

function Drawing({ width, names, lines, ranges, metric, onRange }: DrawingProps): JSX.Element {
  const theme = useTheme();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<{ name: string; from: number; to: number } | null>(null);
  const wide = Math.max(width, names.length * 86);
  const x = useMemo(() => scalePoint([...names], [EDGE.side, wide - EDGE.side]), [names, wide]);
  const ys = useMemo(() => names.map((_, at): ScaleLinear<number, number> => {
    const values = lines.flatMap(({ values: all }) => all[at] ?? []);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return scaleLinear([low, high === low ? low + 1 : high], [HEIGHT - EDGE.bottom, EDGE.top]);
  }), [names, lines]);
  const colors = useMemo(() => {
    const steps = [2, 3, 4, 5].map((step) => token(`seq-${String(step)}`) || (theme === "dark" ? "#6953a0" : "#a996e2"));
    return scaleLinear<string>([0, 1 / 3, 2 / 3, 1], steps);
  }, [theme]);
  const drawn = useMemo(() => {
    const paths = lines.map((line) => ({ line, kept: passes(line, names, ranges), path: pathOf(line, names, x, ys) }));
    return [...paths.filter(({ kept }) => !kept), ...paths.filter(({ kept }) => kept).reverse()]; // the best on top
  }, [lines, names, ranges, x, ys]);
  const large = lines.length > CANVAS_ABOVE;
  const thick = Math.max(0.25, Math.min(0.8, 120 / lines.length)); // many lines shine through each other
  useEffect(() => {
    const pen = large ? (canvas.current?.getContext("2d") ?? null) : null;
    if (pen === null || canvas.current === null) return;
    const fine = window.devicePixelRatio || 1;
    canvas.current.width = wide * fine;
    canvas.current.height = HEIGHT * fine;
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    pen.clearRect(0, 0, wide, HEIGHT);
    pen.globalAlpha = 0.25;
    const away = token("line");
    for (const { line, kept, path } of drawn) {
      pen.strokeStyle = kept ? colors(line.share) : away;
      
      pen.stroke(new Path2D(path));
    }
  }, [large, drawn, colors, wide]);
  const within = (event: PointerEvent, name: string): number => {
    const box = event.currentTarget.closest("svg")?.getBoundingClientRect();
    const y = ys[names.indexOf(name)];
    return y === undefined || box === undefined ? 0 : y.invert(Math.max(EDGE.top, Math.min(HEIGHT - EDGE.bottom, event.clientY - box.top)));
  };
  const finish = (): void => {
    if (drag === null) return;
    const y = ys[names.indexOf(drag.name)];
    const short = y === undefined || Math.abs(y(drag.from) - y(drag.to)) < 4;
    onRange(drag.name, short ? null : { low: Math.min(drag.from, drag.to), high: Math.max(drag.from, drag.to) });
    setDrag(null);
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
    <div className="relative overflow-x-auto overflow-y-hidden -outline-offset-2" tabIndex={0} role="region" aria-label="Sets as lines; the table's filters choose the same ranges">
      {large && <canvas ref={canvas} className="pointer-events-none absolute top-0 left-0" style={{ width: wide, height: HEIGHT }} />}
      <svg data-drawn="" aria-hidden="true" width={wide} height={HEIGHT} className="relative block" fontSize={11}>
        {!large && drawn.map(({ line, kept, path }) => <path key={line.at} d={path} fill="none" stroke={kept ? colors(line.share) : "var(--gs-line)"} strokeOpacity={kept ? thick : 0.6} strokeWidth={kept ? 1.2 : 1} />)}
        {names.map((name, at) => {
          const left = x(name) ?? 0;
          const y = ys[at];
          if (y === undefined) return null;
          const range = drag?.name === name ? { low: Math.min(drag.from, drag.to), high: Math.max(drag.from, drag.to) } : ranges[name];
          const [low = 0, high = 1] = y.domain();
          const edge = range === undefined ? null : { top: y(Math.min(high, range.high)), bottom: y(Math.max(low, range.low)) };
          return (
            <g key={name}>
              <text x={left} y={13} textAnchor="middle" fill={name === metric ? "var(--gs-text)" : "var(--gs-muted)"} fontWeight={name === metric ? 600 : 400}>{metricName(name)}</text>
              <text x={left} y={27} textAnchor="middle" fill="var(--gs-faint)">{metricText(name, high)}</text>
              <text x={left} y={HEIGHT - 6} textAnchor="middle" fill="var(--gs-faint)">{metricText(name, low)}</text>
              <path d={`M${String(left)} ${String(EDGE.top)}V${String(HEIGHT - EDGE.bottom)}`} stroke="var(--gs-line-strong)" />
              {edge !== null && <rect x={left - 6} y={edge.top} width={12} height={Math.max(2, edge.bottom - edge.top)} fill="var(--gs-focus)" fillOpacity={0.3} stroke="var(--gs-focus)" />}
              <rect
                x={left - 14} y={EDGE.top} width={28} height={HEIGHT - EDGE.top - EDGE.bottom} fill="transparent" className="cursor-ns-resize touch-none"
                onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); const value = within(event, name); setDrag({ name, from: value, to: value }); }}
                onPointerMove={(event) => { if (drag?.name === name) setDrag({ ...drag, to: within(event, name) }); }}
                onPointerUp={finish}
                onPointerCancel={() => { setDrag(null); }}
              />
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function pathOf(line: Line, names: readonly string[], x: (name: string) => number | undefined, ys: readonly ScaleLinear<number, number>[]): string {
  let path = "";
  names.forEach((name, at) => {
    const value = line.values[at];
    const y = ys[at];
    if (value == null || y === undefined) return;
    path += `${path === "" ? "M" : "L"}${(x(name) ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return path;
}
