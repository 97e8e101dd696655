/** Walk-forwards: the list beside a form, one on its way, and what one found out of sample. */
import { useMemo, type JSX } from "react";

import { plural } from "@/lib/format";
import { metricName, metricText } from "@/lib/metrics";
import { objectOf, textOf } from "@/lib/research";
import { useRows } from "@/lib/runs";
import { useUrlChoice } from "@/lib/url";
import { Empty, ErrorPanel, Panel, Skeleton } from "@/ui";
import type { RunDetail } from "@/types";
import { Figure } from "@/research/charts/Figure";
import { Scatter } from "@/research/charts/Scatter";
import { CostFigure, EquityFigure, Months, RollingFigure, TradeScatter } from "@/research/Equity";
import { ResearchPage } from "@/research/ResearchPage";
import { METRIC_ROWS, TableOf } from "@/research/Result";
import { RunHead, Tabs } from "@/research/RunHead";
import { Metrics, Trust } from "@/research/Trust";

import { Drift } from "./components/Drift";
import { Timeline } from "./components/Timeline";
import { foldsOf, pairsOf, type Fold } from "./model/folds";

const TABS = ["folds", "months", "rolling", "trades", "scatter", "costs"] as const;
type Tab = (typeof TABS)[number];
const NAMES: Record<Tab, string> = { folds: "Folds", months: "Months", rolling: "Rolling Sharpe", trades: "Trades", scatter: "Trade by trade", costs: "Costs" };

export default function WalkForwardsPage(): JSX.Element {
  return <ResearchPage kind="walkforward" result={(run) => <WalkForwardResult run={run} />} />;
}

function WalkForwardResult({ run }: { run: RunDetail }): JSX.Element {
  const [tab, setTab] = useUrlChoice<Tab>("tab", TABS, "folds");
  const folds = useRows(run.result_id, "folds");
  const drift = useRows(run.result_id, "drift");
  const rows = useMemo(() => (folds.data === undefined ? [] : foldsOf(folds.data)), [folds.data]);
  const drifted = useMemo(() => (drift.data === undefined ? [] : drift.data.rows.map((row) => Object.fromEntries(drift.data.columns.map((column, at) => [column.name, row[at]])))), [drift.data]);
  const benchmark = objectOf(objectOf(run.facts, "context"), "benchmark");
  const metric = textOf(run.spec, "metric") ?? "sharpe";
  return (
    <>
      <RunHead run={run} kind="walkforward" />
      <div className="grid gap-3 xl:grid-cols-[minmax(0,1fr)_21rem]">
        <div className="min-w-0 space-y-3">
          <EquityFigure run={run} title="Out of sample" />
          {folds.isPending && <Panel title="Folds"><Skeleton rows={6} label="Reading the folds" /></Panel>}
          {folds.isError && folds.data === undefined && <Panel title="Folds"><ErrorPanel what="Reading the folds" error={folds.error} retry={() => void folds.refetch()} /></Panel>}
          {rows.length > 0 && (
            <>
              <Timeline folds={rows} />
              <InAndOut folds={rows} metric={metric} />
              {drift.isError && drift.data === undefined ? <Panel title="Parameter drift"><ErrorPanel what="Reading the drift" error={drift.error} retry={() => void drift.refetch()} /></Panel> : drift.data !== undefined && <Drift folds={rows} drift={drifted} />}
            </>
          )}
          <section aria-label="Details" className="overflow-hidden rounded-panel border border-line bg-surface">
            <Tabs label="Details" value={tab} options={TABS.map((value) => ({ value, label: NAMES[value] }))} onChange={setTab} />
            {tab === "folds" && <TableOf run={run} name="folds" label="Folds" />}
            {tab === "months" && <Months run={run} />}
            {tab === "rolling" && <RollingFigure run={run} />}
            {tab === "trades" && <TableOf run={run} name="trades" label="Trades" />}
            {tab === "scatter" && <TradeScatter run={run} />}
            {tab === "costs" && <CostFigure run={run} />}
          </section>
        </div>
        <div className="min-w-0 space-y-3 max-xl:grid max-xl:items-start max-xl:gap-3 max-xl:space-y-0 lg:max-xl:grid-cols-2">
          <Trust run={run} />
          <Panel title="Metrics" note="out of sample, beside buy and hold">
            <Metrics metrics={run.metrics} reasons={objectOf(run.facts, "reasons")} benchmark={Object.keys(benchmark).length > 0 ? benchmark : null} keys={METRIC_ROWS} />
          </Panel>
        </div>
      </div>
    </>
  );
}

function InAndOut({ folds, metric }: { folds: readonly Fold[]; metric: string }): JSX.Element {
  const { key, pairs } = pairsOf(folds, metric);
  const name = metricName(key);
  if (pairs.length === 0) return <Panel title="In and out of sample"><Empty>No fold has a {name} both in and out of sample.</Empty></Panel>;
  const lower = pairs.filter(({ x, y }) => y < x).length;
  return (
    <Figure
      title="In and out of sample"
      name="in-and-out"
      note={`${name}; below the dashed line the test fell short of the train`}
      summary={`${name} of ${plural(pairs.length, "fold")}: in ${String(lower)} of them the test is below the train.`}
      data={() => ({ header: ["fold", "in sample", "out of sample"], rows: pairs.map(({ fold, x, y }) => [`${String(fold.fold)}${fold.partial ? ", partial" : ""}`, x, y]) })}
      show={(value) => metricText(key, value)}
    >
      {(width) => (
        <Scatter
          width={Math.min(width, 640)}
          diagonal
          points={pairs.map(({ fold, x, y }) => ({ x, y, partial: fold.partial, label: `Fold ${String(fold.fold)}${fold.partial ? ", partial" : ""}: ${metricText(key, x)} in, ${metricText(key, y)} out of sample` }))}
          xName={`in sample${key === metric ? ", median over symbols" : ""}`}
          yName="out of sample"
          xShow={(value) => metricText(key, value)}
          yShow={(value) => metricText(key, value)}
        />
      )}
    </Figure>
  );
}
