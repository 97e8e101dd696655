/** One scan: how far it is while it runs, and what it found, compared with another, when it is done. */
import { useMemo, type JSX } from "react";
import { Link, useSearchParams } from "react-router";

import { agentName } from "@/lib/agents";
import { count, plural, span } from "@/lib/format";
import { RequestError } from "@/lib/problem";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { date, session } from "@/lib/time";
import { universeName } from "@/lib/universe";
import { useUrlChoice, withParam } from "@/lib/url";
import { CopyId, CopyPython, Empty, ErrorPanel, ExportMenu, JobProgress, Panel, Segments, Skeleton, Time } from "@/ui";
import type { JobView } from "@/types";

import { useCancel, useDifference, useResult, useScan } from "../hooks/useScans";
import { KINDS, byReason, countKinds, rowsOf, type Kind } from "../model/outcome";
import { formQuery, pythonOf, specOf } from "../model/spec";
import { isOver, tookOf } from "../model/times";
import { OutcomeTable } from "./OutcomeTable";
import { ScanState } from "./ScanList";

export function ScanDetail({ id, others }: { id: string; others: readonly JobView[] }): JSX.Element {
  const scan = useScan(id);
  if (scan.isPending) return <Skeleton rows={10} label="Reading the scan" />;
  if (scan.data === undefined) {
    if (scan.error instanceof RequestError && scan.error.status === 404) {
      return <Empty action={<Link className="gs-button" to="/scans">Start a new scan</Link>}>{scan.error.message}</Empty>;
    }
    return <ErrorPanel what="Reading the scan" error={scan.error} retry={() => void scan.refetch()} />;
  }
  const job = scan.data;
  const spec = specOf(job);
  const universe = universeName(spec.universe);
  const took = tookOf(job);
  return (
    <Panel
      title={spec.universe === "" ? "Scan" : <span title={spec.universe}>Scan of {universe.length > 60 ? `${universe.slice(0, 60)}…` : universe}</span>}
      note={<ScanState job={job} />}
      className="min-h-0 flex-1"
      actions={
        <>
          <Link className="gs-button" to={`/scans?${formQuery(spec, spec.asOf === null ? null : session(spec.asOf)).toString()}`}>Change and scan again</Link>
          <CopyPython lines={() => pythonOf(id, spec)} />
          {job.state === "done" && <ExportMenu path={`/v1/scans/${id}/result`} name={`scan-${id.slice(0, 8)}`} formats={["csv", "parquet", "json", "arrow"]} />}
        </>
      }
    >
      <p className="flex flex-wrap gap-x-4 gap-y-0.5 border-b border-line px-3 pb-2 text-muted">
        {spec.asOf !== null && <span>as of <Time iso={spec.asOf} /></span>}
        <span>{spec.agents.map(agentName).join(", ")}</span>
        <span>by {job.owner}</span>
        {took !== null && <span>took {span(took)}</span>}
        <span>id <CopyId id={job.job_id} /></span>
      </p>
      {!isOver(job) && <Running job={job} />}
      {job.state === "failed" && (
        <ErrorPanel what="The scan" error={new RequestError(500, "Failed", job.error ?? "It ended without saying why. Scan again; the log has the traceback.", { correlationId: job.job_id })} />
      )}
      {job.state === "cancelled" && <Empty>The scan was cancelled after {count(job.done)} of {count(job.total)} votes. Nothing of it is kept; scan again to have all of it.</Empty>}
      {job.state === "done" && <Outcome job={job} others={others} />}
    </Panel>
  );
}

function Running({ job }: { job: JobView }): JSX.Element {
  const { role, name } = useSession();
  const running = useServer(hasAgents);
  const cancel = useCancel();
  const why = !may(role, "trader") ? "Cancelling needs the role trader." : job.owner !== name && !may(role, "admin") ? `Only ${job.owner} or an admin may cancel it.` : !running ? "Agents are not running; the scan goes on when they are back." : null;
  return (
    <div className="max-w-160 space-y-3 p-3">
      <JobProgress job={job} />
      <div className="flex flex-wrap items-center gap-3">
        <button type="button" className="gs-button" aria-disabled={why !== null || cancel.isPending} onClick={() => { if (why === null && !cancel.isPending) cancel.mutate(job.job_id); }}>
          Cancel scan
        </button>
        <span aria-live="polite" className="text-small text-muted">{why ?? (cancel.isPending || cancel.isSuccess ? "Cancelling: it stops after the votes that are being asked now." : job.state === "queued" ? "Waiting for a worker." : "")}</span>
      </div>
      {cancel.isError && <ErrorPanel what="Cancelling" error={cancel.error} />}
    </div>
  );
}

