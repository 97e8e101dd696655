/** Rows that are already here, drawn as they are scrolled to: what stands behind a chart. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, type JSX } from "react";

import { useRowHeight } from "@/lib/density";
import { NONE } from "@/lib/format";
import type { Cell } from "@/lib/save";
import { Time } from "@/ui";

interface PlainTableProps {
  label: string;
  data: { header: readonly string[]; rows: readonly (readonly Cell[])[] };
  head: (column: string) => string;
  show: (value: number, column: string) => string;
}

const VIRTUAL_ABOVE = 100; // rows
const ISO = /^\d{4}-\d\d-\d\dT/;

export function PlainTable({ label, data: { header, rows }, head, show }: PlainTableProps): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 20 });
  const items = virtual.getVirtualItems();
  const whole = rows.length <= VIRTUAL_ABOVE; // a short table is simply there
  const indices = whole ? rows.map((_, index) => index) : items.map(({ index }) => index);
  const before = whole ? 0 : (items[0]?.start ?? 0);
  const after = whole ? 0 : virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const number = header.map((_, at) => rows.some((row) => typeof row[at] === "number"));
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
    <div ref={scroller} tabIndex={0} role="region" aria-label={label} className="max-h-80 overflow-auto -outline-offset-2">
      <table className="gs-table" aria-rowcount={rows.length + 1}>
        <thead className="sticky top-0 bg-surface">
          <tr>{header.map((column, at) => <th key={column} scope="col" className={number[at] === true ? "gs-num" : ""}>{head(column)}</th>)}</tr>
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden="true"><td colSpan={header.length} className="!border-0 !p-0" style={{ height: before }} /></tr>}
          {indices.map((index) => (
            <tr key={index} aria-rowindex={index + 2}>
              {header.map((column, at) => {
                const cell = rows[index]?.[at];
                return <td key={column} className={number[at] === true ? "gs-num" : ""}>{cell == null ? NONE : typeof cell === "number" ? show(cell, column) : ISO.test(cell) ? <Time iso={cell} as="date" /> : cell}</td>;
              })}
            </tr>
          ))}
          {after > 0 && <tr aria-hidden="true"><td colSpan={header.length} className="!border-0 !p-0" style={{ height: after }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
