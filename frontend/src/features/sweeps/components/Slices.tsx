/** Each parameter alone: how the metric lies over its values, all others taken together. */
import { scaleLinear } from "d3-scale";
import type { JSX } from "react";

import { count } from "@/lib/format";
import { metricName, metricText } from "@/lib/metrics";
import type { SliceView } from "@/types";
import { useSlices } from "@/lib/runs";
import { ErrorPanel, Panel, Skeleton } from "@/ui";
import { Axes, EDGE } from "@/research/charts/Axes";
import { Figure } from "@/research/charts/Figure";
import { linePath, reach } from "@/research/charts/line";

const HEIGHT = 200;

export function Slices({ id, metric }: { id: string; metric: string }): JSX.Element {
  const query = useSlices(id, metric);
  if (query.isPending) return <Panel title="Slices"><Skeleton rows={6} label="Reading the slices" /></Panel>;
  if (query.data === undefined) return <Panel title="Slices"><ErrorPanel what="Reading the slices" error={query.error} retry={() => void query.refetch()} /></Panel>;
  return (
    <div className={`grid gap-3 ${query.data.length > 1 ? "md:grid-cols-2" : ""}`}>
      {query.data.map((slice) => <Slice key={slice.parameter} slice={slice} metric={metric} />)}
    </div>
  );
}

function Slice({ slice, metric }: { slice: SliceView; metric: string }): JSX.Element {
  const { parameter, values, low, median, high, best } = slice;
  const numeric = values.every((value) => typeof value === "number");
  const [floor, roof] = reach([low, high, best, median]) ?? [0, 1];
  const known = median.flatMap((value, at) => (value === null ? [] : [{ value, at }])).sort((a, b) => b.value - a.value)[0];
  return (
    <Figure
      title={`${metricName(metric)} by ${parameter}`}
      name={`slice-${parameter}`}
      note="median, middle half, best"
      summary={known === undefined ? "No value is defined." : `The median is highest at ${parameter} ${String(values[known.at])} with ${metricText(metric, known.value)}; the best of all sets is ${metricText(metric, Math.max(...best.filter((value) => value !== null)))}.`}
      data={() => ({ header: [parameter, "first quartile", "median", "third quartile", "best", "sets"], rows: values.map((value, at) => [String(value), low[at], median[at], high[at], best[at], slice.sets[at]]) })}
      show={(value, column) => (column === "sets" ? count(value) : metricText(metric, value))}
    >
      {(width) => {
        const places = values.map((value, at) => (numeric && typeof value === "number" ? value : at));
        const x = scaleLinear(reach([places]) ?? [0, 1], [EDGE.left + 4, width - EDGE.right - 4]);
        const y = scaleLinear([floor, roof], [HEIGHT - EDGE.bottom, EDGE.top]).nice();
        const across = (at: number): number => x(places[at] ?? 0);
        const band = low.flatMap((value, at) => (value === null ? [] : [`${across(at).toFixed(1)} ${y(value).toFixed(1)}`])).concat(high.flatMap((value, at) => (value === null ? [] : [`${across(at).toFixed(1)} ${y(value).toFixed(1)}`])).reverse());
        return (
          <svg data-drawn="" aria-hidden="true" width={width} height={HEIGHT} className="block">
            <Axes x={x} y={y} width={width} height={HEIGHT} xName={parameter} yName="" xShow={(value) => (numeric ? String(value) : String(values[value] ?? ""))} yShow={(value) => metricText(metric, value)} {...(!numeric && { xMarks: places })} />
            {band.length > 2 && <path d={`M${band.join("L")}Z`} fill="var(--gs-seq-3)" fillOpacity={0.25} />}
            <path d={linePath(best, across, y)} fill="none" stroke="var(--gs-gold-line)" strokeDasharray="4 3" />
            <path d={linePath(median, across, y)} fill="none" stroke="var(--gs-text)" strokeWidth={1.5} />
            {places.length <= 60 && median.map((value, at) => (value === null ? null : <circle key={at} cx={across(at)} cy={y(value)} r={2} fill="var(--gs-text)"><title>{`${parameter} ${String(values[at])}: median ${metricText(metric, value)}`}</title></circle>))}
          </svg>
        );
      }}
    </Figure>
  );
}
