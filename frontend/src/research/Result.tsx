/** Parts that results of several kinds show: their trades and their symbols. */
import { useMemo, useState, type JSX } from "react";
import { Link } from "react-router";

import { NONE } from "@/lib/format";
import { HEADLINE, METRICS, metricName, metricText } from "@/lib/metrics";
import { isObject, numberOf, objectOf } from "@/lib/research";
import { useTables } from "@/lib/runs";
import { Empty, ErrorPanel, Skeleton } from "@/ui";
import type { RunDetail } from "@/types";

import { RowsTable } from "./RowsTable";

/** A table of the result as it lies, by name. */
export function TableOf({ run, name, label, sort }: { run: RunDetail; name: string; label: string; sort?: string }): JSX.Element {
  const tables = useTables(run.result_id);
  const found = tables.data?.find((table) => table.name === name);
  if (tables.isPending) return <Skeleton rows={8} label={`Reading ${label.toLowerCase()}`} />;
  if (tables.data === undefined) return <ErrorPanel what={`Reading ${label.toLowerCase()}`} error={tables.error} retry={() => void tables.refetch()} />;
  if (found === undefined) return <Empty>The files of this result have no table of {label.toLowerCase()}.</Empty>;
  return <div className="pt-2"><RowsTable id={run.result_id} name={name} label={label} columns={found.columns} {...(sort !== undefined && { sort })} /></div>;
}

/** Metrics of each symbol; sorted by a click on a head. */
export function BySymbol({ run }: { run: RunDetail }): JSX.Element {
  const [sort, setSort] = useState<{ key: string; desc: boolean }>({ key: "sharpe", desc: true });
  const bySymbol = objectOf(run.facts, "by_symbol");
  const keys = useMemo(() => [...new Set([...HEADLINE, "cagr", "volatility", "win_rate", "exposure", "fees_paid", "break_even_bps"])].filter((key) => Object.values(bySymbol).some((metrics) => isObject(metrics) && numberOf(metrics, key) !== null)), [bySymbol]);
  const rows = useMemo(() => {
    const at = (metrics: unknown): number | null => (isObject(metrics) ? numberOf(metrics, sort.key) : null);
    return Object.entries(bySymbol).sort(([a, one], [b, other]) => {
      if (sort.key === "symbol") return sort.desc ? b.localeCompare(a) : a.localeCompare(b);
      const [x, y] = [at(one), at(other)];
      if (x === null || y === null) return x === y ? a.localeCompare(b) : x === null ? 1 : -1; // undefined last, either way
      return (sort.desc ? y - x : x - y) || a.localeCompare(b);
    });
  }, [bySymbol, sort]);
  if (rows.length === 0) return <Empty>This result has no metrics by symbol.</Empty>;
  const head = (key: string, name: string, numeric: boolean): JSX.Element => (
    <th key={key} scope="col" aria-sort={sort.key === key ? (sort.desc ? "descending" : "ascending") : "none"} className={numeric ? "gs-num" : ""}>
      <button type="button" className={`min-h-6 -outline-offset-1 hover:text-text ${sort.key === key ? "font-semibold text-text" : ""}`} onClick={() => { setSort({ key, desc: sort.key === key ? !sort.desc : numeric }); }}>{name}</button>
    </th>
  );
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
    <div className="max-h-[32rem] overflow-auto -outline-offset-2" tabIndex={0} role="region" aria-label="Metrics by symbol">
      <table className="gs-table border-separate border-spacing-0">
        <thead className="sticky top-0 bg-surface">
          <tr>{head("symbol", "Symbol", false)}{keys.map((key) => head(key, metricName(key), true))}</tr>
        </thead>
        <tbody>
          {rows.map(([symbol, metrics]) => (
            <tr key={symbol} className="hover:bg-hover">
              <td><Link className="font-medium hover:underline" to={`/symbols/${encodeURIComponent(symbol)}`}>{symbol}</Link></td>
              {keys.map((key) => {
                const value = isObject(metrics) ? numberOf(metrics, key) : null;
                const why = objectOf(objectOf(run.facts, "reasons_by_symbol"), symbol)[key];
                return <td key={key} className="gs-num" title={value === null && typeof why === "string" ? why : undefined}>{value === null ? <span className="text-muted">{NONE}</span> : metricText(key, value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Keys and names of the metrics of a result, in the order they are read. */
export const METRIC_ROWS: readonly { key: string; name: string }[] = Object.keys(METRICS).map((key) => ({ key, name: metricName(key) }));
