/** What a question costs before it is started: how many backtests, how long, how much memory. */
import type { UseQueryResult } from "@tanstack/react-query";
import type { JSX } from "react";
import { Link } from "react-router";

import { bytes, count, duration, plural } from "@/lib/format";
import { RequestError } from "@/lib/problem";
import { runPath, type Kind } from "@/lib/research";
import type { EstimateView } from "@/types";

export function Estimate({ kind, query, current }: { kind: Kind; query: UseQueryResult<EstimateView>; current: boolean }): JSX.Element {
  const found = query.data;
  const refused = query.error instanceof RequestError && query.error.status === 422;
  return (
    <p aria-live="polite" className="min-h-5 text-small text-muted">
      {!current ? "" : query.isFetching ? "Estimating" : found !== undefined ? <Cost kind={kind} found={found} /> : query.isError && !refused ? `No estimate: ${query.error.message}` : ""}
    </p>
  );
}

function Cost({ kind, found }: { kind: Kind; found: EstimateView }): JSX.Element {
  if (found.known) return <>Computed before: <Link className="text-text underline" to={runPath(kind, found.result_id)}>open the result</Link>, or start it to go there.</>;
  return (
    <>
      {kind !== "backtest" && <>{plural(found.sets, "set")} × {plural(found.symbols, "symbol")} = <span className="text-text">{plural(found.backtests, "backtest")}</span>, </>}
      {kind === "backtest" && <>{plural(found.symbols, "symbol")}, </>}
      {count(found.bars)} bars; about <span className="text-text">{duration(found.core_seconds)}</span> of one core
      {found.chunks > 1 && <> in {plural(found.chunks, "chunk")}</>}, {bytes(found.worker_bytes)} a worker.
    </>
  );
}