function Outcome({ job, others }: { job: JobView; others: readonly JobView[] }): JSX.Element {
  const [query, setQuery] = useSearchParams();
  const against = query.get("against") ?? "";
  const [shown, show] = useUrlChoice<Kind | "all">("show", ["all", ...KINDS], "all");
  const result = useResult(job.job_id, true);
  const difference = useDifference(job.job_id, against, true);
  const rows = useMemo(() => (result.data === undefined ? [] : rowsOf(result.data, difference.data ?? null)), [result.data, difference.data]);
  const counts = useMemo(() => countKinds(rows), [rows]);
  if (result.isPending) return <Skeleton rows={12} label="Reading the result" />;
  if (result.data === undefined) return <ErrorPanel what="Reading the result" error={result.error} retry={() => void result.refetch()} />;
  const { signals, skipped, quarantined, as_of: asOf } = result.data;
  const compared = difference.data != null;
  const visible = shown === "all" ? rows : rows.filter((row) => row.kind === shown);
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 px-3 py-2">
        <div className="max-w-full overflow-x-auto">
          <Segments
            label="Rows"
            value={shown}
            options={[
              { value: "all", label: `All ${count(rows.length)}` },
              ...KINDS.map((kind) => ({ value: kind, label: `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${compared ? count(counts[kind]) : ""}`, disabled: !compared })),
            ]}
            onChange={show}
          />
        </div>
        <label className="flex items-center gap-2 text-muted">
          against
          <select className="gs-input max-w-72" value={against} onChange={(event) => { setQuery((now) => withParam(now, "against", event.target.value), { replace: true }); }}>
            <option value="">the last scan before it</option>
            {others.filter((other) => other.state === "done" && other.job_id !== job.job_id).map((other) => {
              const spec = specOf(other);
              return <option key={other.job_id} value={other.job_id}>{`${universeName(spec.universe).slice(0, 24)}, ${spec.asOf === null ? "" : date(spec.asOf, "exchange")}, ${other.job_id.slice(0, 8)}`}</option>;
            })}
          </select>
        </label>
        <span aria-live="polite" className="text-small text-muted">
          {difference.isError ? `No comparison: ${difference.error.message}` : difference.isPending ? "Comparing" : difference.data === null ? "There is no finished scan of this universe before it to compare with." : `Compared with ${difference.data.against.slice(0, 8)}.`}
        </span>
      </div>
      {signals.length === 0 && rows.length === 0 ? (
        <Empty>The scan found no signal: no agent voted on any symbol. {plural(Object.keys(skipped).length, "symbol was", "symbols were")} skipped, see below.</Empty>
      ) : visible.length === 0 ? (
        <Empty action={<button type="button" className="gs-button" onClick={() => { show("all"); }}>Show all</button>}>No row is {shown} against that scan.</Empty>
      ) : (
        <OutcomeTable rows={visible} asOf={asOf} compared={compared} />
      )}
      <Left skipped={skipped} quarantined={quarantined} />
    </>
  );
}

/** What has no signal, and which rows were not used, each by its reason. */
function Left({ skipped, quarantined }: { skipped: Record<string, string>; quarantined: Record<string, number> }): JSX.Element {
  const reasons = byReason(skipped);
  const bad = Object.entries(quarantined).sort((a, b) => b[1] - a[1]);
  return (
    <div className="grid gap-x-8 gap-y-2 border-t border-line p-3 md:grid-cols-2">
      <section aria-label="Skipped symbols">
        <h3 className="font-semibold">Skipped {count(Object.keys(skipped).length)}</h3>
        {reasons.length === 0 && <p className="text-muted">Every symbol has a signal.</p>}
        {reasons.map(({ reason, symbols }) => (
          <details key={reason}>
            <summary className="min-h-6">{plural(symbols.length, "symbol")}: {reason}</summary>
            <p className="text-small break-words text-muted">{symbols.join(", ")}</p>
          </details>
        ))}
      </section>
      <section aria-label="Quarantined rows">
        <h3 className="font-semibold">Quarantined {count(bad.reduce((sum, [, rows]) => sum + rows, 0))}</h3>
        {bad.length === 0 && <p className="text-muted">Every row could be used.</p>}
        <ul>
          {bad.map(([reason, number]) => (
            <li key={reason}>{plural(number, "row")}: <span className="text-muted">{reason}</span></li>
          ))}
        </ul>
      </section>
    </div>
  );
}
