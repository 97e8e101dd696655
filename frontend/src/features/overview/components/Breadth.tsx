/** Breadth by sector: share of sells to the left of zero, of buys to the right, counts at the ends; sorted by net. */
import { scaleLinear } from "d3-scale";
import type { JSX } from "react";
import { Link } from "react-router";

import { change, signed } from "@/lib/format";
import { useBreadth } from "@/lib/queries";
import { Direction, Empty, ErrorPanel, Panel, Skeleton } from "@/ui";
import type { SectorBreadth } from "@/types";
import { bySector, net } from "../model/summary";

const WIDTH = 240;
const HEIGHT = 28;
const TICKS = [-1, -0.5, 0, 0.5, 1];
const x = scaleLinear([-1, 1], [24, WIDTH - 24]);

export function Breadth(): JSX.Element {
  const query = useBreadth();
  const sectors = bySector(query.data?.sectors ?? []);
  return (
    <Panel
      title="Breadth by sector"
      className="xl:col-span-5"
      updating={query.isFetching && !query.isPending}
      actions={
        <span className="flex gap-3 text-small text-muted">
          <span className="inline-flex items-center gap-1"><span className="text-down"><Direction of="SELL" size={7} /></span> sell share</span>
          <span className="inline-flex items-center gap-1"><span className="text-up"><Direction of="BUY" size={7} /></span> buy share</span>
        </span>
      }
    >
      {query.isPending && <Skeleton rows={11} height={HEIGHT} label="Reading breadth" />}
      {query.isError && query.data === undefined && <ErrorPanel what="Reading breadth" error={query.error} retry={() => void query.refetch()} />}
      {query.data !== undefined && sectors.length === 0 && <Empty>There are no signals yet. Start a scan, or wait for the next session.</Empty>}
      {sectors.length > 0 && (
        <div className="overflow-x-auto pb-2">
          <table className="w-full border-collapse">
            <caption className="sr-only">Share of buys and sells in each sector, sorted by net</caption>
            <thead>
              <tr className="text-small text-muted">
                <th scope="col" className="px-3 text-left font-medium"><span className="sr-only">Sector</span></th>
                <th scope="col" className="w-full min-w-40 p-0 font-medium max-md:min-w-28">
                  <span className="sr-only">Sell and buy share</span>
                  <span aria-hidden="true" className="relative block h-5 text-label">
                    {TICKS.map((tick) => (
                      <span key={tick} className={`absolute -translate-x-1/2 ${Math.abs(tick) === 0.5 ? "max-md:hidden" : ""}`} style={{ left: `${String((x(tick) / WIDTH) * 100)}%` }}>{tick === 0 ? "0" : `${String(Math.abs(tick) * 100)}%`}</span>
                    ))}
                  </span>
                </th>
                <th scope="col" className="px-2 text-right font-medium whitespace-nowrap">net, pts</th>
                <th scope="col" className="pr-3 pl-2 text-right font-medium">day</th>
              </tr>
            </thead>
            <tbody>
              {sectors.map((sector) => (
                <Row key={sector.sector} of={sector} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Row({ of }: { of: SectorBreadth }): JSX.Element {
  const all = Math.max(1, of.buy + of.hold + of.sell);
  const at = (share: number): string => `${String((x(share) / WIDTH) * 100)}%`;
  const sell = of.sell / all;
  const buy = of.buy / all;
  return (
    <tr style={{ height: HEIGHT }} className="hover:bg-hover">
      <th scope="row" className="truncate px-3 text-left font-normal max-xl:max-w-42 max-md:max-w-34" title={of.sector}>
        <Link to={`/signals?sector=${encodeURIComponent(of.sector)}`} className="-outline-offset-1 hover:underline">{of.sector}</Link>
      </th>
      <td className="relative p-0">
        <span className="sr-only">{`${String(of.sell)} sell, ${String(of.hold)} hold, ${String(of.buy)} buy`}</span>
        <span aria-hidden="true" className="absolute inset-0 text-small text-muted">
          {TICKS.map((tick) => (
            <span key={tick} className={`absolute inset-y-0 w-px ${tick === 0 ? "bg-line-strong" : "bg-line"}`} style={{ left: at(tick) }} />
          ))}
          <span className="absolute top-1/2 h-2.5 -translate-y-1/2 rounded-l-[2px] bg-down" style={{ left: at(-sell), right: `calc(100% - ${at(0)})` }} />
          <span className="absolute top-1/2 h-2.5 -translate-y-1/2 rounded-r-[2px] bg-up" style={{ left: `calc(${at(0)} + 1px)`, right: `calc(100% - ${at(buy)})` }} />
          <span className="absolute top-1/2 -translate-x-full -translate-y-1/2 pr-1" style={{ left: at(-sell) }}>{of.sell}</span>
          <span className="absolute top-1/2 -translate-y-1/2 pl-1" style={{ left: at(buy) }}>{of.buy}</span>
        </span>
      </td>
      <td className="px-2 text-right">{signed(net(of), 0)}</td>
      <td className="pr-3 pl-2 text-right text-muted">{change(of.day)}</td>
    </tr>
  );
}
