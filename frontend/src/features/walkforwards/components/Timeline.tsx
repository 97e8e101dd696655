/** Which sessions each fold chose on, left out, and traded. */
import { scaleLinear } from "d3-scale";
import type { JSX } from "react";

import { date, useZone } from "@/lib/time";
import { plural } from "@/lib/format";
import { Figure } from "@/research/charts/Figure";

import type { Fold } from "../model/folds";

const ROW = 20;
const EDGE = { top: 4, bottom: 24, left: 30, right: 10 };
const MOST = 60; // folds that are drawn

export function Timeline({ folds }: { folds: readonly Fold[] }): JSX.Element {
  const zone = useZone((state) => state.zone);
  const shown = folds.slice(0, MOST);
  const [first, last] = [folds[0], folds.at(-1)];
  const day = (ms: number): string => date(new Date(ms).toISOString(), zone);
  const partial = folds.filter((fold) => fold.partial).length;
  return (
    <Figure
      title="Folds"
      name="folds"
      note={folds.length > MOST ? `the first ${String(MOST)} of ${String(folds.length)}` : "train, left out, test"}
      summary={first === undefined || last === undefined ? "There is no fold." : `${plural(folds.length, "fold")} from ${day(first.trainFirst)} to ${day(last.testLast)}; the first chooses until ${day(first.trainLast)} and trades from ${day(first.testFirst)} to ${day(first.testLast)}${partial > 0 ? "; the last test is partial" : ""}.`}
      data={() => ({ header: ["fold", "partial", "train_first", "train_last", "test_first", "test_last"], rows: folds.map((fold) => [fold.fold, fold.partial ? "partial" : "", ...[fold.trainFirst, fold.trainLast, fold.testFirst, fold.testLast].map((ms) => new Date(ms).toISOString())]) })}
      show={(value) => String(value)}
    >
      {(width) => {
        const height = EDGE.top + EDGE.bottom + shown.length * ROW;
        const x = scaleLinear([first?.trainFirst ?? 0, last?.testLast ?? 1], [EDGE.left, width - EDGE.right]);
        return (
          <svg data-drawn="" aria-hidden="true" width={width} height={height} className="block" fontSize={11}>
            <defs>
              <pattern id="gs-left-out" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="var(--gs-line-strong)" /></pattern>
            </defs>
            {years(x.domain()).map((ms) => (
              <g key={ms}>
                <path d={`M${String(x(ms))} ${String(EDGE.top)}V${String(height - EDGE.bottom)}`} stroke="var(--gs-line)" />
                <text x={x(ms)} y={height - 8} textAnchor="middle" fill="var(--gs-muted)">{new Date(ms).getUTCFullYear()}</text>
              </g>
            ))}
            {shown.map((fold, row) => {
              const y = EDGE.top + row * ROW + 4;
              const bar = (from: number, to: number): { x: number; y: number; width: number; height: number } => ({ x: x(from), y, width: Math.max(1, x(to) - x(from)), height: ROW - 8 });
              return (
                <g key={fold.fold}>
                  <title>{`Fold ${String(fold.fold)}: train ${day(fold.trainFirst)} to ${day(fold.trainLast)}, test ${day(fold.testFirst)} to ${day(fold.testLast)}${fold.partial ? ", partial" : ""}`}</title>
                  <text x={EDGE.left - 8} y={y + (ROW - 8) / 2} dy="0.35em" textAnchor="end" fill="var(--gs-muted)">{fold.fold}</text>
                  <rect {...bar(fold.trainFirst, fold.trainLast)} fill="var(--gs-hover)" stroke="var(--gs-line-strong)" />
                  <rect {...bar(fold.trainLast, fold.testFirst)} fill="url(#gs-left-out)" />
                  <rect {...bar(fold.testFirst, fold.testLast)} fill={fold.partial ? "none" : "var(--gs-text)"} stroke="var(--gs-text)" {...(fold.partial && { strokeDasharray: "3 2" })} />
                  {fold.partial && x(fold.testFirst) - EDGE.left > 60 && <text x={x(fold.testFirst) - 6} y={y + (ROW - 8) / 2} dy="0.35em" textAnchor="end" fill="var(--gs-text)">partial test</text>}
                </g>
              );
            })}
          </svg>
        );
      }}
    </Figure>
  );
}

function years([from = 0, to = 0]: number[]): number[] {
  const first = new Date(from).getUTCFullYear() + 1;
  const last = new Date(to).getUTCFullYear();
  const step = Math.max(1, Math.ceil((last - first) / 12));
  return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, at) => Date.UTC(first + at * step, 0, 1));
}
