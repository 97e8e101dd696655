/**
 * One symbol up to the cursor: bars, consensus, indicators and the signal, all asked for with the same `as_of`.
 *
 * Without a cursor they follow the feed: prices and signals of the stream grow them. With one, nothing later is asked
 * for, and what a later view held is cut at once and then dropped: `gcTime` 0. While the cursor seeks a turn it passes
 * over bars that nobody looks at: nothing is asked then (`quiet`).
 */
import { useQueries, useQuery, useQueryClient, type QueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { ask } from "@/lib/api";
import { RequestError } from "@/lib/problem";
import { usePrice, useRooms } from "@/lib/stream/hooks";
import { onReload, useStream } from "@/lib/stream/store";
import type { BarsView, ConsensusSeries, IndicatorSeries, IndicatorView, SignalView } from "@/types";

import { dayOf, nextWeekday } from "../model/days";
import { cutBars, cutIndicator, cutSeries, withPrice, withSignal } from "../model/history";
import { paramsOf } from "../model/indicators";
import type { Shown } from "../model/plan";
import { pickText, type Pick as IndicatorPick } from "../model/view";

const MOST_BARS = 20_000;
const INDICATORS_EVERY_MS = 2_000; // a replay may close several sessions a second; lines need not follow each

export interface Failed {
  pick: IndicatorPick;
  error: Error;
}

export interface History {
  bars: UseQueryResult<BarsView>;
  series: UseQueryResult<ConsensusSeries>;
  /** null: none was stored for a bar up to the cursor. */
  signal: UseQueryResult<SignalView | null>;
  shown: Shown[];
  failed: Failed[];
}

export function useHistory(symbol: string, asOf: string | null, picks: readonly IndicatorPick[], registry: readonly IndicatorView[] | undefined, quiet = false): History {
  const at = `/v1/signals/${encodeURIComponent(symbol)}`;
  const kept = { gcTime: 0, staleTime: Infinity, enabled: !quiet } as const;
  const bars = useQuery({
    ...kept,
    queryKey: key(symbol, "bars", asOf),
    queryFn: ({ signal }) => ask<BarsView>(`/v1/bars/${encodeURIComponent(symbol)}`, { query: { as_of: asOf, limit: MOST_BARS }, signal }),
    placeholderData: (before) => (before?.symbol === symbol ? cutBars(before, asOf) : undefined),
  });
  const series = useQuery({
    ...kept,
    queryKey: key(symbol, "series", asOf),
    queryFn: ({ signal }) => ask<ConsensusSeries>(`${at}/series`, { query: { as_of: asOf }, signal }),
    placeholderData: (before) => (before?.symbol === symbol ? cutSeries(before, asOf) : undefined),
  });
  const signal = useQuery({
    ...kept,
    queryKey: key(symbol, "signal", asOf),
    queryFn: ({ signal: abort }) => orNull(ask<SignalView>(at, { query: { as_of: asOf }, signal: abort })),
  });
  const wanted = picks.flatMap((pick) => {
    const entry = registry?.find((one) => one.name === pick.name);
    return entry === undefined ? [] : [{ pick, entry }];
  });
  const found = useQueries({
    queries: wanted.map(({ pick, entry }) => ({
      ...kept,
      queryKey: [...key(symbol, "indicator", asOf), pickText(pick)],
      queryFn: ({ signal: abort }: { signal: AbortSignal }) => {
        const param = Object.entries(paramsOf(pick, entry)).map(([name, value]) => `${name}:${String(value)}`);
        return ask<IndicatorSeries>(`/v1/indicators/${pick.name}/values`, { query: { symbol, other: pick.other, param, as_of: asOf }, signal: abort });
      },
      placeholderData: (before: IndicatorSeries | undefined) =>
        before?.symbol === symbol && before.name === pick.name ? cutIndicator(before, asOf) : undefined,
    })),
  });
  const unknown = registry === undefined ? [] : picks.filter((pick) => !registry.some((entry) => entry.name === pick.name));
  const shown = wanted.flatMap(({ pick, entry }, i) => {
    const values = found[i]?.data;
    return values === undefined ? [] : [{ pick, entry, values }];
  });
  const failed = [
    ...wanted.flatMap(({ pick }, i): Failed[] => {
      const error = found[i]?.error;
      return error == null ? [] : [{ pick, error }];
    }),
    ...unknown.map((pick): Failed => ({ pick, error: new RequestError(422, "Unknown", `There is no indicator ${pick.name}. Choose another, or remove it.`) })),
  ];
  return { bars, series, signal, shown: useStable(shown), failed };
}

/** Let the stream grow what `useHistory` holds without a cursor. Off while the view stands at one. */
export function useFollow(symbol: string, following: boolean, { bars, series }: Pick<History, "bars" | "series">): void {
  const client = useQueryClient();
  useRooms(following ? [`prices.${symbol}`, `signals.${symbol}`, "market"] : []);
  const price = usePrice(symbol);
  const signal = useStream((state) => state.signals.get(symbol));
  const session = useStream((state) => state.session?.as_of);
  const link = useStream((state) => state.link);

  const lastBar = bars.data?.ts.at(-1);
  useEffect(() => {
    if (!following || price === undefined || lastBar === undefined) return;
    client.setQueryData<BarsView>(key(symbol, "bars", null), (known) => known && withPrice(known, price));
  }, [client, symbol, following, price, lastBar]);
  useFill(following, symbol, "bars", lastBar, price?.ts);

  const lastRow = series.data?.ts.at(-1);
  useEffect(() => {
    if (!following || signal === undefined) return;
    client.setQueryData<ConsensusSeries>(key(symbol, "series", null), (known) => known && withSignal(known, signal));
    client.setQueryData<SignalView | null>(key(symbol, "signal", null), (known) =>
      known != null && Date.parse(known.as_of) > Date.parse(signal.as_of) ? known : signal,
    );
  }, [client, symbol, following, signal, lastRow]);
  useFill(following, symbol, "series", lastRow, signal?.as_of);

  const refreshed = useRef(0);
  useEffect(() => {
    if (!following || session === undefined) return;
    const wait = Math.max(0, refreshed.current + INDICATORS_EVERY_MS - performance.now());
    const timer = window.setTimeout(() => {
      refreshed.current = performance.now();
      void client.invalidateQueries({ queryKey: key(symbol, "indicator", null) }, { cancelRefetch: false });
    }, wait);
    return () => {
      window.clearTimeout(timer);
    };
  }, [client, symbol, following, session]);

  // prices carry no cursor: those of a lost connection are read again
  const lost = useRef(false);
  useEffect(() => {
    if (link === "live" && lost.current) again(client, symbol);
    lost.current = link !== "live";
  }, [client, symbol, link]);
  useEffect(() => onReload(() => { again(client, symbol); }), [client, symbol]);
}

/**
 * Read again when a live row does not follow the last known one: rows in between came while nobody listened. Once per
 * row; after a holiday it asks in vain, which costs one request.
 */
function useFill(following: boolean, symbol: string, what: "bars" | "series", last: string | undefined, live: string | undefined): void {
  const client = useQueryClient();
  const before = useRef(last);
  const asked = useRef<string | null>(null);
  useEffect(() => {
    const known = before.current;
    before.current = last;
    if (!following || known === undefined || live === undefined || asked.current === live) return;
    if (dayOf(live) <= nextWeekday(dayOf(known))) return;
    asked.current = live;
    void client.invalidateQueries({ queryKey: key(symbol, what, null) });
  }, [client, following, symbol, what, last, live]);
}

/** The consensus from a day up to the cursor: only to find out whether it turned, and not kept. */
export function askSeries(symbol: string, start: string, asOf: string): Promise<ConsensusSeries> {
  return ask<ConsensusSeries>(`/v1/signals/${encodeURIComponent(symbol)}/series`, { query: { start, as_of: asOf } });
}

export function useRegistry(): UseQueryResult<IndicatorView[]> {
  return useQuery({ queryKey: ["indicators"], queryFn: ({ signal }) => ask<IndicatorView[]>("/v1/indicators", { signal }), staleTime: 600_000 });
}

function key(symbol: string, what: "bars" | "series" | "signal" | "indicator", asOf: string | null): readonly unknown[] {
  return ["symbol", symbol, what, asOf];
}

function again(client: QueryClient, symbol: string): void {
  void client.invalidateQueries({ queryKey: ["symbol", symbol] });
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return null;
    throw error;
  }
}

/** The same array while its members are the same, so that what is made from it is made once. */
function useStable(shown: Shown[]): Shown[] {
  const last = useRef(shown);
  const same = last.current.length === shown.length && shown.every((one, i) => last.current[i]?.values === one.values);
  if (!same) last.current = shown;
  return last.current;
}
