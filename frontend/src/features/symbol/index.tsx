/** The Symbol page: one symbol's bars, votes and signal up to a cursor that can stand at any bar of its history. */
import { useCallback, useMemo, useRef, useState, useSyncExternalStore, type JSX } from "react";
import { useParams, useSearchParams } from "react-router";

import { change, price, signed } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { RequestError } from "@/lib/problem";
import { useFeed, useInstruments } from "@/lib/queries";
import { CopyPython, Direction, Empty, ErrorPanel, Icon, Notice, Segments, Skeleton } from "@/ui";
import type { BarsView } from "@/types";

import { AsOfSlider } from "./components/AsOfSlider";
import { ChartExport } from "./components/ChartExport";
import { ChartView } from "./components/ChartView";
import { DataTable } from "./components/DataTable";
import { IndicatorsPanel } from "./components/IndicatorsPanel";
import { WhyPanel } from "./components/WhyPanel";
import { useCursor } from "./hooks/useCursor";
import { useFollow, useHistory, useRegistry } from "./hooks/useHistory";
import { adviceOf } from "./model/advice";
import type { Extent } from "./model/cursor";
import { cursorDay, dayOf } from "./model/days";
import { before, dayChange, turnsOf } from "./model/history";
import { titleOf } from "./model/indicators";
import { planOf } from "./model/plan";
import { pythonOf } from "./model/python";
import { csvOf, linesOf, rowsOf } from "./model/rows";
import { RANGES, pickText, readView, samePick, writeView, type Pick, type Range, type View } from "./model/view";

const NARROW = "(max-width: 47.99rem)";

export default function SymbolPage(): JSX.Element {
  const { symbol = "" } = useParams();
  const [query, setQuery] = useSearchParams();
  const view = useMemo(() => readView(query), [query]);
  const change = useCallback(
    (part: Partial<View>) => {
      setQuery((now) => writeView({ ...readView(now), ...part }), { replace: true });
    },
    [setQuery],
  );
  const registry = useRegistry();
  const [seeking, seek] = useState(false);
  const history = useHistory(symbol, view.asOf, view.picks, registry.data, seeking);
  useFollow(symbol, view.asOf === null, history);
  const bars = history.bars.data;

  if (history.bars.isError && bars === undefined) {
    const { error } = history.bars;
    if (error instanceof RequestError && error.status === 404) return <Empty>{error.message}</Empty>;
    return <ErrorPanel what={`Reading the bars of ${symbol}`} error={error} retry={() => void history.bars.refetch()} />;
  }
  if (bars === undefined) return <Skeleton rows={16} label={`Reading the bars of ${symbol}`} />;
  return <Loaded symbol={symbol} view={view} change={change} bars={bars} history={history} registry={registry} seeking={seeking} seek={seek} />;
}

interface LoadedProps {
  symbol: string;
  view: View;
  change: (part: Partial<View>) => void;
  bars: BarsView;
  history: ReturnType<typeof useHistory>;
  registry: ReturnType<typeof useRegistry>;
  /** Whether the cursor runs on to the next turn. */
  seeking: boolean;
  seek: (running: boolean) => void;
}

