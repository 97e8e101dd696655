/** Sweeps: the list beside a form, one on its way, and what one found: where the good sets lie, and whether to believe it. */
import { useState, type JSX } from "react";
import { useNavigate } from "react-router";

import { METRICS, metricName, metricText } from "@/lib/metrics";
import { KINDS, numberOf, objectOf, rowsOf, runPath, textOf } from "@/lib/research";
import { useStart, useStrategies, useTables } from "@/lib/runs";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { useUrlChoice } from "@/lib/url";
import { Empty, ErrorPanel, Panel, Skeleton } from "@/ui";
import { OWN, bodyOf, formOf, type Form } from "@/research/forms/form";
import { ResearchPage } from "@/research/ResearchPage";
import { METRIC_ROWS } from "@/research/Result";
import { RowsTable } from "@/research/RowsTable";
import { RunHead } from "@/research/RunHead";
import { Metrics, Trust } from "@/research/Trust";
import type { RunDetail } from "@/types";

import { Distribution } from "./components/Distribution";
import { Heatmap } from "./components/Heatmap";
import { Parallel } from "./components/Parallel";
import { Slices } from "./components/Slices";

export default function SweepsPage(): JSX.Element {
  return <ResearchPage kind="sweep" result={(run) => <SweepResult run={run} />} />;
}

function SweepResult({ run }: { run: RunDetail }): JSX.Element {
  const tables = useTables(run.result_id);
  const columns = tables.data?.find((table) => table.name === "sets")?.columns ?? [];
  const axes = objectOf(objectOf(run.spec, "grid"), "axes");
  const params = columns.map(({ name }) => name).filter((name) => name in axes);
  const metrics = columns.map(({ name }) => name).filter((name) => name !== "set" && !(name in axes));
  const ranked = textOf(run.facts, "metric") ?? "sharpe";
  const [metric, setMetric] = useUrlChoice("metric", metrics, ranked);
  const best = rowsOf(run.facts, "top")[0];
  const sets = numberOf(run.facts, "sets") ?? 0;
  return (
    <>
      <RunHead run={run} kind="sweep" />
      {tables.isPending && <Skeleton rows={12} label="Reading the tables" />}
      {tables.isError && tables.data === undefined && <ErrorPanel what="Reading the tables" error={tables.error} retry={() => void tables.refetch()} />}
      {columns.length > 0 && (
        <div className="grid gap-3 xl:grid-cols-[minmax(0,1fr)_21rem]">
          <div className="min-w-0 space-y-3">
            {metrics.length > 1 && (
              <label className="flex items-center gap-2 text-muted">
                Charts of
                <select className="gs-input" value={metric} onChange={(event) => { setMetric(event.target.value); }}>
                  {metrics.map((name) => <option key={name} value={name}>{metricName(name)}</option>)}
                </select>
                <span className="text-small">median over symbols; ranked by {metricName(ranked)}</span>
              </label>
            )}
            {params.length > 1 ? <Heatmap id={run.result_id} params={params} metric={metric} /> : <Panel title="Heatmap"><Empty>One parameter was searched; a heatmap needs two. Its slice is below.</Empty></Panel>}
            <Slices id={run.result_id} metric={metric} />
            <Distribution id={run.result_id} metric={metric} best={best === undefined ? null : numberOf(best, metric)} />
            <Parallel id={run.result_id} columns={columns} metric={metric} sets={sets} />
          </div>
          <div className="min-w-0 space-y-3 max-xl:grid max-xl:items-start max-xl:gap-3 max-xl:space-y-0 lg:max-xl:grid-cols-2">
            {best !== undefined && <Best run={run} best={best} params={params} metric={ranked} />}
            <Trust run={run} />
          </div>
          <div className="min-w-0 xl:col-span-2"><Sets run={run} columns={columns} params={params} metric={ranked} /></div>
        </div>
      )}
    </>
  );
}

