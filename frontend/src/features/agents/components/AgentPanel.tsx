/** One agent: what it is, what it reads, where its votes are strongest, its last error, and its restart. */
import { useEffect, useRef, useState, type JSX, type ReactNode } from "react";
import { Link } from "react-router";

import { agentName } from "@/lib/agents";
import { count, fixed, plural } from "@/lib/format";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { AgentStateMark, ErrorPanel, Icon, ScoreBar, Time } from "@/ui";
import type { AgentView, SignalView } from "@/types";

import { useRestart } from "../hooks/useRestart";
import { strongestOf } from "../model/votes";

const STRONGEST = 8;

export function AgentPanel({ agent, signals, onClose }: { agent: AgentView; signals: readonly SignalView[]; onClose: () => void }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, [agent.name]);
  const strongest = strongestOf(signals, agent.name, STRONGEST);
  return (
    <aside aria-label={`Agent ${agentName(agent.name)}`} className="w-101 shrink-0 overflow-y-auto border-l border-line bg-surface max-xl:w-full max-xl:border-t max-xl:border-l-0">
      <header className="flex items-start justify-between gap-3 border-b border-line p-3">
        <div>
          <h2 ref={heading} tabIndex={-1} className="text-panel font-semibold">{agentName(agent.name)}</h2>
          <p className="mt-1"><AgentStateMark agent={agent} /></p>
        </div>
        <button type="button" aria-label="Close" className="inline-flex size-8 items-center justify-center rounded-button hover:bg-hover max-md:size-10" onClick={onClose}>
          <Icon name="close" size={14} />
        </button>
      </header>
      <div className="divide-y divide-line">
        <Part title="What it does">
          <p>{agent.description}</p>
          <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5">
            <Fact name="Reads">{agent.inputs.join(", ")}</Fact>
            <Fact name="Scope">{agent.scope === "symbol" ? "one symbol at a time" : "the whole universe"}</Fact>
            <Fact name="Warm-up">{plural(agent.warmup, "bar")} before its first vote</Fact>
            <Fact name="Calls">{count(agent.calls)}, {plural(agent.errors, "error")}, {plural(agent.restarts, "restart")}</Fact>
            <Fact name="Actors">{agent.pids.length === 0 ? "none seen" : `process ${agent.pids.join(", ")}`}</Fact>
            <Fact name="Nodes">{agent.nodes.length === 0 ? "none seen" : agent.nodes.join(", ")}</Fact>
            <Fact name="Seen">{agent.seen_at === null ? "never" : <Time iso={agent.seen_at} />}</Fact>
          </dl>
        </Part>
        <Part title="Strongest votes">
          {strongest.length === 0 ? (
            <p className="text-muted">It voted on none of the newest signals.</p>
          ) : (
            <ul>
              {strongest.map((vote) => (
                <li key={vote.symbol} className="flex min-h-7 items-center justify-between gap-3">
                  <Link to={`/symbols/${encodeURIComponent(vote.symbol)}`} className="font-medium hover:underline max-md:min-h-10">{vote.symbol}</Link>
                  <span className="inline-flex items-center gap-3">
                    <ScoreBar score={vote.score} />
                    <span className="text-small text-muted">confidence {fixed(vote.confidence, 2)}</span>
                  </span>
                </li>
              ))}
            </ul>
          )}
        </Part>
        <Part title="Last error">
          {agent.last_error === null ? <p className="text-muted">None since its actors started.</p> : (
            <p className="flex items-start gap-2"><Icon name="error" size={14} className="mt-0.5 text-error" /><span className="break-words">{agent.last_error}</span></p>
          )}
        </Part>
        <Part title="Restart">
          <Restart agent={agent} />
        </Part>
      </div>
    </aside>
  );
}

function Restart({ agent }: { agent: AgentView }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const role = useSession((state) => state.role);
  const running = useServer(hasAgents);
  const restart = useRestart();
  const why = !may(role, "admin") ? "Restarting needs the role admin." : !running ? "Agents are not running, so there is nothing to restart." : null;
  if (asking) {
    return (
      <div role="alertdialog" aria-label="Confirm the restart">
        <p>Restart {plural(agent.actors, "actor")} of {agentName(agent.name)}? Live signals name it as missing until it is back.</p>
        <div className="mt-2 flex gap-2">
          <button
            type="button"
            // eslint-disable-next-line jsx-a11y/no-autofocus -- the question has just been asked for
            autoFocus
            className="gs-button-primary"
            onClick={() => { setAsking(false); restart.mutate(agent.name); }}
          >
            Restart {agentName(agent.name)}
          </button>
          <button type="button" className="gs-button" onClick={() => { setAsking(false); }}>Keep it running</button>
        </div>
      </div>
    );
  }
  return (
    <>
      <button type="button" className="gs-button" aria-disabled={why !== null || restart.isPending} aria-describedby="restart-why" onClick={() => { if (why === null && !restart.isPending) setAsking(true); }}>
        Restart actors
      </button>
      <p id="restart-why" aria-live="polite" className="mt-1 text-small text-muted">
        {why ?? (restart.isPending ? "Restarting." : restart.isSuccess ? `${plural(restart.data.actors, "actor")} restarted.` : "Ends every actor of this agent; the supervisor starts new ones.")}
      </p>
      {restart.isError && <ErrorPanel what="Restarting" error={restart.error} />}
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }): JSX.Element {
  return (
    <section aria-label={title} className="p-3">
      <h3 className="mb-1.5 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): JSX.Element {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="break-words">{children}</dd>
    </>
  );
}