function Loaded({ symbol, view, change, bars, history, registry, seeking, seek }: LoadedProps): JSX.Element {
  const { asOf, range, picks } = view;
  const { shown } = history;
  const series = history.series.data ?? null;
  const signal = history.signal.data ?? null;
  const narrow = useNarrow();
  const [unfolded, unfold] = useState(false);
  const plan = useMemo(() => planOf(bars, series, signal, shown, asOf), [bars, series, signal, shown, asOf]);
  const drawn = useMemo(() => (narrow && !unfolded ? { ...plan, panes: [], votes: [] } : plan), [plan, narrow, unfolded]);
  const turns = useMemo(() => (series === null ? [] : turnsOf(series)), [series]);
  const advice = useMemo(() => adviceOf(series, signal), [series, signal]);
  const picture = useRef<(() => HTMLCanvasElement | null) | null>(null);
  const extent = useExtent(symbol, plan.days, asOf);
  const [trouble, setTrouble] = useState<Error | null>(null);

  const go = useCallback((day: string | null) => { setTrouble(null); change({ asOf: day }); }, [change]);
  const failed = useCallback((error: unknown) => {
    if (!(error instanceof RequestError)) throw error;
    setTrouble(error);
  }, []);
  const settled = !history.bars.isPlaceholderData && !history.bars.isFetching;
  const moves = useCursor({ symbol, asOf, days: plan.days, settled, turns, extent }, { go, seek, failed });
  useKeys({
    ArrowLeft: moves.back,
    ArrowRight: moves.forward,
    Home: moves.first,
    End: moves.newest,
    "[": moves.backTurn,
    "]": moves.forwardTurn,
  });

  const lines = useMemo(() => linesOf(bars, shown), [bars, shown]);
  const rows = useMemo(() => (view.table ? rowsOf(bars, series, lines) : []), [view.table, bars, series, lines]);
  const silent = history.series.isError ? history.series.error : null;
  const length = RANGES[range];
  const from = length === null ? (plan.days[0] ?? null) : (plan.days.at(-length) ?? plan.days[0] ?? null);
  const onPicks = (next: Pick[]): void => { change({ picks: next, heights: null }); }; // other panes, other shares
  const { total } = useListing(symbol);
  return (
    <div className="flex min-h-full flex-col bg-surface lg:h-full">
      <Head
        symbol={symbol}
        bars={bars}
        updating={history.bars.isFetching || history.series.isFetching}
        tools={
          <>
            <span className="text-small text-muted" title="The feed has daily bars only">1d</span>
            <Segments label="Range" value={range} options={(Object.keys(RANGES) as Range[]).map((value) => ({ value, label: value }))} onChange={(value) => { change({ range: value }); }} />
            <IndicatorsPanel registry={registry.data} error={registry.data === undefined ? registry.error : null} retry={() => void registry.refetch()} picks={picks} onChange={onPicks} />
            <button type="button" className="gs-button" aria-pressed={view.table} onClick={() => { change({ table: !view.table }); }}>
              {view.table ? "View as chart" : "View as table"}
            </button>
            {view.heights !== null && !view.table && (
              <button type="button" className="gs-button max-md:hidden" onClick={() => { change({ heights: null }); }}>
                Reset heights
              </button>
            )}
            <CopyPython lines={() => pythonOf(symbol, asOf, picks, registry.data ?? [])} />
            <ChartExport name={`${symbol}-${plan.days.at(-1) ?? "none"}`} csv={() => csvOf(symbol, rowsOf(bars, series, lines), lines)} picture={view.table ? null : () => picture.current?.() ?? null} />
          </>
        }
      />
      {trouble !== null && <ErrorPanel what="Looking for the next signal" error={trouble} retry={moves.forwardTurn} />}
      <div className="flex min-h-0 flex-1 border-t border-line max-xl:flex-col max-xl:overflow-y-auto">
        <div className="flex min-w-0 flex-1 flex-col">
          {silent !== null && <Notice>Consensus and votes of past bars are not to be had: {silent.message}</Notice>}
          {registry.isError && registry.data === undefined && picks.length > 0 && (
            <Notice>
              {picks.map(titleOf).join(", ")} {picks.length === 1 ? "is" : "are"} not drawn: {registry.error.message}
            </Notice>
          )}
          {history.failed.map(({ pick, error }) => (
            <Notice key={pickText(pick)} tone="error">
              {pick.name}: {error.message}{" "}
              <button type="button" className="underline" onClick={() => { onPicks(picks.filter((one) => !samePick(one, pick))); }}>Remove {pick.name}</button>
            </Notice>
          ))}
          <div className="relative min-h-0 flex-1 max-xl:h-[70dvh] max-xl:min-h-120 max-xl:flex-none max-md:h-[56dvh] max-md:min-h-90">
            {bars.ts.length === 0 ? (
              <Empty action={<button type="button" className="gs-button" onClick={moves.newest}>Go to newest</button>}>{symbol} has no bar by {asOf}.</Empty>
            ) : view.table ? (
              <DataTable symbol={symbol} rows={rows} lines={lines} />
            ) : (
              <ChartView plan={drawn} bars={length} picture={picture} heights={view.heights} onHeights={(heights) => { change({ heights }); }} onRemove={(pick) => { onPicks(picks.filter((one) => !samePick(one, pick))); }} />
            )}
          </div>
          {narrow && !view.table && (
            <button type="button" className="gs-button m-2 self-start" aria-expanded={unfolded} onClick={() => { unfold(!unfolded); }}>
              {unfolded ? "Fold votes and indicators" : "Show votes and indicators"}
            </button>
          )}
          {extent !== null && <AsOfSlider bars={bars} days={plan.days} turns={turns} extent={extent} total={total} asOf={asOf} seeking={seeking} from={from} moves={moves} />}
        </div>
        <aside aria-label={`Signal of ${symbol}`} className="w-93 shrink-0 overflow-y-auto border-l border-line max-xl:w-full max-xl:overflow-visible max-xl:border-t max-xl:border-l-0">
          {history.signal.isPending && series === null && silent === null ? (
            <Skeleton rows={10} label="Reading the signal" />
          ) : history.signal.isError ? (
            <ErrorPanel what="Reading the signal" error={history.signal.error} retry={() => void history.signal.refetch()} />
          ) : (
            <WhyPanel symbol={symbol} advice={advice} was={series === null ? undefined : before(series)} bars={bars} silent={silent} />
          )}
        </aside>
      </div>
    </div>
  );
}

