/** The headline figures: counts, changes, agents, data. No hit rate: nothing has measured one yet, and it says so. */
import type { JSX, ReactNode } from "react";
import { Link } from "react-router";

import { agentName } from "@/lib/agents";
import { NONE, count, plural } from "@/lib/format";
import { useAgents, useChanges, useFeed, useInstruments, type LatestSignals } from "@/lib/queries";
import { Direction, Icon, Time, Uncalibrated } from "@/ui";
import { countActions, kindsOf, missingAgents } from "../model/summary";

const ACTIONS = [
  { key: "buy", action: "BUY", colour: "text-up", fill: "bg-up" },
  { key: "hold", action: "HOLD", colour: "text-hold", fill: "bg-line-strong" },
  { key: "sell", action: "SELL", colour: "text-down", fill: "bg-down" },
] as const;

export function Strip({ latest }: { latest: LatestSignals }): JSX.Element {
  const counts = countActions(latest.rows);
  const feed = useFeed().data;
  const symbols = useInstruments().bySymbol.size;
  return (
    <section aria-label="Headline figures" className="grid gap-px overflow-hidden rounded-panel border border-line bg-line md:max-xl:grid-cols-6 xl:grid-cols-[1.2fr_1fr_1.25fr_0.8fr_0.8fr]">
      <Cell title="Signals at the close" note={symbols > 0 ? `${count(counts.total)} of ${count(symbols)} scored` : `${count(counts.total)} scored`}>
        <p className="flex flex-wrap justify-between gap-x-3">
          {ACTIONS.map(({ key, action, colour }) => (
            <Link key={key} to={`/signals?action=${action}`} className={`inline-flex items-baseline gap-1.5 hover:underline ${colour}`}>
              <Direction of={action} />
              <span className="text-figure font-semibold">{count(counts[key])}</span>
              {key}
            </Link>
          ))}
        </p>
        <div aria-hidden="true" className="mt-2 flex h-1.5 gap-0.5">
          {ACTIONS.map(({ key, fill }) => (
            <span key={key} className={`rounded-badge ${fill}`} style={{ flexGrow: counts[key] }} />
          ))}
        </div>
      </Cell>
      <Changed />
      <Cell title={`Probability, ${plural(latest.rows[0]?.horizon ?? 5, "bar")} ahead`}>
        {counts.total > 0 && counts.uncalibrated === 0 ? (
          <p className="pt-1.5">{plural(counts.buy + counts.sell, "signal")} calibrated</p>
        ) : (
          <>
            <p>
              <Uncalibrated />
            </p>
            <p className="mt-1.5 text-small text-muted">No calibration has been fitted: a score is not a probability, and no hit rate is known.</p>
          </>
        )}
      </Cell>
      <AgentsCell latest={latest} />
      <Cell title="Data">
        {feed === undefined ? (
          <p className="text-muted">{NONE}</p>
        ) : (
          <>
            <p className="text-figure font-semibold">
              <Time iso={feed.clock} as="clock" />
            </p>
            <p className="text-small text-muted">
              <Time iso={feed.clock} as="day" /> close, {feed.state === "still" ? "not moving" : feed.state}
            </p>
            {Object.entries(feed.context).map(([name, at]) => (
              <p key={name} className="text-small text-muted">
                {name.toUpperCase()} from <Time iso={at} as="day" />
              </p>
            ))}
          </>
        )}
      </Cell>
    </section>
  );
}

function Changed(): JSX.Element {
  const changes = useChanges().data;
  return (
    <Cell title={changes?.before ? <>Changed since <Time iso={changes.before} as="day" /></> : "Changed"}>
      <p className="text-figure font-semibold">
        <Link to="/signals?show=changed" className="hover:underline">
          {changes === undefined ? NONE : count(changes.items.length)}
        </Link>
      </p>
      <p className="mt-1.5 flex flex-wrap gap-x-3 text-small text-muted">
        {kindsOf(changes?.items ?? []).slice(0, 4).map(({ was, now, number }) => (
          <span key={`${was}${now}`} className="inline-flex items-center gap-1">
            <span className={colourOf(was)}><Direction of={was} size={7} /></span>
            <svg aria-hidden="true" width="10" height="8" viewBox="0 0 12 8" fill="none" stroke="currentColor"><path d="M0 4h11M8 1l3 3-3 3" /></svg>
            <span className={colourOf(now)}><Direction of={now} size={7} /></span>
            <span className="sr-only">{`${was} to ${now}: `}</span>
            <span className="text-text">{count(number)}</span>
          </span>
        ))}
      </p>
    </Cell>
  );
}

function AgentsCell({ latest }: { latest: LatestSignals }): JSX.Element {
  const agents = useAgents().data ?? [];
  const up = agents.filter((agent) => agent.state === "up").length;
  const looked = agents.some((agent) => agent.state !== null);
  const missing = missingAgents(latest.rows);
  const poor = agents.filter((agent) => agent.state === "degraded" || agent.state === "down");
  return (
    <Cell title="Agents">
      <p>
        <Link to="/agents" className="hover:underline">
          <span className="text-figure font-semibold">{looked ? count(up) : NONE}</span> <span className="text-muted">of {count(agents.length)} up</span>
        </Link>
      </p>
      {missing.map(({ agent, signals }) => (
        <Trouble key={agent}>{`${agentName(agent)} missing from ${plural(signals, "signal")}`}</Trouble>
      ))}
      {poor.map((agent) => (
        <Trouble key={agent.name}>{`${agentName(agent.name)} ${agent.state ?? ""}, ${String(agent.alive)} of ${plural(agent.actors, "actor")}`}</Trouble>
      ))}
      {!looked && agents.length > 0 && <p className="text-small text-muted">nothing has looked at them yet</p>}
      {missing.length === 0 && poor.length === 0 && up > 0 && <p className="text-small text-muted">all voted at this close</p>}
    </Cell>
  );
}

function Trouble({ children }: { children: string }): JSX.Element {
  return (
    <p className="mt-1 flex items-center gap-1.5 text-small text-warn">
      <Icon name="warn" size={13} />
      {children}
    </p>
  );
}

function Cell({ title, note, children }: { title: ReactNode; note?: string; children: ReactNode }): JSX.Element {
  return (
    <div className="min-w-0 bg-surface px-3.5 py-2.5 md:max-xl:col-span-2 md:max-xl:nth-[n+4]:col-span-3">
      <h2 className="flex justify-between gap-3 pb-1 text-small text-muted">
        <span>{title}</span>
        {note !== undefined && <span>{note}</span>}
      </h2>
      {children}
    </div>
  );
}

function colourOf(action: "BUY" | "SELL" | "HOLD"): string {
  return action === "BUY" ? "text-up" : action === "SELL" ? "text-down" : "text-hold";
}
