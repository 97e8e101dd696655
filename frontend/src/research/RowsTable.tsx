/** A table of a result: sorted and filtered by the server, read a page at a time where one scrolls. The view is in the URL. */
import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState, type JSX, type ReactNode } from "react";
import { useSearchParams } from "react-router";

import { useRowHeight } from "@/lib/density";
import { HOW, apiFilters } from "@/lib/filters";
import { NONE, count } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { metricName, metricText } from "@/lib/metrics";
import type { Cell, ColumnView } from "@/types";
import { TABLE_PAGE, tablePage } from "@/lib/runs";
import { useDraft, withParam } from "@/lib/url";
import { Empty, ErrorPanel, ExportMenu, Notice, Skeleton, Time } from "@/ui";

const VIRTUAL_ABOVE = 100; // rows
const MOST_ROWS = 500_000; // a browser draws no taller element
const FORMATS = ["csv", "parquet", "json", "arrow"];

interface RowsTableProps {
  id: string;
  /** Of the table, and of the files. */
  name: string;
  label: string;
  columns: readonly ColumnView[];
  /** "-sharpe": how it is sorted unless the URL says otherwise. */
  sort?: string;
  /** What stands at the end of each row. */
  act?: (row: Readonly<Record<string, Cell>>) => ReactNode;
  /** What is called first when a row is opened by `Enter`. */
  onOpen?: (row: Readonly<Record<string, Cell>>) => void;
  tools?: ReactNode;
}

/** The filters of a table that the URL holds, by column, as typed. */
export function useTableFilters(columns: readonly ColumnView[]): { typed: Readonly<Record<string, string>>; words: string[]; bad: ReadonlySet<string>; set: (column: string, text: string) => void; clear: () => void } {
  const [query, setQuery] = useSearchParams();
  const kept = [...query].filter(([name]) => name.startsWith("f.")).map(([name, text]) => `${name.slice(2)}\u0000${text}`).join("\u0001");
  return useMemo(() => {
    const typed = Object.fromEntries(kept.split("\u0001").filter((part) => part !== "").map((part) => part.split("\u0000") as [string, string]));
    const bad = new Set<string>();
    const words = columns.flatMap(({ name, type }) => {
      const found = apiFilters(name, typed[name] ?? "", !isNumber(type));
      if (found === "bad") bad.add(name);
      return found === "bad" ? [] : found;
    });
    return {
      typed, words, bad,
      set: (column, text) => { setQuery((now) => withParam(now, `f.${column}`, text), { replace: true }); },
      clear: () => { setQuery((now) => new URLSearchParams([...now].filter(([name]) => !name.startsWith("f."))), { replace: true }); },
    };
  }, [kept, columns, setQuery]);
}

