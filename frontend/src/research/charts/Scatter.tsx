/** Marks by two numbers: hollow circles at or above zero, filled ones below, so that the sign is not told by colour alone. */
import { scaleLinear } from "d3-scale";
import type { JSX } from "react";

import { Axes, EDGE } from "./Axes";
import { reach } from "./line";

export interface Point {
  x: number;
  y: number;
  label: string;
  /** Drawn as a diamond: it is not whole. */
  partial?: boolean;
}

interface ScatterProps {
  width: number;
  height?: number;
  points: readonly Point[];
  xName: string;
  yName: string;
  xShow: (value: number) => string;
  yShow: (value: number) => string;
  /** Draws where both are equal. */
  diagonal?: boolean;
}

export const MOST_MARKS = 2_000;

/** At most so many of them, evenly through their order. */
export function evenly<T>(items: readonly T[], most = MOST_MARKS): readonly T[] {
  const step = Math.ceil(items.length / most);
  return step <= 1 ? items : items.filter((_, at) => at % step === 0);
}

export function Scatter({ width, height = 280, points, xName, yName, xShow, yShow, diagonal = false }: ScatterProps): JSX.Element {
  const xs = reach([points.map(({ x }) => x)], [0]) ?? [0, 1];
  const ys = reach([points.map(({ y }) => y)], [0]) ?? [0, 1];
  const [low, high] = [Math.min(xs[0], ys[0]), Math.max(xs[1], ys[1])];
  const x = scaleLinear(diagonal ? [low, high] : xs, [EDGE.left, width - EDGE.right]).nice();
  const y = scaleLinear(diagonal ? [low, high] : ys, [height - EDGE.bottom, EDGE.top]).nice();
  return (
    <svg data-drawn="" aria-hidden="true" width={width} height={height} className="block">
      <Axes x={x} y={y} width={width} height={height} xName={xName} yName={yName} xShow={xShow} yShow={yShow} />
      {diagonal && <path d={`M${String(x(x.domain()[0] ?? 0))} ${String(y(x.domain()[0] ?? 0))}L${String(x(x.domain()[1] ?? 0))} ${String(y(x.domain()[1] ?? 0))}`} stroke="var(--gs-line-strong)" strokeDasharray="4 3" />}
      {points.map((point, at) => {
        const up = point.y >= 0;
        const color = up ? "var(--gs-up)" : "var(--gs-down)";
        const [cx, cy] = [x(point.x), y(point.y)];
        return (
          <g key={at} fill={up ? "var(--gs-surface)" : color} stroke={color} strokeWidth={1.2} fillOpacity={up ? 0 : 0.6}>
            <title>{point.label}</title>
            {point.partial === true ? <path d={`M${String(cx)} ${String(cy - 5)}l5 5l-5 5l-5 -5z`} strokeDasharray="2 1.5" /> : <circle cx={cx} cy={cy} r={points.length > 200 ? 2.5 : 4} />}
          </g>
        );
      })}
    </svg>
  );
}