function Sets({ run, columns, params, metric }: { run: RunDetail; columns: Parameters<typeof RowsTable>[0]["columns"]; params: readonly string[]; metric: string }): JSX.Element {
  const open = useBacktestOf(run, params);
  return (
    <Panel title="Sets" note="metrics are medians over symbols">
      {open.error !== null && <ErrorPanel what="Starting the backtest" error={open.error} />}
      <RowsTable
        id={run.result_id}
        name="sets"
        label="Sets"
        columns={columns}
        sort={METRICS[metric]?.better === "low" ? metric : `-${metric}`}
        onOpen={open.start}
        act={(row) => <button type="button" className="min-h-6 text-small hover:underline disabled:text-faint" disabled={open.why !== null || open.busy} title={open.why ?? undefined} aria-label={`Backtest set ${String(row.set)}`} onClick={() => { open.start(row); }}>Backtest</button>}
      />
    </Panel>
  );
}

function Best({ run, best, params, metric }: { run: RunDetail; best: Readonly<Record<string, unknown>>; params: readonly string[]; metric: string }): JSX.Element {
  const open = useBacktestOf(run, params);
  const portfolio = objectOf(best, "portfolio");
  return (
    <Panel title="Best set" note={`by ${metricName(metric)}, median over symbols`}>
      <div className="px-3 pb-3">
        <p className="text-figure font-semibold break-words">{params.map((name) => `${name} ${String(best[name])}`).join(", ")}</p>
        <p className="text-muted">{metricName(metric)} <span className="text-text">{metricText(metric, numberOf(best, metric))}</span> as the median symbol{numberOf(portfolio, metric) !== null && <>, <span className="text-text">{metricText(metric, numberOf(portfolio, metric))}</span> all together</>}</p>
        <button type="button" className="gs-button-primary mt-3" aria-disabled={open.why !== null || open.busy} title={open.why ?? undefined} onClick={() => { open.start(best); }}>{open.busy ? "Starting" : "Backtest this set"}</button>
        {open.why !== null && <p className="mt-1 text-small text-muted">{open.why}</p>}
      </div>
      {open.error !== null && <ErrorPanel what="Starting the backtest" error={open.error} />}
      {Object.keys(portfolio).length > 0 && <Metrics metrics={portfolio} reasons={{}} benchmark={null} keys={METRIC_ROWS.filter(({ key }) => ["total_return", "cagr", "sharpe", "max_drawdown", "trades", "break_even_bps"].includes(key))} />}
    </Panel>
  );
}

/** Starts the backtest of one set of a sweep, with the sweep's own bars and rules, and goes there. */
function useBacktestOf(run: RunDetail, params: readonly string[]): { start: (row: Readonly<Record<string, unknown>>) => void; busy: boolean; error: Error | null; why: string | null } {
  const strategies = useStrategies().data ?? [];
  const navigate = useNavigate();
  const start = useStart("backtest");
  const [asked, setAsked] = useState(false);
  const role = useSession((state) => state.role);
  const running = useServer(hasAgents);
  const why = !may(role, "trader") ? "Starting a backtest needs the role trader." : running ? null : "The cluster is not running, so nothing can be started now.";
  return {
    start: (row) => {
      if (why !== null || asked) return;
      const form = setForm(formOf(run, strategies), params, row);
      const declared = strategies.find((one) => one.name === form.strategy)?.params ?? [];
      setAsked(true);
      start.mutate(bodyOf("backtest", form, declared), {
        onSuccess: (job) => void navigate(job.state === "done" && job.result_id != null ? runPath("backtest", job.result_id) : `${KINDS.backtest.path}/jobs/${job.job_id}`),
        onSettled: () => { setAsked(false); },
      });
    },
    busy: asked,
    error: start.error,
    why,
  };
}

/** The form of a sweep with the values of one set in place of its ranges. */
function setForm(form: Form, params: readonly string[], row: Readonly<Record<string, unknown>>): Form {
  const values = params.map((name) => [name, String(row[name])] as const);
  const fixed = Object.fromEntries(Object.entries(form).filter(([name]) => !name.startsWith("p.") && name !== "pairs"));
  return form.strategy === OWN ? { ...fixed, pairs: values.map(([name, text]) => `${name}=${text}`).join(" ") } : { ...fixed, ...Object.fromEntries(values.map(([name, text]) => [`p.${name}`, text])) };
}

