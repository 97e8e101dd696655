/** Every symbol's newest signal: filtered, sorted, live, exported; a side panel with votes and reasons. */
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState, useSyncExternalStore, type JSX } from "react";
import { useNavigate } from "react-router";

import { useCloses, type Closes } from "@/lib/closes";
import { plural } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { useChanges, useFeed, useInstruments, useSignals } from "@/lib/queries";
import { useStream } from "@/lib/stream";
import { Empty, ErrorPanel, Notice, Skeleton } from "@/ui";
import { Bar } from "./components/Bar";
import { Cards } from "./components/Cards";
import { SidePanel } from "./components/SidePanel";
import { Pill, SignalsTable } from "./components/SignalsTable";
import { useHeldOrder } from "./hooks/useHeldOrder";
import { useView } from "./hooks/useView";
import { filterRows, inShow, join, sortRows, type Row } from "./model/rows";

export default function SignalsPage(): JSX.Element {
  const view = useView();
  const { query, rows: signals } = useSignals();
  const changes = useChanges().data;
  const clock = useFeed().data?.clock ?? query.data?.clock ?? null;
  const arrived = useDeferredValue(useStream((state) => state.arrived));
  const closes = useCloses();
  const { rows, sectors } = useRows(signals, changes?.items, closes.bySymbol);
  const wanted = useMemo(() => sortRows(filterRows(rows, view.filter), view.sort).map((row) => row.symbol), [rows, view.filter, view.sort]);
  const [pointer, setPointer] = useState(false);
  const { symbols, waiting, apply } = useHeldOrder(wanted, JSON.stringify([view.filter, view.sort]), pointer);
  const bySymbol = useMemo(() => new Map(rows.map((row) => [row.symbol, row])), [rows]);
  const shown = useMemo(() => symbols.flatMap((symbol) => bySymbol.get(symbol) ?? []), [symbols, bySymbol]);
  const open = bySymbol.get(view.open);
  const [filtering, setFiltering] = useState(() => Object.keys(view.typed).some((id) => id !== "sector"));
  const scroller = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const phone = useMedia("(max-width: 47.99rem)");
  const navigate = useNavigate();
  const { setOpen } = view;
  const close = useCallback(() => {
    setOpen("");
  }, [setOpen]);
  const at = useRef(view.open); // two quick presses come before the URL has changed once
  useEffect(() => {
    at.current = view.open;
  }, [view.open]);
  const step = (by: number): void => {
    const index = shown.findIndex((row) => row.symbol === at.current);
    const next = shown[Math.max(0, Math.min(shown.length - 1, index + by))];
    if (next === undefined) return;
    at.current = next.symbol;
    setOpen(next.symbol);
  };
  useKeys({
    j: () => { step(1); },
    k: () => { step(-1); },
    "/": () => search.current?.focus(),
    e: () => document.querySelector<HTMLButtonElement>("#page [data-export]")?.click(),
    Escape: () => {
      if (document.activeElement === search.current) search.current?.blur();
      else if (view.open !== "") close();
    },
    Enter: (event) => {
      if (open === undefined || (event.target instanceof Element && event.target.closest("a, button, input, select") !== null)) return;
      void navigate(`/symbols/${encodeURIComponent(open.symbol)}`);
    },
  });
  const counts = { all: rows.length, active: rows.filter((row) => inShow(row, "active")).length, changed: rows.filter((row) => row.changed).length };
  const filtered = wanted.length !== rows.length;
  const exportQuery = { limit: 10_000, ...(filtered && { symbols: wanted.join(",") }), ...(clock !== null && { as_of: clock }) };
  return (
    <div className="flex h-full flex-col">
        <Bar
          view={view}
          counts={counts}
          rows={wanted.length}
          sectors={sectors}
          filtering={filtering}
          setFiltering={setFiltering}
          exportQuery={exportQuery}
          python={{ as_of: clock, symbols: filtered ? wanted : null }}
          search={search}
        />
      <div className="relative flex min-h-0 flex-1">
      <div className="relative flex min-w-0 flex-1 flex-col">
        {view.bad.size > 0 && <Notice>{`The filter of ${[...view.bad].join(" and ")} cannot be read and is not applied. Write > 0.2, <= 0.5 or 0.2..0.5.`}</Notice>}
        {closes.query.isError && <Notice>Closes could not be read: {closes.query.error.message} <button type="button" className="min-h-6 underline" onClick={() => void closes.query.refetch()}>Retry</button></Notice>}
        {query.isPending && <Skeleton rows={20} label="Reading signals" />}
        {query.isError && query.data === undefined && <ErrorPanel what="Reading signals" error={query.error} retry={() => void query.refetch()} />}
        {query.data !== undefined && rows.length === 0 && <Empty>There are no signals yet. They appear when the first session has been decided.</Empty>}
        {rows.length > 0 &&
          (phone ? (
            <Cards rows={shown} arrived={arrived} scroller={scroller} onOpen={setOpen} />
          ) : (
            <SignalsTable rows={shown} arrived={arrived} view={view} clock={clock} filtering={filtering} scroller={scroller} onPointer={setPointer} />
          ))}
        {rows.length > 0 && wanted.length === 0 && (
          <div className="absolute inset-x-0 top-24">
            <Empty action={<button type="button" className="gs-button" onClick={view.clear}>Clear the filters</button>}>{plural(rows.length, "symbol")} checked, none passes these filters.</Empty>
          </div>
        )}
        <div role="status" className="pointer-events-none absolute inset-x-0 bottom-4 flex justify-center *:pointer-events-auto">
          <Pill rows={waiting} apply={apply} />
        </div>
      </div>
      {open !== undefined && <SidePanel row={open} was={changes?.items.find((one) => one.signal.symbol === open.symbol)} onClose={close} />}
      </div>
    </div>
  );
}

function useRows(signals: Parameters<typeof join>[0], changes: readonly { signal: { symbol: string } }[] | undefined, known: Closes): { rows: Row[]; sectors: string[] } {
  const { bySymbol } = useInstruments();
  const closes = useDeferredValue(known);
  const changed = useMemo(() => new Set((changes ?? []).map((change) => change.signal.symbol)), [changes]);
  const rows = useMemo(() => join(signals, { instruments: bySymbol, changed, closes }), [signals, bySymbol, changed, closes]);
  const sectors = useMemo(() => [...new Set([...bySymbol.values()].flatMap((one) => one.sector ?? []))].sort(), [bySymbol]);
  return { rows, sectors };
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const media = window.matchMedia(query);
      media.addEventListener("change", changed);
      return () => {
        media.removeEventListener("change", changed);
      };
    },
    () => window.matchMedia(query).matches,
  );
}
