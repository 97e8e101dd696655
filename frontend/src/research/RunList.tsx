/** The results of a kind, newest first, and above them the jobs of that kind that have none yet. */
import type { JSX } from "react";
import { NavLink } from "react-router";

import { fixed } from "@/lib/format";
import { metricText } from "@/lib/metrics";
import { isOver, jobPath, numberOf, runPath, type KindWords } from "@/lib/research";
import { useJobList, useRuns } from "@/lib/runs";
import { Empty, ErrorPanel, Icon, JobProgress, Skeleton, Time } from "@/ui";
import type { JobView, RunView } from "@/types";

const ROW = "block border-b border-line px-3 py-1.5 -outline-offset-2";
const FAILED_SHOWN = 3; // the newest of those that ended without a result

export function RunList({ words }: { words: KindWords }): JSX.Element {
  const runs = useRuns(words.kind);
  const jobs = useJobList(words.kind, null);
  const open = jobs.items.filter((job) => !isOver(job));
  const lost = jobs.items.filter((job) => job.state === "failed" || job.state === "cancelled").slice(0, FAILED_SHOWN);
  if (runs.isPending) return <Skeleton rows={6} height={52} label={`Reading the ${words.many.toLowerCase()}`} />;
  if (runs.error !== null) return <ErrorPanel what={`Reading the ${words.many.toLowerCase()}`} error={runs.error} retry={runs.again} />;
  if (runs.items.length + open.length + lost.length === 0) return <Empty>There is no {words.noun} yet. Fill the form and press “Start {words.noun}”.</Empty>;
  return (
    <>
      <ul>
        {[...open, ...lost].map((job) => <li key={job.job_id}><JobRow job={job} /></li>)}
        {runs.items.map((run) => <li key={run.result_id}><RunRow run={run} /></li>)}
      </ul>
      {runs.more !== null && <button type="button" className="gs-button m-3" onClick={runs.more}>Show older ones</button>}
    </>
  );
}

function JobRow({ job }: { job: JobView }): JSX.Element {
  return (
    <NavLink to={jobPath(job)} data-row className={`${ROW} hover:bg-hover`}>
      <span className="flex items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium">{job.title ?? job.kind}</span>
        {job.state === "failed" ? <span className="inline-flex items-center gap-1 text-error"><Icon name="error" size={12} /> failed</span> : <span className="text-muted">{job.state}</span>}
      </span>
      {isOver(job) ? <span className="line-clamp-2 text-small text-muted">{job.error ?? `by ${job.owner}`}</span> : <JobProgress job={job} />}
    </NavLink>
  );
}

function RunRow({ run }: { run: RunView }): JSX.Element {
  const dsr = numberOf(run.context, "dsr");
  return (
    <NavLink to={runPath(run.kind, run.result_id)} data-row className={({ isActive }) => `${ROW} ${isActive ? "bg-sel" : "hover:bg-hover"}`}>
      <span className="flex items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium" title={run.title}>{run.title}</span>
        {run.warnings.length > 0 && <span className="text-warn" title={run.warnings.join("; ")}><Icon name="warn" size={13} /><span className="sr-only">with warnings</span></span>}
        <span className="text-small text-muted"><Time iso={run.created_at} as="date" /></span>
      </span>
      <span className="flex flex-wrap gap-x-3 text-small text-muted">
        <span>{metricText("total_return", run.metrics.total_return)}</span>
        <span>Sharpe {metricText("sharpe", run.metrics.sharpe)}</span>
        {dsr !== null && <span>DSR {fixed(dsr, 2)}</span>}
        <span>by {run.owner}</span>
      </span>
    </NavLink>
  );
}