export function RowsTable({ id, name, label, columns, sort: usual = "", act, onOpen, tools }: RowsTableProps): JSX.Element {
  const [query, setQuery] = useSearchParams();
  const sort = query.get("sort") ?? usual;
  const filters = useTableFilters(columns);
  const [filtering, setFiltering] = useState(Object.keys(filters.typed).length > 0);
  const [cursor, setCursor] = useState(-1);
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const [total, setTotal] = useState<number | null>(null);
  const rows = Math.min(total ?? 0, MOST_ROWS);
  const virtual = useVirtualizer({ count: rows, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 12 });
  const items = virtual.getVirtualItems();
  const whole = rows <= VIRTUAL_ABOVE; // a short table is simply there
  const indices = whole ? Array.from({ length: rows }, (_, index) => index) : items.map(({ index }) => index);
  const pages = [...new Set([0, ...indices.map((index) => Math.floor(index / TABLE_PAGE))])];
  const found = useQueries({ queries: pages.map((page) => tablePage(id, name, { sort, filters: filters.words }, page)) });
  const first = found[0];
  const newest = first?.data?.total;
  if (newest !== undefined && newest !== total) setTotal(newest);
  const byPage = new Map(pages.map((page, at) => [page, found[at]?.data]));
  const cells = (index: number): readonly Cell[] | undefined => byPage.get(Math.floor(index / TABLE_PAGE))?.rows[index % TABLE_PAGE];
  const record = (index: number): Readonly<Record<string, Cell>> | null => {
    const row = cells(index);
    return row === undefined ? null : Object.fromEntries(shown.map((column, at) => [column.name, row[at] ?? null]));
  };
  const shown = first?.data?.columns ?? columns;
  const width = shown.length + (act === undefined ? 0 : 1);
  const before = whole ? 0 : (items[0]?.start ?? 0);
  const after = whole ? 0 : virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const step = (by: number): void => {
    const next = Math.min(rows - 1, Math.max(0, cursor + by));
    setCursor(next);
    virtual.scrollToIndex(next);
  };
  const open = (): void => {
    const row = record(cursor);
    if (row !== null) onOpen?.(row);
  };
  useKeys({
    j: () => { step(1); },
    k: () => { step(-1); },
    "/": () => { setFiltering(true); },
    e: () => document.querySelector<HTMLButtonElement>("#page [data-export]")?.click(),
    ...(cursor >= 0 && onOpen !== undefined && { Enter: open }),
  });
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-2 px-3 pb-2">
        <p aria-live="polite" className="text-small text-muted">
          {total === null ? "" : `${count(total)} rows`}
          {total !== null && total > MOST_ROWS && `, the first ${count(MOST_ROWS)} are drawn: sort or filter to see others`}
        </p>
        {found.some((one) => one.isFetching && one.data === undefined) && total !== null && <span className="text-small text-faint">reading</span>}
        <div className="ml-auto flex flex-wrap items-center gap-2">
          {tools}
          {filters.words.length > 0 && <button type="button" className="gs-button" onClick={filters.clear}>Clear filters</button>}
          <button type="button" className="gs-button" aria-pressed={filtering} onClick={() => { setFiltering(!filtering); }}>Filters</button>
          <ExportMenu path={`/v1/runs/${id}/tables/${name}`} query={{ sort: sort || null, filter: filters.words }} name={`${name}-${id.slice(0, 8)}`} formats={FORMATS} disabled={total === null || total === 0} />
        </div>
      </div>
      {filters.bad.size > 0 && <Notice>{`The filter of ${[...filters.bad].map(metricName).join(" and ")} cannot be read and is not applied. ${HOW}.`}</Notice>}
      {first?.isPending === true && total === null && <Skeleton rows={10} label={`Reading ${label.toLowerCase()}`} />}
      {first?.isError === true && first.data === undefined && <ErrorPanel what={`Reading ${label.toLowerCase()}`} error={first.error} retry={() => void first.refetch()} />}
      {total !== null && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
        <div ref={scroller} tabIndex={0} role="region" aria-label={`${label}, table`} className="max-h-[32rem] min-h-40 overflow-auto border-t border-line -outline-offset-2">
          <table className="gs-table border-separate border-spacing-0" aria-rowcount={total + 1} aria-label={label}>
            <thead className="sticky top-0 z-10 bg-surface">
              <tr aria-rowindex={1}>
                {shown.map((column) => <Head key={column.name} column={column} sort={sort} onSort={(next) => { setQuery((now) => withParam(now, "sort", next, usual), { replace: true }); }} />)}
                {act !== undefined && <th scope="col"><span className="sr-only">Actions</span></th>}
              </tr>
              {filtering && (
                <tr>
                  {shown.map((column) => <FilterCell key={column.name} column={column} typed={filters.typed[column.name] ?? ""} bad={filters.bad.has(column.name)} set={filters.set} />)}
                  {act !== undefined && <td />}
                </tr>
              )}
            </thead>
            <tbody>
              {before > 0 && <tr aria-hidden="true"><td colSpan={width} className="!border-0 !p-0" style={{ height: before }} /></tr>}
              {indices.map((index) => {
                const row = cells(index);
                return (
                  <tr key={index} aria-rowindex={index + 2} className={index === cursor ? "bg-sel" : "hover:bg-hover"}>
                    {shown.map((column, at) => <td key={column.name} className={isNumber(column.type) ? "gs-num" : ""}>{row === undefined ? "" : <CellText column={column} value={row[at] ?? null} />}</td>)}
                    {act !== undefined && <td className="gs-num">{row === undefined ? null : act(record(index) ?? {})}</td>}
                  </tr>
                );
              })}
              {after > 0 && <tr aria-hidden="true"><td colSpan={width} className="!border-0 !p-0" style={{ height: after }} /></tr>}
            </tbody>
          </table>
          {total === 0 && <Empty action={filters.words.length > 0 && <button type="button" className="gs-button" onClick={filters.clear}>Clear filters</button>}>{filters.words.length > 0 ? "No row passes these filters." : `There are no ${label.toLowerCase()}.`}</Empty>}
        </div>
      )}
    </div>
  );
}

