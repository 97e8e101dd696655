/** Jobs of every kind, newest first, live: how far each is, who works on it, and stopping it. */
import { useRef, type JSX } from "react";
import { Link } from "react-router";

import { NONE, count, percent } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { isOver, jobPath, kindOf, runPath } from "@/lib/research";
import { useJob, useJobList } from "@/lib/runs";
import { date, useZone, wallTime } from "@/lib/time";
import { universeName } from "@/lib/universe";
import { useUrlText } from "@/lib/url";
import { JobBody } from "@/research/JobPanel";
import { CopyId, Empty, ErrorPanel, Icon, Panel, Skeleton, timeLeft } from "@/ui";
import type { JobView } from "@/types";

const KINDS = ["scan", "backtest", "sweep", "walkforward", "verify"];
const STATES = ["queued", "running", "paused", "done", "failed", "cancelled"];

export default function JobsPage(): JSX.Element {
  const [kind, setKind] = useUrlText("kind");
  const [state, setState] = useUrlText("state");
  const [open, setOpen] = useUrlText("open");
  const jobs = useJobList(kind || null, state || null);
  const table = useRef<HTMLTableElement>(null);
  const listed = jobs.items.some((job) => job.job_id === open);
  const step = (by: number): void => {
    const rows = [...(table.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement as HTMLElement) + by))]?.focus();
  };
  useKeys({ j: () => { step(1); }, k: () => { step(-1); }, Escape: () => { setOpen(""); } });
  return (
    <div className="p-3">
      <Panel
        title="Jobs"
        note="newest first"
        actions={
          <>
            <Filter label="Kind" value={kind} options={KINDS.map((value) => ({ value, label: kindOf(value)?.noun ?? value }))} onChange={setKind} />
            <Filter label="State" value={state} options={STATES.map((value) => ({ value, label: value }))} onChange={setState} />
          </>
        }
      >
        {jobs.isPending && <Skeleton rows={10} label="Reading the jobs" />}
        {jobs.error !== null && <ErrorPanel what="Reading the jobs" error={jobs.error} retry={jobs.again} />}
        {!jobs.isPending && jobs.error === null && jobs.items.length === 0 && <Empty action={<Link className="gs-button" to="/backtests">Start a backtest</Link>}>{kind === "" && state === "" ? "No job has run yet." : "No job is of this kind and state."}</Empty>}
        {open !== "" && !listed && !jobs.isPending && <Opened id={open} />}
        {jobs.items.length > 0 && (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
          <div className="overflow-x-auto -outline-offset-2" tabIndex={0} role="region" aria-label="Jobs, table">
            <table ref={table} className="gs-table">
              <thead>
                <tr>
                  <th scope="col" className="max-md:hidden">Kind</th>
                  <th scope="col">What</th>
                  <th scope="col" className="max-md:hidden">Owner</th>
                  <th scope="col" className="gs-num max-md:hidden">Priority</th>
                  <th scope="col">State</th>
                  <th scope="col" className="w-40">Progress</th>
                  <th scope="col" className="gs-num max-md:hidden">Rate, per s</th>
                  <th scope="col" className="gs-num">Left</th>
                  <th scope="col" className="gs-num max-md:hidden">Started</th>
                  <th scope="col">Result</th>
                </tr>
              </thead>
              <tbody>{jobs.items.map((job) => <Row key={job.job_id} job={job} open={job.job_id === open} onOpen={setOpen} />)}</tbody>
            </table>
          </div>
        )}
        {jobs.more !== null && <div className="p-3"><button type="button" className="gs-button" onClick={jobs.more}>Show older jobs</button></div>}
      </Panel>
    </div>
  );
}

