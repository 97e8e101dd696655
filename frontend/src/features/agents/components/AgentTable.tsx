/** All agents as rows: how their actors are, how fast and how faulty they answer, and how they vote. */
import type { JSX, KeyboardEvent } from "react";

import { agentCode, agentName, byAgent } from "@/lib/agents";
import { NONE, count, fixed, milliseconds, percent, span } from "@/lib/format";
import { AgentStateMark, Icon, VotesHistogram, histogram, useNow } from "@/ui";
import type { AgentView, SignalView } from "@/types";

import { ageOf, errorsPerThousand, isStale } from "../model/state";
import { coverageOf } from "../model/votes";

interface AgentTableProps {
  agents: readonly AgentView[];
  signals: readonly SignalView[];
  chosen: string;
  onChoose: (agent: string) => void;
}

export function AgentTable({ agents, signals, chosen, onChoose }: AgentTableProps): JSX.Element {
  const now = useNow();
  const rows = [...agents].sort((a, b) => byAgent(a.name, b.name));
  return (
    // a table that scrolls has to take focus, or the keyboard cannot reach what is out of sight
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="overflow-x-auto -outline-offset-2" tabIndex={0} role="region" aria-label="Agents, table">
      <table className="gs-table">
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col">Seen</th>
            <th scope="col">Scope</th>
            <th scope="col">Nodes</th>
            <th scope="col" className="gs-num">p50</th>
            <th scope="col" className="gs-num">p99</th>
            <th scope="col" className="gs-num">Errors / 1k</th>
            <th scope="col" className="gs-num">Restarts</th>
            <th scope="col" className="gs-num">Coverage</th>
            <th scope="col">Votes −1 to +1</th>
            <th scope="col" className="gs-num">Abstained</th>
            <th scope="col">Last error</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((agent) => {
            const votes = histogram(signals, agent.name);
            const age = ageOf(agent, now);
            const stale = isStale(agent, now);
            const open = (): void => { onChoose(agent.name === chosen ? "" : agent.name); };
            return (
              <tr key={agent.name} className={`${agent.name === chosen ? "bg-sel" : "hover:bg-hover"} ${stale ? "text-muted" : ""}`}>
                <th scope="row">
                  <button type="button" aria-expanded={agent.name === chosen} data-row className="min-h-7 text-left text-body max-md:min-h-10" onClick={open} onKeyDown={step}>
                    <span aria-hidden="true" className="mr-2 inline-block w-5 text-small font-normal text-faint">{agentCode(agent.name)}</span>
                    <span className="font-medium text-text">{agentName(agent.name)}</span>
                  </button>
                </th>
                <td><AgentStateMark agent={agent} /></td>
                <td>
                  {age === null ? <span title="Nobody has looked at it yet">{NONE}</span> : stale ? (
                    <span className="inline-flex items-center gap-1 text-warn"><Icon name="warn" size={12} /> stale, {span(age)}</span>
                  ) : (
                    <span className="text-muted">{span(age)}</span>
                  )}
                </td>
                <td className="text-muted">{agent.scope}</td>
                <td className="text-muted" title={agent.nodes.join(", ")}>{agent.nodes.length === 0 ? NONE : agent.nodes.length === 1 ? <span className="font-mono text-small">{agent.nodes[0]?.slice(0, 8)}</span> : `${count(agent.nodes.length)} nodes`}</td>
                <td className="gs-num">{milliseconds(agent.p50_ms)}</td>
                <td className="gs-num">{milliseconds(agent.p99_ms)}</td>
                <td className="gs-num">{fixed(errorsPerThousand(agent), 1)}</td>
                <td className="gs-num">{count(agent.restarts)}</td>
                <td className="gs-num">{percent(coverageOf(votes, signals.length), 0)}</td>
                <td>{votes.voted === 0 ? <span className="text-muted">no votes</span> : <VotesHistogram of={votes} />}</td>
                <td className="gs-num">{count(votes.abstained)}{votes.missing > 0 && <span className="text-error"> {count(votes.missing)} missing</span>}</td>
                <td className="max-w-60 truncate text-muted" title={agent.last_error ?? undefined}>{agent.last_error ?? NONE}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Up and down go from row to row. */
function step(event: KeyboardEvent<HTMLButtonElement>): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by !== 0 && moveRow(event.currentTarget, by)) event.preventDefault();
}

function moveRow(from: Element, by: number): boolean {
  const rows = [...(from.closest("table")?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const next = rows[rows.indexOf(from as HTMLElement) + by];
  next?.focus();
  return next !== undefined;
}
