/** What each fold chose: a choice that jumps over the grid was noise. */
import { scaleLinear } from "d3-scale";
import type { JSX } from "react";

import { NONE, percent, plural } from "@/lib/format";
import { numberOf } from "@/lib/research";
import { Empty, Panel } from "@/ui";
import { Figure } from "@/research/charts/Figure";
import { reach } from "@/research/charts/line";

import type { Fold } from "../model/folds";

const HEIGHT = 120;
const EDGE = { top: 10, bottom: 24, left: 46, right: 12 };

/** `drift`: rows of the table of that name. */
export function Drift({ folds, drift }: { folds: readonly Fold[]; drift: readonly Readonly<Record<string, unknown>>[] }): JSX.Element {
  const names = drift.flatMap((row) => (typeof row.parameter === "string" ? [row.parameter] : []));
  if (names.length === 0) return <Panel title="Parameter drift"><Empty>Nothing was searched: the grid has one set.</Empty></Panel>;
  return (
    <div className={`grid gap-3 ${names.length > 1 ? "md:grid-cols-2" : ""}`}>
      {names.map((name) => <Parameter key={name} name={name} folds={folds} row={drift.find((row) => row.parameter === name) ?? {}} />)}
    </div>
  );
}

function Parameter({ name, folds, row }: { name: string; folds: readonly Fold[]; row: Readonly<Record<string, unknown>> }): JSX.Element {
  const chosen = folds.map((fold) => fold.chosen[name] ?? null);
  const words = [...new Set(chosen.filter((value): value is string => typeof value === "string"))].sort();
  const values = chosen.map((value) => (typeof value === "string" ? words.indexOf(value) : value));
  const [changes, distinct, step] = [numberOf(row, "changes"), numberOf(row, "distinct"), numberOf(row, "mean_step")];
  const said = `${distinct === null ? NONE : plural(distinct, "value")}, ${changes === null ? NONE : plural(changes, "change")}${step === null ? "" : `, mean step ${percent(step, 0)} of the grid`}`;
  return (
    <Figure
      title={`Chosen ${name}`}
      name={`drift-${name}`}
      note={said}
      summary={`${name} by fold: ${chosen.map((value) => String(value ?? NONE)).join(", ")}. ${said}.`}
      data={() => ({ header: ["fold", name], rows: chosen.map((value, at) => [folds[at]?.fold ?? at, value]) })}
      show={(value) => String(value)}
    >
      {(width) => {
        const x = scaleLinear([0, Math.max(1, folds.length)], [EDGE.left, width - EDGE.right]);
        const y = scaleLinear(reach([values]) ?? [0, 1], [HEIGHT - EDGE.bottom, EDGE.top]);
        const marks = words.length > 0 ? words.map((_, at) => at) : y.ticks(4).filter((tick) => Number.isInteger(tick) || values.some((value) => value !== null && !Number.isInteger(value)));
        const every = Math.max(1, Math.ceil(folds.length / Math.max(1, width / 34)));
        return (
          <svg data-drawn="" aria-hidden="true" width={width} height={HEIGHT} className="block" fontSize={11}>
            {marks.map((mark) => (
              <g key={mark}>
                <path d={`M${String(EDGE.left)} ${String(y(mark))}H${String(width - EDGE.right)}`} stroke="var(--gs-line)" />
                <text x={EDGE.left - 6} y={y(mark)} dy="0.35em" textAnchor="end" fill="var(--gs-muted)">{words[mark] ?? mark}</text>
              </g>
            ))}
            {values.map((value, at) => (value === null ? null : <path key={at} d={`M${String(x(at) + 1)} ${String(y(value))}H${String(x(at + 1) - 1)}`} stroke="var(--gs-text)" strokeWidth={3} {...(folds[at]?.partial === true && { strokeDasharray: "3 2" })} />))}
            {folds.map((fold, at) => (at % every === 0 ? <text key={fold.fold} x={x(at + 0.5)} y={HEIGHT - 8} textAnchor="middle" fill="var(--gs-muted)">{fold.fold}</text> : null))}
          </svg>
        );
      }}
    </Figure>
  );
}
