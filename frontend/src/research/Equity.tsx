/** Charts of one equity curve: against its benchmark, under its last peak, how much was held; rolling Sharpe; fees. */
import { scaleLinear } from "d3-scale";
import { useMemo, type JSX } from "react";

import { NONE, change, count, fixed, percent, plural, signed } from "@/lib/format";
import { metricText } from "@/lib/metrics";
import { numberOf, objectOf, rowsOf } from "@/lib/research";
import { useRows } from "@/lib/runs";
import { date, useZone } from "@/lib/time";
import { Empty, ErrorPanel, Panel, Skeleton } from "@/ui";
import type { RunDetail } from "@/types";

import { Axes, EDGE } from "./charts/Axes";
import { Figure } from "./charts/Figure";
import { MONTHS, linePath, reach, type Value } from "./charts/line";
import { MOST_MARKS, Scatter, evenly } from "./charts/Scatter";
import { TimeChart, type Pane } from "./charts/TimeChart";
import { numbers, texts } from "./curves";
import { ROLLING, byYear, rollingSharpe } from "./rolling";

const HEIGHTS = { equity: 230, drawdown: 80, exposure: 60, rolling: 200 };

export function EquityFigure({ run, title = "Equity", className = "" }: { run: RunDetail; title?: string; className?: string }): JSX.Element {
  const query = useRows(run.result_id, "equity");
  const zone = useZone((state) => state.zone);
  const context = objectOf(run.facts, "context");
  const cash = numberOf(objectOf(context, "rules"), "cash") ?? 100_000;
  const curves = useMemo(() => {
    const equity = numbers(query.data, "equity");
    const benchmark = numbers(query.data, "benchmark");
    return { ts: texts(query.data, "ts"), equity, benchmark: benchmark.some((value) => value !== null) ? benchmark : [], drawdown: numbers(query.data, "drawdown"), exposure: numbers(query.data, "exposure") };
  }, [query.data]);
  const panes = useMemo((): Pane[] => [
    {
      name: title, height: HEIGHTS.equity, show: count, level: cash,
      series: [
        { name: "strategy", values: curves.equity, color: "var(--gs-text)" },
        ...(curves.benchmark.length > 0 ? [{ name: "buy and hold", values: curves.benchmark, color: "var(--gs-gold-word)", dashed: true }] : []),
      ],
    },
    { name: "Under the last peak", height: HEIGHTS.drawdown, show: (value) => change(value), level: 0, series: [{ name: "", values: curves.drawdown, color: "var(--gs-down)", fillTo: 0 }] },
    { name: "Exposure", height: HEIGHTS.exposure, show: (value) => percent(value, 0), level: 0, series: [{ name: "", values: curves.exposure, color: "var(--gs-hold)", fillTo: 0 }] },
  ], [curves, cash, title]);
  if (query.isPending) return <Panel title={title} className={className}><Skeleton rows={12} label="Reading the equity curve" /></Panel>;
  if (query.data === undefined) return <Panel title={title} className={className}><ErrorPanel what="Reading the equity curve" error={query.error} retry={() => void query.refetch()} /></Panel>;
  const [first, last] = [curves.ts[0], curves.ts.at(-1)];
  if (first === undefined || last === undefined) return <Panel title={title} className={className}><Empty>There is no session in it.</Empty></Panel>;
  const worst = Math.min(0, ...curves.drawdown.filter((value) => value !== null));
  return (
    <Figure
      title={title}
      name={`equity-${run.result_id.slice(0, 8)}`}
      className={className}
      note={query.data.total > query.data.rows.length ? `the first ${plural(query.data.rows.length, "session")} of ${count(query.data.total)}` : undefined}
      summary={`Equity from ${date(first, zone)} to ${date(last, zone)}: from ${count(cash)} to ${count(curves.equity.at(-1))}${curves.benchmark.length > 0 ? `, buy and hold ${count(curves.benchmark.at(-1))}` : ""}; deepest fall ${change(worst)}.`}
      data={() => ({ header: ["ts", "equity", "benchmark", "drawdown", "exposure"], rows: curves.ts.map((ts, at) => [ts, curves.equity[at], curves.benchmark[at], curves.drawdown[at], curves.exposure[at]]) })}
      show={(value, column) => (column === "drawdown" ? change(value) : column === "exposure" ? percent(value) : count(value))}
    >
      {(width) => <TimeChart width={width} ts={curves.ts} panes={panes} label={title} />}
    </Figure>
  );
}