function Row({ job, open, onOpen }: { job: JobView; open: boolean; onOpen: (id: string) => void }): JSX.Element {
  const zone = useZone((state) => state.zone);
  const share = job.total > 0 ? Math.min(1, job.done / job.total) : 0;
  const started = job.started_at ?? job.created_at;
  const today = new Date(started).toDateString() === new Date().toDateString();
  return (
    <>
      <tr className={open ? "bg-sel" : "hover:bg-hover"}>
        <td className="max-md:hidden">{kindOf(job.kind)?.noun ?? job.kind}</td>
        <td className="max-w-80 max-md:max-w-36">
          <button type="button" data-row aria-expanded={open} className="block max-w-full min-h-6 truncate text-left font-medium -outline-offset-1" title={titleOf(job)} onClick={() => { onOpen(open ? "" : job.job_id); }}>{titleOf(job)}</button>
          <span className="hidden text-small text-muted max-md:block">{kindOf(job.kind)?.noun ?? job.kind}, {job.owner}</span>
        </td>
        <td className="max-md:hidden">{job.owner}</td>
        <td className="gs-num max-md:hidden">{job.priority}</td>
        <td>{job.state === "failed" ? <span className="inline-flex items-center gap-1 text-error"><Icon name="error" size={12} /> failed</span> : job.state === "done" ? <span className="inline-flex items-center gap-1 text-muted"><Icon name="check" size={12} className="text-ok" /> done</span> : job.state}</td>
        <td>
          <span className="flex items-center gap-2">
            <span role="progressbar" aria-label={`${job.kind} progress`} aria-valuemin={0} aria-valuemax={job.total} aria-valuenow={job.done} className="h-1.5 w-20 shrink-0 overflow-hidden rounded-badge bg-hover"><span className="block h-full bg-muted" style={{ width: `${String(share * 100)}%` }} /></span>
            <span className="text-small text-muted" title={`${count(job.done)} / ${count(job.total)}`}>{percent(share, 0)}</span>
          </span>
        </td>
        <td className="gs-num max-md:hidden">{job.rate === null ? NONE : count(job.rate)}</td>
        <td className="gs-num">{timeLeft(job)?.replace(" left", "") ?? NONE}</td>
        <td className="gs-num max-md:hidden">{job.started_at === null ? NONE : today ? wallTime(started) : date(started, zone)}</td>
        <td>{job.state === "done" ? <Link className="inline-flex min-h-6 items-center hover:underline" to={job.result_id == null ? jobPath(job) : runPath(job.kind, job.result_id)}>Open</Link> : isOver(job) || kindOf(job.kind) === null ? NONE : <Link className="inline-flex min-h-6 items-center hover:underline" to={jobPath(job)}>Watch</Link>}</td>
      </tr>
      {open && (
        <tr>
          <td colSpan={10} className="!h-auto bg-bg !p-0 whitespace-normal"><Opened id={job.job_id} /></td>
        </tr>
      )}
    </>
  );
}

function Opened({ id }: { id: string }): JSX.Element {
  const query = useJob(id);
  if (query.isPending) return <Skeleton rows={3} label="Reading the job" />;
  if (query.data === undefined) return <ErrorPanel what="Reading the job" error={query.error} retry={() => void query.refetch()} />;
  const job = query.data;
  const { same, differing } = job.result ?? {};
  return (
    <div className="border-l-2 border-focus">
      <p className="flex flex-wrap gap-x-4 px-3 pt-2 text-small text-muted">
        <span>job <CopyId id={job.job_id} /></span>
        <span>{count(job.done)} / {count(job.total)}</span>
        {job.result_id != null && <span>result <CopyId id={job.result_id} /></span>}
        {typeof same === "boolean" && <span className="text-text">{same ? "The same bits." : `Differs: ${Array.isArray(differing) ? differing.join(", ") : ""}`}</span>}
      </p>
      <JobBody job={job} />
    </div>
  );
}

function Filter({ label, value, options, onChange }: { label: string; value: string; options: readonly { value: string; label: string }[]; onChange: (value: string) => void }): JSX.Element {
  return (
    <label className="flex items-center gap-2 text-muted">
      <span className="max-md:sr-only">{label}</span>
      <select className="gs-input" value={value} onChange={(event) => { onChange(event.target.value); }}>
        <option value="">any</option>
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
    </label>
  );
}

/** What a job does, in words. */
function titleOf(job: JobView): string {
  if (job.title != null) return job.title;
  const { universe } = job.spec;
  return typeof universe === "string" && universe !== "" ? `${job.kind} of ${universeName(universe)}` : `${job.kind} ${job.job_id.slice(0, 8)}`;
}
