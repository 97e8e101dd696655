/** A score in [-1, 1] as a bar from a centre zero, ticks at the stored threshold, grey inside it, beside the number. */
import { memo, type JSX } from "react";

import { signed } from "@/lib/format";

interface ScoreBarProps {
  score: number | null;
  threshold?: number;
  width?: number;
  /** Without the number: where it stands beside the bar already. */
  bare?: boolean;
  places?: number;
}

export const ScoreBar = memo(function ScoreBar({ score, threshold = 0.2, width = 60, bare = false, places = 2 }: ScoreBarProps): JSX.Element {
  const middle = width / 2;
  const at = (value: number): number => middle + value * (middle - 1);
  const colour = score === null || Math.abs(score) < threshold ? "var(--gs-hold)" : score > 0 ? "var(--gs-up)" : "var(--gs-down)";
  return (
    <span className="inline-flex items-center gap-3">
      <svg aria-hidden="true" width={width} height={14} viewBox={`0 0 ${String(width)} 14`} className="shrink-0">
        <path d={`M0 7h${String(width)}`} stroke="var(--gs-line)" />
        {score !== null && <rect x={Math.min(middle, at(score))} y={4} width={Math.max(1, Math.abs(at(score) - middle))} height={6} rx={1} fill={colour} />}
        {[-threshold, threshold].map((tick) => (
          <path key={tick} d={`M${String(at(tick))} 4v6`} stroke="var(--gs-line-strong)" />
        ))}
        <path d={`M${String(middle)} 2v10`} stroke="var(--gs-muted)" />
      </svg>
      {!bare && <span className="w-11 text-right">{signed(score, places)}</span>}
    </span>
  );
});