export function RollingFigure({ run }: { run: RunDetail }): JSX.Element {
  const query = useRows(run.result_id, "equity");
  const context = objectOf(run.facts, "context");
  const year = numberOf(context, "annualisation") ?? 252;
  const riskFree = numberOf(objectOf(context, "rules"), "risk_free") ?? 0;
  const { ts, values, panes } = useMemo(() => {
    const rolled = rollingSharpe(numbers(query.data, "equity"), year, riskFree);
    const pane: Pane = { name: `Sharpe of the last ${String(ROLLING)} bars`, height: HEIGHTS.rolling, show: (value) => signed(value, 1), level: 0, series: [{ name: "", values: rolled, color: "var(--gs-text)" }] };
    return { ts: texts(query.data, "ts"), values: rolled, panes: [pane] };
  }, [query.data, year, riskFree]);
  if (query.isPending) return <Skeleton rows={6} label="Reading the equity curve" />;
  if (query.data === undefined) return <ErrorPanel what="Reading the equity curve" error={query.error} retry={() => void query.refetch()} />;
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return <Empty>It needs more than {ROLLING} bars with an equity above zero that varies.</Empty>;
  return (
    <Figure
      title="Rolling Sharpe"
      className="!border-0"
      name={`rolling-sharpe-${run.result_id.slice(0, 8)}`}
      summary={`The Sharpe ratio of the last ${String(ROLLING)} bars lies between ${fixed(Math.min(...known), 2)} and ${fixed(Math.max(...known), 2)}; now ${fixed(known.at(-1), 2)}. It is above zero in ${percent(known.filter((value) => value > 0).length / known.length, 0)} of the bars.`}
      data={() => ({ header: ["ts", "sharpe"], rows: ts.map((at, index) => [at, values[index]]) })}
    >
      {(width) => <TimeChart width={width} ts={ts} panes={panes} label="Rolling Sharpe" />}
    </Figure>
  );
}

