/** The Agents page: who votes, how they are, and how they voted on the newest signals. */
import type { JSX } from "react";

import { useKeys } from "@/lib/keyboard";
import { useAgents, useSignals } from "@/lib/queries";
import { hasAgents, useServer } from "@/lib/server";
import { useUrlText } from "@/lib/url";
import { Empty, ErrorPanel, Notice, Panel, Skeleton, Time } from "@/ui";

import { AgentPanel } from "./components/AgentPanel";
import { AgentTable } from "./components/AgentTable";
import { rollCall } from "./model/state";

export default function AgentsPage(): JSX.Element {
  const agents = useAgents();
  const signals = useSignals();
  const running = useServer(hasAgents);
  const [chosen, choose] = useUrlText("agent");
  const list = agents.data ?? [];
  const open = list.find((agent) => agent.name === chosen);
  const asOf = signals.rows.reduce<string | null>((newest, { as_of }) => (newest !== null && Date.parse(newest) >= Date.parse(as_of) ? newest : as_of), null);
  const move = (by: number): void => {
    const rows = [...document.querySelectorAll<HTMLElement>("#page [data-row]")];
    rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement as HTMLElement) + by))]?.focus();
  };
  useKeys({ j: () => { move(1); }, k: () => { move(-1); }, Escape: () => { choose(""); } });
  return (
    <div className="flex min-h-full max-xl:flex-col xl:h-full">
      <div className={`min-w-0 flex-1 overflow-y-auto p-3 ${open === undefined ? "" : "max-md:hidden"}`}>
        <Panel
          title="Agents"
          note={agents.data === undefined ? undefined : <>{rollCall(list)}; votes {asOf === null ? "of no session yet" : <>of <Time iso={asOf} as="day" /></>}</>}
          updating={agents.isFetching && agents.data === undefined}
        >
          {!running && agents.data !== undefined && <Notice>Agents are not running. This is how they were when they were last seen.</Notice>}
          {signals.query.isError && <Notice tone="error">Votes are missing: {signals.query.error.message}</Notice>}
          {agents.isPending && <Skeleton rows={6} label="Reading the agents" />}
          {agents.isError && agents.data === undefined && <ErrorPanel what="Reading the agents" error={agents.error} retry={() => void agents.refetch()} />}
          {agents.data !== undefined && list.length === 0 && (
            <Empty>No agents have been seen. Start them with <code className="font-mono">goldensignals up</code>.</Empty>
          )}
          {list.length > 0 && <AgentTable agents={list} signals={signals.rows} chosen={chosen} onChoose={choose} />}
        </Panel>
      </div>
      {open !== undefined && <AgentPanel agent={open} signals={signals.rows} onClose={() => { choose(""); }} />}
    </div>
  );
}
