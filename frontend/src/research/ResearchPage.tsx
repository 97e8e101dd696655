/** The frame of a kind's pages: the list beside the form of a new one, a job on its way, or a result. */
import type { JSX, ReactNode } from "react";
import { Link, Navigate, useParams } from "react-router";

import { RequestError } from "@/lib/problem";
import { useKeys } from "@/lib/keyboard";
import { KINDS, runPath, type Kind } from "@/lib/research";
import { useRun } from "@/lib/runs";
import { Empty, ErrorPanel, Icon, Panel, Skeleton } from "@/ui";
import type { RunDetail } from "@/types";

import { QuestionForm } from "./forms/QuestionForm";
import { JobPage } from "./JobPanel";
import { RunList } from "./RunList";

/** `result`: draws a finished one. */
export function ResearchPage({ kind, result }: { kind: Kind; result: (run: RunDetail) => ReactNode }): JSX.Element {
  const { id, job } = useParams();
  const words = KINDS[kind];
  const move = (by: number): void => {
    const rows = [...document.querySelectorAll<HTMLElement>("#page [data-row]")];
    rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement as HTMLElement) + by))]?.focus();
  };
  useKeys({ j: () => { move(1); }, k: () => { move(-1); } }, id === undefined);
  if (id !== undefined) return <Found key={id} id={id} kind={kind}>{result}</Found>;
  return (
    <div className="flex min-h-full gap-3 p-3 max-xl:flex-col xl:h-full">
      <div className="w-80 shrink-0 max-xl:order-2 max-xl:w-full xl:overflow-y-auto">
        <Panel title={words.many} actions={job !== undefined && <Link className="gs-button" to={words.path}>New {words.noun}</Link>}>
          <RunList words={words} />
        </Panel>
      </div>
      <div className="min-w-0 flex-1 xl:overflow-y-auto">{job === undefined ? <QuestionForm kind={kind} /> : <JobPage key={job} id={job} words={words} />}</div>
    </div>
  );
}

function Found({ id, kind, children }: { id: string; kind: Kind; children: (run: RunDetail) => ReactNode }): JSX.Element {
  const words = KINDS[kind];
  const run = useRun(id);
  const back = <Link to={words.path} className="inline-flex min-h-6 items-center gap-2 text-small text-muted hover:underline max-md:min-h-10"><span className="rotate-180"><Icon name="arrow" size={13} /></span> All {words.many.toLowerCase()}</Link>;
  return (
    <div className="min-h-full space-y-3 p-3 pt-1.5">
      {back}
      {run.isPending && <Skeleton rows={12} label={`Reading the ${words.noun}`} />}
      {run.isError && run.data === undefined && (run.error instanceof RequestError && run.error.status === 404 ? <Empty action={<Link className="gs-button" to={words.path}>New {words.noun}</Link>}>{run.error.message}</Empty> : <ErrorPanel what={`Reading the ${words.noun}`} error={run.error} retry={() => void run.refetch()} />)}
      {run.data !== undefined && (run.data.kind === kind ? children(run.data) : <Navigate replace to={runPath(run.data.kind, run.data.result_id)} />)}
    </div>
  );
}
