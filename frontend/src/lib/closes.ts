/** The newest closes of every symbol, for small pictures and day changes: one question for each place of the feed's clock. */
import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";

import { ask } from "./api";
import { keys, useFeed } from "./queries";
import type { ClosesView } from "@/types";

const BARS = 61; // 60 changes
const KEEP_MS = 10_000; // nobody goes back to an earlier clock

/** Closes by symbol, oldest first, those of its own bars only. Read again when a session is decided; the old ones stay meanwhile. */
export type Closes = ReadonlyMap<string, readonly number[]>;

export function useCloses(): { query: UseQueryResult<ClosesView>; bySymbol: Closes } {
  const clock = useFeed().data?.clock ?? null;
  const query = useQuery({
    queryKey: keys.closes(clock),
    queryFn: ({ signal }) => ask<ClosesView>("/v1/bars/closes", { query: { bars: BARS, as_of: clock }, signal }),
    enabled: clock !== null,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: KEEP_MS,
  });
  const bySymbol = useMemo(() => closesOf(query.data), [query.data]);
  return { query, bySymbol };
}

/** The columns of an answer without the sessions at which a symbol has no bar. */
export function closesOf(view: ClosesView | undefined): Closes {
  return new Map(Object.entries(view?.closes ?? {}).map(([symbol, column]) => [symbol, column.filter((close) => close !== null)]));
}
