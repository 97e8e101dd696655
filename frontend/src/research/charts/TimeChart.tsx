/** Lines over sessions in panes that share one axis of time: crosshair by pointer or keys, values beside the names. */
import { scaleLinear } from "d3-scale";
import { useMemo, useState, type JSX, type KeyboardEvent, type PointerEvent } from "react";

import { date, useZone } from "@/lib/time";

import { areaPath, linePath, reach, spread, timeTicks, type Value } from "./line";

export interface Series {
  name: string;
  values: readonly Value[];
  /** A colour: `var(--gs-text)`. */
  color: string;
  dashed?: boolean;
  /** Filled down to this level. */
  fillTo?: number;
}

export interface Pane {
  name: string;
  height: number;
  series: readonly Series[];
  show: (value: number) => string;
  /** Always in sight and drawn stronger. */
  level?: number;
}

interface TimeChartProps {
  width: number;
  /** Sessions as ISO times, oldest first; every series has a value for each. */
  ts: readonly string[];
  panes: readonly Pane[];
  label: string;
}

const LEFT = 52;
const TOP = 20; // the names
const GAP = 10;
const AXIS = 18;
const CHAR = 6.2; // pixels of a letter, about

export function TimeChart({ width, ts, panes, label }: TimeChartProps): JSX.Element {
  const zone = useZone((state) => state.zone);
  const [cursor, setCursor] = useState<number | null>(null);
  const last = ts.length - 1;
  const ends = panes.map((pane) => pane.series.filter((line) => pane.series.length > 1 && line.name !== ""));
  const right = Math.min(150, Math.max(12, ...ends.flat().map((line) => line.name.length * CHAR + 12)));
  const ms = useMemo(() => ts.map((iso) => Date.parse(iso)), [ts]);
  const x = useMemo(() => scaleLinear([0, Math.max(1, last)], [LEFT, width - right]), [last, width, right]);
  const ticks = useMemo(() => timeTicks(ms, (width - LEFT - right) / 70), [ms, width, right]);
  const drawn = useMemo(() => {
    let top = 0;
    return panes.map((pane) => {
      const at = top;
      top += pane.height + TOP + GAP;
      const [low, high] = reach(pane.series.map((line) => line.values), pane.level === undefined ? [] : [pane.level]) ?? [0, 1];
      const y = scaleLinear([low, high], [at + TOP + pane.height, at + TOP + 4]);
      return {
        pane,
        top: at,
        y,
        marks: y.ticks(Math.max(2, Math.round(pane.height / 38))),
        lines: pane.series.map((line) => ({
          line,
          path: linePath(line.values, x, y),
          area: line.fillTo === undefined ? null : areaPath(line.values, x, y, line.fillTo),
        })),
      };
    });
  }, [panes, x]);
  const height = drawn.reduce((sum, { pane }) => sum + pane.height + TOP + GAP, 0) + AXIS;
  const at = cursor === null ? last : Math.min(cursor, last);
  const when = ts[at] === undefined ? "" : date(ts[at], zone);
  const said = panes.map((pane) => pane.series.map((line) => `${line.name || pane.name} ${shown(pane, line, at)}`).join(", ")).join("; ");
  const move = (event: PointerEvent): void => {
    const box = event.currentTarget.getBoundingClientRect();
    setCursor(Math.max(0, Math.min(last, Math.round(x.invert(event.clientX - box.left)))));
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -21, PageDown: 21, Home: -last, End: last }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setCursor(Math.max(0, Math.min(last, at + step)));
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={`${label}: session`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={at}
      aria-valuetext={`${when}: ${said}`}
      className="relative touch-pan-y -outline-offset-1"
      onPointerMove={move}
      onPointerLeave={() => { setCursor(null); }}
      onKeyDown={key}
      onBlur={() => { setCursor(null); }}
    >
      <svg data-drawn="" aria-hidden="true" width={width} height={height} className="block" fontSize={11}>
        {ticks.map((tick) => (
          <g key={tick.at}>
            <path d={`M${String(x(tick.at))} ${String(TOP)}V${String(height - AXIS)}`} stroke="var(--gs-raised)" />
            <text x={x(tick.at)} y={height - 4} textAnchor="middle" fill="var(--gs-muted)">{tick.text}</text>
          </g>
        ))}
        {drawn.map(({ pane, top, y, marks, lines }, index) => (
          <g key={pane.name}>
            {marks.map((mark) => (
              <g key={mark}>
                <path d={`M${String(LEFT)} ${String(y(mark))}H${String(width - right)}`} stroke={mark === pane.level ? "var(--gs-line-strong)" : "var(--gs-line)"} />
                <text x={LEFT - 6} y={y(mark)} dy="0.35em" textAnchor="end" fill="var(--gs-muted)">{pane.show(mark)}</text>
              </g>
            ))}
            {pane.level !== undefined && !marks.includes(pane.level) && <path d={`M${String(LEFT)} ${String(y(pane.level))}H${String(width - right)}`} stroke="var(--gs-line-strong)" />}
            {lines.map(({ line, path, area }) => (
              <g key={line.name}>
                {area !== null && <path d={area} fill={line.color} fillOpacity={0.18} />}
                <path d={path} fill="none" stroke={line.color} strokeWidth={line.dashed === true ? 1.25 : 1.5} strokeLinejoin="round" {...(line.dashed === true && { strokeDasharray: "5 3" })} />
              </g>
            ))}
            <text x={LEFT} y={top + 12} fill="var(--gs-muted)">
              <tspan fill="var(--gs-text)" fontWeight={500}>{pane.name}</tspan>
              {pane.series.map((line) => (
                <tspan key={line.name} dx={10}>
                  {pane.series.length > 1 && `${line.name} `}
                  <tspan fill="var(--gs-text)">{shown(pane, line, at)}</tspan>
                </tspan>
              ))}
              {index === 0 && cursor !== null && <tspan dx={10}>{when}</tspan>}
            </text>
            <Ends lines={ends[index] ?? []} y={y} x={width - right + 6} top={top + TOP + 4} bottom={top + TOP + pane.height} />
            {cursor !== null && pane.series.map((line) => {
              const value = line.values[at];
              return value == null ? null : <circle key={line.name} cx={x(at)} cy={y(value)} r={2.5} fill={line.color} />;
            })}
          </g>
        ))}
        {cursor !== null && <path d={`M${String(x(at))} ${String(TOP)}V${String(height - AXIS)}`} stroke="var(--gs-line-strong)" strokeDasharray="3 3" />}
      </svg>
    </div>
  );
}

function shown(pane: Pane, line: Series, at: number): string {
  const value = line.values[at];
  return value == null ? "—" : pane.show(value);
}

/** The name of each line where it ends. */
function Ends({ lines, y, x, top, bottom }: { lines: readonly Series[]; y: (value: number) => number; x: number; top: number; bottom: number }): JSX.Element {
  const found = lines.flatMap((line) => {
    const value = [...line.values].reverse().find((one) => one !== null);
    return value === undefined || value === null ? [] : [{ line, at: y(value) }];
  });
  const places = spread(found.map(({ at }) => at), 13, top, bottom);
  return (
    <>
      {found.map(({ line }, index) => (
        <text key={line.name} x={x} y={places[index]} dy="0.35em" fill={line.color} fontSize={11}>{line.name.length > 22 ? `${line.name.slice(0, 21)}…` : line.name}</text>
      ))}
    </>
  );
}
