/** How the metric lies over all sets, or over all sets and symbols: what the best was picked from. */
import { scaleLinear } from "d3-scale";
import type { JSX } from "react";

import { count, plural } from "@/lib/format";
import { metricName, metricText } from "@/lib/metrics";
import { useHistogram } from "@/lib/runs";
import { useUrlChoice } from "@/lib/url";
import { ErrorPanel, Panel, Segments, Skeleton } from "@/ui";
import { Axes, EDGE } from "@/research/charts/Axes";
import { Figure } from "@/research/charts/Figure";

const HEIGHT = 220;

export function Distribution({ id, metric, best }: { id: string; metric: string; best: number | null }): JSX.Element {
  const [table, setTable] = useUrlChoice("of", ["sets", "trials"] as const, "sets");
  const query = useHistogram(id, metric, table);
  if (query.isPending) return <Panel title="Distribution"><Skeleton rows={6} label="Reading the distribution" /></Panel>;
  if (query.data === undefined) return <Panel title="Distribution"><ErrorPanel what="Reading the distribution" error={query.error} retry={() => void query.refetch()} /></Panel>;
  const { edges, counts, undefined: none } = query.data;
  const all = counts.reduce((sum, one) => sum + one, 0);
  const [low, high] = [edges[0] ?? 0, edges.at(-1) ?? 1];
  const above = counts.reduce((sum, one, at) => sum + ((edges[at] ?? 0) >= 0 ? one : 0), 0);
  return (
    <Figure
      title={`${metricName(metric)} of all ${table === "sets" ? "sets" : "sets and symbols"}`}
      name={`histogram-${metric}`}
      updating={query.isPlaceholderData}
      note={none > 0 ? `${count(none)} undefined` : undefined}
      actions={<Segments label="Count" value={table} onChange={setTable} options={[{ value: "sets", label: "Sets" }, { value: "trials", label: "With symbols" }]} />}
      summary={`${plural(all, "value")} from ${metricText(metric, low)} to ${metricText(metric, high)}; ${count(above)} in bins at or above zero.`}
      data={() => ({ header: ["from", "to", "count"], rows: counts.map((number, at) => [edges[at], edges[at + 1], number]) })}
      show={(value, column) => (column === "count" ? count(value) : metricText(metric, value))}
    >
      {(width) => {
        const x = scaleLinear([low, high === low ? low + 1 : high], [EDGE.left, width - EDGE.right]);
        const y = scaleLinear([0, Math.max(1, ...counts)], [HEIGHT - EDGE.bottom, EDGE.top]).nice();
        return (
          <svg data-drawn="" aria-hidden="true" width={width} height={HEIGHT} className="block">
            <Axes x={x} y={y} width={width} height={HEIGHT} xName={metricName(metric)} yName="" xShow={(value) => metricText(metric, value)} yShow={count} />
            {counts.map((number, at) => {
              const [from, to] = [x(edges[at] ?? 0), x(edges[at + 1] ?? 0)];
              return <rect key={at} x={from + 0.5} y={y(number)} width={Math.max(1, to - from - 1)} height={Math.max(number > 0 ? 1 : 0, y(0) - y(number))} fill="var(--gs-hold)"><title>{`${metricText(metric, edges[at])} to ${metricText(metric, edges[at + 1])}: ${count(number)}`}</title></rect>;
            })}
            {best !== null && table === "sets" && best >= low && best <= high && (
              <g>
                <path d={`M${String(x(best))} ${String(EDGE.top)}V${String(HEIGHT - EDGE.bottom)}`} stroke="var(--gs-gold-line)" strokeWidth={1.5} />
                <text x={x(best) - 5} y={EDGE.top + 10} textAnchor="end" fontSize={11} fill="var(--gs-gold-word)">best {metricText(metric, best)}</text>
              </g>
            )}
          </svg>
        );
      }}
    </Figure>
  );
}
