/** How far a Sharpe ratio can be believed: what luck makes of so many trials, how sure the number is, what it rests on. */
import type { JSX, ReactNode } from "react";

import { count, fixed, percent, plural } from "@/lib/format";
import { metricText } from "@/lib/metrics";
import { numberOf } from "@/lib/research";
import { Notice, Panel } from "@/ui";
import type { RunDetail } from "@/types";

import { readBelief, type Belief } from "./belief";

export function Trust({ run, className = "" }: { run: RunDetail; className?: string }): JSX.Element {
  const belief = readBelief(run);
  return (
    <Panel title="Can I trust it" className={className}>
      <p className="px-3 pb-2">{verdict(belief)}</p>
      <dl className="border-t border-line px-3 py-1">
        <Fact word="Above luck, deflated (DSR)" note={belief.trials === null ? undefined : `after ${plural(belief.trials, "trial")}${belief.effective === null ? "" : `, worth ${fixed(belief.effective, 0)} independent`}`}>{fixed(belief.dsr, 2)}</Fact>
        <Fact word="Above zero (PSR)">{fixed(belief.psr, 2)}</Fact>
        <Fact word={`Sharpe, ${belief.interval?.share ?? "95 %"} interval`}>{belief.interval === null ? "—" : `${fixed(belief.interval.low, 2)} to ${fixed(belief.interval.high, 2)}`}</Fact>
        <Fact word="Bars it takes to be above zero" note={belief.bars === null ? undefined : `there are ${count(belief.bars)}`}>{belief.needed === null ? "never" : count(belief.needed)}</Fact>
        {belief.pbo !== undefined && <Fact word="Overfitting, probability (PBO)" note="share of splits whose best is at or below the median elsewhere">{fixed(belief.pbo, 2)}</Fact>}
        {belief.loss !== undefined && <Fact word="The best of a half lost in the other">{percent(belief.loss, 0)}</Fact>}
        {belief.plateau !== undefined && <Fact word="Plateau" note="its neighbours' median over its own; near 1 is flat ground">{fixed(belief.plateau, 2)}</Fact>}
        {belief.check !== undefined && <Fact word="Reality check, p-value" note="of “none beats its benchmark”">{fixed(belief.check, 2)}</Fact>}
        {belief.spa !== undefined && <Fact word="SPA, p-value">{fixed(belief.spa, 2)}</Fact>}
        {belief.efficiency !== undefined && <Fact word="Efficiency" note="yearly return of the tests over that of the trains">{fixed(belief.efficiency, 2)}</Fact>}
        <Fact word="Fill">{belief.fill === "close" ? "same close, optimistic" : "next open"}</Fact>
        {belief.breakEven !== undefined && <Fact word="Break-even fee, bps" note={belief.fees === null ? undefined : `tested with ${fixed(belief.fees * 1e4, 1)}`}>{metricText("break_even_bps", belief.breakEven)}</Fact>}
        <Fact word="Look-ahead" note="an expression can read its bar and those before">none</Fact>
      </dl>
      {run.warnings.map((warning) => <Notice key={warning}>{warning}</Notice>)}
    </Panel>
  );
}

function verdict({ dsr, psr, trials }: Belief): string {
  if (dsr === null || psr === null) return "Not to be said: the track is too short or too still for a Sharpe ratio.";
  const tried = trials === null ? "" : ` after ${plural(trials, "trial")} of this family`;
  if (dsr >= 0.95) return `Above luck${tried}: the chance is ${fixed(dsr, 2)}, and 0.95 is the bar. Rules that are mostly long in a rising market also get there; look at the benchmark.`;
  return `No skill found. The chance that its Sharpe ratio is above luck${tried} is ${fixed(dsr, 2)}; 0.95 would be evidence.`;
}

function Fact({ word, note, children }: { word: string; note?: string | undefined; children: ReactNode }): JSX.Element {
  return (
    <div className="flex items-baseline justify-between gap-4 py-0.5">
      <dt className="min-w-0 text-muted">{word}{note !== undefined && <span className="block text-label text-faint">{note}</span>}</dt>
      <dd className="shrink-0 text-right">{children}</dd>
    </div>
  );
}

/** Metrics in a column, the benchmark's beside where there is one. */
export function Metrics({ metrics, reasons, benchmark, keys }: { metrics: Readonly<Record<string, unknown>>; reasons: Readonly<Record<string, unknown>>; benchmark: Readonly<Record<string, unknown>> | null; keys: readonly { key: string; name: string }[] }): JSX.Element {
  return (
    <table className="gs-table">
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col" className="gs-num">Value</th>
          {benchmark !== null && <th scope="col" className="gs-num">Benchmark</th>}
        </tr>
      </thead>
      <tbody>
        {keys.map(({ key, name }) => {
          const value = numberOf(metrics, key);
          const why = reasons[key];
          return (
            <tr key={key}>
              <td className="text-muted">{name}{value === null && typeof why === "string" && <span className="block max-w-56 text-label whitespace-normal text-faint">{why}</span>}</td>
              <td className="gs-num">{metricText(key, value)}</td>
              {benchmark !== null && <td className="gs-num text-muted">{key in benchmark ? metricText(key, numberOf(benchmark, key)) : ""}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
