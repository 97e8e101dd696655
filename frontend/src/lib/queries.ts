/**
 * What several pages read. Each hook is one question to the API; live ones are kept current by `lib/live.ts`.
 *
 * Keys begin with the noun of the route, so `["signals"]` invalidates every question about signals.
 */
import { QueryClient, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";

import { ask, askAll } from "./api";
import { RequestError } from "./problem";
import { merge } from "./stream/frames";
import { useStream } from "./stream/store";
import type { AgentView, BreadthView, ChangesView, FeedView, Instrument, JobView, Page, ReasonsView, SignalView, SignalsView } from "@/types";

export const SESSIONS = 120; // of net breadth

export const keys = {
  signals: (asOf: string | null) => ["signals", "latest", asOf] as const,
  changes: (asOf: string | null) => ["signals", "changes", asOf] as const,
  breadth: (asOf: string | null) => ["signals", "breadth", asOf] as const,
  reasons: (symbol: string, asOf: string) => ["signals", "reasons", symbol, asOf] as const,
  closes: (clock: string | null) => ["closes", clock] as const,
  instruments: ["instruments"] as const,
  agents: ["agents"] as const,
  jobs: ["jobs", "newest"] as const,
  feed: ["feed"] as const,
};

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 600_000,
        refetchOnWindowFocus: false,
        networkMode: "always", // a server on this machine answers without a network
        retry: (failures, error) => error instanceof RequestError && error.passing && failures < 2,
      },
      mutations: { networkMode: "always" },
    },
  });
}

export interface LatestSignals {
  query: UseQueryResult<SignalsView>;
  /** Newest signal per symbol, in the order of the snapshot; rows that did not change keep their identity. */
  rows: SignalView[];
}

/** The newest signal of each symbol, live; with `asOf` the newest up to then, which nothing changes any more. */
export function useSignals(asOf: string | null = null): LatestSignals {
  const query = useQuery({
    queryKey: keys.signals(asOf),
    queryFn: async ({ signal }) => {
      let page = await ask<SignalsView>("/v1/signals", { query: { as_of: asOf, limit: 1000 }, signal });
      const items = page.items;
      const { as_of, clock } = page;
      while (page.next != null) {
        page = await ask<SignalsView>("/v1/signals", { query: { as_of: asOf, limit: 1000, after: page.next }, signal });
        items.push(...page.items);
      }
      return { as_of, clock, items, next: null };
    },
  });
  const arrived = useDeferredValue(useStream((state) => state.signals)); // a burst is rendered in slices, not in one long task
  const items = query.data?.items;
  const rows = useMemo(() => (items === undefined ? [] : asOf === null ? merge(items, arrived) : items), [items, arrived, asOf]);
  return { query, rows };
}

export function useChanges(asOf: string | null = null): UseQueryResult<ChangesView> {
  return useQuery({ queryKey: keys.changes(asOf), queryFn: ({ signal }) => ask<ChangesView>("/v1/signals/changes", { query: { as_of: asOf }, signal }) });
}

export function useBreadth(asOf: string | null = null): UseQueryResult<BreadthView> {
  return useQuery({
    queryKey: keys.breadth(asOf),
    queryFn: ({ signal }) => ask<BreadthView>("/v1/signals/breadth", { query: { as_of: asOf, sessions: SESSIONS }, signal }),
  });
}

/** Why each agent voted as it did. Needs agents: without them it fails with the reason in words. */
export function useReasons(symbol: string, asOf: string, enabled = true): UseQueryResult<ReasonsView> {
  return useQuery({
    queryKey: keys.reasons(symbol, asOf),
    queryFn: ({ signal }) => ask<ReasonsView>(`/v1/signals/${encodeURIComponent(symbol)}/reasons`, { query: { as_of: asOf }, signal }),
    staleTime: Infinity,
    enabled,
  });
}

/** Names and sectors of every symbol of the feed. */
export function useInstruments(): { query: UseQueryResult<Instrument[]>; bySymbol: ReadonlyMap<string, Instrument> } {
  const query = useQuery({ queryKey: keys.instruments, queryFn: ({ signal }) => askAll<Instrument>("/v1/bars", {}, signal), staleTime: 600_000 });
  const bySymbol = useMemo(() => new Map((query.data ?? []).map((one) => [one.symbol, one])), [query.data]);
  return { query, bySymbol };
}

export function useAgents(): UseQueryResult<AgentView[]> {
  return useQuery({ queryKey: keys.agents, queryFn: ({ signal }) => ask<AgentView[]>("/v1/agents", { signal }), refetchInterval: 15_000 });
}

/** The newest jobs, newest first. */
export function useJobs(): UseQueryResult<JobView[]> {
  return useQuery({
    queryKey: keys.jobs,
    queryFn: async ({ signal }) => (await ask<Page<JobView>>("/v1/jobs", { query: { limit: 100 }, signal })).items,
    // rate and ETA come with the row, not with the event
    refetchInterval: (query) => (query.state.data?.some((job) => job.state === "running") ? 2_000 : false),
  });
}

export function useFeed(): UseQueryResult<FeedView> {
  return useQuery({ queryKey: keys.feed, queryFn: ({ signal }) => ask<FeedView>("/v1/feed", { signal }), refetchInterval: 30_000 });
}
