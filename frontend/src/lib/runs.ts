/**
 * Results and the jobs that make them: what the research pages read and order.
 *
 * A result never changes, so what is read of one is kept; jobs move with the stream (`lib/live.ts`).
 */
import { keepPreviousData, useInfiniteQuery, useMutation, useQueries, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";

import { ask } from "./api";
import { withJob } from "./live";
import { KINDS, isOver, type Kind } from "./research";
import { useRooms, useStream } from "./stream";
import type { EstimateView, HeatmapView, HistogramView, JobView, NodeView, Page, RunDetail, RunView, SliceView, StrategyView, TableRows, TableView } from "@/types";

const PAGE = 50; // of a list
const WHOLE = 5_000; // rows of a table in one answer, the API's limit
const MOST_ROWS = 50_000; // that are drawn
export const TABLE_PAGE = 200;
const RATE_EVERY_MS = 1_000; // rate and ETA come with the row, not with the event
const KEPT = { staleTime: Infinity } as const;

export interface Listed<T> {
  items: T[];
  isPending: boolean;
  error: Error | null;
  more: (() => void) | null;
  again: () => void;
}

/** Results, newest first, a page at a time; `kind` null: of every kind. */
export function useRuns(kind: Kind | null): Listed<RunView> {
  return useListed<RunView>(["runs", "list", kind], "/v1/runs", { kind });
}

/** Jobs, newest first, a page at a time; states and progress move with the stream. */
export function useJobList(kind: string | null, state: string | null): Listed<JobView> {
  const list = useListed<JobView>(["jobs", "list", kind, state], "/v1/jobs", { kind, state }, (jobs) => (jobs.some((job) => job.state === "running") ? 2 * RATE_EVERY_MS : false));
  const events = useStream((stream) => stream.jobs);
  const items = useMemo(
    () => list.items.map((job) => { const event = events.get(job.job_id); return event === undefined ? job : withJob(job, event); }),
    [list.items, events],
  );
  return { ...list, items };
}

function useListed<T>(key: readonly unknown[], path: string, query: Record<string, string | null>, every: (items: T[]) => number | false = () => false): Listed<T> {
  const found = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => ask<Page<T>>(path, { query: { ...query, limit: PAGE, after: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    refetchInterval: ({ state }) => every((state.data?.pages ?? []).flatMap((page) => page.items)),
  });
  const items = useMemo(() => (found.data?.pages ?? []).flatMap((page) => page.items), [found.data]);
  return {
    items,
    isPending: found.isPending,
    error: found.data === undefined ? found.error : null,
    more: found.hasNextPage && !found.isFetchingNextPage ? () => void found.fetchNextPage() : null,
    again: () => void found.refetch(),
  };
}

export function useRun(id: string): UseQueryResult<RunDetail> {
  return useQuery({ queryKey: ["runs", "one", id], queryFn: ({ signal }) => ask<RunDetail>(`/v1/runs/${id}`, { signal }), ...KEPT });
}

/** Several results at once, in the order of their ids. */
export function useSomeRuns(ids: readonly string[]): UseQueryResult<RunDetail>[] {
  return useQueries({ queries: ids.map((id) => ({ queryKey: ["runs", "one", id], queryFn: ({ signal }: { signal: AbortSignal }) => ask<RunDetail>(`/v1/runs/${id}`, { signal }), ...KEPT })) });
}

export function useTables(id: string): UseQueryResult<TableView[]> {
  return useQuery({ queryKey: ["runs", "tables", id], queryFn: ({ signal }) => ask<TableView[]>(`/v1/runs/${id}/tables`, { signal }), ...KEPT });
}

export interface TableQuery {
  /** "-sharpe,fast": the API's own words. */
  sort?: string;
  /** "sharpe:gt:1" */
  filters?: readonly string[];
  columns?: string;
}

/** One page of a table, `TABLE_PAGE` rows. */
export function tablePage(id: string, name: string, { sort = "", filters = [], columns = "" }: TableQuery, page: number): { queryKey: readonly unknown[]; queryFn: (context: { signal: AbortSignal }) => Promise<TableRows>; staleTime: number } {
  return {
    queryKey: ["runs", "table", id, name, columns, sort, filters, page],
    queryFn: ({ signal }) => ask<TableRows>(`/v1/runs/${id}/tables/${name}`, { query: { columns: columns || null, sort: sort || null, filter: filters, limit: TABLE_PAGE, offset: page * TABLE_PAGE }, signal }),
    ...KEPT,
  };
}

/** The first rows of a table, as many as are drawn (at most 50,000); `total` says how many there are. */
export function useRows(id: string, name: string, { sort = "", filters = [], columns = "" }: TableQuery = {}, most = MOST_ROWS, enabled = true): UseQueryResult<TableRows> {
  return useQuery(rowsQuery(id, name, { sort, filters, columns }, most, enabled));
}

/** The same table of several results. */
export function useSomeRows(ids: readonly string[], name: string, columns: string): UseQueryResult<TableRows>[] {
  return useQueries({ queries: ids.map((id) => rowsQuery(id, name, { columns }, MOST_ROWS, true)) });
}

function rowsQuery(id: string, name: string, { sort = "", filters = [], columns = "" }: TableQuery, most: number, enabled: boolean): { queryKey: readonly unknown[]; queryFn: (context: { signal: AbortSignal }) => Promise<TableRows>; enabled: boolean; staleTime: number; placeholderData: typeof keepPreviousData } {
  return {
    queryKey: ["runs", "rows", id, name, columns, sort, filters, most],
    queryFn: async ({ signal }) => {
      const query = { columns: columns || null, sort: sort || null, filter: filters };
      const first = await ask<TableRows>(`/v1/runs/${id}/tables/${name}`, { query: { ...query, limit: Math.min(WHOLE, most), offset: 0 }, signal });
      const rows = first.rows;
      while (rows.length < Math.min(first.total, most)) {
        const next = await ask<TableRows>(`/v1/runs/${id}/tables/${name}`, { query: { ...query, limit: Math.min(WHOLE, most - rows.length), offset: rows.length }, signal });
        if (next.rows.length === 0) break;
        rows.push(...next.rows);
      }
      return { ...first, rows };
    },
    enabled,
    placeholderData: keepPreviousData,
    ...KEPT,
  };
}

export function useHeatmap(id: string, x: string, y: string, metric: string, by: string): UseQueryResult<HeatmapView> {
  return useQuery({
    queryKey: ["runs", "heatmap", id, x, y, metric, by],
    queryFn: ({ signal }) => ask<HeatmapView>(`/v1/runs/${id}/heatmap`, { query: { x, y, metric, by }, signal }),
    placeholderData: keepPreviousData,
    ...KEPT,
  });
}

export function useSlices(id: string, metric: string): UseQueryResult<SliceView[]> {
  return useQuery({ queryKey: ["runs", "slices", id, metric], queryFn: ({ signal }) => ask<SliceView[]>(`/v1/runs/${id}/slices`, { query: { metric }, signal }), placeholderData: keepPreviousData, ...KEPT });
}

export function useHistogram(id: string, metric: string, table: string, bins = 40): UseQueryResult<HistogramView> {
  return useQuery({
    queryKey: ["runs", "histogram", id, metric, table, bins],
    queryFn: ({ signal }) => ask<HistogramView>(`/v1/runs/${id}/histogram`, { query: { metric, table, bins }, signal }),
    placeholderData: keepPreviousData,
    ...KEPT,
  });
}

/** The tear sheet, as one HTML page. */
export function useReport(id: string): UseQueryResult<string> {
  return useQuery({ queryKey: ["runs", "report", id], queryFn: ({ signal }) => ask<string>(`/v1/runs/${id}/report`, { signal, as: "text" }), ...KEPT });
}

export function useStrategies(): UseQueryResult<StrategyView[]> {
  return useQuery({ queryKey: ["strategies"], queryFn: ({ signal }) => ask<StrategyView[]>("/v1/strategies", { signal }), ...KEPT });
}

/** One job, live: its state by the stream, its rate every second while it runs. */
export function useJob(id: string): UseQueryResult<JobView> {
  useRooms([`jobs.${id}`]);
  return useQuery({
    queryKey: ["jobs", id], // lib/live.ts puts the events of the job there
    queryFn: ({ signal }) => ask<JobView>(`/v1/jobs/${id}`, { signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && !isOver(state.data) ? RATE_EVERY_MS : false),
    enabled: id !== "",
  });
}

/** Who did how much of a job. */
export function useNodes(job: Pick<JobView, "job_id" | "state">): UseQueryResult<NodeView[]> {
  return useQuery({
    queryKey: ["jobs", job.job_id, "nodes", isOver(job)],
    queryFn: ({ signal }) => ask<NodeView[]>(`/v1/jobs/${job.job_id}/nodes`, { signal }),
    refetchInterval: job.state === "running" ? 2 * RATE_EVERY_MS : false,
    placeholderData: keepPreviousData,
  });
}

/** What a question would cost, or what is wrong with it. Asked of the same body that starts it; null: not asked. */
export function useEstimate(kind: Kind, body: object | null): UseQueryResult<EstimateView> {
  return useQuery({
    queryKey: ["estimates", kind, body],
    queryFn: ({ signal }) => ask<EstimateView>(`${KINDS[kind].api}/estimate`, { method: "POST", body, signal, deadlineMs: 60_000 }),
    enabled: body !== null,
    retry: false,
    ...KEPT,
  });
}

export function useStart(kind: Kind): UseMutationResult<JobView, Error, object> {
  return useJobMutation((body: object) => ask<JobView>(KINDS[kind].api, { method: "POST", body, deadlineMs: 60_000 }));
}

export type JobAct = "cancel" | "pause" | "resume";

export function useJobAct(): UseMutationResult<JobView, Error, { id: string; act: JobAct }> {
  return useJobMutation(({ id, act }) => ask<JobView>(`/v1/jobs/${id}/${act}`, { method: "POST" }));
}

/** Compute a result again, to the bit: a job whose result says whether it is the same. */
export function useVerify(): UseMutationResult<JobView, Error, string> {
  return useJobMutation((id: string) => ask<JobView>(`/v1/runs/${id}/verify`, { method: "POST", deadlineMs: 60_000 }));
}

function useJobMutation<V>(mutationFn: (value: V) => Promise<JobView>): UseMutationResult<JobView, Error, V> {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: (job) => {
      client.setQueryData(["jobs", job.job_id], job);
      return Promise.all([client.invalidateQueries({ queryKey: ["jobs", "list"] }), client.invalidateQueries({ queryKey: ["jobs", "newest"] })]);
    },
  });
}
