/** Results of every kind: filtered by kind, selected with x, compared side by side. */
import { useRef, useState, type JSX } from "react";
import { Link, useNavigate } from "react-router";

import { fixed } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { HEADLINE, metricName, metricText } from "@/lib/metrics";
import { KINDS, kindOf, numberOf, runPath, type Kind } from "@/lib/research";
import { useRuns } from "@/lib/runs";
import { useUrlChoice } from "@/lib/url";
import { CopyId, Empty, ErrorPanel, Icon, Panel, Segments, Skeleton, Time } from "@/ui";
import type { RunView } from "@/types";

const MOST = 6; // compared at once: more lines cannot be told apart
const COLUMNS = [...HEADLINE] as const;

export default function RunsPage(): JSX.Element {
  const [kind, setKind] = useUrlChoice<Kind | "all">("kind", ["all", "backtest", "sweep", "walkforward"], "all");
  const runs = useRuns(kind === "all" ? null : kind);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const table = useRef<HTMLTableElement>(null);
  const navigate = useNavigate();
  const compare = `/compare?ids=${chosen.join(",")}`;
  const toggle = (id: string): void => { setChosen((now) => (now.includes(id) ? now.filter((one) => one !== id) : now.length >= MOST ? now : [...now, id])); };
  const rows = (): HTMLElement[] => [...(table.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const step = (by: number): void => { const all = rows(); all[Math.min(all.length - 1, Math.max(0, all.indexOf(document.activeElement as HTMLElement) + by))]?.focus(); };
  useKeys({
    j: () => { step(1); },
    k: () => { step(-1); },
    x: () => { const id = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.row : undefined; if (id !== undefined) toggle(id); },
    ...(chosen.length > 1 && { "g x": () => void navigate(compare) }),
  });
  return (
    <div className="p-3">
      <Panel
        title="Runs"
        note="every finished result, newest first"
        actions={
          <>
            <div className="max-w-full overflow-x-auto"><Segments label="Kind" value={kind} onChange={setKind} options={[{ value: "all", label: "All" }, ...Object.values(KINDS).map((words) => ({ value: words.kind, label: words.many }))]} /></div>
            {chosen.length > 1 ? <Link className="gs-button-primary" to={compare}>Compare {chosen.length}</Link> : <button type="button" className="gs-button" disabled title="Select two or more with x">Compare</button>}
          </>
        }
      >
        {runs.isPending && <Skeleton rows={10} label="Reading the runs" />}
        {runs.error !== null && <ErrorPanel what="Reading the runs" error={runs.error} retry={runs.again} />}
        {!runs.isPending && runs.error === null && runs.items.length === 0 && <Empty action={<Link className="gs-button" to="/backtests">Start a backtest</Link>}>There is no result yet.</Empty>}
        {runs.items.length > 0 && (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reachable by keyboard
          <div className="overflow-x-auto -outline-offset-2" tabIndex={0} role="region" aria-label="Runs, table">
            <table ref={table} className="gs-table">
              <thead>
                <tr>
                  <th scope="col"><span className="sr-only">Selected</span></th>
                  <th scope="col">What</th>
                  <th scope="col">Kind</th>
                  {COLUMNS.map((key) => <th key={key} scope="col" className="gs-num">{metricName(key)}</th>)}
                  <th scope="col" className="gs-num">DSR</th>
                  <th scope="col">Owner</th>
                  <th scope="col" className="gs-num">Made</th>
                  <th scope="col">Id</th>
                </tr>
              </thead>
              <tbody>{runs.items.map((run) => <Row key={run.result_id} run={run} chosen={chosen.includes(run.result_id)} full={chosen.length >= MOST} toggle={toggle} />)}</tbody>
            </table>
          </div>
        )}
        <p className="px-3 py-2 text-small text-muted" aria-live="polite">{chosen.length === 0 ? `Select with x, up to ${String(MOST)}, and compare. Metrics of a sweep are those of its best set.` : `${String(chosen.length)} selected.`}</p>
        {runs.more !== null && <div className="p-3 pt-0"><button type="button" className="gs-button" onClick={runs.more}>Show older runs</button></div>}
      </Panel>
    </div>
  );
}

function Row({ run, chosen, full, toggle }: { run: RunView; chosen: boolean; full: boolean; toggle: (id: string) => void }): JSX.Element {
  return (
    <tr className={chosen ? "bg-sel" : "hover:bg-hover"}>
      <td><input type="checkbox" className="block size-4 accent-gold max-md:size-5" aria-label={`Select ${run.title}`} checked={chosen} disabled={full && !chosen} onChange={() => { toggle(run.result_id); }} /></td>
      <td className="max-w-96">
        <Link data-row={run.result_id} className="flex min-h-6 items-center gap-1.5 font-medium -outline-offset-1 hover:underline" to={runPath(run.kind, run.result_id)}>
          <span className="truncate" title={run.title}>{run.title}</span>
          {run.warnings.length > 0 && <span className="text-warn" title={run.warnings.join("; ")}><Icon name="warn" size={13} /><span className="sr-only">with warnings</span></span>}
        </Link>
      </td>
      <td className="text-muted">{kindOf(run.kind)?.noun ?? run.kind}</td>
      {COLUMNS.map((key) => <td key={key} className="gs-num">{metricText(key, run.metrics[key])}</td>)}
      <td className="gs-num">{fixed(numberOf(run.context, "dsr"), 2)}</td>
      <td>{run.owner}</td>
      <td className="gs-num text-muted"><Time iso={run.created_at} as="date" /></td>
      <td><CopyId id={run.result_id} /></td>
    </tr>
  );
}
