/** The head of a result: what was asked of what, and what can be done with it. */
import * as Menu from "@radix-ui/react-dropdown-menu";
import { useState, type JSX, type ReactNode } from "react";
import { Link } from "react-router";

import { download } from "@/lib/api";
import { count, plural } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { RequestError } from "@/lib/problem";
import { isOver, kindOf, numberOf, objectOf, textOf, type Kind } from "@/lib/research";
import { useJob, useStrategies, useTables, useVerify } from "@/lib/runs";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { CopyId, CopyPython, Icon, Time } from "@/ui";
import type { RunDetail } from "@/types";

import { formOf, formQuery, pythonOf } from "./forms/form";

const FORMATS = ["csv", "parquet", "json", "arrow"];

export function RunHead({ run, kind }: { run: RunDetail; kind: Kind }): JSX.Element {
  const strategies = useStrategies().data ?? [];
  const form = formOf(run, strategies);
  const params = strategies.find((one) => one.name === form.strategy)?.params ?? [];
  const path = kindOf(kind)?.path ?? "";
  const data = { ...objectOf(run.facts, "data"), ...objectOf(objectOf(run.facts, "context"), "data") };
  const strategy = objectOf(run.spec, "strategy");
  const values = Object.entries(objectOf(run.spec, "params")).map(([name, value]) => `${name} ${String(value)}`);
  const [first, last] = [textOf(data, "first"), textOf(data, "last")];
  const symbols = numberOf(data, "symbols") ?? numberOf(run.facts, "symbols");
  return (
    <div className="rounded-panel border border-line bg-surface">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2 px-3 py-2">
        <div className="min-w-0 flex-1 basis-72">
          <h2 className="text-panel font-semibold break-words">{run.title}</h2>
          <p className="flex flex-wrap items-center gap-x-3 text-muted">
            {values.length > 0 && <span>{values.join(", ")}</span>}
            {symbols !== null && <span>{plural(symbols, "symbol")}</span>}
            {first !== null && last !== null && <span><Time iso={first} as="date" /> to <Time iso={last} as="date" />, {count(numberOf(data, "sessions"))} sessions</span>}
            <span>by {run.owner}, <Time iso={run.created_at} as="date" /></span>
            <span>id <CopyId id={run.result_id} /></span>
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-2">
          <Link className="gs-button" to={`${path}?${formQuery(form)}`}>Rerun</Link>
          <Verify id={run.result_id} />
          <Link className="gs-button" to={`/compare?ids=${run.result_id}`}>Compare</Link>
          {kind !== "sweep" && <Link className="gs-button" to={`/runs/${run.result_id}/report`}>Report</Link>}
          <ExportTables id={run.result_id} />
          <CopyPython lines={() => pythonOf(kind, form, params)} />
        </div>
      </div>
      <Expressions of={strategy} />
    </div>
  );
}

/** The rules of the strategy, folded. */
function Expressions({ of }: { of: Readonly<Record<string, unknown>> }): JSX.Element | null {
  const rules = Object.entries(of).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "" && !["name", "description", "source"].includes(entry[0]));
  if (rules.length === 0) return null;
  return (
    <details className="border-t border-line px-3 py-1.5">
      <summary className="min-h-6 cursor-pointer text-small text-muted hover:text-text">{textOf(of, "description") ?? "Its rules"}</summary>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 py-1 text-small">
        {rules.map(([name, text]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name.replaceAll("_", " ")}</dt>
            <dd className="font-mono break-words">{text}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** Any table of a result as a file. */
function ExportTables({ id }: { id: string }): JSX.Element {
  const tables = useTables(id);
  const [failed, setFailed] = useState<string | null>(null);
  const save = async (name: string, format: string): Promise<void> => {
    setFailed(null);
    try {
      await download(`/v1/runs/${id}/tables/${name}`, { format }, `${name}-${id.slice(0, 8)}.${format}`);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      setFailed(`Export failed: ${error.message}`);
    }
  };
  return (
    <span className="inline-flex items-center gap-2">
      {failed !== null && <span role="alert" className="text-small text-error">{failed}</span>}
      <Menu.Root modal={false}>
        <Menu.Trigger className="gs-button" disabled={tables.data === undefined}><Icon name="download" size={14} /> Files</Menu.Trigger>
        <Menu.Portal>
          <Menu.Content align="end" sideOffset={4} className="gs-menu max-h-96 overflow-y-auto">
            {(tables.data ?? []).map((table) => (
              <Menu.Group key={table.name}>
                <Menu.Label className="px-2 pt-1.5 text-small text-muted">{table.name}, {count(table.rows)} rows</Menu.Label>
                {FORMATS.map((format) => (
                  <Menu.Item key={format} className="gs-menu-item" onSelect={() => void save(table.name, format)}>
                    {table.name} <span className="text-small text-faint">.{format}</span>
                  </Menu.Item>
                ))}
              </Menu.Group>
            ))}
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
    </span>
  );
}

/** Compute it again and compare to the bit. */
function Verify({ id }: { id: string }): JSX.Element {
  const verify = useVerify();
  const job = useJob(verify.data?.job_id ?? "").data ?? verify.data;
  const role = useSession((state) => state.role);
  const running = useServer(hasAgents);
  const why = !may(role, "trader") ? "Verifying needs the role trader." : !running ? "The cluster is not running." : null;
  const busy = verify.isPending || (job !== undefined && !isOver(job));
  const same = job?.state === "done" ? job.result?.same : undefined;
  const differing = job?.result?.differing;
  return (
    <span className="inline-flex items-center gap-2">
      <span aria-live="polite" className="inline-flex items-center gap-1 text-small">
        {verify.isError && <span className="text-error">Not verified: {verify.error.message}</span>}
        {job?.state === "failed" && <span className="text-error">Not verified: {job.error}</span>}
        {same === true && <><Icon name="check" size={13} className="text-ok" /> Same bits</>}
        {same === false && <span className="inline-flex items-center gap-1 text-error"><Icon name="error" size={13} /> Differs: {Array.isArray(differing) ? differing.join(", ") : "see the job"}</span>}
      </span>
      <button type="button" className="gs-button" aria-disabled={why !== null || busy} title={why ?? "Compute it again and compare to the bit"} onClick={() => { if (why === null && !busy) verify.mutate(id); }}>
        {busy ? "Verifying" : "Verify"}
      </button>
    </span>
  );
}

/** Tabs below a result: one of a few, in the URL by whoever holds `value`. */
export function Tabs<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: readonly { value: T; label: ReactNode }[]; onChange: (value: T) => void }): JSX.Element {
  const at = options.findIndex((option) => option.value === value);
  useKeys({
    ",": () => { const before = options[at - 1]; if (before !== undefined) onChange(before.value); },
    ".": () => { const next = options[at + 1]; if (next !== undefined) onChange(next.value); },
  });
  return (
    <div role="group" aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line px-3">
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} className={`min-h-9 border-b-2 px-2 whitespace-nowrap -outline-offset-2 max-md:min-h-11 ${option.value === value ? "border-gold-line font-medium text-text" : "border-transparent text-muted hover:text-text"}`} onClick={() => { onChange(option.value); }}>
          {option.label}
        </button>
      ))}
    </div>
  );
}
