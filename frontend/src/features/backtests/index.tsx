/** Backtests: the list beside a form, one on its way, and what one found. */
import type { JSX } from "react";

import { BESIDE } from "@/lib/metrics";
import { objectOf } from "@/lib/research";
import { useUrlChoice } from "@/lib/url";
import { CostFigure, EquityFigure, Months, RollingFigure, TradeScatter } from "@/research/Equity";
import { ResearchPage } from "@/research/ResearchPage";
import { BySymbol, METRIC_ROWS, TableOf } from "@/research/Result";
import { RunHead, Tabs } from "@/research/RunHead";
import { Metrics, Trust } from "@/research/Trust";
import { Panel } from "@/ui";
import type { RunDetail } from "@/types";

const TABS = ["months", "rolling", "trades", "scatter", "symbols", "costs"] as const;
type Tab = (typeof TABS)[number];
const NAMES: Record<Tab, string> = { months: "Months", rolling: "Rolling Sharpe", trades: "Trades", scatter: "Trade by trade", symbols: "By symbol", costs: "Costs" };
const ONLY_BESIDE = Object.keys(BESIDE);

export default function BacktestsPage(): JSX.Element {
  return <ResearchPage kind="backtest" result={(run) => <BacktestResult run={run} />} />;
}

function BacktestResult({ run }: { run: RunDetail }): JSX.Element {
  const [tab, setTab] = useUrlChoice<Tab>("tab", TABS, "months");
  const context = objectOf(run.facts, "context");
  const benchmark = objectOf(context, "benchmark");
  const beside = Object.keys(benchmark).length > 0;
  return (
    <>
      <RunHead run={run} kind="backtest" />
      <div className="grid gap-3 xl:grid-cols-[minmax(0,1fr)_21rem]">
        <div className="min-w-0 space-y-3">
          <EquityFigure run={run} />
          <section aria-label="Details" className="overflow-hidden rounded-panel border border-line bg-surface">
            <Tabs label="Details" value={tab} options={TABS.map((value) => ({ value, label: NAMES[value] }))} onChange={setTab} />
            {tab === "months" && <Months run={run} />}
            {tab === "rolling" && <RollingFigure run={run} />}
            {tab === "trades" && <TableOf run={run} name="trades" label="Trades" />}
            {tab === "scatter" && <TradeScatter run={run} />}
            {tab === "symbols" && <BySymbol run={run} />}
            {tab === "costs" && <CostFigure run={run} />}
          </section>
        </div>
        <div className="min-w-0 space-y-3 max-xl:grid max-xl:items-start max-xl:gap-3 max-xl:space-y-0 lg:max-xl:grid-cols-2">
          <Trust run={run} />
          <Panel title="Metrics" note={beside ? "beside buy and hold of the same symbols" : undefined}>
            <Metrics metrics={{ ...run.metrics, ...Object.fromEntries(ONLY_BESIDE.flatMap((key) => (key in benchmark ? [[key, benchmark[key]]] : []))) }} reasons={objectOf(run.facts, "reasons")} benchmark={beside ? Object.fromEntries(Object.entries(benchmark).filter(([key]) => !ONLY_BESIDE.includes(key))) : null} keys={[...METRIC_ROWS, ...(beside ? ONLY_BESIDE.map((key) => ({ key, name: BESIDE[key]?.name ?? key })) : [])]} />
          </Panel>
        </div>
      </div>
    </>
  );
}
