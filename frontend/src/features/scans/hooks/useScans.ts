/** Scans as jobs: the list, one of them live, its result, its difference to another, starting and cancelling. */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";

import { ask } from "@/lib/api";
import { withJob } from "@/lib/live";
import { RequestError } from "@/lib/problem";
import { useRooms, useStream } from "@/lib/stream";
import type { JobView, Page, ScanCreate, ScanDifference, ScanResultView } from "@/types";

const PAGE = 50;
const RATE_EVERY_MS = 1_000; // rate and ETA come with the row, not with the event

export interface ScanList {
  scans: JobView[];
  isPending: boolean;
  error: Error | null;
  more: (() => void) | null;
  again: () => void;
}

/** All scans, newest first, a page at a time; states and progress move with the stream. */
export function useScans(): ScanList {
  const query = useInfiniteQuery({
    queryKey: ["scans", "list"],
    queryFn: ({ pageParam, signal }) => ask<Page<JobView>>("/v1/scans", { query: { limit: PAGE, after: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });
  const events = useStream((state) => state.jobs);
  const scans = useMemo(
    () =>
      (query.data?.pages ?? []).flatMap((page) => page.items).map((job) => {
        const event = events.get(job.job_id);
        return event === undefined ? job : withJob(job, event);
      }),
    [query.data, events],
  );
  return {
    scans,
    isPending: query.isPending,
    error: query.data === undefined ? query.error : null,
    more: query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : null,
    again: () => void query.refetch(),
  };
}

export function useScan(id: string): UseQueryResult<JobView> {
  useRooms([`jobs.${id}`]);
  return useQuery({
    queryKey: ["jobs", id], // lib/live.ts puts the events of the job there
    queryFn: ({ signal }) => ask<JobView>(`/v1/scans/${id}`, { signal }),
    refetchInterval: (query) => (query.state.data?.state === "running" || query.state.data?.state === "queued" ? RATE_EVERY_MS : false),
  });
}

export function useResult(id: string, done: boolean): UseQueryResult<ScanResultView> {
  return useQuery({
    queryKey: ["scans", id, "result"],
    queryFn: ({ signal }) => ask<ScanResultView>(`/v1/scans/${id}/result`, { signal }),
    enabled: done,
    staleTime: Infinity, // a result never changes
  });
}

/** Against another scan, or the last one before it; null: there is none to compare with. */
export function useDifference(id: string, against: string, done: boolean): UseQueryResult<ScanDifference | null> {
  return useQuery({
    queryKey: ["scans", id, "difference", against],
    queryFn: async ({ signal }) => {
      try {
        return await ask<ScanDifference>(`/v1/scans/${id}/difference`, { query: { against: against === "" ? null : against }, signal });
      } catch (error) {
        if (error instanceof RequestError && error.status === 404 && against === "") return null;
        throw error;
      }
    },
    enabled: done,
    staleTime: Infinity,
  });
}

export function useStart(): UseMutationResult<JobView, Error, ScanCreate> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ScanCreate) => ask<JobView>("/v1/scans", { method: "POST", body }),
    onSuccess: (job) => {
      client.setQueryData(["jobs", job.job_id], job);
      return client.invalidateQueries({ queryKey: ["scans", "list"] });
    },
  });
}

export function useCancel(): UseMutationResult<JobView, Error, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => ask<JobView>(`/v1/jobs/${id}/cancel`, { method: "POST" }),
    onSuccess: (job) => {
      client.setQueryData(["jobs", job.job_id], job);
      return client.invalidateQueries({ queryKey: ["scans", "list"] });
    },
  });
}
