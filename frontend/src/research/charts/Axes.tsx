/** Two numeric axes with their grid and words: the ground that scatters, slices and histograms are drawn on. */
import type { ScaleLinear } from "d3-scale";
import type { JSX } from "react";

export const EDGE = { top: 8, right: 22, bottom: 34, left: 52 };

interface AxesProps {
  x: ScaleLinear<number, number>;
  y: ScaleLinear<number, number>;
  width: number;
  height: number;
  xName: string;
  yName: string;
  xShow: (value: number) => string;
  yShow: (value: number) => string;
  /** Where x has its marks; round numbers unless told. */
  xMarks?: readonly number[];
}

export function Axes({ x, y, width, height, xName, yName, xShow, yShow, xMarks }: AxesProps): JSX.Element {
  const right = width - EDGE.right;
  const bottom = height - EDGE.bottom;
  return (
    <g fontSize={11}>
      {y.ticks(Math.max(2, Math.round(height / 45))).map((tick) => (
        <g key={tick}>
          <path d={`M${String(EDGE.left)} ${String(y(tick))}H${String(right)}`} stroke={tick === 0 ? "var(--gs-line-strong)" : "var(--gs-line)"} />
          <text x={EDGE.left - 6} y={y(tick)} dy="0.35em" textAnchor="end" fill="var(--gs-muted)">{yShow(tick)}</text>
        </g>
      ))}
      {(xMarks ?? x.ticks(Math.max(2, Math.round(width / 90)))).map((tick) => (
        <g key={tick}>
          {tick === 0 && <path d={`M${String(x(0))} ${String(EDGE.top)}V${String(bottom)}`} stroke="var(--gs-line-strong)" />}
          <text x={x(tick)} y={bottom + 14} textAnchor="middle" fill="var(--gs-muted)">{xShow(tick)}</text>
        </g>
      ))}
      <text x={(EDGE.left + right) / 2} y={height - 4} textAnchor="middle" fill="var(--gs-faint)">{xName}</text>
      <text x={EDGE.left} y={EDGE.top + 2} dx={4} dy={8} fill="var(--gs-faint)">{yName}</text>
    </g>
  );
}
