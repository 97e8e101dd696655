/** The table: virtual rows, sticky header and first column, sorting by headers, cells that change in place. */
import { getCoreRowModel, useReactTable, type ColumnDef } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef, type JSX, type MouseEvent, type RefObject } from "react";

import { useRowHeight } from "@/lib/density";
import { HOW } from "@/lib/filters";
import { useDraft } from "@/lib/url";
import { Icon, useTint } from "@/ui";
import { useColumns } from "../hooks/useColumns";
import type { View } from "../hooks/useView";
import { orderOf } from "../model/columns";
import { isText, type Row } from "../model/rows";
import { TABLE_COLUMNS, type CellProps, type Column } from "./columns";

const SPARE = 12;

interface SignalsTableProps {
  rows: readonly Row[];
  arrived: ReadonlyMap<string, number>;
  view: View;
  clock: string | null;
  filtering: boolean;
  scroller: RefObject<HTMLDivElement>;
  onPointer: (inside: boolean) => void;
}

export function SignalsTable({ rows, arrived, view, clock, filtering, scroller, onPointer }: SignalsTableProps): JSX.Element {
  const columns = useMemo<ColumnDef<Row>[]>(() => TABLE_COLUMNS.map(({ id, header }) => ({ id, header })), []);
  const data = rows as Row[];
  const visibility = useColumns((state) => state.visibility);
  const kept = useColumns((state) => state.order);
  const order = useMemo(() => orderOf(kept), [kept]);
  const height = useRowHeight();
  const table = useReactTable({ data, columns, state: { columnVisibility: visibility, columnOrder: order }, manualSorting: true, getCoreRowModel: getCoreRowModel(), getRowId: (row) => row.symbol });
  const shown = table.getVisibleLeafColumns().flatMap(({ id }) => TABLE_COLUMNS.filter((column) => column.id === id));
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: SPARE, scrollPaddingStart: height * 2, scrollPaddingEnd: height * 2 });
  useEffect(() => { virtual.measure(); }, [virtual, height]);
  const items = virtual.getVirtualItems();
  const openAt = rows.findIndex((row) => row.symbol === view.open);
  const scrolledTo = useRef("");
  useEffect(() => {
    if (openAt < 0 || scrolledTo.current === view.open) return;
    const first = scrolledTo.current === "";
    scrolledTo.current = view.open; // once per opened row: a live update must not scroll
    virtual.scrollToIndex(openAt, { align: first && openAt > 10 ? "center" : "auto" });
  }, [openAt, view.open, virtual]);
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items[items.length - 1]?.end ?? 0);
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-auto" onPointerEnter={() => { onPointer(true); }} onPointerLeave={() => { onPointer(false); }}>
      <table className="gs-table table-fixed border-separate border-spacing-0" style={{ minWidth: shown.reduce((sum, column) => sum + column.width, 0) }} aria-rowcount={rows.length + 1} aria-label="Signals">
        <colgroup>
          {shown.map((column) => <col key={column.id} style={column.id === "name" || column.id === "sector" ? { minWidth: column.width } : { width: column.width }} />)}
        </colgroup>
        <thead className="sticky top-0 z-20 bg-bg">
          <tr aria-rowindex={1}>
            {shown.map((column) => <Header key={column.id} column={column} view={view} />)}
          </tr>
          {filtering && (
            <tr>
              {shown.map((column) => <FilterCell key={column.id} column={column} view={view} />)}
            </tr>
          )}
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden="true"><td colSpan={shown.length} className="!border-0 !p-0" style={{ height: before }} /></tr>}
          {items.map((item) => {
            const row = rows[item.index];
            return row === undefined ? null : (
              <SignalRow
                key={row.symbol}
                index={item.index + 2}
                columns={shown}
                open={row.symbol === view.open}
                onOpen={view.setOpen}
                symbol={row.symbol}
                signal={row.signal}
                name={row.name}
                sector={row.sector}
                closes={row.closes}
                last={row.last}
                day={row.day}
                clock={clock}
                arrived={arrived.get(row.symbol)}
              />
            );
          })}
          {after > 0 && <tr aria-hidden="true"><td colSpan={shown.length} className="!border-0 !p-0" style={{ height: after }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

function Header({ column, view }: { column: Column; view: View }): JSX.Element {
  const at = view.sort.findIndex((sort) => sort.id === column.id);
  const sort = view.sort[at];
  const more = view.sort.length > 1 && at >= 0 ? String(at + 1) : "";
  return (
    <th
      scope="col"
      aria-sort={sort === undefined ? "none" : sort.desc ? "descending" : "ascending"}
      className={`${column.numeric ? "gs-num" : ""} ${column.id === "symbol" ? "sticky left-0 z-10 bg-bg" : ""}`}
    >
      <button
        type="button"
        title="Sort; Shift adds a column"
        className={`inline-flex min-h-6 items-center gap-1 -outline-offset-1 hover:text-text ${sort === undefined ? "" : "font-semibold text-text"}`}
        onClick={(event) => {
          view.toggleSort(column.id, event.shiftKey);
        }}
      >
        {column.header}
        {sort !== undefined && (
          <svg aria-hidden="true" width="8" height="8" viewBox="0 0 8 8" fill="currentColor">
            <path d={sort.desc ? "M4 7L.5 1h7z" : "M4 1l3.5 6h-7z"} />
          </svg>
        )}
        {more !== "" && <span className="text-label text-faint">{more}</span>}
      </button>
    </th>
  );
}

function FilterCell({ column, view }: { column: Column; view: View }): JSX.Element {
  const { id, header } = column;
  const bad = view.bad.has(id);
  const words = isText(id) || id === "age";
  const [draft, setDraft] = useDraft(view.typed[id] ?? "", (text) => {
    view.setColumn(id, text);
  });
  return (
    <td className={`!px-1 ${id === "symbol" ? "sticky left-0 z-10 bg-bg" : ""}`}>
      <input
        className={`gs-input !h-6 w-full !px-1.5 !text-small ${bad ? "!border-error" : ""}`}
        aria-label={`Filter ${header}`}
        aria-invalid={bad}
        title={bad ? HOW : words ? "Part of the word" : HOW}
        placeholder={words ? "" : "> 0.2"}
        value={draft}
        onChange={(event) => {
          setDraft(event.target.value);
        }}
      />
    </td>
  );
}

interface SignalRowProps extends CellProps {
  index: number;
  columns: readonly Column[];
  open: boolean;
  onOpen: (symbol: string) => void;
}

const SignalRow = memo(
  function SignalRow({ index, columns, open, onOpen, ...cells }: SignalRowProps): JSX.Element {
    const row = useRef<HTMLTableRowElement>(null);
    useTint(row, cells.arrived);
    const toggle = (event: MouseEvent): void => {
      event.stopPropagation();
      onOpen(open ? "" : cells.symbol);
    };
    return (
      // the whole row is a larger target for the pointer; the keyboard has the button in its first cell
      <tr ref={row} aria-rowindex={index} data-symbol={cells.symbol} className={`cursor-default ${open ? "bg-sel" : "bg-bg hover:bg-hover"}`} onClick={toggle}>
        {columns.map((column) =>
          column.id === "symbol" ? (
            <th key="symbol" scope="row" className={`sticky left-0 z-10 !text-body !font-semibold !text-text bg-inherit ${open ? "shadow-[inset_2px_0_0_var(--gs-focus)]" : ""}`}>
              <button type="button" className="min-h-6 -outline-offset-1" aria-pressed={open} aria-label={`${cells.symbol}: votes and reasons`} onClick={toggle}>
                {cells.symbol}
              </button>
            </th>
          ) : (
            <td key={column.id} className={`overflow-hidden text-ellipsis ${column.numeric ? "gs-num" : ""}`}>
              {column.cell(cells)}
            </td>
          ),
        )}
      </tr>
    );
  },
);

export function Pill({ rows, apply }: { rows: number; apply: () => void }): JSX.Element | null {
  if (rows === 0) return null;
  return (
    <button type="button" className="inline-flex h-7 items-center gap-1.5 rounded-full border border-line-strong bg-raised px-3 text-small" onClick={apply}>
      <Icon name="down" size={12} /> {rows} moved
    </button>
  );
}
