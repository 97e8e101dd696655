/** A result of a kind that has no page of its own, such as a cross-validation: its tables, as they were kept. */
import type { JSX } from "react";
import { Link, Navigate, useParams } from "react-router";

import { kindOf, runPath } from "@/lib/research";
import { useRun, useTables } from "@/lib/runs";
import { useUrlText } from "@/lib/url";
import { CopyId, ErrorPanel, Panel, Skeleton, Time } from "@/ui";
import { TableOf } from "@/research/Result";
import { Tabs } from "@/research/RunHead";

export default function RunPage(): JSX.Element {
  const { id = "" } = useParams();
  const run = useRun(id);
  const tables = useTables(id);
  const [tab, setTab] = useUrlText("tab");
  const broken = run.error ?? tables.error;
  if (broken !== null) return <ErrorPanel what="Reading the result" error={broken} retry={() => { void run.refetch(); void tables.refetch(); }} />;
  if (run.data === undefined || tables.data === undefined) return <Skeleton rows={10} label="Reading the result" />;
  if (kindOf(run.data.kind) !== null) return <Navigate replace to={runPath(run.data.kind, run.data.result_id)} />;
  const names = tables.data.map((table) => table.name);
  const shown = names.includes(tab) ? tab : (names[0] ?? "");
  return (
    <div className="space-y-3 p-3">
      <Link className="block text-muted hover:underline" to="/runs">All runs</Link>
      <Panel title={run.data.title} note={run.data.kind}>
        <p className="flex flex-wrap gap-x-3 p-3 text-muted">
          <span>by {run.data.owner}, <Time iso={run.data.created_at} as="date" /></span>
          <span>id <CopyId id={run.data.result_id} /></span>
          {run.data.warnings.map((warning) => <span key={warning}>{warning}</span>)}
        </p>
      </Panel>
      {shown !== "" && (
        <section aria-label="Tables" className="overflow-hidden rounded-panel border border-line bg-surface">
          <Tabs label="Tables" value={shown} options={names.map((value) => ({ value, label: value }))} onChange={setTab} />
          <TableOf key={shown} run={run.data} name={shown} label={shown} />
        </section>
      )}
    </div>
  );
}