function Head({ symbol, bars, updating, tools }: { symbol: string; bars: BarsView; updating: boolean; tools: JSX.Element }): JSX.Element {
  const { instrument } = useListing(symbol);
  const day = dayChange(bars);
  const direction = day === null || day.amount === 0 ? "HOLD" : day.amount > 0 ? "BUY" : "SELL";
  const tone = { BUY: "text-up", SELL: "text-down", HOLD: "text-muted" }[direction];
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2 px-3 py-2">
      <h2 className="flex flex-wrap items-baseline gap-x-2">
        <span className="text-panel font-semibold">{symbol}</span>
        <span className="text-muted">{[instrument?.name, instrument?.sector].filter((text) => text != null).join(", ")}</span>
      </h2>
      <p className="flex items-baseline gap-3">
        <span className="text-figure font-semibold">{price(bars.close.at(-1))}</span>
        {day !== null && (
          <span className={`inline-flex items-baseline gap-1.5 ${tone}`}>
            <Direction of={direction} />
            {signed(day.amount)} ({change(day.fraction, 2)})
          </span>
        )}
        {bars.gap.at(-1) === true && <span className="text-warn" title="The row before is missing"><Icon name="warn" size={13} /><span className="sr-only">The row before is missing</span></span>}
        {updating && <span className="text-small text-faint">updating</span>}
      </p>
      <div className="ml-auto flex flex-wrap items-center gap-2.5">{tools}</div>
    </header>
  );
}

function useListing(symbol: string): { instrument: { name: string | null; sector: string | null; first: string } | undefined; total: number } {
  const instrument = useInstruments().bySymbol.get(symbol);
  return { instrument, total: instrument?.bars ?? 0 };
}

/** First day and newest day of the symbol; the newest is the feed's clock while the view stands at a cursor. */
function useExtent(symbol: string, days: readonly string[], asOf: string | null): Extent | null {
  const { instrument } = useListing(symbol);
  const clock = useFeed().data?.clock;
  const first = days[0] ?? (instrument === undefined ? undefined : dayOf(instrument.first));
  const last = asOf === null ? days.at(-1) : clock === undefined ? undefined : dayOf(clock);
  return useMemo(() => {
    const newest = last ?? (asOf === null ? null : cursorDay(asOf));
    if (first === undefined || newest === null) return null;
    const day = asOf === null ? newest : cursorDay(asOf);
    return { first, last: newest < day ? day : newest };
  }, [first, last, asOf]);
}

/** Whether the page is as narrow as a phone: then one pane stands under the price until the rest is asked for. */
function useNarrow(): boolean {
  return useSyncExternalStore(watchWidth, () => window.matchMedia(NARROW).matches);
}

function watchWidth(changed: () => void): () => void {
  const query = window.matchMedia(NARROW);
  query.addEventListener("change", changed);
  return () => {
    query.removeEventListener("change", changed);
  };
}