function Head({ column: { name, type }, sort, onSort }: { column: ColumnView; sort: string; onSort: (sort: string) => void }): JSX.Element {
  const parts = sort.split(",").filter((part) => part !== "");
  const held = parts.find((part) => part.replace(/^-/, "") === name);
  const desc = held?.startsWith("-") === true;
  const next = held === undefined ? (isNumber(type) ? `-${name}` : name) : desc === isNumber(type) ? (desc ? name : `-${name}`) : "";
  return (
    <th scope="col" aria-sort={held === undefined ? "none" : desc ? "descending" : "ascending"} className={isNumber(type) ? "gs-num" : ""}>
      <button
        type="button"
        title="Sort; Shift adds a column"
        className={`inline-flex min-h-6 items-center gap-1 -outline-offset-1 hover:text-text ${held === undefined ? "" : "font-semibold text-text"}`}
        onClick={(event) => {
          const others = event.shiftKey ? parts.filter((part) => part !== held) : [];
          onSort([...others, next].filter((part) => part !== "").join(","));
        }}
      >
        {metricName(name)}
        {held !== undefined && <svg aria-hidden="true" width="8" height="8" viewBox="0 0 8 8" fill="currentColor"><path d={desc ? "M4 7L.5 1h7z" : "M4 1l3.5 6h-7z"} /></svg>}
      </button>
    </th>
  );
}

function FilterCell({ column: { name, type }, typed, bad, set }: { column: ColumnView; typed: string; bad: boolean; set: (column: string, text: string) => void }): JSX.Element {
  const [draft, setDraft] = useDraft(typed, (text) => { set(name, text); });
  return (
    <td className="!px-1">
      <input
        className={`gs-input !h-6 w-full min-w-20 !px-1.5 !text-small ${bad ? "!border-error" : ""}`}
        aria-label={`Filter ${metricName(name)}`}
        aria-invalid={bad}
        title={isNumber(type) ? HOW : "The whole word"}
        placeholder={isNumber(type) ? "> 0.2" : ""}
        value={draft}
        onChange={(event) => { setDraft(event.target.value); }}
      />
    </td>
  );
}

function CellText({ column: { name, type }, value }: { column: ColumnView; value: Cell }): JSX.Element {
  if (value === null) return <span className="text-muted">{NONE}</span>;
  if (typeof value === "boolean") return value ? <span className="gs-badge rounded-badge border border-dashed border-line-strong px-1 text-small">{metricName(name).toLowerCase()}</span> : <span className="text-muted">{NONE}</span>;
  if (typeof value === "number") return <>{metricText(name, value)}</>;
  return type === "time" ? <Time iso={value} as="date" /> : <>{value}</>;
}

export function isNumber(type: ColumnView["type"]): boolean {
  return type === "integer" || type === "number";
}
