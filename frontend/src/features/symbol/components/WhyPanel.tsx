/** What the signal at the cursor says and why: action, probability, votes with reasons, levels, and where it comes from. */
import type { JSX, ReactNode } from "react";

import { NONE, percent, price, signed } from "@/lib/format";
import { useReasons } from "@/lib/queries";
import { hasAgents, useServer } from "@/lib/server";
import { ActionBadge, CopyId, Empty, Icon, Probability, Time, VotesList } from "@/ui";
import type { BarsView, SignalView } from "@/types";

import type { Advice } from "../model/advice";
import { dayOf } from "../model/days";

interface WhyPanelProps {
  symbol: string;
  advice: Advice | null;
  /** What was said before; null: nothing, undefined: that is not known now. */
  was: { action: SignalView["action"]; score: number; ts: string } | null | undefined;
  bars: BarsView;
  /** The agents could not be asked for past bars, and why. */
  silent: Error | null;
}

const WORDS = { BUY: "buy", SELL: "sell", HOLD: "hold" };

export function WhyPanel({ symbol, advice, was, bars, silent }: WhyPanelProps): JSX.Element {
  const running = useServer(hasAgents);
  const reasons = useReasons(symbol, advice?.asOf ?? "", running && advice !== null);
  if (advice === null) {
    return silent === null ? (
      <Empty>No agent votes on this bar yet: their warm-up is not over, or no signal was stored. Move the cursor to a later bar.</Empty>
    ) : (
      <Empty>No signal is stored for this bar, and it cannot be computed now: {silent.message}</Empty>
    );
  }
  const { stored } = advice;
  const newest = bars.ts.at(-1);
  const behind = newest !== undefined && dayOf(advice.asOf) < dayOf(newest);
  const view: SignalView = stored ?? shapeOf(symbol, advice);
  const words = running && reasons.isPending ? Object.fromEntries(advice.votes.map((vote) => [vote.agent, "\u00a0"])) : reasons.data?.reasons;
  return (
    <div className="divide-y divide-line">
      <section aria-label="Signal" className="flex items-center gap-3 p-3">
        <ActionBadge action={advice.action} large />
        <div>
          <p>
            Score <b className="font-semibold">{signed(advice.score)}</b>
            {advice.agreement !== null && <> agreement <b className="font-semibold">{percent(advice.agreement, 0)}</b></>}
          </p>
          <p className="text-muted">
            {was === undefined ? "what it was before is not known now" : was === null ? "No signal before it" : <>was {WORDS[was.action]} at {signed(was.score)} on <Time iso={was.ts} as="day" /></>}
          </p>
          {behind && <p className="text-warn"><Icon name="warn" size={12} className="mr-1 inline" />of <Time iso={advice.asOf} as="day" />; the newest bar has no signal yet</p>}
        </div>
      </section>
      <Part title={`Probability, ${String(view.horizon)} bars ahead`}>
        <Probability action={advice.action} probability={view.probability} calibrated={view.calibrated} />
        <p className="mt-1 text-small text-muted">
          {advice.action === "HOLD" ? "A hold says no direction that could be right." : view.calibrated ? "" : "No calibration has been fitted, so there is no number to show."}
        </p>
      </Part>
      <Part title="Why" note="share of weight">
        <VotesList signal={view} reasons={words} />
        {!running && <p className="mt-2 text-small text-muted">Reasons need the agents, which are not running.</p>}
        {running && reasons.isError && <p className="mt-2 text-small text-muted">Reasons are not to be had: {reasons.error.message}</p>}
        {stored === null && <p className="mt-2 text-small text-muted">Computed from the bars; no signal was stored for this bar, so weights are not known.</p>}
      </Part>
      <Part title="Levels">
        {stored?.entry == null ? (
          <p className="text-muted">{advice.action === "HOLD" ? "A hold has none." : "None are stored for this bar."}</p>
        ) : (
          <dl className="grid grid-cols-[1fr_auto] gap-y-0.5">
            <Level name="Entry, next open near" value={stored.entry} close={stored.entry} />
            <Level name="Stop" value={stored.stop} close={stored.entry} />
            <Level name="Target" value={stored.target} close={stored.entry} />
          </dl>
        )}
      </Part>
      <Part title="Data">
        <ul className="space-y-1">
          {bars.gap.at(-1) === true && <Warning>The row before this bar is missing or was quarantined.</Warning>}
          {(stored?.warnings ?? []).map((warning) => (
            <Warning key={warning}>{warning}</Warning>
          ))}
          {advice.missing.map((agent) => (
            <Warning key={agent}>{agent} gave no vote in time; the signal was made without it.</Warning>
          ))}
        </ul>
        <dl className="mt-1 grid grid-cols-[1fr_auto] items-center gap-x-3">
          <Fact name="As of"><Time iso={advice.asOf} /></Fact>
          <Fact name="Bars"><CopyId id={bars.data_hash} /></Fact>
          {stored !== null && (
            <>
              <Fact name={`Signal, revision ${String(stored.revision)}`}><CopyId id={stored.signal_id} /></Fact>
              <Fact name="Made from"><CopyId id={stored.input_hash} /></Fact>
              <Fact name="Universe"><span className="font-mono text-small">{stored.universe}</span></Fact>
            </>
          )}
        </dl>
      </Part>
    </div>
  );
}

/** A computed row in the shape the vote list takes; it has no weights, and no ids to show. */
function shapeOf(symbol: string, advice: Advice): SignalView {
  const { action, score, agreement, threshold, votes, missing, asOf } = advice;
  return {
    signal_id: "", input_hash: "", revision: 0, symbol, frame: "1d", universe: "", as_of: asOf, horizon: 5, action, score, threshold,
    probability: null, calibrated: false, strength: Math.abs(score), agreement: agreement ?? 0, votes, missing, entry: null, stop: null, target: null, warnings: [],
  };
}

function Part({ title, note, children }: { title: string; note?: string; children: ReactNode }): JSX.Element {
  return (
    <section aria-label={title} className="p-3">
      <header className="mb-1.5 flex items-baseline justify-between">
        <h3 className="font-semibold">{title}</h3>
        {note !== undefined && <span className="text-muted">{note}</span>}
      </header>
      {children}
    </section>
  );
}

function Level({ name, value, close }: { name: string; value: number | null; close: number }): JSX.Element {
  const tone = value === null || value === close ? "" : value > close ? "text-up" : "text-down";
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className={`text-right ${tone}`}>{value === null ? <span title="The average range is still warming up, or the level would lie below zero">{NONE}</span> : price(value)}</dd>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): JSX.Element {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="text-right">{children}</dd>
    </>
  );
}

function Warning({ children }: { children: ReactNode }): JSX.Element {
  return (
    <li className="flex items-start gap-2 text-muted">
      <Icon name="warn" size={14} className="mt-0.5 text-warn" />
      <span>{children}</span>
    </li>
  );
}

