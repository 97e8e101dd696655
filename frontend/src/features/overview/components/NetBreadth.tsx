/** Net breadth over the newest sessions: buys less sells in points, bars above and below zero. */
import { max } from "d3-array";
import { scaleBand, scaleLinear } from "d3-scale";
import { useMemo, useState, type JSX } from "react";

import { date, session, useZone } from "@/lib/time";
import { count, signed } from "@/lib/format";
import { SESSIONS, useBreadth } from "@/lib/queries";
import { csv, saveText } from "@/lib/save";
import { Empty, ErrorPanel, Panel, Skeleton, Time } from "@/ui";
import type { BreadthPoint } from "@/types";
import { net } from "../model/summary";

const WIDTH = 380;
const HEIGHT = 206;
const EDGE = { top: 8, right: 44, bottom: 22, left: 34 };

export function NetBreadth(): JSX.Element {
  const query = useBreadth();
  const [table, setTable] = useState(false);
  const points = query.data?.history ?? [];
  const save = (): void => {
    saveText(csv(["as_of", "buy", "hold", "sell", "net_points"], points.map((point) => [point.as_of, point.buy, point.hold, point.sell, net(point)])), "net-breadth.csv");
  };
  return (
    <Panel
      title={`Net breadth, ${count(points.length || SESSIONS)} sessions`}
      className="xl:col-span-4"
      updating={query.isFetching && !query.isPending}
      actions={
        points.length > 0 && (
          <>
            <button type="button" className="min-h-6 text-small text-muted hover:underline max-md:min-h-10" aria-pressed={table} onClick={() => { setTable(!table); }}>
              View as {table ? "chart" : "table"}
            </button>
            <button type="button" className="min-h-6 text-small text-muted hover:underline max-md:min-h-10" onClick={save}>CSV</button>
          </>
        )
      }
    >
      {query.isPending && <Skeleton rows={8} label="Reading breadth" />}
      {query.isError && query.data === undefined && <ErrorPanel what="Reading breadth" error={query.error} retry={() => void query.refetch()} />}
      {query.data !== undefined && points.length === 0 && <Empty>No session has been decided yet.</Empty>}
      {points.length > 0 && (table ? <Table points={points} /> : <Chart points={points} />)}
    </Panel>
  );
}

function Chart({ points }: { points: readonly BreadthPoint[] }): JSX.Element {
  const zone = useZone((state) => state.zone);
  const { x, y, ticks, months } = useMemo(() => {
    const values = points.map((point) => Math.abs(net(point) ?? 0));
    const reach = Math.max(20, Math.ceil((max(values) ?? 0) / 10) * 10);
    return {
      x: scaleBand(points.map((point) => point.as_of), [EDGE.left, WIDTH - EDGE.right]).paddingInner(0.25),
      y: scaleLinear([-reach, reach], [HEIGHT - EDGE.bottom, EDGE.top]),
      ticks: [-reach, -reach / 2, 0, reach / 2, reach],
      months: starts(points),
    };
  }, [points]);
  const last = points[points.length - 1];
  const now = last === undefined ? null : net(last);
  return (
    <svg role="img" viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} className="w-full px-1 pb-1" aria-label={summary(points, (iso) => date(iso, zone))}>
      {ticks.map((tick) => (
        <g key={tick}>
          <path d={`M${String(EDGE.left)} ${String(y(tick))}H${String(WIDTH - EDGE.right)}`} stroke={tick === 0 ? "var(--gs-line-strong)" : "var(--gs-line)"} />
          <text x={EDGE.left - 6} y={y(tick)} dy="0.35em" textAnchor="end" fontSize={11} fill="var(--gs-muted)">{signed(tick, 0)}</text>
        </g>
      ))}
      {points.map((point) => {
        const value = net(point);
        if (value === null) return null;
        return (
          <rect key={point.as_of} x={x(point.as_of)} y={value >= 0 ? y(value) : y(0)} width={Math.max(1, x.bandwidth())} height={Math.max(0.5, Math.abs(y(value) - y(0)))} fill={value >= 0 ? "var(--gs-up)" : "var(--gs-down)"}>
            <title>{`${date(point.as_of, zone)}: ${signed(value, 0)} points`}</title>
          </rect>
        );
      })}
      {months.map(({ as_of, name }) => (
        <text key={as_of} x={x(as_of)} y={HEIGHT - 6} fontSize={11} fill="var(--gs-muted)">{name}</text>
      ))}
      {now !== null && (
        <text x={WIDTH - EDGE.right + 6} y={y(now)} dy="0.35em" fontSize={12} fill="var(--gs-text)">{signed(now, 0)}</text>
      )}
    </svg>
  );
}

function Table({ points }: { points: readonly BreadthPoint[] }): JSX.Element {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
    <div className="max-h-64 overflow-auto" tabIndex={0} role="region" aria-label="Net breadth as table">
      <table className="gs-table">
        <thead className="sticky top-0 bg-surface">
          <tr>
            <th scope="col">Session</th>
            {["Buy", "Hold", "Sell", "Net, pts"].map((name) => <th key={name} scope="col" className="gs-num">{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {[...points].reverse().map((point) => (
            <tr key={point.as_of}>
              <td><Time iso={point.as_of} as="date" /></td>
              <td className="gs-num">{count(point.buy)}</td>
              <td className="gs-num">{count(point.hold)}</td>
              <td className="gs-num">{count(point.sell)}</td>
              <td className="gs-num">{signed(net(point), 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** First session of each month that has room for its name. */
function starts(points: readonly BreadthPoint[]): { as_of: string; name: string }[] {
  const found: { as_of: string; name: string; at: number }[] = [];
  points.forEach((point, at) => {
    const month = session(point.as_of).slice(0, 7);
    const before = at > 0 ? session(points[at - 1]?.as_of ?? point.as_of).slice(0, 7) : null;
    const room = at - (found[found.length - 1]?.at ?? -Infinity) >= Math.max(2, points.length / 9);
    if (before !== null && month !== before && room && at < points.length - points.length / 20) found.push({ as_of: point.as_of, name: date(point.as_of, "exchange").split(" ")[1] ?? "", at });
  });
  return found;
}

function summary(points: readonly BreadthPoint[], day: (iso: string) => string): string {
  const [first, last] = [points[0], points[points.length - 1]];
  if (first === undefined || last === undefined) return "No sessions";
  const values = points.map((point) => net(point) ?? 0);
  return `Net breadth from ${day(first.as_of)} to ${day(last.as_of)}: now ${signed(net(last), 0)} points, lowest ${signed(Math.min(...values), 0)}, highest ${signed(Math.max(...values), 0)}.`;
}
