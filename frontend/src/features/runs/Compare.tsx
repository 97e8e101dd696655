/** Results side by side: metrics with the best marked, curves from one start, and what was asked differently. */
import { useMemo, type JSX } from "react";
import { Link, useSearchParams } from "react-router";

import { NONE, fixed, percent } from "@/lib/format";
import { METRICS, bestAt, metricName, metricText } from "@/lib/metrics";
import { numberOf, runPath } from "@/lib/research";
import { useSomeRows, useSomeRuns } from "@/lib/runs";
import { Empty, ErrorPanel, Icon, Panel, Skeleton } from "@/ui";
import { Figure } from "@/research/charts/Figure";
import { TimeChart, type Pane } from "@/research/charts/TimeChart";
import type { RunDetail } from "@/types";

import { aligned, differences, labelsOf } from "./model";

const MOST = 6;
const BELIEF = ["psr", "dsr", "pbo", "trials"] as const;

export default function ComparePage(): JSX.Element {
  const [query] = useSearchParams();
  const ids = useMemo(() => [...new Set((query.get("ids") ?? "").split(",").filter((id) => id !== ""))].slice(0, MOST), [query]);
  const found = useSomeRuns(ids);
  const runs = found.flatMap((one) => one.data ?? []);
  const failed = found.find((one) => one.isError && one.data === undefined);
  const more = <Link className="gs-button" to="/runs">Choose runs</Link>;
  if (ids.length === 0) return <Empty action={more}>Nothing is chosen to compare. Select two or more runs with x.</Empty>;
  if (failed?.error != null) return <ErrorPanel what="Reading a run" error={failed.error} retry={() => { for (const one of found) if (one.isError) void one.refetch(); }} />;
  if (runs.length < ids.length) return <Skeleton rows={12} label="Reading the runs" />;
  return (
    <div className="space-y-3 p-3">
      {runs.length === 1 && <Panel title="Compare" actions={more}><Empty>One run is chosen; choose others beside it.</Empty></Panel>}
      <Curves runs={runs} />
      <Side runs={runs} more={more} />
      <Asked runs={runs} />
    </div>
  );
}

function Curves({ runs }: { runs: readonly RunDetail[] }): JSX.Element {
  const drawn = useMemo(() => runs.filter((run) => run.kind !== "sweep"), [runs]);
  const labels = useMemo(() => labelsOf(drawn), [drawn]);
  const pages = useSomeRows(drawn.map((run) => run.result_id), "equity", "ts,equity");
  const ready = pages.every((page) => page.data !== undefined);
  const failed = pages.find((page) => page.isError && page.data === undefined);
  const curves = ready ? aligned(pages.flatMap((page) => page.data ?? [])) : null;
  if (drawn.length === 0) return <Panel title="Equity"><Empty>Sweeps have no curve of their own. Open the best set of one as a backtest to compare curves.</Empty></Panel>;
  if (failed?.error != null) return <Panel title="Equity"><ErrorPanel what="Reading an equity curve" error={failed.error} /></Panel>;
  if (curves === null) return <Panel title="Equity"><Skeleton rows={9} label="Reading the equity curves" /></Panel>;
  const panes: Pane[] = [{ name: "Equity over its start", height: 260, show: (value) => fixed(value, 2), level: 1, series: curves.values.map((values, at) => ({ name: labels[at] ?? "", values, color: `var(--gs-ink-${String((at % 8) + 1)})` })) }];
  return (
    <Figure
      title="Equity, each over its start"
      name="compare"
      note={drawn.length < runs.length ? "sweeps have no curve of their own" : undefined}
      summary={curves.values.map((values, at) => `${labels[at] ?? ""} ends at ${fixed(values.filter((value) => value !== null).at(-1), 2)} times its start`).join("; ")}
      data={() => ({ header: ["ts", ...labels], rows: curves.ts.map((ts, row) => [ts, ...curves.values.map((values) => values[row] ?? null)]) })}
      show={(value) => fixed(value, 4)}
    >
      {(width) => <TimeChart width={width} ts={curves.ts} panes={panes} label="Equity" />}
    </Figure>
  );
}

function Side({ runs, more }: { runs: readonly RunDetail[]; more: JSX.Element }): JSX.Element {
  const labels = labelsOf(runs);
  const keys = Object.keys(METRICS).filter((key) => runs.some((run) => run.metrics[key] != null));
  return (
    <Panel title="Metrics" note="the best is marked and bold" actions={more}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard */}
      <div className="overflow-x-auto -outline-offset-2" tabIndex={0} role="region" aria-label="Metrics, table">
        <table className="gs-table">
          <thead>
            <tr>
              <th scope="col">Metric</th>
              {runs.map((run, at) => <th key={run.result_id} scope="col" className="gs-num"><Link className="hover:underline" title={run.title} to={runPath(run.kind, run.result_id)}>{labels[at]}</Link></th>)}
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => {
              const best = runs.length > 1 ? bestAt(key, runs.map((run) => run.metrics[key] ?? null)) : null;
              return (
                <tr key={key} className="hover:bg-hover">
                  <th scope="row" className="!text-body !font-normal">{metricName(key)}</th>
                  {runs.map((run, at) => (
                    <td key={run.result_id} className={`gs-num ${at === best ? "font-semibold" : ""}`}>
                      {at === best && <span className="mr-1 inline-block align-[-2px] text-muted"><Icon name="check" size={11} /><span className="sr-only">best </span></span>}
                      {metricText(key, run.metrics[key])}
                    </td>
                  ))}
                </tr>
              );
            })}
            {BELIEF.filter((key) => runs.some((run) => numberOf(run.context, key) !== null)).map((key) => (
              <tr key={key} className="hover:bg-hover">
                <th scope="row" className="!text-body !font-normal">{{ psr: "Above zero (PSR)", dsr: "Above luck (DSR)", pbo: "Overfitting (PBO)", trials: "Trials counted" }[key]}</th>
                {runs.map((run) => { const value = numberOf(run.context, key); return <td key={run.result_id} className="gs-num">{value === null ? NONE : key === "trials" ? metricText(key, value) : key === "pbo" ? percent(value, 0) : fixed(value, 2)}</td>; })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** What of the questions is not the same. */
function Asked({ runs }: { runs: readonly RunDetail[] }): JSX.Element {
  const labels = labelsOf(runs);
  const rows = differences(runs.map((run) => run.spec));
  return (
    <Panel title="Asked differently">
      {rows.length === 0 && <Empty>{runs.length === 1 ? "There is nothing to compare it with." : "The questions are the same."}</Empty>}
      {rows.length > 0 && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
        <div className="overflow-x-auto -outline-offset-2" tabIndex={0} role="region" aria-label="Differences, table">
          <table className="gs-table">
            <thead>
              <tr><th scope="col">Field</th>{labels.map((label) => <th key={label} scope="col">{label}</th>)}</tr>
            </thead>
            <tbody>
              {rows.map(({ field, values }) => (
                <tr key={field}>
                  <th scope="row" className="!text-body !font-normal">{field}</th>
                  {values.map((value, at) => <td key={at} className="max-w-80 font-mono break-words whitespace-normal">{value ?? <span className="text-muted">{NONE}</span>}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
