/** The chart's data as a table, newest bar first: the same numbers for those who read rather than see. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, type JSX } from "react";

import { useRowHeight } from "@/lib/density";
import { NONE, count, price, signed } from "@/lib/format";
import { ActionBadge } from "@/ui";

import type { Line, Row } from "../model/rows";

const VIRTUAL_ABOVE = 100; // rows

export function DataTable({ symbol, rows, lines }: { symbol: string; rows: readonly Row[]; lines: readonly Line[] }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 12 });
  useEffect(() => { virtual.measure(); }, [virtual, height]);
  const whole = rows.length <= VIRTUAL_ABOVE; // a short table is simply there
  const items = virtual.getVirtualItems();
  const indices = whole ? rows.map((_, index) => index) : items.map((item) => item.index);
  const heads = useMemo(() => ["Open", "High", "Low", "Close", "Volume"], []);
  const before = whole ? 0 : (items[0]?.start ?? 0);
  const after = whole ? 0 : virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const width = 8 + lines.length;
  return (
    // a table that scrolls has to take focus, or the keyboard cannot reach what is out of sight
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={scroller} tabIndex={0} role="region" aria-label={`Bars of ${symbol} as a table`} className="h-full overflow-auto -outline-offset-2">
      <table className="gs-table" aria-rowcount={rows.length + 1}>
        <thead className="sticky top-0 z-10 bg-surface">
          <tr aria-rowindex={1}>
            <th scope="col" className="sticky left-0 bg-surface">Day</th>
            {heads.map((head) => <th key={head} scope="col" className="gs-num">{head}</th>)}
            <th scope="col">Action</th>
            <th scope="col" className="gs-num">Score</th>
            {lines.map((line) => <th key={line.title} scope="col" className="gs-num">{line.title}</th>)}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden="true"><td colSpan={width} style={{ height: before, padding: 0 }} /></tr>}
          {indices.map((index) => {
            const row = rows[index];
            return row === undefined ? null : (
              <tr key={row.day} aria-rowindex={index + 2}>
                <th scope="row" className="sticky left-0 bg-surface font-medium text-text">{row.day}</th>
                <td className="gs-num">{price(row.open)}</td>
                <td className="gs-num">{price(row.high)}</td>
                <td className="gs-num">{price(row.low)}</td>
                <td className="gs-num">{price(row.close)}</td>
                <td className="gs-num">{count(row.volume)}</td>
                <td>{row.action === null ? <span title="No agent voted on this bar">{NONE}</span> : <ActionBadge action={row.action} />}</td>
                <td className="gs-num">{signed(row.score)}</td>
                {row.lines.map((value, i) => <td key={lines[i]?.title ?? i} className="gs-num">{price(value)}</td>)}
              </tr>
            );
          })}
          {after > 0 && <tr aria-hidden="true"><td colSpan={width} style={{ height: after, padding: 0 }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