/** Return by month and year, tinted by its size; the sign says the direction. */
export function Months({ run }: { run: RunDetail }): JSX.Element {
  const years = byYear(rowsOf(objectOf(run.facts, "context"), "monthly"));
  const most = Math.max(1e-9, ...years.flatMap(({ months }) => months.map((value) => Math.abs(value ?? 0))));
  const tint = (value: number | null): { background: string } | undefined => (value === null || value === 0 ? undefined : { background: `color-mix(in oklab, var(--gs-${value > 0 ? "up" : "down"}) ${(Math.min(1, Math.abs(value) / most) * 40).toFixed(0)}%, transparent)` });
  if (years.length === 0) return <Empty>There is no month in it.</Empty>;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
    <div className="overflow-x-auto -outline-offset-2" tabIndex={0} role="region" aria-label="Return by month">
      <table className="gs-table">
        <caption className="sr-only">Return by month (UTC)</caption>
        <thead>
          <tr>
            <th scope="col">Year</th>
            {MONTHS.map((month) => <th key={month} scope="col" className="gs-num">{month}</th>)}
            <th scope="col" className="gs-num">Year</th>
          </tr>
        </thead>
        <tbody>
          {years.map(({ year, months, whole }) => (
            <tr key={year}>
              <th scope="row" className="!text-body">{year}</th>
              {months.map((value, at) => <td key={at} className="gs-num" style={tint(value)}>{value === null ? <span className="text-muted">{NONE}</span> : change(value)}</td>)}
              <td className="gs-num font-medium">{change(whole)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Total return at other fees. */
export function CostFigure({ run }: { run: RunDetail }): JSX.Element {
  const context = objectOf(run.facts, "context");
  const curve = Array.isArray(context.cost_curve) ? context.cost_curve.flatMap((pair): { fee: number; value: number }[] => (Array.isArray(pair) && typeof pair[0] === "number" && typeof pair[1] === "number" ? [{ fee: pair[0], value: pair[1] }] : [])) : [];
  const tested = (numberOf(objectOf(context, "rules"), "fees") ?? 0) * 1e4;
  const [first, last] = [curve[0], curve.at(-1)];
  if (first === undefined || last === undefined) return <Empty>This result has no curve of costs.</Empty>;
  const breakEven = run.metrics.break_even_bps ?? null;
  return (
    <Figure
      title="Total return against the fee per side"
      className="!border-0"
      name={`costs-${run.result_id.slice(0, 8)}`}
      summary={`Total return falls from ${change(first.value)} without fees to ${change(last.value)} at ${fixed(last.fee, 0)} bps. It was tested with ${fixed(tested, 1)} bps; break-even is at ${metricText("break_even_bps", breakEven)} bps.`}
      data={() => ({ header: ["fee_bps", "total_return"], rows: curve.map(({ fee, value }) => [fee, value]) })}
    >
      {(width) => {
        const height = 260;
        const [low, high] = reach([curve.map(({ value }) => value)], [0]) ?? [0, 1];
        const x = scaleLinear([first.fee, last.fee], [EDGE.left, width - EDGE.right]);
        const y = scaleLinear([low, high], [height - EDGE.bottom, EDGE.top]).nice();
        const mark = (fee: number, word: string): JSX.Element | null =>
          fee < first.fee || fee > last.fee ? null : (
            <g key={word}>
              <path d={`M${String(x(fee))} ${String(EDGE.top)}V${String(height - EDGE.bottom)}`} stroke="var(--gs-line-strong)" strokeDasharray="3 3" />
              <text x={x(fee) + 5} y={height - EDGE.bottom - 6} fontSize={11} fill="var(--gs-muted)">{word}</text>
            </g>
          );
        return (
          <svg data-drawn="" aria-hidden="true" width={width} height={height} className="block">
            <Axes x={x} y={y} width={width} height={height} xName="fee per side, bps" yName="total return" xShow={(value) => fixed(value, 0)} yShow={(value) => change(value, 0)} />
            {mark(tested, "as tested")}
            {breakEven !== null && mark(breakEven, "break-even")}
            <path d={linePath(curve.map(({ value }) => value), (at) => x(curve[at]?.fee ?? 0), y)} fill="none" stroke="var(--gs-text)" strokeWidth={1.5} />
          </svg>
        );
      }}
    </Figure>
  );
}

/** Each trade's return against the bars it was held. */
export function TradeScatter({ run }: { run: RunDetail }): JSX.Element {
  const query = useRows(run.result_id, "trades", { columns: "symbol,entry_ts,bars,return" });
  const zone = useZone((state) => state.zone);
  const points = useMemo(() => {
    const [bars, gains, symbols, entries]: [Value[], Value[], string[], string[]] = [numbers(query.data, "bars"), numbers(query.data, "return"), texts(query.data, "symbol"), texts(query.data, "entry_ts")];
    return bars.flatMap((x, at) => { const y = gains[at]; return x === null || y == null ? [] : [{ x, y, label: `${symbols[at] ?? ""}, ${date(entries[at] ?? "", zone)}: ${change(y)} in ${plural(x, "bar")}` }]; });
  }, [query.data, zone]);
  if (query.isPending) return <Skeleton rows={6} label="Reading the trades" />;
  if (query.data === undefined) return <ErrorPanel what="Reading the trades" error={query.error} retry={() => void query.refetch()} />;
  if (points.length === 0) return <Empty>There were no trades.</Empty>;
  const shown = evenly(points);
  const won = points.filter(({ y }) => y > 0).length;
  return (
    <Figure
      title="Return of each trade against the bars it was held"
      className="!border-0"
      name={`trades-${run.result_id.slice(0, 8)}`}
      note={points.length > MOST_MARKS ? `${count(shown.length)} of ${count(points.length)} trades, evenly through time` : undefined}
      summary={`${plural(points.length, "trade")}, ${percent(won / points.length, 0)} of them with a gain; returns from ${change(Math.min(...points.map(({ y }) => y)))} to ${change(Math.max(...points.map(({ y }) => y)))}.`}
      data={() => ({ header: ["trade", "bars", "return"], rows: points.map(({ label, x, y }) => [label, x, y]) })}
      show={(value, column) => (column === "return" ? change(value) : count(value))}
    >
      {(width) => <Scatter width={width} points={shown} xName="bars held" yName="return" xShow={count} yShow={(value) => change(value, 0)} />}
    </Figure>
  );
}
