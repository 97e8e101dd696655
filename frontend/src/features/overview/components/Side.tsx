/** Agents and jobs at a glance; their own pages say more. */
import { useMemo, type JSX } from "react";
import { Link } from "react-router";

import { agentCode, agentName, byAgent } from "@/lib/agents";
import { milliseconds, percent, plural } from "@/lib/format";
import { useAgents, useJobs, type LatestSignals } from "@/lib/queries";
import { jobPath } from "@/lib/research";
import { universeName } from "@/lib/universe";
import { AgentStateMark, Empty, ErrorPanel, Icon, JobProgress, Panel, Skeleton, VotesHistogram, histogram } from "@/ui";

const JOBS = 5;

export function Agents({ latest }: { latest: LatestSignals }): JSX.Element {
  const query = useAgents();
  const agents = useMemo(() => [...(query.data ?? [])].sort((a, b) => byAgent(a.name, b.name)), [query.data]);
  return (
    <Panel title="Agents" note="this close" className="xl:col-span-5">
      {query.isPending && <Skeleton rows={5} label="Asking how the agents are" />}
      {query.isError && query.data === undefined && <ErrorPanel what="Asking how the agents are" error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <Empty>No agents are running. Start them with <code className="font-mono">goldensignals up</code>.</Empty>}
      {agents.length > 0 && (
        <div className="overflow-x-auto">
          <table className="gs-table">
            <caption className="sr-only">Agents, their state and how they voted at this close</caption>
            <thead>
              <tr>
                <th scope="col">Agent</th>
                <th scope="col">State</th>
                <th scope="col">Votes</th>
                <th scope="col" className="gs-num max-md:hidden">Voted on</th>
                <th scope="col" className="gs-num">p99</th>
              </tr>
            </thead>
            <tbody>
              {agents.map((agent) => {
                const votes = histogram(latest.rows, agent.name);
                return (
                  <tr key={agent.name} className="hover:bg-hover">
                    <td>
                      <Link to={`/agents?agent=${agent.name}`} className="inline-flex gap-2 -outline-offset-1 hover:underline">
                        <span aria-hidden="true" className="w-5 text-faint">{agentCode(agent.name)}</span>
                        {agentName(agent.name)}
                      </Link>
                    </td>
                    <td><AgentStateMark agent={agent} /></td>
                    <td><VotesHistogram of={votes} /></td>
                    <td className="gs-num max-md:hidden">{percent(latest.rows.length === 0 ? null : votes.voted / latest.rows.length, 0)}</td>
                    <td className="gs-num">{milliseconds(agent.p99_ms)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

export function Jobs(): JSX.Element {
  const query = useJobs();
  const jobs = query.data ?? [];
  const running = jobs.filter((job) => job.state === "running").length;
  return (
    <Panel title="Jobs" note={running > 0 ? plural(running, "running", "running") : undefined} className="xl:col-span-3" actions={<Link to="/jobs" className="inline-flex min-h-6 items-center text-small text-muted hover:underline max-md:min-h-10">All jobs</Link>}>
      {query.isPending && <Skeleton rows={4} label="Reading jobs" />}
      {query.isError && query.data === undefined && <ErrorPanel what="Reading jobs" error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <Empty action={<Link className="gs-button" to="/scans?new=1">Start a scan</Link>}>No job has run yet.</Empty>}
      <ul>
        {jobs.slice(0, JOBS).map((job) => (
          <li key={job.job_id} className="border-t border-line px-3 py-2">
            <p className="mb-1.5 flex items-center gap-2">
              {job.state === "done" && <Icon name="check" size={14} className="text-ok" />}
              {job.state === "failed" && <Icon name="error" size={14} className="text-error" />}
              <Link to={jobPath(job)} className="truncate font-medium hover:underline" title={job.title ?? universeOf(job.spec)}>{job.title ?? title(job.kind, universeOf(job.spec))}</Link>
              {job.state === "running" && <span className="ml-auto text-muted">{percent(job.total > 0 ? job.done / job.total : 0, 0)}</span>}
              {job.state !== "running" && <span className="ml-auto shrink-0 text-small text-muted">{job.state}, by {job.owner}</span>}
            </p>
            {job.state === "running" && <JobProgress job={job} />}
            {job.error !== null && <p className="text-small text-muted">{job.error}</p>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function title(kind: string, universe: string): string {
  const name = universeName(universe);
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${name.length > 28 ? `${name.slice(0, 27)}…` : name}`;
}

function universeOf(spec: Record<string, unknown>): string {
  return typeof spec.universe === "string" ? spec.universe : "";
}
