/** How far a job is: bar, done of total, rate and time left; the time only after 3 s or 2 %. A state word when it does not run. */
import type { JSX } from "react";

import { count, fixed } from "@/lib/format";
import type { JobView } from "@/types";

const UNITS: Record<string, string> = { scan: "votes", sweep: "sets", walkforward: "sets" };

/** "9 s left"; null while it would be a guess. */
export function timeLeft(job: Pick<JobView, "state" | "done" | "total" | "eta_s" | "created_at" | "updated_at">): string | null {
  if (job.state !== "running" || job.eta_s === null) return null;
  const ran = (Date.parse(job.updated_at) - Date.parse(job.created_at)) / 1000;
  if (ran < 3 && job.done < job.total * 0.02) return null;
  return job.eta_s < 90 ? `${fixed(job.eta_s, 0)} s left` : `${fixed(job.eta_s / 60, 0)} min left`;
}

export function JobProgress({ job }: { job: JobView }): JSX.Element {
  const share = job.total > 0 ? Math.min(1, job.done / job.total) : 0;
  return (
    <div>
      <div role="progressbar" aria-label={`${job.kind} progress`} aria-valuemin={0} aria-valuemax={job.total} aria-valuenow={job.done} className="h-1.5 overflow-hidden rounded-badge bg-hover">
        <div className="h-full rounded-badge bg-muted" style={{ width: `${String(share * 100)}%` }} />
      </div>
      <p className="mt-1 flex justify-between gap-3 text-small text-muted">
        <span>{job.total > 0 ? `${count(job.done)} / ${count(job.total)}` : "not started"}</span>
        {job.state === "running" ? (
          <>
            <span>{job.rate !== null && `${count(job.rate)} ${UNITS[job.kind] ?? "steps"}/s`}</span>
            <span>{timeLeft(job)}</span>
          </>
        ) : (
          <span>{job.state}</span>
        )}
      </p>
    </div>
  );
}
