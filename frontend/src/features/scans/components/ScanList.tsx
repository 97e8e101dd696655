/** All scans, newest first: what was asked, how it ended, what it found. */
import type { JSX } from "react";
import { NavLink } from "react-router";

import { NONE, plural, span } from "@/lib/format";
import { universeName } from "@/lib/universe";
import { Empty, ErrorPanel, Icon, Skeleton, Time } from "@/ui";
import type { JobView } from "@/types";

import type { ScanList as Scans } from "../hooks/useScans";
import { hitsOf, specOf } from "../model/spec";
import { tookOf } from "../model/times";

export function ScanList({ list }: { list: Scans }): JSX.Element {
  if (list.isPending) return <Skeleton rows={6} height={52} label="Reading the scans" />;
  if (list.error !== null) return <ErrorPanel what="Reading the scans" error={list.error} retry={list.again} />;
  if (list.scans.length === 0) return <Empty>No scan has been started. Fill the form and press “Start scan”.</Empty>;
  return (
    <>
      <ul>
        {list.scans.map((job) => (
          <li key={job.job_id}>
            <NavLink
              to={`/scans/${job.job_id}`}
              data-row
              className={({ isActive }) => `block border-b border-line px-3 py-1.5 -outline-offset-2 ${isActive ? "bg-sel" : "hover:bg-hover"}`}
            >
              <Summary job={job} />
            </NavLink>
          </li>
        ))}
      </ul>
      {list.more !== null && (
        <button type="button" className="gs-button m-3" onClick={list.more}>
          Show older scans
        </button>
      )}
    </>
  );
}

function Summary({ job }: { job: JobView }): JSX.Element {
  const spec = specOf(job);
  const hits = hitsOf(job);
  const took = tookOf(job);
  return (
    <>
      <span className="flex items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium" title={spec.universe}>{spec.universe === "" ? "default universe" : universeName(spec.universe)}</span>
        <ScanState job={job} />
      </span>
      <span className="flex flex-wrap gap-x-3 text-small text-muted">
        {spec.asOf !== null && <span>as of <Time iso={spec.asOf} as="date" /></span>}
        <span>{hits === null ? NONE : plural(hits, "signal")}</span>
        <span>{plural(spec.agents.length, "agent")}</span>
        {took !== null && <span>took {span(took)}</span>}
        <span>by {job.owner}</span>
      </span>
    </>
  );
}

/** The state as a word; a mark beside it where it asks for attention. */
export function ScanState({ job }: { job: Pick<JobView, "state" | "done" | "total"> }): JSX.Element {
  if (job.state === "failed") return <span className="inline-flex items-center gap-1 text-error"><Icon name="error" size={12} /> failed</span>;
  if (job.state === "done") return <span className="inline-flex items-center gap-1 text-muted"><span className="text-ok"><Icon name="check" size={12} /></span> done</span>;
  if (job.state === "running" && job.total > 0) return <span>running, {Math.floor((job.done / job.total) * 100)}%</span>;
  return <span className="text-muted">{job.state}</span>;
}
