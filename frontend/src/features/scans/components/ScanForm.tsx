/** Orders a scan: universe, agents, as-of. What the server refuses is shown at the field it is about. */
import { useId, useState, type FormEvent, type JSX } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { agentName, byAgent } from "@/lib/agents";
import { RequestError } from "@/lib/problem";
import { useAgents, useFeed } from "@/lib/queries";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { session } from "@/lib/time";
import { universeName } from "@/lib/universe";
import { ErrorPanel, FieldNote, Labelled, Notice, Panel } from "@/ui";

import { useStart } from "../hooks/useScans";
import { faultsOf, fieldFaults, readForm, requestOf, type Field, type ScanForm as Form } from "../model/spec";

export function ScanForm(): JSX.Element {
  const id = useId();
  const navigate = useNavigate();
  const [query] = useSearchParams();
  const [form, setForm] = useState<Form>(() => readForm(query));
  const [own, setOwn] = useState<Partial<Record<Field, string>>>({});
  const agents = [...(useAgents().data ?? [])].sort((a, b) => byAgent(a.name, b.name));
  const feed = useFeed().data;
  const role = useSession((state) => state.role);
  const running = useServer(hasAgents);
  const start = useStart();
  const why = !may(role, "trader") ? "Starting a scan needs the role trader." : !running ? "Agents are not running, so nothing can be scanned now." : null;
  const refused = start.error instanceof RequestError && start.error.status === 422 ? fieldFaults(start.error.fields, start.error.message) : null;
  const faults = { ...refused?.faults, ...own };
  const chosen = form.agents ?? agents.map((agent) => agent.name);

  const change = (part: Partial<Form>): void => {
    setForm({ ...form, ...part });
    setOwn({});
    start.reset();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const found = faultsOf(form);
    setOwn(found);
    if (why !== null || start.isPending || Object.keys(found).length > 0) return;
    start.mutate(requestOf(form), { onSuccess: (job) => void navigate(`/scans/${job.job_id}`) });
  };
  const attributes = (field: Field): { "aria-invalid": boolean; "aria-describedby": string } => ({
    "aria-invalid": faults[field] !== undefined,
    "aria-describedby": `${id}-${field}-note`,
  });
  return (
    <Panel title="New scan" note="asks the agents about every symbol of a universe, at the close of one session">
      {why !== null && <Notice>{why}</Notice>}
      <form className="max-w-[76ch] space-y-4 p-3" onSubmit={submit} noValidate>
        <Labelled id={`${id}-universe`} label="Universe" fault={faults.universe} noteId={`${id}-universe-note`} note={`Symbols like AAPL,MSFT, or @sp500. Empty: ${feed === undefined ? "the feed's own" : universeName(feed.universe)}.`}>
          <input
            id={`${id}-universe`}
            className="gs-input w-full font-mono"
            spellCheck={false}
            autoComplete="off"
            placeholder={feed === undefined ? "@sp500" : universeName(feed.universe)}
            value={form.universe}
            onChange={(event) => { change({ universe: event.target.value }); }}
            {...attributes("universe")}
          />
        </Labelled>
        <fieldset aria-describedby={`${id}-agents-note`}>
          <legend className="mb-1 font-medium">Agents</legend>
          <div className="flex flex-wrap gap-x-5 gap-y-1">
            {agents.map((agent) => (
              <label key={agent.name} className="inline-flex min-h-7 items-center gap-2 max-md:min-h-10">
                <input
                  type="checkbox"
                  className="size-4 accent-gold max-md:size-5"
                  checked={chosen.includes(agent.name)}
                  onChange={(event) => {
                    const next = event.target.checked ? [...chosen, agent.name] : chosen.filter((name) => name !== agent.name);
                    change({ agents: next.length === agents.length ? null : next });
                  }}
                />
                {agentName(agent.name)}
              </label>
            ))}
          </div>
          <FieldNote id={`${id}-agents-note`} fault={faults.agents} note={form.agents === null ? "All of them." : `${String(chosen.length)} of ${String(agents.length)}.`} />
        </fieldset>
        <Labelled id={`${id}-as-of`} label="As of" fault={faults.as_of} noteId={`${id}-as_of-note`} note={feed === undefined ? "Empty: the newest session." : `The close of this day; nothing later is seen. Empty: the newest session, ${session(feed.clock)}.`}>
          <input
            id={`${id}-as-of`}
            type="date"
            className="gs-input"
            min={feed === undefined ? undefined : session(feed.first)}
            max={feed === undefined ? undefined : session(feed.clock)}
            value={form.asOf}
            onChange={(event) => { change({ asOf: event.target.value }); }}
            {...attributes("as_of")}
          />
        </Labelled>
        {start.isError && (refused === null || refused.rest !== null) && <ErrorPanel what="Starting the scan" error={start.error} />}
        <button type="submit" className="gs-button-primary" aria-disabled={why !== null || start.isPending} title={why ?? undefined}>
          {start.isPending ? "Starting" : "Start scan"}
        </button>
        <p className="text-small text-muted">The same universe, agents and session are the same scan: asked again, it answers at once.</p>
      </form>
    </Panel>
  );
}
