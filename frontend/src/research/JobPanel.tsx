/** A research job: how far it is, who does how much of it, and stopping it; when it is done, the page goes to its result. */
import type { JSX } from "react";
import { Link, Navigate } from "react-router";

import { NONE, count, duration, fixed, percent, plural } from "@/lib/format";
import { RequestError } from "@/lib/problem";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { isOver, kindOf, runPath, type KindWords } from "@/lib/research";
import { useJob, useJobAct, useNodes, type JobAct } from "@/lib/runs";
import { wallTime } from "@/lib/time";
import { CopyId, Empty, ErrorPanel, JobProgress, Panel, Skeleton } from "@/ui";
import type { JobView } from "@/types";

export function JobPage({ id, words }: { id: string; words: KindWords }): JSX.Element {
  const query = useJob(id);
  const job = query.data;
  if (query.isPending) return <Skeleton rows={6} label={`Reading the ${words.noun}`} />;
  if (job === undefined) {
    if (query.error instanceof RequestError && query.error.status === 404) return <Empty action={<Link className="gs-button" to={words.path}>New {words.noun}</Link>}>{query.error.message}</Empty>;
    return <ErrorPanel what={`Reading the ${words.noun}`} error={query.error} retry={() => void query.refetch()} />;
  }
  if (job.state === "done" && job.result_id != null) return <Navigate replace to={runPath(job.kind, job.result_id)} />;
  return (
    <Panel title={job.title ?? `${words.noun.charAt(0).toUpperCase()}${words.noun.slice(1)}`} note={job.state}>
      <p className="flex flex-wrap gap-x-4 gap-y-0.5 border-b border-line px-3 pb-2 text-muted">
        <span>by {job.owner}</span>
        <span>priority {job.priority}</span>
        <span>ordered {wallTime(job.created_at)}</span>
        {job.started_at != null && <span>started {wallTime(job.started_at)}</span>}
        <span>job <CopyId id={job.job_id} /></span>
      </p>
      <JobBody job={job} />
    </Panel>
  );
}

/** Progress, actions, failure and nodes of a job; also the opened row of the list of jobs. */
export function JobBody({ job }: { job: JobView }): JSX.Element {
  const noun = kindOf(job.kind)?.noun ?? job.kind;
  return (
    <>
      {!isOver(job) && (
        <div className="max-w-160 space-y-3 p-3">
          <JobProgress job={job} />
          <Actions job={job} noun={noun} />
        </div>
      )}
      {job.state === "failed" && <ErrorPanel what={`The ${noun}`} error={new RequestError(500, "Failed", job.error ?? "It ended without saying why; the log has the traceback.", { correlationId: job.job_id })} />}
      {job.state === "cancelled" && <Empty>Cancelled after {count(job.done)} of {count(job.total)}. Chunks that were done are kept: the same question goes on from there.</Empty>}
      {job.kind !== "scan" && <Nodes job={job} />}
    </>
  );
}

const SAID: Record<JobAct, string> = {
  cancel: "Cancelling: it stops after the chunks that are being done now.",
  pause: "Pausing: it stops after the chunks that are being done now.",
  resume: "Resuming.",
};

function Actions({ job, noun }: { job: JobView; noun: string }): JSX.Element {
  const { role, name } = useSession();
  const running = useServer(hasAgents);
  const act = useJobAct();
  const why = !may(role, "trader") ? "This needs the role trader." : job.owner !== name && !may(role, "admin") ? `Only ${job.owner} or an admin may do this.` : !running ? "The cluster is not running; the job goes on when it is back." : null;
  const button = (which: JobAct, words: string): JSX.Element => (
    <button type="button" className="gs-button" aria-disabled={why !== null || act.isPending} title={why ?? undefined} onClick={() => { if (why === null && !act.isPending) act.mutate({ id: job.job_id, act: which }); }}>
      {words}
    </button>
  );
  const waiting = act.isPending || (act.isSuccess && act.data.state === job.state && job.state === "running");
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        {job.state === "paused" ? button("resume", `Resume ${noun}`) : job.kind === "sweep" || job.kind === "walkforward" ? button("pause", `Pause ${noun}`) : null}
        {button("cancel", `Cancel ${noun}`)}
        <span aria-live="polite" className="text-small text-muted">{why ?? (waiting && act.variables !== undefined ? SAID[act.variables.act] : job.state === "queued" ? "Waiting for a worker." : "")}</span>
      </div>
      {act.isError && <ErrorPanel what="That" error={act.error} />}
    </>
  );
}

function Nodes({ job }: { job: JobView }): JSX.Element | null {
  const nodes = useNodes(job);
  if (nodes.isError && nodes.data === undefined) return <p className="px-3 pb-3 text-small text-muted">Who works on it is not known: {nodes.error.message}</p>;
  if (nodes.data === undefined || nodes.data.length === 0) return null;
  return (
    <div className="overflow-x-auto border-t border-line">
      <table className="gs-table">
        <caption className="sr-only">Work by node</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            {["Chunks", "Work", "Rate, per s", "Share"].map((head) => <th key={head} scope="col" className="gs-num">{head}</th>)}
          </tr>
        </thead>
        <tbody>
          {nodes.data.map((node) => (
            <tr key={node.node}>
              <td className="font-mono">{node.node}</td>
              <td className="gs-num">{count(node.chunks)}</td>
              <td className="gs-num">{duration(node.work_s)}</td>
              <td className="gs-num">{node.rate === null ? NONE : fixed(node.rate, node.rate < 10 ? 1 : 0)}</td>
              <td className="gs-num">{percent(node.share, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="px-3 py-2 text-small text-muted">{plural(nodes.data.length, "node")}; the rate is over the time the job has run.</p>
    </div>
  );
}
